"""A chart as cells: title with legend and units, readings as braille, axes with round numbers, gaps marked.

Rule of this room: the same stream view and size give the same cells. Channels of one unit share a chart and a scale; a
stream with two units becomes two charts. Colour tells channels apart at a glance; the legend, lanes (one band a
channel) and words do it without colour.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hil.tui.charts import canvas
from hil.tui.charts.axes import GUTTER, Band, ground
from hil.tui.charts.cells import BAD, DIM, TEXT, TITLE, WARN, Cells, Line, Run, blank, channel_ink, put
from hil.tui.charts.units import rate, unit_name
from hil.views.snapshot import StreamView

__all__ = ["Panel", "bands_of", "draw", "drawn", "fit", "legend", "panels", "plot_columns"]


@dataclass(frozen=True, slots=True)
class Panel:
    """What one chart shows: the channels of a stream that share a unit, or one image stream."""

    board: str
    stream: str
    unit: str
    channels: tuple[int, ...]
    is_image: bool = False

    @property
    def rows(self) -> slice | list[int]:
        """The channels as an index of arrays `(C, ...)`: neighbours, as nearly always, without a copy."""
        first, last = self.channels[0], self.channels[-1]
        whole = self.channels == tuple(range(first, last + 1))
        return slice(first, last + 1) if whole else list(self.channels)

    @property
    def key(self) -> str:
        """A name that stays the same from one snapshot to the next."""
        return f"{self.board}/{self.stream}/{self.unit}"


def panels(streams: Iterable[StreamView]) -> tuple[Panel, ...]:
    """Return the charts of a snapshot in the order of its streams and units."""
    found: list[Panel] = []
    for stream in streams:
        for unit in dict.fromkeys(stream.units):
            same = tuple(index for index, other in enumerate(stream.units) if other == unit)
            found.append(Panel(stream.board, stream.name, unit, same, stream.is_image))
    return tuple(found)


def plot_columns(width: int) -> int:
    """Return how many dot columns a chart of `width` cells has: what to ask the engine for."""
    return max(2, 2 * (width - GUTTER))


def legend(stream: StreamView, panel: Panel, width: int) -> Line:
    """Return title, state and newest reading of each channel.

    Where `width` is short the rate goes first, then the stream's name, then the readings; channels that still find no
    room are counted.
    """
    silent = stream.measured_hz == 0
    state: list[Run] = [(" SILENT", BAD)] if silent else []
    name = stream.board if stream.name == stream.board else f"{stream.board} {stream.name}"
    title: list[Run] = [(name, TITLE), (f" {unit_name(panel.unit)}", TEXT), *state]
    told: list[Run] = [(f" {rate(stream)} ", WARN if stream.rate_inferred else DIM)]
    if panel.is_image:
        return [*title, *told]
    short: list[Run] = [(stream.board, TITLE), (f" {unit_name(panel.unit)}", TEXT), *state]
    named: list[Run] = [_entry(stream, index, 0) for index in panel.channels]
    least = sum([len(words) for words, _ in named])
    for head, digits in (([*title, *told], 4), (title, 4), (short, 4), (short, 3)):
        used = sum([len(words) for words, _ in head])
        if used + least + (digits + 4) * len(named) <= width:  # else no reading is short enough
            line = [*head, *(_entry(stream, index, digits) for index in panel.channels)]
            if sum([len(words) for words, _ in line]) <= width:
                return line
    if sum([len(words) for words, _ in (*short, *told, *named)]) <= width:
        return [*short, *told, *named]
    line, used = short, sum(len(words) for words, _ in short)
    for at, run in enumerate(named):
        more = f" +{len(named) - at}"
        if used + len(run[0]) > width - (0 if at == len(named) - 1 else len(more)):
            return [*line, (more, DIM)] if used + len(more) <= width else line
        line, used = [*line, run], used + len(run[0])
    return line


def _entry(stream: StreamView, index: int, digits: int) -> Run:
    """One channel of the legend, with so many digits of its newest reading, or none."""
    value = float(stream.latest[index]) if index < len(stream.latest) else math.nan
    shown = "—" if math.isnan(value) else canvas.number(value, digits)
    return f" ━{stream.channels[index]}" + (f" {shown:>{digits + 3}}" if digits else ""), channel_ink(index)


def draw(
    stream: StreamView,
    panel: Panel,
    width: int,
    height: int,
    axis: tuple[float, float] | None = None,
    lanes: bool = False,
    edge: str = "now",
    shared: bool = False,
) -> Cells:
    """Draw the chart below its title: `drawn` without its bands."""
    return drawn(stream, panel, width, height, axis, lanes, edge, shared)[0]


def drawn(
    stream: StreamView,
    panel: Panel,
    width: int,
    height: int,
    axis: tuple[float, float] | None = None,
    lanes: bool = False,
    edge: str = "now",
    shared: bool = False,
    zero_s: float | None = None,
) -> tuple[Cells, tuple[Band, ...]]:
    """Draw the chart below its title.

    Args:
        stream: Envelopes; their columns are drawn one a dot column, the newest at the right edge.
        panel: Which channels.
        width: Cells, all of it.
        height: Rows, all of it.
        axis: Range of the readings; by default round numbers that hold them.
        lanes: Whether each channel gets a band and a range of its own.
        edge: What is written at the right end of the time axis.
        shared: Whether the range holds for lanes, too.
        zero_s: The moment from which times count, seconds before the right edge; None: the right edge.

    Returns:
        `width` by `height` cells, and the bands of rows in which channels share a range.
    """
    foot = 1 if height >= 4 else 0
    gutter = GUTTER if width >= 3 * GUTTER else 0
    rows, columns = height - foot, width - gutter
    if rows <= 0 or columns <= 0 or not panel.channels:
        return blank(width, height), ()
    channels = panel.channels
    low, high, gaps, share = fit(stream, panel.rows, 2 * columns)
    span_s = (stream.end_ns - stream.start_ns) / 1e9 * share
    low, high = canvas.bridged(low, high, _reach(stream, 2 * columns, span_s), gaps)
    inks = np.array([channel_ink(channel) for channel in channels], np.uint16)
    bands, places = bands_of(channels, rows, lanes), []
    for first, last, some in bands:
        span = axis if axis and (shared or len(bands) == 1) else canvas.limits(low[some], high[some])
        names = tuple(stream.channels[channel] for channel in channels[some])
        places.append(Band(first, last, span, names[0] if len(bands) > 1 else "", int(inks[some.start]), names))
    missing = gutter + np.flatnonzero(gaps.reshape(-1, 2).any(axis=1))
    cells = ground((width, height), gutter, tuple(places), span_s, edge, tuple(missing.tolist()), zero_s)
    for (first, last, some), band in zip(bands, places, strict=True):
        dots, owner = canvas.blend(canvas.raster(low[some], high[some], band.span, last - first, gaps))
        cells.codes[first:last, gutter:] = canvas.GLYPHS.take(dots)
        cells.inks[first:last, gutter:] = inks[some].take(owner)
    if not np.isfinite(low).any() and not np.isfinite(high).any():
        words = "no readings here"
        put(cells, gutter + max(0, (columns - len(words)) // 2), rows // 2, words, DIM)
    return cells, tuple(places)


def bands_of(channels: tuple[int, ...], rows: int, lanes: bool) -> list[tuple[int, int, slice]]:
    """Return first row, row after the last one, and channels of each band."""
    count = len(channels)
    if not lanes or rows < 2 * count:
        return [(0, rows, slice(0, count))]
    return [(at * rows // count, (at + 1) * rows // count, slice(at, at + 1)) for at in range(count)]


def fit(
    stream: StreamView, channels: slice | list[int], columns: int
) -> tuple[canvas.Float32, canvas.Float32, canvas.Flags, float]:
    """Bring envelopes of any number of columns to the dots at hand.

    A few columns too many lose the oldest, many are folded (extremes stay), too few are repeated. The last value is the
    share of the time that is left.
    """
    low, high, gaps = stream.low[channels], stream.high[channels], stream.gaps
    have = low.shape[1]
    if columns < have <= 1.1 * columns:
        return low[:, -columns:], high[:, -columns:], gaps[-columns:], columns / have
    if have > columns:
        groups = np.arange(columns) * have // columns
        low, high = np.fmin.reduceat(low, groups, axis=1), np.fmax.reduceat(high, groups, axis=1)
        gaps = np.logical_or.reduceat(gaps, groups)
    elif 0 < have < columns:
        pick = np.arange(columns) * have // columns
        low, high, gaps = low[:, pick], high[:, pick], gaps[pick]
    elif have == 0:
        low = high = np.full((len(low), columns), np.nan, np.float32)
        gaps = np.zeros(columns, np.bool_)
    return low, high, gaps, 1.0


def _reach(stream: StreamView, columns: int, width_s: float) -> int:
    """Return how many empty columns lie between two samples that follow each other, with half a period of grace."""
    hertz = stream.measured_hz or stream.rate_hz
    if not hertz or width_s <= 0:
        return 0
    return math.ceil(1.5 * columns / (width_s * hertz)) if columns > width_s * hertz / 2 else 0
