"""Keys of the page of recordings, in its list, in the labelling of one and in the comparison of two.

Rule of this room: a table, and which of its keys are worth a place in the footer now.
"""

from hil.tui.key import Hint, Key

__all__ = ["KEYS", "PANES", "hints"]

LABEL = "hil data label FILE LABEL --from S --to S"


def _key(name: str, keys: str, action: str, words: str, explained: str, verb: str = "") -> Key:
    """Return a key of this page; one with a verb acts."""
    return Key(f"recordings.{name}", keys, action, words, explained, "act" if verb else "view", verb)


KEYS = (
    _key("search", "slash", "search", "search",
         "Show only recordings in whose name, streams, labels or notes all these words stand; empty: all."),
    _key("again", "f", "again", "look again", "Read the folder again."),
    _key("open", "enter", "open", "replay", "Play the recording, with all keys of a replay; escape comes back here.",
         "hil replay FILE"),
    _key("label", "e", "label", "label", "Label stretches of the recording by keys."),
    _key("compare", "c", "compare", "compare", "First: this is A. On another one: compare it with A."),
    _key("back", "escape", "back", "back", "Step back: close the line, let go of the start, then back to the list."),
    _key("left", "left", "move(-1)", "left", "Move the cursor left; in a comparison the stretch that is seen."),
    _key("right", "right", "move(1)", "right", "Move the cursor right; in a comparison the stretch that is seen."),
    _key("far_left", "shift+left", "move(-16)", "far left", "Move the cursor far left."),
    _key("far_right", "shift+right", "move(16)", "far right", "Move the cursor far right."),
    _key("edge_before", "left_square_bracket", "edge(-1)", "edge before", "Go to the edge of a label or mark before."),
    _key("edge_next", "right_square_bracket", "edge(1)", "next edge", "Go to the next edge of a label or mark."),
    _key("in", "plus,equals_sign", "zoom(-1)", "closer", "See half of the time, around the cursor."),
    _key("out", "minus", "zoom(1)", "farther", "See twice the time; at most all."),
    _key("start", "space", "start", "start here", "A stretch starts at the cursor; again: let go of it."),
    *(_key(f"class.{digit}", str(digit), f"label_as({digit})", f"class {digit}",
           f"Label from the start to the cursor as class {digit}; it is kept at once.", LABEL)
      for digit in range(1, 10)),
    _key("class.new", "l", "new_class", "new class", "Write the name of a new class; it gets the next digit."),
    _key("undo", "u", "undo", "undo", "Take back what was done last beside this recording, label by label.",
         "hil data label FILE --undo"),
    _key("remove", "x", "remove", "remove", "Take away the label at the cursor; undo brings it back.",
         "hil data label FILE --remove ID"),
    _key("next", "n", "suggestion", "next suggestion",
         "Go to the next stretch that is worth a label and take it as the stretch; again: the one after."),
    _key("dismiss", "d", "drop_suggestion", "dismiss",
         "Take the suggestion away that is the stretch; undo brings it back.", "hil data label FILE --dismiss next"),
    _key("glitch", "g", "glitch", "glitch to test",
         "Cut the stretch out with 30 s before it, and write a scenario that asserts what was expected; without a "
         "stretch it is of the 2 s before the cursor.", "hil scenario glitch FILE --from S --to S"),
    _key("overlay", "o", "overlay", "overlay", "Lay A and B over each other, or put one below the other."),
    _key("align", "y", "align", "align", "Line A and B up by their starts, by the time of day, or by first marks."),
    _key("earlier", "comma", "shift(-1)", "B earlier", "Shift B against A by one column to the left."),
    _key("later", "full_stop", "shift(1)", "B later", "Shift B against A by one column to the right."),
)  # fmt: skip
"""Keys of the page, in the order of the help page."""

PANES = {
    "shelf": (
        "One line a recording, the newest first: when, how long, how much of it is labelled, what is in it. One that "
        "cannot be read, was cut off or is still being written says so. The strips below are the whole of it: each "
        "column spans the least and greatest reading, × marks missing samples, and the last rows show labels by the "
        "digit of their class."
    ),
    "reel": (
        "Readings of the recording with its labels below. The cursor is the bright column; a stretch runs from its "
        "start to the cursor, and a digit labels it. Every label is written at once into NAME.marks.jsonl beside the "
        "recording, which itself never changes; undo takes back any number of them."
    ),
}  # fmt: skip
"""What each pane shows and how to read it."""


def hints(mode: str, classes: int, started: bool, suggested: bool = False) -> tuple[Hint, ...]:
    """Return the keys worth showing now, the most useful first."""
    last = (("screen.help", "help"), ("screen.quit", "quit"), ("screen.palette", "all"), ("screen.picture", "picture"))
    if mode == "label":
        digits = (f"1-{min(9, classes)}", "label") if classes else ("recordings.class.new", "new class")
        return (
            *((digits,) if started else (("recordings.start", "start here"),)),
            ("recordings.left recordings.right", "move"), *(() if started else (digits,)), ("recordings.undo", "undo"),
            ("recordings.next", "suggestion"), *((("recordings.dismiss", "dismiss"),) if suggested else ()),
            ("recordings.glitch", "glitch to test"), ("recordings.back", "back"),
            ("recordings.in recordings.out", "zoom"),
            ("recordings.edge_before recordings.edge_next", "edges"), ("recordings.remove", "remove"),
            ("recordings.class.new", "new class"), ("recordings.open", "replay"), *last,
        )  # fmt: skip
    if mode == "compare":
        return (
            ("recordings.overlay", "overlay"), ("recordings.align", "align"),
            ("recordings.earlier recordings.later", "shift B"), ("recordings.in recordings.out", "zoom"),
            ("recordings.left recordings.right", "move"), ("recordings.back", "back"), *last,
        )  # fmt: skip
    return (
        ("recordings.open", "replay"), ("recordings.label", "label"), ("recordings.compare", "compare"),
        ("recordings.search", "search"), ("up down", "choose"), ("recordings.again", "look again"), *last,
    )  # fmt: skip
