"""One channel against another: every place where readings were is a dot, the newest one is marked.

Rule of this room: the same figure and size give the same cells. Where both channels have one unit a dot means as much
to the right as upwards, so that a circle is round.
"""

import numpy as np

from hil.figureview import FigureView
from hil.streamview import StreamView
from hil.tui import canvas, dots
from hil.tui.axes import GUTTER, value_axis
from hil.tui.cells import DIM, KEY, Cells, Line, blank, channel_ink
from hil.tui.chart import Panel
from hil.tui.figuretitle import beneath, fitted, head, nothing
from hil.tui.units import seconds, unit_name

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
    cells = blank(width, height)
    foot = 1 if height >= 4 else 0
    gutter = GUTTER if width >= 3 * GUTTER else 0
    rows, columns = height - foot, width - gutter
    if rows <= 0 or columns <= 1 or nothing(cells, figure, gutter) or figure is None:
        return cells
    right, upwards = figure.ask.channels[:2]
    equal = stream.units[right] == stream.units[upwards]
    across, along = canvas.limits(figure.x, figure.x), canvas.limits(figure.y, figure.y)
    across, along = dots.spans(across, along, 2 * columns, 4 * rows, equal=equal)
    grid = dots.grid(columns, rows)
    grid[_spot(figure.y[0], along, 4 * rows, True), _spot(figure.x, across, 2 * columns)] = True
    bits = dots.packed(grid)
    area = np.s_[:rows, gutter:]
    cells.codes[area] = np.where(bits > 0, bits.astype(np.uint32) + canvas.BRAILLE, 0x20)
    cells.inks[area] = channel_ink(upwards)
    row, column = (
        int(_spot(figure.marks[0, at : at + 1], span, count, at == 1)[0]) // each
        for at, span, count, each in ((1, along, 4 * rows, 4), (0, across, 2 * columns, 2))
    )
    cells.codes[row, gutter + column], cells.inks[row, gutter + column] = ord("◉"), KEY
    if gutter:
        value_axis(cells, along, 0, rows, stream.channels[upwards], channel_ink(upwards))
    if foot:
        marks = [(tick.value, tick.label) for tick in canvas.ticks(*across, max(1, min(8, columns // 12)))]
        beneath(cells, marks, across, gutter, f" {stream.channels[right]} {unit_name(stream.units[right])}")
    return cells


def _spot(
    values: canvas.Float32, span: tuple[float, float], count: int, down: bool = False
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the dot of each reading, from the left or (rows) from the top."""
    share = (values.astype(np.float64) - span[0]) / (span[1] - span[0])
    place = np.rint(np.clip(1 - share if down else share, 0, 1) * (count - 1))
    return place.astype(np.int64)
