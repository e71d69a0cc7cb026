"""A histogram as cells: how often each reading came, one outline a channel; one channel alone is filled.

Rule of this room: as in `chart`, the same figure and size give the same cells. Every bin is seen: a dot column shows
the highest bin in it.
"""

import numpy as np

from hil.tui.charts import canvas
from hil.tui.charts.axes import value_axis
from hil.tui.charts.cells import DIM, Cells, Line, channel_ink
from hil.tui.charts.chart import Panel
from hil.tui.charts.figureplot import figure_plot
from hil.tui.charts.figuretitle import fitted, head
from hil.tui.charts.units import count, unit_name
from hil.views.figure import FigureView
from hil.views.stream import StreamView

__all__ = ["draw", "legend"]


def legend(figure: FigureView | None, stream: StreamView, panel: Panel, width: int) -> Line:
    """Return the title: mean and standard deviation of each channel."""
    first = head(stream, f"histogram {unit_name(panel.unit)}")
    if figure is None or figure.sentence:
        return first
    parts = [
        (f" ━{stream.channels[channel]} {canvas.number(mean, 4)} σ {canvas.number(sd, 3)}", channel_ink(channel))
        for channel, (mean, sd) in zip(figure.ask.channels, figure.marks.tolist(), strict=True)
    ]
    brief = [
        (f" ━{stream.channels[channel]} σ{canvas.number(sd, 2)}", channel_ink(channel))
        for channel, (_, sd) in zip(figure.ask.channels, figure.marks.tolist(), strict=True)
    ]
    return fitted(first, [*parts, (f"  {count(figure.samples)} readings", DIM)], width, brief)


def draw(figure: FigureView | None, panel: Panel, width: int, height: int) -> Cells:
    """Draw the histogram below its title, `width` by `height` cells."""
    plot = figure_plot(width, height)
    if not plot.holds(figure):
        return plot.cells
    bins, dots = figure.y.shape[1], 2 * plot.columns
    if bins > dots:
        high = np.fmax.reduceat(figure.y, np.arange(dots) * bins // dots, axis=1)
    else:
        high = figure.y[:, np.arange(dots) * bins // dots]
    low = np.zeros_like(high) if len(high) == 1 else high
    empty = high == 0
    low, high = np.where(empty, np.nan, low), np.where(empty & (len(figure.y) == 1), np.nan, high)
    low = np.where(empty & (len(figure.y) > 1), 0.0, low)
    span = (0.0, canvas.limits(np.zeros_like(high), high)[1])
    bits, owner = canvas.blend(canvas.raster(low.astype(np.float32), high.astype(np.float32), span, plot.rows))
    plot.dots(bits, np.array([channel_ink(channel) for channel in figure.ask.channels], np.uint16)[owner])
    if plot.gutter:
        value_axis(plot.cells, span, 0, plot.rows, "", DIM)
    plot.beneath((float(figure.x[0]), float(figure.x[-1])), unit_name(panel.unit))
    return plot.cells
