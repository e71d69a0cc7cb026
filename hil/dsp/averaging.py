"""Averaging factors and the sums behind every Allan-like deviation.

All these deviations are mean squares of one thing: the d-th difference, over m points, of phase (Allan d = 2, Hadamard
d = 3) or of the running sum of phase (modified Allan, d = 3). `difference_sums` walks through the starting points in
blocks that stay in the processor's cache; that is what makes it fast. Rules for the factors are those of Stable32:
octave 1, 2, 4, 8 ...; decade 1, 2, 4, 10, 20, 40 ...; all; or about ten a decade.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "STOP_RATIO",
    "Kind",
    "Spacing",
    "averaging_factors",
    "difference_sums",
    "starts",
    "stride",
    "summed_difference_sums",
]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Kind = Literal["adev", "oadev", "mdev", "tdev", "hdev", "ohdev", "totdev"]
Spacing = Literal["octave", "decade", "log10", "all"]

STOP_RATIO = {"adev": 5, "oadev": 4, "mdev": 4, "tdev": 4, "hdev": 5, "ohdev": 4, "totdev": 2}
"""Longest averaging time as a part of the record, by kind, as Stable32 sets it."""

BLOCK = 1 << 15
"""Starting points at a time: such arrays stay in the cache."""
SHORT = 1 << 13
"""Numbers in a product: BLAS starts no threads for one so short."""


def averaging_factors(taus: Spacing | npt.ArrayLike, points: int, rate_hz: float, longest: int | None = None) -> Int:
    """Return the averaging factors m (tau = m / rate), rising and unique, below the number of phase points.

    Args:
        taus: A spacing by name, or averaging times in seconds (rounded to whole samples).
        points: Phase points at hand.
        rate_hz: Samples a second.
        longest: Greatest factor wanted; None for no limit of its own.

    Raises:
        ValueError: An unknown name of a spacing, or a rate that is not positive.
    """
    if not rate_hz > 0:
        raise ValueError(f"a rate of {rate_hz} Hz gives no averaging times; give the samples a second, above 0")
    if isinstance(taus, str):
        factors = _named(taus, points)
    else:
        factors = np.round(np.atleast_1d(np.asarray(taus, np.float64)) * rate_hz)
    top = points - 1 if longest is None else min(points - 1, longest)
    return np.unique(factors[(factors >= 1) & (factors <= top)]).astype(np.int64)


def _named(spacing: str, points: int) -> Float:
    if points < 1:
        return np.empty(0)
    if spacing == "octave":
        return np.power(2.0, np.arange(int(np.log2(points)) + 1), dtype=np.float64)
    if spacing == "decade":
        powers = np.power(10.0, np.arange(int(np.log10(points)) + 1), dtype=np.float64)
        return np.outer(powers, [1.0, 2.0, 4.0]).ravel()
    if spacing == "log10":
        decades = np.log10(points)
        spaced: Float = np.round(np.logspace(0.0, decades, int(10 * decades)))
        return spaced
    if spacing == "all":
        return np.arange(1.0, points + 1)
    raise ValueError(f"no spacing of averaging times is called {spacing!r}; take octave, decade, log10 or all")


def stride(m: int, overlap: int | None, *, overlapping: bool) -> int:
    """Return the step between starting points: 1 for full overlap, m for none, else a power of two near m / overlap."""
    if not overlapping:
        return m
    if overlap is None or m <= overlap:
        return 1
    return 1 << ((m // overlap).bit_length() - 1)


def starts(points: int, m: int, order: int, step: int) -> int:
    """Return how many differences of this order over m points begin at multiples of `step`."""
    room = points - order * m
    return 0 if room <= 0 else -(-room // step)


def difference_sums(x: Float, m: int, order: int, first: int = 0) -> tuple[float, int]:
    """Return the sum of squares of all differences of order 2 or 3 over m points, and how many there are.

    Args:
        x: float64[N], contiguous.
        m: Points between the terms of a difference.
        order: 2 or 3.
        first: Starting points before this one are left out.
    """
    count = len(x) - order * m - first
    if count <= 0:
        return 0.0, 0
    near = order * m <= BLOCK  # differences of differences share their work, unless blocks would reach too far
    size = min(BLOCK, count) + (order * m if near else 0)
    work, other = np.empty(size), np.empty(size)
    total = 0.0
    for begin in range(first, first + count, BLOCK):
        n = min(BLOCK, first + count - begin)
        if near:
            value = x[begin : begin + n + order * m]
            for spare in (work, other, work)[:order]:
                left = len(value) - m
                value = np.subtract(value[m:], value[:left], out=spare[:left])
        else:
            value = _far(x[begin:], m, order, work[:n], other[:n])
        for part in range(0, n, SHORT):
            piece = value[part : part + SHORT]
            total += float(piece.dot(piece))
    return total, count


def summed_difference_sums(phase: Float, m: int, step: int, summed: Float) -> tuple[float, int]:
    """Return what `difference_sums` gives for the running sum of phase, differenced three times.

    That sum grows with the square of the record and its rounding with it, so it is made afresh for each block (of which
    a third difference sees nothing) as long as blocks hold a few averaging times.

    Args:
        phase: float64[N].
        m: Points between the terms.
        step: Between starting points.
        summed: float64[N + 1], the running sum of the whole record, for long times.
    """
    if 3 * m > BLOCK or step > 1:
        return difference_sums(summed if step == 1 else summed[::step].copy(), m // step, 3)
    count, total = len(phase) + 1 - 3 * m, 0.0
    local = np.zeros(min(BLOCK, max(count, 0)) + 3 * m)
    for begin in range(0, count, BLOCK):
        n = min(BLOCK, count - begin) + 3 * m
        np.subtract(phase[begin : begin + n - 1], phase[begin], out=local[1:n])
        np.cumsum(local[1:n], out=local[1:n])
        total += difference_sums(local[:n], m, 3)[0]
    return total, max(count, 0)


def _far(x: Float, m: int, order: int, value: Float, spare: Float) -> Float:
    """Return `len(value)` differences from the first point on."""
    n = len(value)
    x0, x1, x2 = x[:n], x[m : m + n], x[2 * m : 2 * m + n]
    if order == 2:
        np.subtract(x2, x1, out=value)
        np.subtract(x1, x0, out=spare)
        return np.subtract(value, spare, out=value)
    np.subtract(x1, x2, out=value)
    np.multiply(value, 3.0, out=value)
    np.add(value, x[3 * m : 3 * m + n], out=value)
    return np.subtract(value, x0, out=value)
