"""A spectrum as cells: density over frequency, logarithmic upwards, and the highest line of each channel in words.

Rule of this room: as in `chart`, the same figure and size give the same cells. A dot column spans the least and the
greatest density in it, so that a narrow line never vanishes.
"""

import math

import numpy as np

from hil.tui.charts import allanchart, canvas
from hil.tui.charts.cells import DIM, Cells, Line, channel_ink
from hil.tui.charts.chart import Panel
from hil.tui.charts.figureplot import figure_plot
from hil.tui.charts.figuretitle import fitted, head
from hil.tui.charts.units import seconds, unit_name
from hil.views.figure import FigureView
from hil.views.stream import StreamView

__all__ = ["draw", "legend"]

DEEP = 5.0
"""Decades below the highest density that are drawn, at most."""


def legend(figure: FigureView | None, stream: StreamView, panel: Panel, width: int) -> Line:
    """Return the title: the frequency and the density of the highest line of each channel."""
    first = head(stream, f"spectrum {unit_name(panel.unit)}/√Hz")
    if figure is None or figure.sentence:
        return first
    parts = [
        (f" ━{stream.channels[channel]} {canvas.number(density, 3)} at {canvas.number(hertz)} Hz", channel_ink(channel))
        for channel, (hertz, density) in zip(figure.ask.channels, figure.marks.tolist(), strict=True)
    ]  # fmt: skip
    brief = [
        (f" ━{stream.channels[channel]} {canvas.number(hertz, 3)} Hz", channel_ink(channel))
        for channel, (hertz, _) in zip(figure.ask.channels, figure.marks.tolist(), strict=True)
    ]
    return fitted(first, [*parts, (f"  of {seconds(figure.seconds)}", DIM)], width, brief)


def draw(figure: FigureView | None, panel: Panel, width: int, height: int) -> Cells:
    """Draw the spectrum below its title, `width` by `height` cells."""
    plot = figure_plot(width, height)
    if not plot.holds(figure):
        return plot.cells
    with np.errstate(divide="ignore"):
        lines = np.log10(figure.y)
    known = lines[np.isfinite(lines)]
    if not known.size:
        return plot.cells
    high = allanchart.decade(float(known.max()), True)
    low = allanchart.decade(max(float(np.percentile(known, 2)), high - DEEP), False)
    dots = 2 * plot.columns
    spot = np.minimum(figure.x / figure.x[-1] * (dots - 1), dots - 1).astype(np.int64)
    starts = np.flatnonzero(np.diff(spot, prepend=-1))
    least, most = (np.full((len(lines), dots), np.nan, np.float32) for _ in range(2))
    least[:, spot[starts]] = np.fmin.reduceat(lines, starts, axis=1)
    most[:, spot[starts]] = np.fmax.reduceat(lines, starts, axis=1)
    least, most = canvas.bridged(least, most, dots)
    high = max(high, low + 0.3)
    bits, owner = canvas.blend(canvas.raster(least, most, (low, high), plot.rows))
    plot.dots(bits, np.array([channel_ink(channel) for channel in panel.channels], np.uint16)[owner])
    if plot.gutter:
        allanchart.value_axis(plot.cells, low, high, plot.rows)
    top = float(figure.x[-1])
    plot.beneath((0.0, top), "Hz" if math.isfinite(top) else "", most=10)
    return plot.cells
