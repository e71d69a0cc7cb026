"""The list of recordings in words: one line each, and facts about the one at the cursor.

Rule of this room: pure, from a scene to lines; what there is no room for is left out whole, the least important first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from hil.librarian.shelf import Entry
from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink
from hil.tui.charts.units import duration, size, unit_name
from hil.tui.state.reading import ALIGN, Reading
from hil.views.stream import StreamView

__all__ = ["THUMB", "WIDE", "classes", "comparing", "facts", "read", "shelf", "where"]


BLOCKS = "▁▂▃▄▅▆▇█"
WIDE, THUMB = 110, 16
"""From this many columns on a line has a thumbnail, and how many cells that takes."""


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def shelf(scene: Reading, width: int, folder: str, focused: bool, written: str = "") -> tuple[Line, list[Line]]:
    """Return the rest of the title and one line a recording; `written` is the one that the bench writes now."""
    if scene.entries is None:
        return [(folder, DIM)], [[("the folder is being read; the screen goes on meanwhile", DIM)]]
    shown = scene.shown
    title: list[Run] = [(f"{len(shown)} of {len(scene.entries)} in {folder}", DIM)]
    if scene.words:
        title += [("  search: ", DIM), (scene.words, KEY)]
    if not scene.entries:
        return title, [[("no recordings here: `hil capture PORT` or r on the live page makes one", DIM)]]
    if not shown:
        return title, [[("none matches: / changes the search, esc ends it", WARN)]]
    name_w = min(max(len(_name(entry.path)) for entry in shown), max(16, width // 2 - 12)) + 1
    lines: list[Line] = []
    for at, entry in enumerate(shown):
        sign = "▸" if at == scene.cursor and focused else "◉" if at == scene.cursor else " "
        chosen = "A" if entry.path == scene.a else " "
        name = _name(entry.path)
        cut = name if len(name) < name_w else f"…{name[2 - name_w :]}"
        line: list[Run] = [(f"{sign}{chosen} ", KEY), (f"{cut:<{name_w}}", TITLE)]
        line += [(f"{_thumb(scene.thumbs.get(entry.path, ())):<{THUMB}} ", channel_ink(0))] if width >= WIDE else []
        room = width - name_w - 3 - (THUMB + 1 if width >= WIDE else 0)
        lines.append([*line, *_rest(entry, room, bool(written) and _name(entry.path) == _name(written))])
    return title, lines


def _thumb(moves: tuple[float | None, ...]) -> str:
    """Return how much a recording moves over its time as blocks; a dot where it holds nothing."""
    return "".join("·" if one is None else BLOCKS[min(7, int(one * 8))] for one in moves)


def _rest(entry: Entry, room: int, written: bool) -> list[Run]:
    if written and not entry.duration_s:
        return [("◉ REC, nothing of it is written yet", BAD)]
    if entry.being_written and not entry.duration_s:
        return [("◉ being written by another process, nothing of it is there yet", WARN)]
    if entry.trouble and not entry.duration_s:
        words = entry.trouble.removeprefix(f"{entry.path}: ")
        return [("✖ ", BAD), (words if len(words) < room - 2 else f"{words[: room - 3]}…", BAD)]
    when = datetime.fromtimestamp(entry.start_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M")
    share = entry.labelled_s / entry.duration_s if entry.duration_s else 0.0
    told = f"{min(1.0, share):4.0%} labelled" if entry.labels else "no labels"
    state = "◉ REC " if written else "◉ growing " if entry.being_written else "✖ cut off " if entry.trouble else ""
    line: list[Run] = [(f"{duration(entry.duration_s):>8} ", TEXT), (f"{told:<14}", GOOD if entry.labels else DIM)]
    if room >= 42 + len(state):
        line.insert(0, (f"{when}  ", DIM))
    line.append((state, WARN if entry.being_written and not written else BAD))
    left = room - sum(len(words) for words, _ in line)
    more = ", ".join(entry.streams)
    if left > 8:
        line.append((more if len(more) <= left else f"{more[: left - 1]}…", DIM))
    return line


def facts(entry: Entry, width: int, written: str = "") -> Line:
    """Return what is known of a recording, as far as it fits whole; `written` is the one that the bench writes now."""
    line: list[Run] = []
    parts = [(_name(entry.path), TITLE), (duration(entry.duration_s), TEXT), (size(entry.size), DIM)]
    if written and _name(entry.path) == _name(written):
        parts.append(("it is being recorded, f reads it again", KEY))
    elif entry.being_written:
        parts.append(("another process is writing it, f reads it again", KEY))
    elif entry.trouble:
        parts.append(("cut off: `hil recover` makes a whole file of it", BAD))
    parts += [(f"{entry.marks} mark{'s' * (entry.marks > 1)}", DIM)] if entry.marks else []
    parts += [(", ".join(entry.labels), GOOD)] if entry.labels else []
    for words, ink in [*parts, *((told, DIM) for told in entry.about)]:
        if sum(len(one) for one, _ in line) + len(words) + 2 <= width:
            line.append((f"{words}  ", ink))
    return line


def classes(scene: Reading) -> Line:
    """Return the classes on the digits."""
    line: list[Run] = [(" classes ", TITLE)]
    for at, name in enumerate(scene.classes):
        line += [(f" {at + 1}", KEY), (f" {name} ", channel_ink(at))]
    return line if scene.classes else [*line, (" none yet: l names the first one", DIM)]


def where(scene: Reading) -> Line:
    """Return where the cursor is, what is there, and how much is open."""
    line: list[Run] = [(f"at {scene.at_s:.3f} s", TITLE)]
    if scene.start_s is not None:
        first, last = sorted((scene.start_s, scene.at_s))
        line.append((f"  stretch {first:.3f} to {last:.3f} s", KEY))
    if scene.suggested is not None:
        line.append((f"  suggested: {scene.suggested.text}", WARN))
    elif (label := scene.said.at(scene.at_s)) is not None:
        line.append((f"  in {label.text} ({label.from_s:.2f} to {label.to_s:.2f} s)", GOOD))
    open_ones = len(scene.said.suggestions)
    line.append((f"  {open_ones} suggested" if open_ones else "", WARN))
    return line


def read(scene: Reading, strips: Sequence[StreamView], width: int) -> Line:
    """Return the samples under the cursor, each with its own time and exact values, as many as fit whole."""
    known = {(view.board, view.name): view for view in strips}
    start = scene.here.start_ns if scene.here else 0
    parts: list[Run] = []
    for one in scene.read:
        if view := known.get((one.board, one.stream)):
            parts.append((f"  {one.board} {(one.t_ns - start) / 1e9:.6f} s:", KEY))
            parts += [
                (f" {name} {float(value):.7g} {unit_name(unit)}", channel_ink(at))
                for at, (name, value, unit) in enumerate(
                    zip(view.channels, one.values.tolist(), view.units, strict=True)
                )
            ]
    line: list[Run] = []
    for run in parts:
        if sum(len(words) for words, _ in line) + len(run[0]) > width - 2:
            return [*line, (" …", DIM)]
        line.append(run)
    return line


def comparing(scene: Reading) -> Line:
    """Return what is compared, and how the two are lined up."""
    a, b = scene.first, scene.here
    line: list[Run] = [("A ", channel_ink(0)), (_name(a.path) if a else "none", TEXT), ("  B ", channel_ink(1)),
                       (_name(b.path) if b else "none", TEXT)]  # fmt: skip
    shift = f" {scene.shift_s:+.3f} s" if scene.shift_s else ""
    return [*line, (f"  by {ALIGN[scene.align]}{shift}, B is at {scene.offset_s:+.3f} s", DIM)]
