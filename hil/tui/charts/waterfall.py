"""A spectrogram as cells: time to the right, frequency upwards, density as colour or as a character.

Rule of this room: the same figure and size give the same cells; the time axis is that of the chart of the same width,
so that a cursor means the same in both. A cell keeps the greatest density in it. Without colour a ramp of characters
tells loud from quiet. Columns in which samples are missing stay empty.
"""

import numpy as np

from hil.tui.charts import canvas, heatmap
from hil.tui.charts.axes import time_axis, value_axis
from hil.tui.charts.cells import DIM, TEXT, Cells, Line, Run, channel_ink, heat_ink
from hil.tui.charts.chart import Panel
from hil.tui.charts.colourmaps import COLOURMAPS, ramp
from hil.tui.charts.figureplot import figure_plot
from hil.tui.charts.figuretitle import fitted, head
from hil.tui.charts.units import seconds
from hil.views.figure import FigureView
from hil.views.stream import StreamView

__all__ = ["decibels", "draw", "legend"]

DEEP = 60.0
"""Decibels below the loudest that are told apart, at most."""


def decibels(figure: FigureView) -> tuple[canvas.Float32, float, float]:
    """Return the densities in decibels (re 1 unit²/Hz) and the range that is told apart."""
    with np.errstate(divide="ignore", invalid="ignore"):
        loud = (10 * np.log10(figure.y)).astype(np.float32)
    known = loud[np.isfinite(loud)]
    if not known.size:
        return loud, -1.0, 0.0
    high = float(np.ceil(known.max() / 5) * 5)
    low = max(high - DEEP, float(np.floor(np.percentile(known, 5) / 5) * 5))
    return loud, min(low, high - 5), high


def legend(
    figure: FigureView | None, stream: StreamView, panel: Panel, width: int, colour: bool = True, colourmap: int = 0
) -> Line:  # fmt: skip
    """Return the title: which channel, the scale of loudness, and how long a stretch is."""
    first = head(stream, "spectrogram")
    if figure is None or figure.sentence:
        return first
    channel = figure.ask.channels[0]
    first.append((f" ━{stream.channels[channel]}", channel_ink(channel)))
    _, low, high = decibels(figure)
    scale: list[Run] = [(f"  {low:.0f} ", DIM), *heatmap.bar(colourmap, colour), (f" {high:.0f} dB", DIM)]
    if sum(len(words) for words, _ in (*first, *scale)) <= width:
        first += scale
    line = fitted(first, [(f"  {seconds(figure.seconds)} a stretch", DIM)], width)
    name = f"  {COLOURMAPS[colourmap].name}"
    return [*line, (name, DIM)] if sum(len(words) for words, _ in line) + len(name) <= width else line


def draw(
    figure: FigureView | None, panel: Panel, width: int, height: int, colour: bool, edge: str = "now",
    colourmap: int = 0, zero_s: float | None = None,
) -> Cells:  # fmt: skip
    """Draw the spectrogram below its title, `width` by `height` cells; of `edge` and `zero_s` see `axes.ground`."""
    plot = figure_plot(width, height)
    if not plot.holds(figure) or not figure.y.size:
        return plot.cells
    cells, rows = plot.cells, plot.rows
    loud, low, high = decibels(figure)
    loud = _resized(loud[::-1], 2 * rows if colour else rows, plot.columns)
    grid = heatmap.levels(loud, low, high)
    area = np.s_[:rows, plot.gutter :]
    if colour:
        upper, lower = grid[0::2], grid[1::2]
        lost = (upper < 0) & (lower < 0)
        cells.codes[area] = np.where(lost, ord(" "), ord("▀"))
        inks = heat_ink(np.where(upper < 0, lower, upper), np.where(lower < 0, upper, lower), colourmap)
        cells.inks[area] = np.where(lost, TEXT, inks)
    else:
        signs = np.array([ord(sign) for sign in ramp(colourmap)])
        cells.codes[area] = np.where(grid < 0, ord(" "), signs[grid])
    top = float(figure.x[-1])
    if plot.gutter:
        value_axis(cells, (0.0, top), 0, rows, "Hz", DIM)
    if plot.foot:
        time_axis(cells, (figure.end_ns - figure.start_ns) / 1e9, plot.gutter, edge, set(), zero_s)
    return cells


def _resized(values: canvas.Float32, rows: int, columns: int) -> canvas.Float32:
    """Bring a field to a size: what is too much is folded to its greatest, what is too little repeated."""
    for axis, wanted in ((0, rows), (1, columns)):
        have = values.shape[axis]
        if have > wanted:
            values = np.fmax.reduceat(values, np.arange(wanted) * have // wanted, axis=axis)
        else:
            values = np.take(values, np.arange(wanted) * have // wanted, axis=axis)
    return values
