"""Keys of the page of models.

Rule of this room: a table, and which of its keys are worth a place in the footer now.
"""

from hil.tui.key import Hint, Key

__all__ = ["KEYS", "PANES", "hints"]

ENROL = "hil enrol MODEL --class NAME --example FILE@FROM-TO -o FILE"

KEYS = (
    Key("models.show", "e", "show", "show",
        "Begin to show the model a new gesture; again: end it. Every press of a pair is one example.", "act", ENROL),
    Key("models.drop", "u", "drop", "drop", "Let go of the example that runs, or of the last one.", "act", ENROL),
    Key("models.teach", "t", "teach", "make the class",
        "Name what was shown: a new model that knows it runs at once, beside the old one, from a file of its own.",
        "act", ENROL),
    Key("models.anew", "z", "anew", "count anew", "Count right and wrong of this model from now on."),
    Key("models.back", "escape", "back", "back", "Close the line."),
)  # fmt: skip
"""Keys of the page, in the order of the help page."""

PANES = {
    "models": (
        "One line a model and board: its newest decision and how sure it is, how often it was right so far, what the "
        "drift watch beside it says, and how long it computes. A decision that took longer than the time to the next "
        "one is late."
    ),
    "about": (
        "Decisions over time, the newest to the right: the block is how sure, the number which class. Below: computing "
        "times, drift, and how often which decision was made under which label (a person's, a replay's marks, or what "
        "a virtual board told)."
    ),
}
"""What each pane shows and how to read it."""


def hints(teachable: bool, running: bool, shown: int) -> tuple[Hint, ...]:
    """Return the keys worth showing now, the most useful first."""
    show = (("models.show", "end the example" if running else "show a gesture"),) if teachable else ()
    made = (
        (("models.teach", f"make a class of {shown}"), ("models.drop", "drop the last"))
        if shown and not running
        else ()
    )
    return (*show, *made, ("up down", "choose"), ("models.anew", "count anew"), ("screen.help", "help"),
            ("screen.quit", "quit"), ("screen.palette", "all"), ("screen.picture", "picture"))  # fmt: skip
