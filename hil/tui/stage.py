"""What stands in each pane for a scene: the words of status, verdict and footer, and who gets which lines.

Rule of this room: pure, from a scene to lines; widgets are not touched. The verdict is the loudest line of the screen:
what is wrong, whose fault it is, what to do.
"""

from collections.abc import Sequence

from hil.snapshot import Snapshot
from hil.tui import panes
from hil.tui.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink, wrap
from hil.tui.keys import footer, hints
from hil.tui.state import Scene, going_on
from hil.tui.units import clock, duration, seconds
from hil.tui.verdict import Finding, missing

__all__ = ["bottom", "classes", "edge", "status", "verdict"]

MOST_ROWS = 4
"""Rows of findings, at most."""

RANKS = (("✖ TROUBLE", BAD), ("▲ WARNING", WARN), ("· note", DIM))
"""Sign, word and ink of a finding by its rank."""


def status(scene: Scene, width: int) -> Line:
    """Return the first line: mode, time, time base, recording, label."""
    snapshot = scene.latest
    if snapshot is None:
        return [(" hil ", TITLE), (" starting ", WARN)]
    line: list[Run] = [(" hil ", TITLE), *_mode(scene, snapshot), (f"  {clock(snapshot.now_ns)} UTC", DIM)]
    line.append((f"  base {seconds(scene.seconds)}  ", TEXT))
    if scene.only:
        line.append((f"only {scene.only}  ", KEY))
    if snapshot.mode != "replay" or snapshot.recording:
        line += panes.recording(snapshot.recording)
    if snapshot.active_label:
        line.append((f"  label: {snapshot.active_label}", KEY))
    recording = snapshot.recording
    if recording and recording.state == "recording":
        left = recording.disk_left_s
        name = recording.path.replace("\\", "/").rpartition("/")[2]
        for words in ("" if left is None else f"  disk lasts {seconds(left)}", f"  {name}"):
            if sum(len(part) for part, _ in line) + len(words) <= width:
                line.append((words, DIM))
    return line


def _mode(scene: Scene, snapshot: Snapshot) -> list[Run]:
    if scene.lost:
        return [("NO ENGINE", BAD)]
    if scene.held is not None:
        ago = max(0.0, (snapshot.now_ns - scene.held.now_ns) / 1e9)
        return [("❚❚ FROZEN", WARN), (f" {int(ago)} s, {going_on(snapshot)}", TEXT)]
    return [("▶ REPLAY", KEY)] if snapshot.mode == "replay" else [("● LIVE", GOOD)]


def verdict(scene: Scene, found: Sequence[Finding], width: int) -> list[Line]:
    """Return what is wrong and whose fault it is, the worst first; one line that says so when nothing is."""
    if scene.lost:
        sentence = f"{scene.lost}; asking again every second, ctrl+q leaves"
        return wrap([(" ✖ TROUBLE ENGINE: ", BAD), (sentence, TITLE)], width)
    if scene.latest is None:
        return [[(" waiting for the engine's first answer; ctrl+q leaves", DIM)]]
    if not found:
        return [_with_hint(_all_well(scene.latest), scene, width)]
    lines: list[Line] = []
    for at, finding in enumerate(found):
        word, ink = RANKS[finding.rank]
        nth = f" {at + 1} of {len(found)}" if len(found) > 1 else ""
        head: list[Run] = [(f" {word}{nth} ", ink), (f"{finding.blame}: ", ink)]
        what = f"{finding.who} {finding.what}".strip()
        tail: list[Run] = [(what, TITLE if finding.rank == 0 else TEXT)]
        tail += [(f"; {finding.todo}", KEY)] if finding.todo else []
        wrapped = wrap([*head, *tail], width)
        if lines and len(lines) + len(wrapped) > MOST_ROWS:
            break
        lines += wrapped
    return lines[:MOST_ROWS]


def _with_hint(line: list[Run], scene: Scene, width: int) -> Line:
    """Add a word to who is here for the first time, as long as it fits."""
    room = width - sum(len(words) for words, _ in line)
    for hint in ("space freezes, r records, ? explains", "? explains"):
        if scene.hint and len(hint) + 12 <= room:
            return [*line, ("  New here? ", KEY), (hint, TEXT)]
    return line


def _all_well(snapshot: Snapshot) -> list[Run]:
    states = [board.state for board in snapshot.boards]
    there = sum(state in ("live", "replay") for state in states)
    if not states:
        return [(" no board yet", WARN)]
    if there < len(states):
        return [(f" {there} of {len(states)} boards are there, the others are coming", WARN)]
    lost = [missing(board) for board in snapshot.boards]
    losses = "losses unknown where a board numbers nothing" if None in lost else "nothing lost"
    boards = "the board is" if there == 1 else f"all {there} boards are"
    return [
        (" ✔ ALL WELL ", GOOD),
        (f"{boards} {'in replay' if snapshot.mode == 'replay' else 'live'}, {losses}", TEXT),
    ]


def classes(scene: Scene, width: int) -> list[Line]:
    """Return the labels on the digits, the running one marked."""
    snapshot = scene.latest
    if snapshot is None or not snapshot.classes:
        return []
    line: list[Run] = [(" labels ", TITLE)]
    for index, name in enumerate(snapshot.classes[:9]):
        runs = name == snapshot.active_label
        line += [(f" {index + 1}", KEY), (f" {'▶' if runs else ''}{name}{'◀' if runs else ''} ", channel_ink(index))]
    if not scene.recording:
        line.append(("  (start a recording first: r)", DIM))
    return [line]


def bottom(scene: Scene, width: int, maximised: bool) -> list[Line]:
    """Return the message of the last key, or else the keys that work now."""
    if scene.message:
        return [[(" ✖ " if scene.bad else " ▸ ", BAD if scene.bad else KEY), (scene.message, TITLE)]]
    snapshot = scene.latest
    mode = snapshot.mode if snapshot else "live"
    named = len(snapshot.classes) if snapshot else 0
    return [footer(hints(mode, scene.held is not None, scene.recording, named, maximised), width)]


def edge(scene: Scene) -> str:
    """Return what is written at the right end of the time axes."""
    snapshot = scene.held or scene.latest
    if snapshot is not None and snapshot.replay is not None:
        return duration(snapshot.replay.position_s)
    return "now" if scene.held is None else f"{clock(scene.held.now_ns)}"
