"""Braille dots from arrays: eight dots a cell, two columns wide and four rows high.

Rule of this room: arrays in, arrays out. Nothing here knows a widget, a colour or a file. A dot column shows the span
from the least to the greatest reading that fell into it, so that a spike of one sample never vanishes, however much
time a column covers. What is not a number is left out; what is infinite is drawn at the edge.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["GLYPHS", "Tick", "blend", "bridged", "envelope", "limits", "number", "raster", "ticks"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

LABEL = 7
"""Characters of a tick's label, at most."""

BRAILLE = 0x2800
"""Code point of the empty braille cell; the eight low bits are the dots."""

_LEFT = (0x01, 0x02, 0x04, 0x40)
_RIGHT = (0x08, 0x10, 0x20, 0x80)


def _spans(dots: tuple[int, ...]) -> Bits:
    """Bits of the dots from `start` up to `stop` (exclusive) of one cell column, for every pair of 0 to 4."""
    table = np.zeros((5, 5), np.uint8)
    for start in range(5):
        for stop in range(start + 1, 5):
            table[start, stop] = sum(dots[start:stop])
    return table.reshape(-1)


_LEFT_SPANS, _RIGHT_SPANS = _spans(_LEFT), _spans(_RIGHT)
_COUNT = np.array([byte.bit_count() for byte in range(256)], np.uint8)

GLYPHS = np.array([0x20, *range(BRAILLE + 1, BRAILLE + 256)], np.uint32)
"""Code point of every cell of dots; the empty one is a space."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark of an axis: where it stands and what is written at it."""

    value: float
    label: str


def number(value: float, digits: int = 4) -> str:
    """Return a reading in at most `digits + 4` characters, `digits` of them significant; `nan` and `inf` in words."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e5 or size < 10.0 ** (1 - digits):
        for places in (1, 0):
            mantissa, exponent = f"{value:.{places}e}".split("e")
            words = f"{mantissa}e{int(exponent)}"
            if len(words) <= digits + 4:
                break
        return words
    return f"{value:.{min(digits + 1, max(0, digits - 1 - math.floor(math.log10(size))))}f}"


def envelope(values: npt.ArrayLike, columns: int) -> tuple[Float32, Float32]:
    """Fold readings into columns, keeping the least and the greatest of each.

    Args:
        values: `(N, C)` readings, or `(N,)` for one channel.
        columns: How many dot columns, at least 0.

    Returns:
        `low` and `high`, float32 `(C, columns)`; NaN where no (or only NaN) readings fell.
    """
    readings = np.asarray(values, np.float32)
    readings = readings[:, None] if readings.ndim == 1 else readings
    count, channels = readings.shape
    low = np.full((channels, columns), np.nan, np.float32)
    high = low.copy()
    if count and columns:
        edges = np.arange(columns, dtype=np.int64) * count // columns
        filled = np.flatnonzero(np.diff(np.append(edges, count)) > 0)
        low[:, filled] = np.fmin.reduceat(readings, edges[filled], axis=0).T
        high[:, filled] = np.fmax.reduceat(readings, edges[filled], axis=0).T
    return low, high


def bridged(low: Float32, high: Float32, reach: int, gaps: Flags | None = None) -> tuple[Float32, Float32]:
    """Join neighbours of a slow stream: fill up to `reach` empty columns between two readings, never across a gap.

    Args:
        low: `(C, D)` least readings, NaN where a column is empty.
        high: `(C, D)` greatest readings.
        reach: The most empty columns that are no loss, from the stream's rate; 0 leaves everything as it is.
        gaps: `(D,)` columns in which samples are known to be missing.

    Returns:
        `low` and `high` with straight lines over the filled columns.
    """
    columns = low.shape[1]
    empty = np.isnan(low)
    if reach <= 0 or columns == 0 or not empty.any():
        return low, high
    at = np.arange(columns)
    before = np.maximum.accumulate(np.where(empty, -1, at), axis=1)
    after = np.minimum.accumulate(np.where(empty, columns, at)[:, ::-1], axis=1)[:, ::-1]
    fill = empty & (before >= 0) & (after < columns) & (after - before - 1 <= reach)
    if gaps is not None:
        seen = np.cumsum(gaps)
        fill &= seen[np.minimum(after, columns - 1)] == seen[np.maximum(before, 0)]
    rows, spots = np.nonzero(fill)
    left, right = before[rows, spots], after[rows, spots]
    middle = (np.clip(low, -3e38, 3e38) + np.clip(high, -3e38, 3e38).astype(np.float64)) / 2
    share = (spots - left) / (right - left)
    line = middle[rows, left] * (1 - share) + middle[rows, right] * share
    low, high = low.copy(), high.copy()
    low[rows, spots] = high[rows, spots] = line
    return low, high


def limits(low: npt.ArrayLike, high: npt.ArrayLike, held: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the range of an axis that holds all finite readings.

    The ends are round numbers, so that the picture does not breathe with the noise. A range in use is `held` while
    the readings stay inside it and fill at least a third of it. A constant signal gets room above and below.
    """
    ends = np.concatenate((np.ravel(low), np.ravel(high)))
    least, most = (float(fold.reduce(ends, axis=None, initial=np.nan)) for fold in (np.fmin, np.fmax))
    if not (math.isfinite(least) and math.isfinite(most)):
        ends = ends[np.isfinite(ends)]
        if not ends.size:
            return held or (0.0, 1.0)
        least, most = float(ends.min()), float(ends.max())
    if held and held[0] <= least and most <= held[1] and most - least >= (held[1] - held[0]) / 3:
        return held
    if most - least <= max(abs(most) * 1e-6, 1e-30):
        room = abs(most) * 0.1 if abs(most) > 1e-30 else 1.0
        least, most = least - room, most + room
    step = _step(most - least, 8)
    return math.floor(least / step) * step, math.ceil(most / step) * step


def _step(width: float, most: int) -> float:
    """Return the least of 1, 2, 5 times a power of ten that cuts `width` into at most `most` pieces."""
    power = 10.0 ** math.floor(math.log10(width / most))
    return next((factor * power for factor in (1, 2, 5) if width / (factor * power) <= most), 10 * power)


def ticks(low: float, high: float, most: int) -> tuple[Tick, ...]:
    """Return at most `most` + 1 marks at round numbers (1-2-5) from `low` to `high`, rising."""
    if most < 1 or not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return ()
    step = _step(high - low, most)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [index * step for index in range(first, last + 1)]
    labels = [f"{value + 0.0:.{digits}f}" for value in values]
    if any(len(label) > LABEL for label in labels):
        labels = [number(value, 3) for value in values]
    return tuple(Tick(value, label) for value, label in zip(values, labels, strict=True))


def raster(low: Float32, high: Float32, axis: tuple[float, float], rows: int, gaps: Flags | None = None) -> Bits:
    """Draw every channel for itself.

    Args:
        low: `(C, D)` least reading of each dot column; NaN draws nothing. D is even.
        high: `(C, D)` greatest readings.
        axis: Readings at the lowest and highest dot; what is beyond is drawn at the edge.
        rows: Rows of cells.
        gaps: `(D,)` columns over which no line is joined.

    Returns:
        uint8 `(C, rows, D // 2)`: the braille dots of each cell.
    """
    channels, columns = low.shape
    if rows <= 0 or columns < 2 or not channels:
        return np.zeros((channels, max(0, rows), columns // 2), np.uint8)
    last = 4 * rows - 1
    ends = np.stack((high, low)).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        ends = (axis[1] - ends) * (last / (axis[1] - axis[0]))
    ends = np.rint(np.minimum(np.maximum(ends, 0), last))
    empty: Flags = np.isnan(ends[0]) | np.isnan(ends[1])
    ends[0, empty], ends[1, empty] = 4 * rows, -1
    top, base = ends.astype(np.int32)
    # A column reaches down or up to its neighbour, so that a steep line stays a line.
    joined = ~(empty[:, 1:] | empty[:, :-1])
    if gaps is not None:
        joined &= ~(gaps[1:] | gaps[:-1])
    above, below = base[:, :-1] + 1, top[:, :-1] - 1
    np.minimum(top[:, 1:], above, out=top[:, 1:], where=joined)
    np.maximum(base[:, 1:], below, out=base[:, 1:], where=joined)
    first = (4 * np.arange(rows, dtype=np.int32))[:, None]
    start = np.minimum(np.maximum(top[:, None, :] - first, 0), 4)
    stop = np.minimum(np.maximum(base[:, None, :] + 1 - first, 0), 4)
    pairs = start * 5 + stop
    bits: Bits = _LEFT_SPANS.take(pairs[:, :, ::2]) | _RIGHT_SPANS.take(pairs[:, :, 1::2])
    return bits


def blend(bits: Bits) -> tuple[Bits, Bits]:
    """Lay the channels over each other.

    Args:
        bits: uint8 `(C, rows, W)` as `raster` gives.

    Returns:
        The dots of all channels `(rows, W)`, and for each cell the channel that has the most dots in it.
    """
    if not len(bits):
        return np.zeros(bits.shape[1:], np.uint8), np.zeros(bits.shape[1:], np.uint8)
    cells: Bits = np.bitwise_or.reduce(bits, axis=0)
    return cells, np.argmax(_COUNT.take(bits), axis=0).astype(np.uint8)
