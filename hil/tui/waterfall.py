"""A spectrogram as cells: time to the right, frequency upwards, density as colour or as a character.

Rule of this room: the same figure and size give the same cells; the time axis is that of the chart of the same width,
so that a cursor means the same in both. A cell keeps the greatest density in it. Without colour a ramp of characters
tells loud from quiet. Columns in which samples are missing stay empty.
"""

import numpy as np

from hil.figureview import FigureView
from hil.streamview import StreamView
from hil.tui import canvas, heatmap
from hil.tui.axes import GUTTER, time_axis, value_axis
from hil.tui.cells import DIM, HEAT_LEVELS, TEXT, Cells, Line, Run, blank, channel_ink, heat_ink
from hil.tui.chart import Panel
from hil.tui.figuretitle import fitted, head, nothing
from hil.tui.units import seconds

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


def legend(figure: FigureView | None, stream: StreamView, panel: Panel, width: int, colour: bool = True) -> Line:
    """Return the title: which channel, the scale of loudness, and how long a stretch is."""
    first = head(stream, "spectrogram")
    if figure is None or figure.sentence:
        return first
    channel = figure.ask.channels[0]
    first.append((f" ━{stream.channels[channel]}", channel_ink(channel)))
    _, low, high = decibels(figure)
    bar: list[Run] = (
        [("▀", int(heat_ink(np.array(level), np.array(level)))) for level in range(HEAT_LEVELS)]
        if colour else [(heatmap.RAMP, TEXT)]
    )  # fmt: skip
    scale: list[Run] = [(f"  {low:.0f} ", DIM), *bar, (f" {high:.0f} dB", DIM)]
    if sum(len(words) for words, _ in (*first, *scale)) <= width:
        first += scale
    return fitted(first, [(f"  {seconds(figure.seconds)} a stretch", DIM)], width)


def draw(
    figure: FigureView | None, panel: Panel, width: int, height: int, colour: bool, edge: str = "now",
    zero_s: float | None = None,
) -> Cells:  # fmt: skip
    """Draw the spectrogram below its title, `width` by `height` cells; of `edge` and `zero_s` see `axes.ground`."""
    cells = blank(width, height)
    foot = 1 if height >= 4 else 0
    gutter = GUTTER if width >= 3 * GUTTER else 0
    rows, columns = height - foot, width - gutter
    if rows <= 0 or columns <= 1 or nothing(cells, figure, gutter) or figure is None or not figure.y.size:
        return cells
    loud, low, high = decibels(figure)
    loud = _resized(loud[::-1], 2 * rows if colour else rows, columns)
    grid = heatmap.levels(loud, low, high)
    area = np.s_[:rows, gutter:]
    if colour:
        upper, lower = grid[0::2], grid[1::2]
        lost = (upper < 0) & (lower < 0)
        cells.codes[area] = np.where(lost, ord(" "), ord("▀"))
        inks = heat_ink(np.where(upper < 0, lower, upper), np.where(lower < 0, upper, lower))
        cells.inks[area] = np.where(lost, TEXT, inks)
    else:
        cells.codes[area] = np.where(grid < 0, ord(" "), np.array([ord(sign) for sign in heatmap.RAMP])[grid])
    top = float(figure.x[-1])
    if gutter:
        value_axis(cells, (0.0, top), 0, rows, "Hz", DIM)
    if foot:
        time_axis(cells, (figure.end_ns - figure.start_ns) / 1e9, gutter, edge, set(), zero_s)
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
