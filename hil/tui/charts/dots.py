"""Pictures of points and lines: a grid of dots, and braille cells of it. A dot is as high as it is wide.

Rule of this room: arrays in, arrays out. A cell of a terminal is about twice as high as wide and holds two by four
dots, so that equal distances in dots are equal on the screen.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["grid", "lines", "packed", "spans"]

Dots = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)


def grid(columns: int, rows: int) -> Dots:
    """Return an empty grid for so many cells."""
    return np.zeros((4 * max(0, rows), 2 * max(0, columns)), np.bool_)


def packed(dots: Dots) -> npt.NDArray[np.uint8]:
    """Return the braille dots of each cell, uint8 `(rows, columns)`."""
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    cells = dots.reshape(rows, 4, columns, 2).transpose(0, 2, 1, 3) * _WEIGHTS
    found: npt.NDArray[np.uint8] = cells.sum(axis=(2, 3), dtype=np.uint8)
    return found


def lines(dots: Dots, ends: Float64, share: float = 1.0) -> None:
    """Draw straight lines; what lies outside the grid is left out.

    Args:
        dots: Where.
        ends: `(N, 2, 2)`: of each line two ends, column and row in dots.
        share: How many of a line's dots are drawn: 0.5 gives every second one.
    """
    for (left, top), (right, bottom) in ends:
        count = int(max(abs(right - left), abs(bottom - top)) * share) + 2
        columns, rows = (np.rint(np.linspace(*pair, count)).astype(int) for pair in ((left, right), (top, bottom)))
        inside = (columns >= 0) & (columns < dots.shape[1]) & (rows >= 0) & (rows < dots.shape[0])
        dots[rows[inside], columns[inside]] = True


def spans(
    x: tuple[float, float], y: tuple[float, float], columns: int, rows: int, *, equal: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ranges of two axes over so many dots; with `equal` a dot means as much to the right as upwards."""
    if not equal or columns < 2 or rows < 2:
        return x, y
    each = max((x[1] - x[0]) / (columns - 1), (y[1] - y[0]) / (rows - 1))
    found = []
    for (low, high), count in ((x, columns), (y, rows)):
        middle, half = (low + high) / 2, each * (count - 1) / 2
        found.append((middle - half, middle + half))
    return found[0], found[1]
