"""Keys of the live page and of a recording in replay, and words about their panes.

Rule of this room: a table, and which of its keys are worth a place in the footer or the palette now.
"""

from collections.abc import Iterable, Iterator

from hil.tui.key import Hint, Key
from hil.tui.state.state import Scene
from hil.views.snapshot import Snapshot

__all__ = ["KEYS", "PANES", "QUESTIONS", "hints", "labels", "usable", "useless"]


def _replay(name: str, keys: str, action: str, words: str, explained: str, options: str = "") -> Key:
    """Return a key of the transport."""
    return Key(f"replay.{name}", keys, action, words, explained, "act", f"hil replay FILE{options}", "replay")


KEYS = (
    Key("screen.freeze", "space", "freeze", "freeze",
        "Freeze the picture to look at it; capture, recording and models go on. Again: back to live."),
    Key("screen.live", "end", "look('live')", "back to live", "Leave the frozen picture and follow the bench again."),
    Key("record.toggle", "r", "bench('record')", "record", "Start a recording; again: stop it and close the file.",
        "act", "hil capture PORT", "live"),
    Key("record.mark", "m", "bench('mark')", "mark", "Set a mark at this moment.", "act",
        "hil mark FILE TEXT --from S"),
    Key("record.note", "M", "ask('note')", "mark with words",
        "Set a mark at this moment and write what it means; enter keeps it, escape drops it.", "act",
        "hil mark FILE TEXT --from S"),
    Key("glitch.save", "g", "bench('glitch')", "glitch to test",
        "Keep the last 30 s and the next 5 s as a recording, with a scenario that asserts what was expected; in a "
        "replay of the range from A to B, or of what was just seen.", "act", "hil capture PORT --pre-trigger 30"),
    *(Key(f"label.{digit}", str(digit), f"bench('label',{digit})", f"label {digit}",
          f"Start class {digit} as a label; again: stop it. In a recording that runs, or in a replay.", "act",
          "hil collect PLAN.toml", "recording")
      for digit in range(1, 10)),
    Key("time.in", "plus,equals_sign", "look('time',-1)", "less time", "Show a shorter stretch of time, finer."),
    Key("time.out", "minus", "look('time',1)", "more time", "Show a longer stretch of time."),
    Key("pane.maximise", "f", "maximise", "maximise",
        "Give the focused pane the whole screen; again: give it back."),
    Key("pane.next", "tab", "app.focus_next", "next pane", "Move the focus to the next pane."),
    Key("pane.previous", "shift+tab", "app.focus_previous", "previous pane", "Move the focus to the pane before."),
    Key("pane.restore", "escape", "restore", "step back", "Step back: close what is open, give the panes back."),
    Key("board.only", "enter", "look('only')", "this board only",
        "In the table of boards: show only the plots of that board; again: of all."),
    Key("plot.lanes", "l", "look('lanes')", "lanes",
        "Give each channel a lane of its own, or lay them over each other."),
    Key("plot.allan", "a", "look('allan')", "Allan deviation",
        "Show how the focused plot's noise averages out, growing while the board rests; again: its readings."),
    Key("plot.kind", "v", "look('kind',1)", "next kind",
        "Show the focused plot as spectrum, spectrogram, histogram, XY or, of inertial sensors, as the attitude."),
    Key("plot.kind_back", "V", "look('kind',-1)", "kind before", "Go back through the kinds of plot."),
    Key("plot.channel", "x", "look('channel')", "next channel",
        "Take the next channel of a spectrogram, or the next pair of an XY plot."),
    Key("plot.alone", "h", "look('alone')", "one channel",
        "Show one channel of the focused plot alone, then the next, at last all again; a click on a channel in the "
        "title hides it or shows it again."),
    Key("plot.scale", "y", "look('scale')", "shared scale",
        "Give all plots of one unit the same scale; again: each its own."),
    Key("plot.values_in", "ctrl+up", "look('values',-1)", "values closer",
        "Look closer at the values of the focused plot: a smaller range, which is held. With the mouse: the wheel over "
        "the numbers of the axis, or ctrl and the wheel anywhere in the plot."),
    Key("plot.values_out", "ctrl+down", "look('values',1)", "values farther",
        "Show a larger range of the values of the focused plot, and hold it."),
    Key("plot.values_up", "shift+up", "look('lift',1)", "higher values",
        "Move the range of the focused plot's values up, and hold it; dragging the numbers of the axis does so, too."),
    Key("plot.values_down", "shift+down", "look('lift',-1)", "lower values",
        "Move the range of the focused plot's values down, and hold it."),
    Key("plot.values_auto", "Y", "look('auto')", "values as they come",
        "Let the range of the focused plot's values follow its readings again; a double click on its numbers, too."),
    Key("frame.colours", "P", "look('colours')", "colour map",
        "Colour the focused frame or spectrogram by the next map: iron, viridis-like, cividis-like, grey, diverging "
        "about 0 or the middle (frames only), rainbow. All but the last are safe for the colour-blind."),
    Key("frame.hold", "R", "look('hold')", "hold the range",
        "Keep the range of the focused frame as it is now, and count what is beyond it; again: let it follow."),
    Key("frame.each", "E", "look('each')", "range of each frame",
        "Take the range of each frame by itself; again: of all frames in the time that is shown."),
    Key("plot.split", "w", "look('split')", "split", "Put one, two, three or four plots in a row; then as suits."),
    Key("board.overview", "O", "look('overview')", "overview",
        "Show all boards, the worst first, each with a line of its readings; again: their plots."),
    Key("cursor.toggle", "c", "look('cursor')", "cursor",
        "Set a cursor and read the exact time and values of the sample under it; again: take it away."),
    Key("cursor.left", "shift+left", "look('move',-1)", "cursor left", "Move the cursor one column to the left."),
    Key("cursor.right", "shift+right", "look('move',1)", "cursor right", "Move the cursor one column to the right."),
    Key("cursor.far_left", "ctrl+left", "look('move',-16)", "cursor far left", "Move the cursor far to the left."),
    Key("cursor.far_right", "ctrl+right", "look('move',16)", "cursor far right", "Move the cursor far to the right."),
    Key("trigger.set", "T", "ask('trigger')", "trigger",
        "Say what holds the picture: imu.ax>2.5 (rising), imu.ax<-1~0.2 (falling, back by 0.2), MODEL<0.5, anomaly."),
    Key("trigger.mode", "n", "look('mode')", "trigger mode",
        "Auto follows the bench when nothing fires, normal holds the last firing, single the next one."),
    Key("trigger.before", "u", "look('before')", "before the trigger",
        "See a tenth, half or nine tenths of the time base before the trigger."),
    Key("trigger.save", "K", "bench('watch')", "keep firings",
        "Keep the seconds before and after each firing of the trigger as a recording with a scenario; again: no more.",
        "act", "hil capture PORT --pre-trigger 30 --threshold LIMIT", "live"),
    _replay("pause", "p", "bench('pause')", "pause", "Pause the replay or let it go on."),
    _replay("back", "comma", "bench('step',-1)", "step back", "Step one sample back.", " --from S"),
    _replay("step", "full_stop", "bench('step',1)", "step", "Step one sample on.", " --from S"),
    _replay("back_window", "left_parenthesis", "bench('step_window',-1)", "window back",
            "Step back by one window of the model.", " --from S"),
    _replay("step_window", "right_parenthesis", "bench('step_window',1)", "window on",
            "Step on by one window of the model: until its next decision.", " --from S"),
    _replay("left", "left", "bench('seek',-5)", "5 s back", "Go back five seconds.", " --from S"),
    _replay("right", "right", "bench('seek',5)", "5 s on", "Go on five seconds.", " --from S"),
    _replay("start", "home", "bench('start')", "to the start", "Go to the start of the range."),
    _replay("go", "t", "ask('go')", "go to", "Go to a time (12.5, 1:02) or to the mark of a name.", " --from S|MARK"),
    _replay("previous", "left_square_bracket", "bench('to_mark',-1)", "mark before", "Go to the mark before.",
            " --from MARK"),
    _replay("next", "right_square_bracket", "bench('to_mark',1)", "next mark", "Go to the next mark.",
            " --from MARK"),
    _replay("slower", "less_than_sign", "bench('speed',-1)", "slower", "Replay at half the speed.", " --speed X"),
    _replay("faster", "greater_than_sign", "bench('speed',1)", "faster", "Replay at twice the speed.", " --speed X"),
    Key("replay.why", "W", "why", "why",
        "Say which samples and channels carried the decision under the play head, wherever that rests: of the focused "
        "plot's board, by the model on the bench, else the one that the recording names; again: back.",
        when="replay"),
    _replay("loop", "o", "bench('loop')", "loop", "Begin again at the end, or stop there.", " --loop"),
    _replay("loop_ab", "b", "loop_ab", "loop A to B",
            "First: A is here. Second: B is here, and it plays from A to B again and again. Third: all of it.",
            " --from A --to B --loop"),
)  # fmt: skip
"""Keys of the live page, in the order of the help page."""

QUESTIONS = {
    "note": "what happened? enter keeps the mark, escape drops it",
    "go": "where to? a time such as 12.5 or 1:02, or the name of a mark; escape drops it",
    "trigger": "imu.ax>2.5, imu.ax<-1~0.2, MODEL<0.5, anomaly or mark; empty: none; esc: as is",
}
"""What stands in the line in which words are asked for, by what is asked."""

PANES = {
    "boards": (
        "One line a board: state, rate, samples lost, clock against this computer's with its uncertainty. A board that "
        "is not live says why and what to do. `unknown` means that the board does not number its samples: never 0. "
        "Up and down move the cursor, enter shows only that board."
    ),
    "plot": (
        "Channels of one unit share a chart. Every column of dots spans the least and greatest reading in it: a spike "
        "of one sample is always seen. A red × on the time axis marks missing samples. l gives each channel a lane; "
        "a shows the Allan deviation: how far noise averages out, and where the bias begins to wander; v its spectrum "
        "and other kinds. c sets a cursor, a click too; the wheel changes the time base, frozen around the mouse, with "
        "shift it scrolls; with ctrl, or over the numbers of the value axis, it changes the range of the values, "
        "dragging those moves it, a double click lets it follow again (↕: it is held, and so many columns reach beyond "
        "it). Dragging over a stretch freezes the picture and looks closer at it, esc goes back. A click on a channel "
        "in the title hides it, h shows one alone. T sets a trigger: ▼ marks where it fired, and times count from "
        "there (− before it, + after it); ▸╌ marks its level. Of a frame P takes another colour map, R holds its "
        "range, E gives each frame its own; without colour signs, dots and blocks tell little from much."
    ),
    "label": (
        "The model's decision, its certainty, and one sign a decision: the number of the class, or · below 50 %. What "
        "the board itself says stands beside it, where it says anything."
    ),
    "ledger": (
        "Where every expected sample and every received byte went. The sums must close; if they do not, the bench "
        "itself is wrong. `unattributed`: lost, and the board's next status will tell whether it or the link lost it."
    ),
    "log": "What happened, newest last. Up and page up look back.",
}  # fmt: skip
"""What each pane shows and how to read it."""


def hints(scene: Scene, mode: str, maximised: bool, framed: bool) -> tuple[Hint, ...]:
    """Return the keys worth showing now, the most useful first; `framed`: those of a frame that has the focus, too."""
    snapshot, frozen, recording = scene.latest, scene.held is not None, scene.recording
    classes = len(snapshot.classes) if snapshot else 0
    paused = bool(snapshot and snapshot.replay and snapshot.replay.paused)
    rows: list[Hint] = []
    if frozen:
        rows.append(("screen.freeze", "back to live"))
    if maximised:
        rows.append(("pane.maximise", "give back"))
    if framed:
        rows += [("frame.colours", "colours"), ("frame.hold", "hold the range"), ("frame.each", "each frame")]
    if mode == "replay":
        rows += [("replay.pause", "go on" if paused else "pause"), ("replay.back replay.step", "step"),
                 ("replay.left replay.right", "5 s"), ("replay.slower replay.faster", "speed"),
                 ("replay.previous replay.next", "marks")]  # fmt: skip
    else:
        rows.append(("record.toggle", "stop recording" if recording else "record"))
    if (recording or mode == "replay") and classes:
        rows.append((f"1-{min(9, classes)}", "label"))
    rows += [("record.mark", "mark"), ("screen.help", "help"), ("screen.quit", "quit"), ("time.in time.out", "time")]
    rows += [] if frozen else [("screen.freeze", "freeze")]
    rows += [] if maximised else [("pane.maximise", "maximise")]
    return (
        *rows, ("pane.next", "pane"), ("plot.lanes", "lanes"), ("plot.allan", "Allan"), ("screen.palette", "all"),
        *([("replay.go", "go to"), ("replay.loop_ab", "A-B"), ("replay.loop", "loop"), ("replay.why", "why")]
          if mode == "replay" else []),
        ("glitch.save", "glitch"), *([] if mode == "replay" else [("screen.picture", "picture")]),
        ("plot.kind", "kind"), ("cursor.toggle", "cursor"), ("trigger.set", "trigger"), ("plot.split", "split"),
    )  # fmt: skip


def usable(keys: Iterable[Key], mode: str) -> list[Key]:
    """Return the keys that mean something to an engine in this mode."""
    return [key for key in keys if key.when not in {"live", "replay"} - {mode}]


def useless(keys: Iterable[Key], snapshot: Snapshot | None) -> set[str]:
    """Return actions that the palette leaves out: labels, named there by class, and those of the other mode."""
    every = list(keys)
    here = usable(every, "replay" if snapshot is not None and snapshot.replay is not None else "live")
    return {key.action for key in every if key.id.startswith("label.") or key not in here}


def labels(snapshot: Snapshot | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, explanation and action of each class that can be a label."""
    for index, name in enumerate(snapshot.classes[:9] if snapshot else (), 1):
        yield f"label: {name} ({index})", "Start or stop this label.", f"bench('label',{index})"
