"""A spectrum as cells: density over frequency, logarithmic upwards, and the highest line of each channel in words.

Rule of this room: as in `chart`, the same figure and size give the same cells. A dot column spans the least and the
greatest density in it, so that a narrow line never vanishes.
"""

import math

import numpy as np

from hil.figureview import FigureView
from hil.streamview import StreamView
from hil.tui import allanchart, canvas
from hil.tui.axes import GUTTER
from hil.tui.cells import DIM, Cells, Line, blank, channel_ink
from hil.tui.chart import Panel
from hil.tui.figuretitle import beneath, fitted, head, nothing
from hil.tui.units import seconds, unit_name

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
    cells = blank(width, height)
    foot = 1 if height >= 4 else 0
    gutter = GUTTER if width >= 3 * GUTTER else 0
    rows, columns = height - foot, width - gutter
    if rows <= 0 or columns <= 1 or nothing(cells, figure, gutter) or figure is None:
        return cells
    with np.errstate(divide="ignore"):
        lines = np.log10(figure.y)
    known = lines[np.isfinite(lines)]
    if not known.size:
        return cells
    high = allanchart.decade(float(known.max()), True)
    low = allanchart.decade(max(float(np.percentile(known, 2)), high - DEEP), False)
    spot = np.minimum(figure.x / figure.x[-1] * (2 * columns - 1), 2 * columns - 1).astype(np.int64)
    starts = np.flatnonzero(np.diff(spot, prepend=-1))
    least, most = (np.full((len(lines), 2 * columns), np.nan, np.float32) for _ in range(2))
    least[:, spot[starts]] = np.fmin.reduceat(lines, starts, axis=1)
    most[:, spot[starts]] = np.fmax.reduceat(lines, starts, axis=1)
    least, most = canvas.bridged(least, most, 2 * columns)
    bits, owner = canvas.blend(canvas.raster(least, most, (low, max(high, low + 0.3)), rows))
    area = np.s_[:rows, gutter:]
    cells.codes[area] = np.where(bits > 0, bits.astype(np.uint32) + canvas.BRAILLE, 0x20)
    cells.inks[area] = np.array([channel_ink(channel) for channel in panel.channels], np.uint16)[owner]
    if gutter:
        allanchart.value_axis(cells, low, max(high, low + 0.3), rows)
    if foot:
        top = float(figure.x[-1])
        marks = [(tick.value, tick.label) for tick in canvas.ticks(0.0, top, max(1, min(10, columns // 12)))]
        beneath(cells, marks, (0.0, top), gutter, "Hz" if math.isfinite(top) else "")
    return cells
