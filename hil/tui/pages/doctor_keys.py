"""Keys of the page of the doctor.

Rule of this room: a table, and which of its keys are worth a place in the footer now.
"""

from hil.tui.key import Hint, Key

__all__ = ["KEYS", "PANES", "hints"]

KEYS = (
    Key("doctor.host", "d", "examine", "examine", "Examine the computer, its terminal and its ports again.", "act",
        "hil doctor"),
    Key("doctor.port", "p", "next_port(1)", "next port", "Choose the next port to examine."),
    Key("doctor.port_before", "P", "next_port(-1)", "port before", "Choose the port before."),
    Key("doctor.listen", "enter", "listen", "listen",
        "Open the chosen port, listen to its board for four seconds and say how well it does.", "act",
        "hil doctor PORT"),
    Key("doctor.loopback", "b", "listen(True)", "loop back",
        "Send bytes through the chosen port, whose TX is joined to its RX, and compare what comes back.", "act",
        "hil doctor PORT --loopback"),
    Key("doctor.wrong", "w", "wrong", "only what is wrong", "Leave out what is well; again: everything."),
    Key("doctor.copy", "c", "copy", "copy", "Copy what to do about the finding at the cursor (OSC 52)."),
)  # fmt: skip
"""Keys of the page, in the order of the help page."""

PANES = {
    "findings": (
        "One line a finding, with a sign and a word for how serious it is. Up and down move the cursor; the whole "
        "sentence and what to do stand below."
    ),
    "advice": "What was found, what to do about it, and what the examination comes to.",
}
"""What each pane shows and how to read it."""


def hints(port: str, busy: bool) -> tuple[Hint, ...]:
    """Return the keys worth showing now, the most useful first."""
    on = (("doctor.listen", f"listen to {port}"), ("doctor.port", "next port")) if port else ()
    return (
        *(() if busy else (*on, ("doctor.host", "examine again"))), ("doctor.wrong", "only what is wrong"),
        ("screen.help", "help"), ("screen.quit", "quit"), ("doctor.copy", "copy"),
        *((("doctor.loopback", "loop back"),) if port and not busy else ()), ("screen.palette", "all"),
    )  # fmt: skip
