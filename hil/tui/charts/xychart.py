"""One channel against another: every place where readings were is a dot, the newest one is marked.

Rule of this room: the same figure and size give the same cells. Where both channels have one unit a dot means as much
to the right as upwards, so that a circle is round.
"""

import numpy as np

from hil.tui.charts import canvas, dots
from hil.tui.charts.axes import value_axis
from hil.tui.charts.cells import DIM, KEY, Cells, Line, channel_ink
from hil.tui.charts.chart import Panel
from hil.tui.charts.figureplot import figure_plot
from hil.tui.charts.figuretitle import fitted, head
from hil.tui.charts.units import seconds, unit_name
from hil.views.figure import FigureView
from hil.views.stream import StreamView

__all__ = ["draw", "legend"]


def legend(figure: FigureView | None, stream: StreamView, panel: Panel, width: int) -> Line:
    """Return the title: which channel goes to the right and which upwards, and their newest readings."""
    first = head(stream, "XY")
    if figure is None or len(figure.ask.channels) < 2 or figure.sentence:
        return first
    brief = [
        (f" {arrow}{stream.channels[channel]}", channel_ink(channel))
        for arrow, channel in zip("→↑", figure.ask.channels, strict=True)
    ]
    parts = [
        (f" {arrow}{stream.channels[channel]} {canvas.number(value, 4)} {unit_name(stream.units[channel])}",
         channel_ink(channel))
        for arrow, channel, value in zip("→↑", figure.ask.channels, figure.marks[0].tolist(), strict=True)
    ]  # fmt: skip
    return fitted(first, [*parts, (f"  of {seconds(figure.seconds)}", DIM)], width, brief)


def draw(figure: FigureView | None, stream: StreamView, width: int, height: int) -> Cells:
    """Draw the path below its title, `width` by `height` cells."""
    plot = figure_plot(width, height)
    if not plot.holds(figure):
        return plot.cells
    cells, rows, columns = plot.cells, plot.rows, plot.columns
    right, upwards = figure.ask.channels[:2]
    equal = stream.units[right] == stream.units[upwards]
    across, along = canvas.limits(figure.x, figure.x), canvas.limits(figure.y, figure.y)
    across, along = dots.spans(across, along, 2 * columns, 4 * rows, equal=equal)
    grid = dots.grid(columns, rows)
    grid[_spot(figure.y[0], along, 4 * rows, True), _spot(figure.x, across, 2 * columns)] = True
    plot.dots(dots.packed(grid), channel_ink(upwards))
    row, column = (
        int(_spot(figure.marks[0, at : at + 1], span, count, at == 1)[0]) // each
        for at, span, count, each in ((1, along, 4 * rows, 4), (0, across, 2 * columns, 2))
    )
    cells.codes[row, plot.gutter + column], cells.inks[row, plot.gutter + column] = ord("◉"), KEY
    if plot.gutter:
        value_axis(cells, along, 0, rows, stream.channels[upwards], channel_ink(upwards))
    plot.beneath(across, f" {stream.channels[right]} {unit_name(stream.units[right])}")
    return cells


def _spot(
    values: canvas.Float32, span: tuple[float, float], count: int, down: bool = False
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the dot of each reading, from the left or (rows) from the top."""
    share = (values.astype(np.float64) - span[0]) / (span[1] - span[0])
    place = np.rint(np.clip(1 - share if down else share, 0, 1) * (count - 1))
    return place.astype(np.int64)
