"""A frame of a thermal or depth sensor as cells, with its colour map, range and unit.

Rule of this room: a pixel is never lost. Small frames are enlarged, each pixel with its number where it fits; frames
larger than the room are folded and keep the hottest pixel of each block (of a diverging colour map the one farthest
from its middle), and the caption says so. With colour two pixels share a cell (half blocks); without it, or with too
few colours, a ramp of characters tells warm from cold.
"""

import math

import numpy as np
import numpy.typing as npt

from hil.tui.charts import canvas, chart, colourmaps
from hil.tui.charts.cells import (
    BAD,
    DIM,
    HEAT_INKS,
    HEAT_LEVELS,
    HEAT_TEXT,
    TEXT,
    WARN,
    Cells,
    Line,
    blank,
    heat_ink,
    put,
    put_line,
)
from hil.tui.charts.shading import Shading
from hil.tui.charts.units import unit_name
from hil.views.snapshot import StreamView

__all__ = ["bar", "caption", "draw", "legend", "levels", "scale"]

BESIDE = 44
"""Cells that scale and extremes need beside a frame."""

PLAIN = Shading()
Float32 = npt.NDArray[np.float32]
Levels = npt.NDArray[np.int64]


def levels(image: Float32, low: float, high: float) -> Levels:
    """Return 0 to 15 for each pixel; what is beyond the range is at its ends, and -1 where it is not a number."""
    span = high - low
    with np.errstate(invalid="ignore", over="ignore"):
        share = (image.astype(np.float64) - low) / (span if span > 0 else 1.0)
        scaled = np.clip(np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    found = np.minimum((scaled * HEAT_LEVELS).astype(np.int64), HEAT_LEVELS - 1)
    return np.where(np.isnan(image), -1, found)


def legend(stream: StreamView, panel: chart.Panel, width: int, shading: Shading = PLAIN) -> Line:
    """Return the title: which frames at what rate, by which colour map over which range, as far as there is room."""
    first = list(chart.legend(stream, panel, width))
    safe = ", colour-blind safe" if shading.colourmap.safe else ""
    name, words = f" {shading.colours}", f" · {shading.words(stream)}"
    brief = " held" if shading.held else " each" if shading.each else ""
    for parts in ((name, safe, words), (name, words), (name, brief)):
        if sum(len(part) for part, _ in first) + len("".join(parts)) <= width:
            return [*first, (parts[0], TEXT), ("".join(parts[1:]), DIM)]
    return first


def bar(colourmap: int, colour: bool) -> Line:
    """Return the levels of a colour map beside each other."""
    if not colour:
        return [(colourmaps.ramp(colourmap), TEXT)]
    return [("▀", int(heat_ink(np.array(level), np.array(level), colourmap))) for level in range(HEAT_LEVELS)]


def scale(stream: StreamView, colour: bool, shading: Shading = PLAIN) -> Line:
    """Return the colour scale with its range and unit, and from where it diverges where it does."""
    if stream.image is None:
        return ()
    low, high = shading.span(stream)
    about = f" about {canvas.number((low + high) / 2)}" if shading.colourmap.diverging else ""
    ends = f" {canvas.number(high)} {unit_name(stream.units[0])}"
    return [(f"{canvas.number(low)} ", DIM), *bar(shading.number, colour), (ends, DIM), (about, DIM)]


def caption(stream: StreamView, shading: Shading = PLAIN) -> list[Line]:
    """Return the greatest and least reading of the frame and where they are (row and column from 1), and what is left.

    Pixels that are no number, and those beyond a range that is held, are counted.
    """
    image = stream.image
    if image is None:
        return [[("no frame yet", DIM)]]
    finite = np.isfinite(image)
    if not finite.any():
        return [[("no pixel of this frame is a number", BAD)]]
    unit = unit_name(stream.units[0])
    lines: list[Line] = []
    for name, index in (("max", np.argmax(np.where(finite, image, -np.inf))),
                        ("min", np.argmin(np.where(finite, image, np.inf)))):  # fmt: skip
        row, column = np.unravel_index(index, image.shape)
        value = canvas.number(float(image[row, column]))
        lines.append([(f"{name} {value} {unit} at row {row + 1}, col {column + 1}", TEXT)])
    if bad := int((~finite).sum()):
        lines.append([(f"{bad} not a number", BAD)])
    low, high = shading.span(stream)
    for count, words in ((int((image[finite] > high).sum()), "above"), (int((image[finite] < low).sum()), "below")):
        if shading.held is not None and count:
            lines.append([(f"{count} {words} the range", WARN)])
    return lines


def draw(
    stream: StreamView, width: int, height: int, colour: bool = True, shading: Shading = PLAIN
) -> Cells:  # fmt: skip
    """Draw the newest frame, its scale and its extremes: beside it where there is room, else below it.

    Args:
        stream: A stream of images.
        width: Cells, all of it.
        height: Rows, all of it.
        colour: Whether colours will be seen; else a ramp of characters is used.
        shading: By which colour map, over which range.
    """
    cells = blank(width, height)
    image = stream.image
    if image is None or not image.size or height <= 0 or width <= 0:
        put(cells, 0, 0, "no frame yet", DIM)
        return cells
    words = [scale(stream, colour, shading), *caption(stream, shading)]
    beside = width - min(width, math.ceil(2 * height * image.shape[1] / image.shape[0])) >= BESIDE
    foot = 0 if beside else 2 if height >= 6 else 1 if height >= 3 else 0
    room = width - BESIDE if beside else width
    rows = height - foot
    low, high = shading.span(stream)
    middle = (low + high) / 2 if shading.colourmap.diverging else None
    shown, folded = _fold(image, 2 * rows if colour else rows, room, middle)
    if folded != (1, 1):
        kept = "hottest" if middle is None else f"farthest from {canvas.number(middle)}"
        words.append([(f"each cell is the {kept} of {folded[0]}×{folded[1]} pixels", DIM)])
    down, across = _grow(shown.shape, 2 * rows if colour else rows, room, colour)
    grid = levels(shown, low, high)[np.ix_(_spread(shown.shape[0], down), _spread(shown.shape[1], across))]
    left = 1 if beside else (width - across) // 2
    if colour:
        _half_blocks(cells, grid, left, shading.number)
        _numbers(cells, shown, grid, left, shading.number)
    else:
        _ramp(cells, grid, left, shading.number)
    if beside:
        for row, line in enumerate(words[:height]):
            put_line(cells, left + across + 3, row, line)
    elif foot:
        put_line(cells, 0, height - foot, words[0])
        rest = [run for line in words[1:] for run in ((" · ", DIM), *line)][1:]
        if foot == 2:
            put_line(cells, 0, height - 1, rest)
    return cells


def _grow(shape: tuple[int, ...], rows: int, columns: int, colour: bool) -> tuple[int, int]:
    """Return rows and columns of dots that a frame is enlarged to, square on the screen where it can be."""
    wide = 1.0 if colour else 2.0  # a half block is as wide as high, a whole cell twice as high
    factor = max(1.0, min(rows / shape[0], columns / (shape[1] * wide)))
    return min(rows, int(shape[0] * factor)), min(columns, int(shape[1] * factor * wide))


def _spread(pixels: int, dots: int) -> npt.NDArray[np.int64]:
    """Return which pixel each dot shows; every pixel has at least one."""
    return np.arange(dots, dtype=np.int64) * pixels // dots


def _fold(image: Float32, rows: int, columns: int, middle: float | None) -> tuple[Float32, tuple[int, int]]:
    """Shrink a frame that does not fit; a block keeps its hottest pixel, or the one farthest from the middle."""
    by = (math.ceil(image.shape[0] / rows), math.ceil(image.shape[1] / columns))
    if by == (1, 1):
        return image, by
    high, low = (_reduced(fold, image, by) for fold in (np.fmax, np.fmin))
    if middle is None:
        return high, by
    above, below = high.astype(np.float64) - middle, middle - low.astype(np.float64)
    return np.where(above >= below, high, low), by


def _reduced(fold: np.ufunc, image: Float32, by: tuple[int, int]) -> Float32:
    shown = fold.reduceat(image, np.arange(0, image.shape[0], by[0]), axis=0)
    found: Float32 = fold.reduceat(shown, np.arange(0, image.shape[1], by[1]), axis=1)
    return found


def _half_blocks(cells: Cells, grid: Levels, left: int, colourmap: int) -> None:
    """Two rows of pixels share a row of cells; `?` where both are not numbers, else the one that is fills the cell."""
    grid = np.vstack([grid, grid[-1:]]) if len(grid) % 2 else grid
    upper, lower = grid[0::2], grid[1::2]
    area = np.s_[: len(upper), left : left + grid.shape[1]]
    lost = (upper < 0) & (lower < 0)
    cells.codes[area] = np.where(lost, ord("?"), ord("▀"))
    inks = heat_ink(np.where(upper < 0, lower, upper), np.where(lower < 0, upper, lower), colourmap)
    cells.inks[area] = np.where(lost, BAD, inks)


def _ramp(cells: Cells, grid: Levels, left: int, colourmap: int) -> None:
    codes = np.array([ord(sign) for sign in colourmaps.ramp(colourmap)], np.uint32)
    area = np.s_[: len(grid), left : left + grid.shape[1]]
    cells.codes[area] = np.where(grid < 0, ord("?"), codes[np.maximum(grid, 0)])
    cells.inks[area] = np.where(grid < 0, BAD, TEXT)


def _numbers(cells: Cells, shown: Float32, grid: Levels, left: int, colourmap: int) -> None:
    """Write each pixel's reading into it where there are five cells and a whole row for it."""
    tall, wide = grid.shape[0] / shown.shape[0], grid.shape[1] // shown.shape[1]
    words = [[f"{value:.1f}" if math.isfinite(value) else "?" for value in row] for row in shown.tolist()]
    if tall < 3 or max(len(word) for row in words for word in row) > wide - 1:
        return
    for row, line in enumerate(words):
        at = int((row + 0.5) * tall / 2)
        for column, word in enumerate(line):
            start = math.ceil(column * grid.shape[1] / shown.shape[1])
            level = int(grid[min(2 * at, len(grid) - 1), start])
            if level >= 0:
                put(cells, left + start + (wide - len(word)) // 2, at, word, HEAT_TEXT + colourmap * HEAT_INKS + level)
