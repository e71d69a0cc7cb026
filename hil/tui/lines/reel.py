"""Recordings as cells: strips of readings over their own time, labels as digits below, a cursor and a stretch.

Rule of this room: pure, the same scene and size give the same cells. Every column spans the least and greatest reading
in it; labels, suggestions and missing samples are characters, and colour only repeats them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.tui.charts import canvas, chart
from hil.tui.charts.cells import BAD, DIM, FOCUS, KEY, TEXT, TITLE, WARN, Cells, Line, blank, channel_ink, put, runs
from hil.tui.charts.units import seconds, unit_name
from hil.tui.state.reading import Marked
from hil.views.snapshot import StreamView

__all__ = ["GUTTER", "Track", "axis", "column_of", "columns_of", "lanes", "overlaid", "reel", "strip", "strips"]

GUTTER = 15
"""Cells left of the readings: what a strip shows, and its range."""

LEAST = 2
"""Rows of a strip, at least."""


NOTHING = Marked()


@dataclass(frozen=True, slots=True)
class Track:
    """What stands on the time of a reel.

    Attributes:
        window: First and last second that are seen.
        marked: Labels, marks and suggestions.
        classes: Names on the digits.
        at_s: The cursor; None for no cursor.
        start_s: Where a stretch starts; None where none does.
    """

    window: tuple[float, float]
    marked: Marked = NOTHING
    classes: tuple[str, ...] = ()
    at_s: float | None = None
    start_s: float | None = None


def columns_of(width: int) -> int:
    """Return how many dot columns a strip has: what to ask the librarian for."""
    return max(2, 2 * (width - GUTTER))


def reel(streams: Sequence[StreamView], track: Track, width: int, height: int) -> list[Line]:
    """Return strips, labels and time of one recording."""
    cells = blank(width, height)
    foot = min(3, max(1, height - 2 * LEAST)) if height > LEAST else 0
    strips(cells, streams, 0, height - foot)
    if foot >= 2:
        _labels(cells, track, height - foot, foot)
    if foot:
        axis(cells, track, height - 1)
    _cursor(cells, track, height - foot)
    return list(runs(cells))


def strips(cells: Cells, streams: Sequence[StreamView], first: int, last: int) -> None:
    """Draw one strip a chart, as many as have room; the others are counted."""
    panels = [(stream, panel) for stream in streams for panel in chart.panels([stream])]
    fits = max(0, min(len(panels), (last - first) // LEAST))
    lone = Counter(stream.board for stream in streams)
    several = len(lone) > 1
    for at, (stream, panel) in enumerate(panels[:fits]):
        top, end = (first + (last - first) * place // fits for place in (at, at + 1))
        both = f"{stream.board} {stream.name}" if several else stream.name
        picture = [(stream, list(panel.channels), None)]
        strip(cells, picture, top, end, stream.board if lone[stream.board] == 1 else both, unit_name(panel.unit))
    if len(panels) > fits and last > first:
        put(cells, 0, last - 1, f"+{len(panels) - fits} more", DIM)


def lanes(a: Sequence[StreamView], b: Sequence[StreamView]) -> list[tuple[StreamView, StreamView, int, int]]:
    """Return the channels that two recordings share: by stream and channel, whatever the board's role.

    Each: A's stream, B's stream, the channel in A and that in B.
    """
    found = []
    for one in a:
        other = next((view for view in b if (view.board, view.name) == (one.board, one.name)), None)
        other = other or next((view for view in b if view.name == one.name), None)
        if other is not None:
            found += [
                (one, other, at, other.channels.index(name))
                for at, name in enumerate(one.channels)
                if name in other.channels
            ]
    return found


def overlaid(
    a: Sequence[StreamView], b: Sequence[StreamView], track: Track, width: int, height: int, colour: bool
) -> list[Line]:
    """Return A and B laid over each other, a lane a channel; without colour B is shaded."""
    cells = blank(width, height)
    shared = lanes(a, b)
    last = height - 1
    fits = max(0, min(len(shared), last // LEAST))
    for place, (one, other, at, its) in enumerate(shared[:fits]):
        top, end = (last * spot // fits for spot in (place, place + 1))
        picture = [(one, [at], channel_ink(0)), (other, [its], channel_ink(1))]
        strip(cells, picture, top, end, f"{one.board} {one.channels[at]}", unit_name(one.units[at]), not colour)
    if not shared:
        put(cells, GUTTER, height // 2, "they have no channel in common: o puts one below the other", WARN)
    if height:
        axis(cells, track, height - 1)
    return list(runs(cells))


def strip(
    cells: Cells, picture: Sequence[tuple[StreamView, list[int], int | None]], top: int, end: int, name: str,
    unit: str = "", shade: bool = False,
) -> None:  # fmt: skip
    """Draw some streams with one scale into rows `top` to `end`."""
    width, rows = cells.size[0] - GUTTER, end - top
    if width <= 0 or rows <= 0:
        return
    fitted = [(chart.fit(stream, channels, 2 * width)[:3], channels, ink) for stream, channels, ink in picture]
    least, most = (np.concatenate([pair[edge] for pair, _, _ in fitted]) for edge in (0, 1))
    span = canvas.limits(least, most)
    for at, ((low, high, gaps), channels, ink) in enumerate(fitted):
        low, high = canvas.bridged(low, high, max(4, width // 8), gaps)
        dots, owner = canvas.blend(canvas.raster(low, high, span, rows, gaps))
        area = np.s_[top:end, GUTTER:]
        held = np.where(cells.codes[area] >= canvas.BRAILLE, cells.codes[area] - canvas.BRAILLE, 0)
        filled = dots > 0
        both = np.where(filled, (dots.astype(np.uint32) | held) + canvas.BRAILLE, cells.codes[area])
        cells.codes[area] = np.where(filled & (held == 0), ord("▒"), both) if shade and at else both
        inks = np.array([channel_ink(channel) if ink is None else ink for channel in channels], np.uint16)[owner]
        cells.inks[area] = np.where(filled, inks, cells.inks[area])
        missing = GUTTER + np.flatnonzero(gaps.reshape(-1, 2).any(axis=1))
        cells.codes[end - 1, missing], cells.inks[end - 1, missing] = ord("×"), BAD
    room = GUTTER - 2 - len(unit)
    put(cells, 0, top, f"{name if len(name) <= room else f'{name[: room - 1]}…'} {unit}", TITLE)
    for row, value in ((top + 1, span[1]), (end - 1, span[0])):
        if row == top + 1 == end - 1:
            words = f"{canvas.number(span[0], 2)}…{canvas.number(span[1], 2)}"
            put(cells, 0, row, f"{words:>{GUTTER - 1}}"[: GUTTER - 1], DIM)
        elif row > top:
            put(cells, 0, row, f"{canvas.number(value, 3):>{GUTTER - 1}}", DIM)
    for row in range(top, end):
        put(cells, GUTTER - 1, row, "│", DIM)


def column_of(track: Track, t_s: float, width: int) -> int:
    """Return the column of a time; those outside the window lie at or beyond its edges."""
    first, last = track.window
    return GUTTER + int((t_s - first) / max(last - first, 1e-9) * (width - GUTTER))


def _labels(cells: Cells, track: Track, row: int, rows: int) -> None:
    """Write labels as digits and names, and in the row below (where there is one) suggestions and marks."""
    width = cells.size[0]
    put(cells, 0, row, "labels", TITLE)
    for label in track.marked.labels:
        start, stop = (column_of(track, end, width) for end in (label.from_s, label.to_s))
        start, stop = max(GUTTER, start), min(width, max(stop, start + 1))
        if start >= stop:
            continue
        number = track.classes.index(label.text) + 1 if label.text in track.classes else 0
        words = f"{number or '?'}" + (f" {label.text} " if stop - start > len(label.text) + 3 else "")
        filled = words + (str(number or "?") * (stop - start))[: max(0, stop - start - len(words))]
        put(cells, start, row, filled[: stop - start], channel_ink(number - 1) if number else TEXT)
    if rows < 3:
        return
    for one in track.marked.suggestions:
        start, stop = (column_of(track, end, width) for end in (one.from_s, one.to_s))
        start, stop = max(GUTTER, start), min(width, max(stop, start + 1))
        put(cells, 0, row + 1, "suggested", DIM)
        if start < stop:
            put(cells, start, row + 1, ("?" + f" {one.text} " + "?" * (stop - start))[: stop - start], WARN)
    for text, t_s in track.marked.marks:
        at = column_of(track, t_s, width)
        if GUTTER <= at < width and text != "pick":
            put(cells, at, row + 1, "▾", KEY)


def axis(cells: Cells, track: Track, row: int) -> None:
    """Write seconds since the first sample."""
    width, (first, last) = cells.size[0], track.window
    put(cells, GUTTER - 1, row, "└" + "─" * (width - GUTTER), DIM)
    free = GUTTER
    for tick in canvas.ticks(first, last, max(1, min(10, (width - GUTTER) // 12))):
        at = column_of(track, tick.value, width)
        words = f"┴{tick.label} s"
        if at >= free and at + len(words) <= width:
            put(cells, at, row, words, DIM)
            free = at + len(words) + 1


def _cursor(cells: Cells, track: Track, rows: int) -> None:
    """Draw the cursor, and the stretch from its start to the cursor on the time axis."""
    if track.at_s is None:
        return
    width, bottom = cells.size[0], cells.size[1] - 1
    at = min(width - 1, column_of(track, track.at_s, width))
    spots = [at]
    if track.start_s is not None:
        start = min(width - 1, max(GUTTER, column_of(track, track.start_s, width)))
        low, high = sorted((start, max(GUTTER, at)))
        put(cells, low, bottom, "═" * (high - low + 1), KEY)
        put(cells, start, bottom, "╞" if start <= at else "╡", KEY)
        spots.append(start)
        words = f" {seconds(abs(track.at_s - track.start_s))} "
        if high - low > len(words) + 1:
            put(cells, low + 1, bottom, words, KEY)
    for spot in spots:
        if GUTTER <= spot < width:
            empty = cells.codes[:rows, spot] == 0x20
            cells.codes[:rows, spot][empty] = ord("│" if spot == at else "┊")
            cells.inks[:rows, spot] = FOCUS if spot == at else KEY
    if GUTTER <= at < width:
        put(cells, at, bottom, "▲", FOCUS)
