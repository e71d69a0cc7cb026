"""The Allan deviation as cells: both axes logarithmic, one curve a channel, round decades and honest words.

Rule of this room: as in `chart`, the same view and size give the same cells. A curve that is not there yet says why; it
is drawn as far as its averages reach and never beyond.
"""

import math

import numpy as np

from hil.tui.charts import canvas
from hil.tui.charts.axes import GUTTER
from hil.tui.charts.cells import DIM, GOOD, TITLE, WARN, Cells, Line, Run, channel_ink, put
from hil.tui.charts.chart import Panel
from hil.tui.charts.figureplot import figure_plot
from hil.tui.charts.units import seconds, unit_name
from hil.views.allan import AllanView
from hil.views.snapshot import StreamView

__all__ = ["decade", "draw", "legend", "value_axis"]


def legend(view: AllanView, stream: StreamView, panel: Panel, width: int) -> Line:
    """Return title, state and the deviation at 1 s (or at the longest time) of each channel, as far as they fit."""
    state: Run = ("at rest", GOOD) if view.resting else ("MOVES, left out", WARN)
    head: list[Run] = [(panel.board, TITLE), (f" Allan deviation {unit_name(panel.unit)} ", TITLE), state]
    told: list[Run] = [(f" {seconds(view.rest_s)}", DIM)] if view.rest_s else []
    at = _place(view)
    values: list[Run] = []
    if at is not None:
        values.append((f"  σ({seconds(float(view.tau_s[at]))})", DIM))
        for channel in panel.channels:
            value = float(view.deviation[channel, at])
            values.append((f" ━{stream.channels[channel]} {canvas.number(value, 3)}", channel_ink(channel)))
    for line in ([*head, *told, *values], [*head, *values], [*head, *told], [*head]):
        if sum(len(words) for words, _ in line) <= width:
            return line
    return [(panel.board, TITLE), (" Allan deviation", TITLE)]


def _place(view: AllanView) -> int | None:
    """Return the averaging time that is told: that nearest to 1 s, if the curve reaches it, else the longest."""
    if not len(view.tau_s):
        return None
    return int(np.argmin(np.abs(np.log(view.tau_s))))


def draw(view: AllanView, panel: Panel, width: int, height: int) -> Cells:
    """Draw the curves below their title.

    Args:
        view: The curves of the stream.
        panel: Which channels.
        width: Cells, all of it.
        height: Rows, all of it.
    """
    plot = figure_plot(width, height)
    cells, rows, columns = plot.cells, plot.rows, plot.columns
    if rows <= 0 or columns <= 1:
        return cells
    curves = view.deviation[list(panel.channels)] if len(view.tau_s) else np.empty((0, 0))
    known = curves[np.isfinite(curves) & (curves > 0)]
    if not len(known) or len(view.tau_s) < 2:
        words = (view.sentence or "every reading is the same: there is no noise to average")[:columns]
        put(cells, plot.gutter + (columns - len(words)) // 2, rows // 2, words, DIM)
        return cells
    low, high = (decade(math.log10(float(end)), up) for end, up in ((known.min(), False), (known.max(), True)))
    times = np.log10(view.tau_s)
    begin, end = math.floor(times[0] * 2) / 2, math.ceil(times[-1] * 2 + 1e-9) / 2
    dots = np.linspace(begin, end, 2 * columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        lines = np.array([np.interp(dots, times, np.log10(curve), np.nan, np.nan) for curve in curves], np.float32)
    bits, owner = canvas.blend(canvas.raster(lines, lines, (low, high), rows))
    plot.dots(bits, np.array([channel_ink(channel) for channel in panel.channels], np.uint16)[owner])
    if plot.gutter:
        value_axis(cells, low, high, rows)
    if plot.foot:
        _time_axis(cells, begin, end, plot.gutter)
    return cells


def decade(exponent: float, up: bool) -> float:
    """Return the next third of a decade (1, 2, 5), so that the axis stands still while the curve grows."""
    whole, part = divmod(exponent, 1.0)
    marks = (0.0, math.log10(2), math.log10(5), 1.0)
    if up:
        return whole + next(mark for mark in marks if mark >= part - 1e-9) + (0.0 if part > 1e-9 else math.log10(2))
    return whole + max(mark for mark in marks if mark <= part + 1e-9)


def value_axis(cells: Cells, low: float, high: float, rows: int) -> None:
    """Draw a logarithmic left axis between two powers of ten."""
    for row in range(rows):
        put(cells, GUTTER - 1, row, "│", DIM)
    free = -2
    for exponent in sorted(_round(low, high), reverse=True):
        row = round((high - exponent) / (high - low) * (rows - 1))
        if row - free >= 2:
            put(cells, 0, row, f"{canvas.number(10.0**exponent, 2):>{GUTTER - 1}}┤", DIM)
            free = row


def _round(low: float, high: float) -> list[float]:
    """Return the exponents of 1, 2 and 5 times powers of ten in a range; powers alone where it is long."""
    steps = (0.0,) if high - low > 3 else (0.0, math.log10(2), math.log10(5))
    first = math.floor(low)
    every = [first + decade + step for decade in range(math.ceil(high) - first + 1) for step in steps]
    return [exponent for exponent in every if low - 1e-9 <= exponent <= high + 1e-9]


def _time_axis(cells: Cells, begin: float, end: float, gutter: int) -> None:
    width, row = cells.size[0], cells.size[1] - 1
    columns = width - gutter
    put(cells, gutter, row, "─" * columns, DIM)
    if gutter:
        put(cells, gutter - 1, row, "└", DIM)
    edge = "averaged over" if columns >= 60 else ""
    put(cells, width - len(edge), row, edge, DIM)
    for exponent in range(math.ceil(begin - 1e-9), math.floor(end + 1e-9) + 1):
        column = gutter + round((exponent - begin) / (end - begin) * (columns - 1))
        words = f"┴{seconds(10.0**exponent)}"
        if column + len(words) <= width - len(edge):
            put(cells, column, row, words, DIM)
