"""What lies over a chart of time: the cursor, the trigger and its level; and the sample under the cursor in words.

Rule of this room: readings are never painted over: a line is drawn only where a cell is empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.tui.charts.axes import GUTTER, Band
from hil.tui.charts.cells import DIM, FOCUS, KEY, WARN, Cells, Line, Run, channel_ink, put
from hil.tui.charts.chart import Panel
from hil.tui.charts.units import exact_clock, unit_name
from hil.views.cursor import CursorView
from hil.views.stream import StreamView

__all__ = ["Moment", "column_of", "lay", "readout", "seconds_at", "span_of"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is marked on the time of a chart.

    Attributes:
        cursor_s: The cursor, seconds before the right edge; None for none.
        trigger_s: The firing of a trigger that holds the picture, likewise: times count from it, not from the edge.
        level: Channel and value that the trigger watches for; None for none.
        origin_ns: UTC of second 0 of a replay; None where times are those of the day.
    """

    cursor_s: float | None = None
    trigger_s: float | None = None
    level: tuple[str, float] | None = None
    origin_ns: int | None = None


def span_of(stream: StreamView, width: int) -> float:
    """Return how many seconds a chart of that width shows: one that is a little narrower loses the oldest columns."""
    columns = 2 * (width - (GUTTER if width >= 3 * GUTTER else 0))
    have, span_s = stream.low.shape[1], (stream.end_ns - stream.start_ns) / 1e9
    return span_s * columns / have if columns < have <= 1.1 * columns else span_s


def column_of(before_s: float, span_s: float, width: int) -> int:
    """Return the column of a time, seconds before the right edge of a chart that covers `span_s`."""
    gutter = GUTTER if width >= 3 * GUTTER else 0
    return gutter + round((1 - before_s / max(span_s, 1e-9)) * (width - gutter - 1))


def seconds_at(column: int, span_s: float, width: int) -> float:
    """Return how many seconds before the right edge a column is."""
    gutter = GUTTER if width >= 3 * GUTTER else 0
    share = (column - gutter) / max(1, width - gutter - 1)
    return max(0.0, min(span_s, (1 - share) * span_s))


def lay(cells: Cells, moment: Moment, span_s: float, bands: Sequence[Band]) -> None:
    """Draw what is marked.

    Args:
        cells: The chart, its time axis in the last row.
        moment: What to mark.
        span_s: What the chart covers.
        bands: Its value axes; none where it has none.
    """
    width, height = cells.size
    rows = height - (1 if height >= 4 else 0)
    for band in bands:
        if moment.level is not None and moment.level[0] in band.channels:
            _level(cells, band, moment.level[1])
    for before_s, sign, head, ink in ((moment.trigger_s, "┊", "▼", WARN), (moment.cursor_s, "│", "▲", FOCUS)):
        if before_s is None or not 0 <= before_s <= span_s:
            continue
        at = column_of(before_s, span_s, width)
        empty = np.flatnonzero(np.isin(cells.codes[:rows, at], (0x20, ord("╌"))))
        cells.codes[empty, at], cells.inks[empty, at] = ord(sign), ink
        put(cells, at, 0 if head == "▼" else height - 1, head, ink)


def _level(cells: Cells, band: Band, level: float) -> None:
    """Draw the level that a trigger watches for; beyond the axis an arrow says on which side it is."""
    gutter = GUTTER if cells.size[0] >= 3 * GUTTER else 0
    share = (band.span[1] - level) / (band.span[1] - band.span[0])
    row = band.first + round(max(0.0, min(1.0, share)) * (band.last - band.first - 1))
    if 0 <= share <= 1:
        empty = gutter + np.flatnonzero(cells.codes[row, gutter:] == 0x20)[::2]
        cells.codes[row, empty], cells.inks[row, empty] = ord("╌"), WARN
    if gutter:
        put(cells, gutter - 1, row, "▴" if share < 0 else "▾" if share > 1 else "▸", WARN)


def readout(cursor: CursorView, stream: StreamView, panel: Panel, moment: Moment, width: int) -> Line:
    """Return the sample under the cursor: its own time and its exact values, as many as fit whole."""
    at = exact_clock(cursor.t_ns) if moment.origin_ns is None else f"{(cursor.t_ns - moment.origin_ns) / 1e9:.6f} s"
    since = (cursor.t_ns - stream.end_ns) / 1e9 + (moment.trigger_s or 0.0)
    past = f"{'' if moment.trigger_s is None else 'T'}{'+' if since >= 0 else '−'}{abs(since):.4g} s"
    values: list[Run] = [
        (f" {stream.channels[channel]} {float(cursor.values[channel]):.7g}", channel_ink(channel))
        for channel in panel.channels
    ]
    unit: Run = (f" {unit_name(panel.unit)}", DIM)
    short = f"▲ {at}" if moment.trigger_s is None else f"▲ {past}"  # what the axis says comes before the time of day
    for head in (f"{stream.board} ▲ {at} ({past})", f"{stream.board} {short}", short, f"▲ {past}"):
        if len(head) + sum(len(words) for words, _ in (*values, unit)) <= width:
            return [(head, KEY), *values, unit]
    line: list[Run] = [(f"▲ {past}", KEY)]
    for index, run in enumerate(values):
        if sum(len(words) for words, _ in line) + len(run[0]) + 3 > width:
            return [*line, (f" +{len(values) - index}", DIM)]
        line.append(run)
    return line
