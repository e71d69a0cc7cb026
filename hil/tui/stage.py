"""What stands in each pane for a scene: the words of status, verdict and footer, and who gets which lines.

Rule of this room: pure, from a scene to lines; widgets are not touched. The verdict is the loudest line of the screen:
what is wrong, whose fault it is, what to do.
"""

from collections.abc import Iterable, Sequence

from firmware_bridge.errors import UsageError
from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink, text, wrap
from hil.tui.charts.overlay import Moment
from hil.tui.charts.units import clock, duration, seconds, signed
from hil.tui.key import Hint, Key, footer
from hil.tui.lines import panes
from hil.tui.pagelist import PAGES
from hil.tui.state.state import Scene, going_on
from hil.tui.state.verdict import Finding, findings, missing
from hil.views.snapshot import Snapshot, StreamView

__all__ = ["bench", "classes", "edge", "foot", "moment", "status", "tabs", "verdict", "with_tabs"]

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
    told: list[Run] = [(f"  base {seconds(scene.seconds)}  ", TEXT)]
    if scene.only:
        told.append((f"only {scene.only}  ", KEY))
    if snapshot.mode != "replay" or snapshot.recording:
        told += panes.recording(snapshot.recording)
    if snapshot.active_label:
        told.append((f"  label: {snapshot.active_label}", KEY))
    if len(text([*line, *told])) > width:  # what is recorded counts for more than what o'clock it is
        line = [(" hil ", TITLE), *_mode(scene, snapshot, brief=True)]
    line += told
    if scene.scope.text:
        words = scene.scope.words(width - 2 - len(text(line)))
        line.append((f"  {words}", BAD if scene.scope.sentence else WARN))
    recording = snapshot.recording
    if recording and recording.state == "recording":
        left = recording.disk_left_s
        name = recording.path.replace("\\", "/").rpartition("/")[2]
        for words in ("" if left is None else f"  disk lasts {seconds(left)}", f"  {name}"):
            if sum(len(part) for part, _ in line) + len(words) <= width:
                line.append((words, DIM))
    return line


def _mode(scene: Scene, snapshot: Snapshot, brief: bool = False) -> list[Run]:
    if scene.lost:
        return [("NO ENGINE", BAD)]
    if scene.held is not None:
        ago = max(0.0, (snapshot.now_ns - scene.held.now_ns) / 1e9)
        return [("❚❚ FROZEN", WARN), (f" {int(ago)} s{'' if brief else f', {going_on(snapshot)}'}", TEXT)]
    return [("▶ REPLAY", KEY)] if snapshot.mode == "replay" else [("● LIVE", GOOD)]


def verdict(scene: Scene, found: Sequence[Finding], width: int, most: int = MOST_ROWS) -> list[Line]:
    """Return what is wrong and whose fault it is, the worst first; one line that says so when nothing is.

    Args:
        scene: What is shown.
        found: What is wrong.
        width: Columns.
        most: Rows there are. Where the worst finding needs more, what happened is cut, never what to do.
    """
    if scene.lost:
        sentence = f"{scene.lost}; asking again every second, ctrl+q leaves"
        return wrap([(" ✖ TROUBLE ENGINE: ", BAD), (sentence, TITLE)], width)
    if scene.latest is None:
        return [[(" waiting for the engine's first answer; ctrl+q leaves", DIM)]]
    if not found:
        return [_all_well(scene.latest)]
    lines: list[Line] = []
    for at, finding in enumerate(found):
        word, ink = RANKS[finding.rank]
        nth = f" {at + 1} of {len(found)}" if len(found) > 1 else ""
        head: list[Run] = [(f" {word}{nth} ", ink), (f"{finding.blame}: ", ink)]
        wrapped = _sentence(head, finding, width, most)
        if lines and len(lines) + len(wrapped) > most:
            break
        lines += wrapped
    return lines[:most]


def _sentence(head: Line, finding: Finding, width: int, most: int) -> list[Line]:
    """Return a finding in at most so many rows, as far as what to do leaves room."""
    what, _, told = finding.sentence.rpartition("; ")
    what, told = (what, told) if what else (told, "")
    todo: list[Run] = [(f"; {told}", KEY)] if told else []
    ink = TITLE if finding.rank == 0 else TEXT
    wrapped = wrap([*head, (what, ink), *todo], width)
    while len(wrapped) > most and todo and " " in what:
        what = what.rpartition(" ")[0]
        wrapped = wrap([*head, (f"{what.rstrip(':,;')} …", ink), *todo], width)
    return wrapped


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
    if not scene.recording and snapshot.replay is None:
        line.append(("  (start a recording first: r)", DIM))
    return [line]


def foot(message: str, bad: bool, hints: Iterable[Hint], keys: Iterable[Key], width: int) -> list[Line]:
    """Return the sentence about the last key, whole: its end is the next step; or else the keys that work now."""
    if message:
        return wrap([(" ✖ " if bad else " ▸ ", BAD if bad else KEY), (message, TITLE)], width)[:MOST_ROWS]
    return [footer(hints, keys, width)]


def tabs(current: str, keys: Sequence[Key], width: int) -> Line:
    """Return the pages and the keys that go there; only the first and last key where there is little room."""
    written = {key.id: key.shown for key in keys}
    if len(PAGES) < 2:
        return ()
    if width < 100:
        first, last = (written[f"page.{PAGES[at].name}"] for at in (0, -1))
        return [(f"{first}…{last}", KEY), (" pages ", DIM)]
    line: list[Run] = []
    for page in PAGES:
        here = page.name == current
        line += [(f" {written[f'page.{page.name}']} ", DIM if here else KEY),
                 (f"▸{page.title}◂" if here else page.title, TITLE if here else TEXT)]  # fmt: skip
    return [*line, (" ", DIM)]


def with_tabs(line: Line, pages: Line, width: int) -> Line:
    """Return a first line with the pages at its right end, where they fit."""
    room = width - len(text(line)) - len(text(pages))
    return [*line, (" " * room, DIM), *pages] if room > 1 else line


def bench(title: str, scene: Scene, width: int) -> Line:
    """Return the first line of a page that is not the bench's own: where one is, and the worst that is wrong there."""
    line: list[Run] = [(f" {title} ", TITLE)]
    snapshot = scene.latest
    if scene.lost or snapshot is None:
        return [*line, *([(" bench: NO ENGINE", BAD)] if scene.lost else [])]
    if not snapshot.boards:
        return line
    line += [(" bench: ", DIM), *([("▶ REPLAY ", KEY)] if snapshot.mode == "replay" else [("● LIVE ", GOOD)])]
    if snapshot.recording and snapshot.recording.state != "closed":
        line += panes.recording(snapshot.recording)
    worst = next((one for one in findings(snapshot) if one.rank < 2), None)
    if worst is not None:
        word, ink = RANKS[worst.rank]
        line += [(f" {word} {worst.blame}: ", ink), (f"{worst.who} {worst.what}".strip()[: max(0, width - 50)], TEXT)]
    return line


def edge(scene: Scene) -> str:
    """Return what is written at the right end of the time axes."""
    snapshot, right, zero = scene.held or scene.latest, scene.holds_ns, scene.zero_ns
    if right is not None and zero is not None:
        return f"T{signed((right - zero) / 1e9)}"
    if scene.pan_ns and right is not None:
        return clock(right)
    if snapshot is not None and snapshot.replay is not None:
        return duration(snapshot.replay.position_s)
    return "now" if scene.held is None else f"{clock(scene.held.now_ns)}"


def moment(scene: Scene, stream: StreamView) -> Moment:
    """Return what is marked on the time of a stream's chart: cursor, trigger, and the level it watches for."""
    snapshot, scope = scene.latest, scene.scope
    replayed = snapshot.replay if snapshot else None
    origin = None if replayed is None or snapshot is None else snapshot.now_ns - round(replayed.position_s * 1e9)
    zero = scene.zero_ns
    fired = None if zero is None else (stream.end_ns - zero) / 1e9
    return Moment(scene.look.cursor_s, fired, _level(scope.text, stream) if scope.text else None, origin)


def _level(trigger: str, stream: StreamView) -> tuple[str, float] | None:
    from hil.monitor.triggers import parse_threshold

    try:
        limit = parse_threshold(trigger)
    except UsageError:
        return None  # an anomaly, a mark or a model has no level
    board, _, place = limit.place.rpartition("/")
    name, _, channel = place.rpartition(".")
    return (channel, limit.value) if board in ("", stream.board) and name == stream.name else None
