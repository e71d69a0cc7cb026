"""Keys of the page of scenarios: its list, a failure where it happened, and what would change in a baseline.

Rule of this room: a table, and which of its keys are worth a place in the footer now.
"""

from hil.tui.key import Hint, Key

__all__ = ["KEYS", "PANES", "hints"]


def _key(name: str, keys: str, action: str, words: str, explained: str, verb: str = "") -> Key:
    """Return a key of this page; one with a verb acts."""
    return Key(f"scenarios.{name}", keys, action, words, explained, "act" if verb else "view", verb)


KEYS = (
    _key("run", "r", "run", "run", "Run the marked scenarios; where none is marked the one at the cursor.",
         "hil run FILE ..."),
    _key("run_all", "R", "run(True)", "run all", "Run every scenario that is listed; after a search only those.",
         "hil run FOLDER"),
    _key("mark", "space", "mark", "mark", "Mark the scenario for r, or no longer, and go on to the next."),
    _key("cancel", "x", "cancel", "end the run",
         "End the run early: what runs goes through its teardown, what waits does not begin.",
         "hil run FILE and then ctrl-c"),
    _key("open", "enter", "open", "open the failure",
         "Open the failure at the moment it happened: signal, prediction, label and fault over one time.",
         "hil run FILE --html PAGE"),
    _key("before", "left", "step(-1)", "moment before", "Go to the moment of the check before that did not pass."),
    _key("next", "right", "step(1)", "next moment", "Go to the moment of the next check that did not pass."),
    _key("replay", "v", "replay", "replay",
         "Play the recording that was kept, from shortly before the moment; escape comes back here.",
         "hil replay FILE --from S"),
    _key("baseline", "b", "baseline", "baseline", "Show what would change in the accepted results."),
    _key("accept", "a", "accept", "accept", "Accept the difference that is shown; without one it asks for b first.",
         "hil run FILE --update-baselines"),
    _key("search", "slash", "search", "search",
         "Show only scenarios in whose name, file, tags or last outcome all these words stand; empty: all."),
    _key("again", "f", "again", "look again", "Read the folder and the history again."),
    _key("copy", "c", "copy", "copy", "Copy the command that runs the scenario once more (OSC 52)."),
    _key("back", "escape", "back", "back", "Step back: close the line, then back to the list, then show all."),
)  # fmt: skip
"""Keys of the page, in the order of the help page."""

PANES = {
    "library": (
        "One line a scenario: what came of it last, its name, its last ten runs with the newest to the right (. PASS, "
        "~ MARGINAL, F FAIL, U UNSET, T TROUBLE, - NA), its tags. A run shows its time as it goes, and each verdict as "
        "it comes."
    ),
    "checks": (
        "All about the scenario at the cursor: each check with value, limit, its past as little blocks and the reason; "
        "what differs from the accepted results; what was kept; the command that does the same. Of a failure: dots lie "
        "behind the signal while a fault lasts, ✔ and ✖ say whether a decision was right, × marks missing samples, "
        "▲ is the moment."
    ),
}
"""What each pane shows and how to read it."""


def hints(mode: str, moments: int, runs: bool, marked: int, baseline: bool, kept: bool) -> tuple[Hint, ...]:
    """Return the keys worth showing now, the most useful first."""
    last = (("screen.help", "help"), ("screen.quit", "quit"), ("screen.palette", "all"), ("screen.picture", "picture"))
    replay = (("scenarios.replay", "replay"),) if kept else ()
    if mode == "baseline":
        return ("scenarios.accept", "accept"), ("scenarios.back", "leave it as it is"), ("up down", "scroll"), *last
    if mode == "moment":
        steps = (("scenarios.before scenarios.next", "moments"),) if moments > 1 else ()
        return *steps, *replay, ("scenarios.back", "back"), ("scenarios.run", "run"), *last
    start = (("scenarios.cancel", "end the run"),) if runs else (
        ("scenarios.run", f"run {marked} marked" if marked else "run"), ("scenarios.run_all", "run all"))  # fmt: skip
    return (
        *start, *((("scenarios.open", "open the failure"),) if moments else ()), ("scenarios.mark", "mark"),
        *((("scenarios.baseline", "baseline"),) if baseline else ()), *replay, ("scenarios.search", "search"),
        ("up down", "choose"), ("scenarios.copy", "copy"), ("scenarios.again", "look again"), *last,
    )  # fmt: skip
