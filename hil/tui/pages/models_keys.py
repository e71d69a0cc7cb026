"""Keys of the page of models: one model, two beside each other, files to load, why a decision was made.

Rule of this room: a table, and which of its keys are worth a place in the footer now.
"""

from hil.tui.key import Hint, Key

__all__ = ["KEYS", "PANES", "hints"]

ENROL = "hil enrol MODEL --class NAME --example FILE@FROM-TO -o FILE"


def _key(name: str, keys: str, action: str, words: str, explained: str, verb: str = "") -> Key:
    """Return a key of this page; one with a verb acts."""
    return Key(f"models.{name}", keys, action, words, explained, "act" if verb else "view", verb)


KEYS = (
    _key("files", "l", "files", "list files",
         "List the model files within reach: of this folder, two levels deep, and those that come along."),
    _key("load", "enter", "load", "load",
         "In the list of files: let the model at the cursor run on the live boards, beside those that run.",
         "hil model load MODEL"),
    _key("deploy", "d", "deploy", "onto the board",
         "Put the model at the cursor on its live board, in 8-bit integers calibrated on what that sent in the last "
         "seconds, and have it run on the board's own samples; in the list of files that file, or an op list. Capture "
         "goes on meanwhile.",
         "hil model deploy MODEL --at HOST:PORT"),
    _key("stop", "o", "stop", "stop on the board",
         "Have the board of the model that is looked at run its own network no longer; the network stays on it, and "
         "capture goes on.",
         "hil model stop --at HOST:PORT"),
    _key("unload", "x", "unload", "unload",
         "Let the model at the cursor go; asked for twice. Its decisions stay where they were recorded.",
         "hil model unload NAME"),
    _key("beside", "b", "beside", "beside",
         "Look at the model beside the next one at its board: agreement, confusions, times; after the last one alone."),
    _key("earlier", "left", "step(-1)", "decision before", "Look at the decision before."),
    _key("later", "right", "step(1)", "next decision", "Look at the next decision; past the newest follow the newest."),
    _key("why", "w", "why", "why",
         "Say which samples and channels carried the decision that is looked at, drawn under the signal; again: back."),
    _key("show", "e", "show", "show",
         "Begin to show the model a new gesture; again: end it. Every press of a pair is one example.", ENROL),
    _key("drop", "u", "drop", "drop", "Let go of the example that runs, or of the last one.", ENROL),
    _key("teach", "t", "teach", "make the class",
         "Name what was shown: a new model that knows it runs at once, beside the old one, from a file of its own.",
         ENROL),
    _key("anew", "z", "anew", "count anew", "Count right and wrong of this model from now on."),
    _key("back", "escape", "back", "back",
         "Step back: close the line, the reasons, the list of files, the other model; follow the newest decision."),
)  # fmt: skip
"""Keys of the page, in the order of the help page."""

PANES = {
    "models": (
        "One line a model and board: its newest decision and how sure it is, how often it was right so far, what the "
        "drift watch beside it says, and how long it computes. A decision that took longer than the time to the next "
        "one is late. In the list of files: what each is called, and whether it runs."
    ),
    "about": (
        "Decisions over time, the newest to the right: the block is how sure, the number which class. Below: computing "
        "times, drift, how often which decision was made under which label (a person's, a replay's marks, or what a "
        "virtual board told), and what its confidence was worth: bars are how often decisions of that confidence were "
        "right, ┃ how sure they were. Reasons: blocks under a channel spoke for the decision, shades against it."
    ),
}  # fmt: skip
"""What each pane shows and how to read it."""


def hints(
    mode: str,
    why: bool,
    teachable: bool,
    running: bool,
    shown: int,
    others: int,
    models: int,
    decided: bool = True,
    network: bool = False,
    deployed: bool = False,
) -> tuple[Hint, ...]:
    """Return the keys worth showing now, the most useful first.

    Args:
        mode: See `hil.tui.state.modelling.Modelling`.
        why: Whether reasons are shown.
        teachable: Whether the model at the cursor learns by showing.
        running: Whether an example runs.
        shown: Examples that are there.
        others: Models at the same board.
        models: Models in all.
        decided: Whether the model at the cursor has decided anything yet.
        network: Whether the file at the cursor is an op list for boards.
        deployed: Whether the board of the model at the cursor runs a network of its own.
    """
    last = (("screen.help", "help"), ("screen.quit", "quit"), ("screen.palette", "all"), ("screen.picture", "picture"))
    if mode == "files":
        load = () if network else (("models.load", "load it"),)
        return *load, ("models.deploy", "onto the board"), ("models.back", "back"), ("up down", "choose"), *last
    if why:
        return ("models.why", "back"), ("models.earlier models.later", "decisions"), *last
    show = (("models.show", "end the example" if running else "show a gesture"),) if teachable else ()
    made = (
        (("models.teach", f"make a class of {shown}"), ("models.drop", "drop the last"))
        if shown and not running
        else ()
    )
    why_key = (("models.why", "why"),) if decided else ()
    here = (*why_key, *((("models.beside", "two side by side"),) if others else ())) if models else ()
    stop = (("models.stop", "stop on the board"),) if deployed else ()
    past = (("models.earlier models.later", "decisions"), ("models.anew", "count anew")) if decided else ()
    return (
        *show,
        *made,
        *here,
        ("models.files", "load"),
        *stop,
        ("up down", "choose"),
        *((("models.unload", "unload"), *past, ("models.deploy", "onto the board")) if models else ()),
        *last,
    )
