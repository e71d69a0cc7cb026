"""A frame of a thermal or depth sensor as cells, with its scale, range and unit.

Rule of this room: a pixel is never lost. Small frames are enlarged, each pixel with its number where it fits; frames
larger than the room are folded and keep the hottest pixel of each block, and the caption says so. With colour two
pixels share a cell (half blocks); without it a ramp of characters from `.` to `@` tells warm from cold.
"""

import math

import numpy as np
import numpy.typing as npt

from hil.snapshot import StreamView
from hil.tui import canvas
from hil.tui.cells import BAD, DIM, HEAT_LEVELS, HEAT_TEXT, TEXT, Cells, Line, Run, blank, heat_ink, put, put_line
from hil.tui.units import unit_name

__all__ = ["caption", "draw", "levels", "scale"]

RAMP = " .,:;-=+*oO#%&@█"
"""One character a level, from cold to hot."""

_RAMP_CODES = np.array([ord(sign) for sign in RAMP], np.uint32)

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


def _range(stream: StreamView, image: Float32) -> tuple[float, float]:
    """Return the range of the colours: the one the engine states, or the frame's own."""
    finite = image[np.isfinite(image)]
    least = float(finite.min()) if finite.size else 0.0
    most = float(finite.max()) if finite.size else 1.0
    low = least if stream.image_low is None else stream.image_low
    high = most if stream.image_high is None else stream.image_high
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def scale(stream: StreamView, colour: bool) -> Line:
    """Return the colour scale with its range and unit."""
    if stream.image is None:
        return ()
    low, high = _range(stream, stream.image)
    bar: list[Run] = (
        [("▀", int(heat_ink(np.array(level), np.array(level)))) for level in range(HEAT_LEVELS)]
        if colour
        else [(RAMP, TEXT)]
    )
    return [(f"{canvas.number(low)} ", DIM), *bar, (f" {canvas.number(high)} {unit_name(stream.units[0])}", DIM)]


def caption(stream: StreamView, width: int = 200) -> Line:
    """Return the greatest and least reading of the frame and where they are (row and column from 1)."""
    image = stream.image
    if image is None:
        return [("no frame yet", DIM)]
    finite = np.isfinite(image)
    if not finite.any():
        return [("no pixel of this frame is a number", BAD)]
    hot = np.unravel_index(np.argmax(np.where(finite, image, -np.inf)), image.shape)
    cold = np.unravel_index(np.argmin(np.where(finite, image, np.inf)), image.shape)
    unit = unit_name(stream.units[0])
    most = f"max {canvas.number(float(image[hot]))} {unit} at row {hot[0] + 1}, col {hot[1] + 1}"
    least = f" · min {canvas.number(float(image[cold]))} {unit} at row {cold[0] + 1}, col {cold[1] + 1}"
    line: list[Run] = [(most, TEXT), (least if len(most) + len(least) <= width else "", TEXT)]
    if bad := int((~finite).sum()):
        line.append((f" · {bad} not a number", BAD))
    return line


def draw(stream: StreamView, width: int, height: int, colour: bool = True) -> Cells:
    """Draw the newest frame with its scale below it.

    Args:
        stream: A stream of images.
        width: Cells, all of it.
        height: Rows, all of it.
        colour: Whether colours will be seen; else a ramp of characters is used.
    """
    cells = blank(width, height)
    image = stream.image
    foot = 2 if height >= 6 else 1 if height >= 3 else 0
    rows = height - foot
    if image is None or not image.size or rows <= 0 or width <= 0:
        put(cells, 0, 0, "no frame yet", DIM)
        return cells
    low, high = _range(stream, image)
    shown, folded = _fold(image, rows if not colour else 2 * rows, width)
    tall, wide = shown.shape
    up = max(1, min(width // wide, (rows if not colour else 2 * rows) // tall * (1 if colour else 2)))
    across, down = (up, up) if colour else (min(width // wide, max(1, 2 * (up // 2))), max(1, up // 2))
    left = (width - wide * across) // 2
    grid = np.repeat(np.repeat(levels(shown, low, high), down, axis=0), across, axis=1)
    if colour:
        _half_blocks(cells, grid, left)
        _numbers(cells, shown, grid, across, down, left)
    else:
        _ramp(cells, grid, left)
    note = f" · each cell is the hottest of {folded[0]}×{folded[1]} pixels" if folded != (1, 1) else ""
    if foot:
        put_line(cells, 0, height - foot, [*scale(stream, colour), (note, DIM)])
    if foot == 2:
        put_line(cells, 0, height - 1, caption(stream, width))
    return cells


def _fold(image: Float32, rows: int, columns: int) -> tuple[Float32, tuple[int, int]]:
    """Shrink a frame that does not fit; a block keeps its hottest pixel."""
    by = (math.ceil(image.shape[0] / rows), math.ceil(image.shape[1] / columns))
    if by == (1, 1):
        return image, by
    shown = np.fmax.reduceat(image, np.arange(0, image.shape[0], by[0]), axis=0)
    return np.fmax.reduceat(shown, np.arange(0, image.shape[1], by[1]), axis=1), by


def _half_blocks(cells: Cells, grid: Levels, left: int) -> None:
    """Two rows of pixels share a row of cells; `?` where both are not numbers, else the one that is fills the cell."""
    grid = np.vstack([grid, grid[-1:]]) if len(grid) % 2 else grid
    upper, lower = grid[0::2], grid[1::2]
    area = np.s_[: len(upper), left : left + grid.shape[1]]
    lost = (upper < 0) & (lower < 0)
    cells.codes[area] = np.where(lost, ord("?"), ord("▀"))
    inks = heat_ink(np.where(upper < 0, lower, upper), np.where(lower < 0, upper, lower))
    cells.inks[area] = np.where(lost, BAD, inks)


def _ramp(cells: Cells, grid: Levels, left: int) -> None:
    area = np.s_[: len(grid), left : left + grid.shape[1]]
    cells.codes[area] = np.where(grid < 0, ord("?"), _RAMP_CODES[np.maximum(grid, 0)])
    cells.inks[area] = np.where(grid < 0, BAD, TEXT)


def _numbers(cells: Cells, shown: Float32, grid: Levels, across: int, down: int, left: int) -> None:
    """Write each pixel's reading into it where five cells and a whole row are free."""
    if across < 5 or down < 2:
        return
    words = [[f"{value:.1f}" if math.isfinite(value) else "?" for value in row] for row in shown.tolist()]
    if max(len(word) for row in words for word in row) > across - 1:
        return
    for row, line in enumerate(words):
        at = (row * down + (down - 1) // 2 + 1) // 2
        full = at * 2 >= row * down and at * 2 + 1 < (row + 1) * down
        for column, word in enumerate(line):
            level = int(grid[row * down, column * across])
            if full and level >= 0:
                start = left + column * across + (across - len(word)) // 2
                put(cells, start, at, word, HEAT_TEXT + level)
