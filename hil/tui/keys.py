"""Every key of the screen in one table: bindings, footer, help and palette are made from it.

Rule of this room: a key has an id (so that a file of the user may move it), a name, a line of help, and a kind: `view`
changes only what this screen shows; `act` changes the bench and has a verb of the command line that does the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.snapshot import Snapshot
from hil.tui.cells import DIM, KEY, TEXT, Run

if TYPE_CHECKING:
    from textual.binding import BindingType

__all__ = ["KEYS", "Key", "actions", "bindings", "footer", "hints"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        id: Stable name.
        keys: Key names, separated by commas.
        shown: How the key is written for people.
        action: What the app does.
        name: One or two words.
        help: One sentence.
        kind: `view` or `act`.
        verb: For `act`: the command line that does the same.
        when: `always`, `live`, `replay` or `recording`: where it is offered.
    """

    id: str
    keys: str
    shown: str
    action: str
    name: str
    help: str
    kind: str = "view"
    verb: str = ""
    when: str = "always"


def _replay(name: str, keys: str, shown: str, action: str, words: str, explained: str, options: str = "") -> Key:
    """Return a key of the transport."""
    return Key(f"replay.{name}", keys, shown, action, words, explained, "act", f"hil replay FILE{options}", "replay")


KEYS = (
    Key("screen.freeze", "space", "space", "freeze", "freeze",
        "Freeze the picture to look at it; capture, recording and models go on. Again: back to live."),
    Key("screen.live", "end", "end", "live", "back to live", "Leave the frozen picture and follow the bench again."),
    Key("record.toggle", "r", "r", "bench('record')", "record", "Start a recording; again: stop it and close the file.",
        "act", "hil capture PORT", "live"),
    Key("record.mark", "m", "m", "bench('mark')", "mark", "Set a mark at this moment.", "act", "hil mark FILE TEXT"),
    Key("record.note", "M", "M", "note", "mark with words",
        "Set a mark at this moment and write what it means; enter keeps it, escape drops it.", "act",
        "hil mark FILE TEXT"),
    Key("glitch.save", "g", "g", "bench('glitch')", "glitch to test",
        "Keep the last 30 s and the next 5 s as a recording, with a scenario that asserts what was expected.", "act",
        "hil capture PORT --pre-trigger 30", "live"),
    *(Key(f"label.{digit}", str(digit), str(digit), f"bench('label',{digit})", f"label {digit}",
          f"Start class {digit} as a label; again: stop it.", "act", "hil collect PLAN.toml", "recording")
      for digit in range(1, 10)),
    Key("time.in", "plus,equals_sign", "+", "zoom(-1)", "less time", "Show a shorter stretch of time, finer."),
    Key("time.out", "minus", "−", "zoom(1)", "more time", "Show a longer stretch of time."),
    Key("pane.maximise", "f", "f", "maximise", "maximise",
        "Give the focused pane the whole screen; again: give it back."),
    Key("pane.next", "tab", "tab", "app.focus_next", "next pane", "Move the focus to the next pane."),
    Key("pane.previous", "shift+tab", "shift+tab", "app.focus_previous", "previous pane",
        "Move the focus to the pane before."),
    Key("pane.restore", "escape", "esc", "restore", "step back", "Step back: close what is open, give the panes back."),
    Key("board.only", "enter", "enter", "only", "this board only",
        "In the table of boards: show only the plots of that board; again: of all."),
    Key("plot.lanes", "l", "l", "lanes", "lanes", "Give each channel a lane of its own, or lay them over each other."),
    Key("plot.allan", "a", "a", "allan", "Allan deviation",
        "Show how the focused plot's noise averages out, growing while the board rests; again: its readings."),
    _replay("pause", "p", "p", "bench('pause')", "pause", "Pause the replay or let it go on."),
    _replay("back", "comma", ",", "bench('step',-1)", "step back", "Step one sample back.", " --from S"),
    _replay("step", "full_stop", ".", "bench('step',1)", "step", "Step one sample on.", " --from S"),
    _replay("left", "left", "←", "bench('seek',-5)", "5 s back", "Go back five seconds.", " --from S"),
    _replay("right", "right", "→", "bench('seek',5)", "5 s on", "Go on five seconds.", " --from S"),
    _replay("start", "home", "home", "bench('start')", "to the start", "Go to the start of the range."),
    _replay("previous", "left_square_bracket", "[", "bench('to_mark',-1)", "mark before", "Go to the mark before.",
            " --from MARK"),
    _replay("next", "right_square_bracket", "]", "bench('to_mark',1)", "next mark", "Go to the next mark.",
            " --from MARK"),
    _replay("slower", "less_than_sign", "<", "bench('speed',-1)", "slower", "Replay at half the speed.", " --speed X"),
    _replay("faster", "greater_than_sign", ">", "bench('speed',1)", "faster", "Replay at twice the speed.",
            " --speed X"),
    _replay("loop", "o", "o", "bench('loop')", "loop", "Begin again at the end, or stop there.", " --loop"),
    Key("screen.picture", "s", "s", "picture", "picture", "Keep a picture of the screen as an SVG file."),
    Key("screen.help", "question_mark,f1", "?", "help", "help", "Show this page."),
    Key("screen.palette", "ctrl+p", "^p", "command_palette", "all actions", "Find any action by its name."),
    Key("screen.quit", "ctrl+q", "^q", "leave", "quit",
        "Leave the screen. While a recording runs it is asked for twice, and the file is closed first."),
    Key("screen.interrupt", "ctrl+c", "^c", "interrupt", "how to quit",
        "Never stops anything: says how to leave, so that no recording is lost by habit."),
)  # fmt: skip
"""All keys, in the order of the help page."""


def bindings() -> "list[BindingType]":
    """Return the table as bindings of the app."""
    from textual.binding import Binding

    return [Binding(key.keys, key.action, key.name, show=False, id=key.id, priority=key.id in PRIORITY) for key in KEYS]


def actions(snapshot: Snapshot | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, explanation and action for the palette: every key that can do something now, labels by class."""
    for key in KEYS:
        useless = key.when == "replay" and not (snapshot and snapshot.replay)
        if not useless and key.id != "screen.palette" and not key.id.startswith("label."):
            yield f"{key.name} ({key.shown})", key.help, key.action
    for index, name in enumerate(snapshot.classes[:9] if snapshot else ()):
        yield f"label: {name} ({index + 1})", "Start or stop this label.", f"bench('label',{index + 1})"
    yield "theme", "Choose dark, light, high contrast or another theme.", "change_theme"


PRIORITY = ("screen.quit", "screen.interrupt")
"""Keys that work wherever the focus is."""


def hints(mode: str, frozen: bool, recording: bool, classes: int, maximised: bool) -> tuple[tuple[str, str], ...]:
    """Return the keys worth showing now, the most useful first."""
    rows: list[tuple[str, str]] = []
    if frozen:
        rows.append(("space", "back to live"))
    if maximised:
        rows.append(("f", "give back"))
    if mode == "replay":
        rows += [("p", "pause"), (", .", "step"), ("← →", "5 s"), ("< >", "speed"), ("[ ]", "marks")]
    else:
        rows += [("r", "stop recording" if recording else "record")]
    if recording and classes:
        rows.append((f"1-{min(9, classes)}", "label"))
    rows += [("m", "mark"), ("?", "help"), ("^q", "quit"), ("+ −", "time")]
    rows += [] if frozen else [("space", "freeze")]
    rows += [] if maximised else [("f", "maximise")]
    return (
        *rows,
        ("tab", "pane"),
        ("l", "lanes"),
        ("a", "Allan"),
        ("^p", "all"),
        *([("o", "loop")] if mode == "replay" else [("g", "glitch"), ("s", "picture")]),
    )


def footer(rows: Iterable[tuple[str, str]], width: int) -> list[Run]:
    """Return keys and names as far as they fit whole."""
    line: list[Run] = []
    used = 0
    for key, name in rows:
        if used + len(key) + len(name) + 3 > width:
            continue
        line += [(f" {key} ", KEY), (f"{name} ", TEXT if used == 0 else DIM)]
        used += len(key) + len(name) + 3
    return line
