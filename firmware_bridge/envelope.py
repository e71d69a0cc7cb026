"""A straight line between two clocks, from exchanges whose delays are unknown but never negative.

A ping leaves the host at s, the board answers that its clock reads T, the answer arrives at r. The host's time at T
lies between s and r whatever the delays were, so the truth runs above all points (T, s) and below all points (T, r),
and the exchanges with the least delay say most. The fit takes the envelope of each direction: exchanges are cut by
time into `BLOCKS` blocks of equal count, each block gives its least delayed point a direction (after the present slope
is taken out), and least squares puts one common slope and one level a direction through them. Minima of equal blocks
are alike in distribution whatever the delays are, so their scatter about the line gives an honest Student interval:
no assumption on the jitter's shape. For one-sided jitter a minimum over n is n times sharper than one delay. The
directions are weighted by the spread of all their delays, not by that of the few minima: weights that follow the
same few points as the fit made the interval cover 92 % instead of 95.

The level half way between both envelopes is the offset. It is right if the least delays both ways are equal; nothing in
the exchanges can tell that, so half of the distance between the envelopes (the least round trip) bounds that error and
is reported apart, never mixed in.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCKS", "FEWEST", "Line", "fit_line", "fit_lines", "kept", "student95"]

Int64 = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]

BLOCKS = 12
FEWEST = 8
"""Fewest exchanges a line is fitted to."""
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """Host time as a line of board time.

    Attributes:
        tick: Tick at the middle of the evidence.
        t_ns: UTC at that tick.
        stretch: Host seconds a nominal board second, less 1.
        stretch_error: Standard error of `stretch`.
        level_error_ns: Standard error of `t_ns`.
        quantile: Student's 97.5 % point for the two errors.
        ns_per_tick: Nominal.
        round_trip_ns: From one envelope to the other: mean over blocks of the least delay there plus the least back.
    """

    tick: int
    t_ns: int
    stretch: float
    stretch_error: float
    level_error_ns: float
    quantile: float
    ns_per_tick: float
    round_trip_ns: float

    def uncertainty_ns(self, tick: int) -> float:
        """Return the half width of the 95 % interval of the host time at `tick`, delays assumed equal both ways."""
        away = (tick - self.tick) * self.ns_per_tick * self.stretch_error
        return self.quantile * math.hypot(self.level_error_ns, away)


@lru_cache(maxsize=64)
def student95(freedom: float) -> float:
    """Return the 97.5 % point of Student's t (Cornish-Fisher series; within 0.3 % from 4 degrees of freedom on)."""
    z, v = 1.959963984540054, freedom
    return (
        z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )  # fmt: skip


def fit_line(sent_ns: Int64 | None, ticks: Int64, received_ns: Int64, ns_per_tick: float) -> Line | None:
    """Fit the line of the latest exchanges.

    Args:
        sent_ns: int64 `(N,)`, UTC when each ping left; None where the board only sends (the level then contains
            the least delay).
        ticks: int64 `(N,)`, the board's clock, unwrapped, never decreasing.
        received_ns: int64 `(N,)`, UTC when each answer came.
        ns_per_tick: Nominal length of a tick.

    Returns:
        The line, or None where there are fewer than `FEWEST` exchanges or the clock has not moved.
    """
    sent = None if sent_ns is None else sent_ns[None]
    return fit_lines(sent, ticks[None], received_ns[None], ns_per_tick)[0]


def kept(size: int) -> int:
    """Return on how many of the latest exchanges a line rests when there are `size`: blocks are of equal count."""
    return size - size % max(1, min(BLOCKS, size // 2))


def fit_lines(sent_ns: Int64 | None, ticks: Int64, received_ns: Int64, ns_per_tick: float) -> list[Line | None]:
    """Fit the lines of several sets of exchanges at once, each with the bits that it has alone.

    Args:
        sent_ns: int64 `(K, N)`, or None; for this and the others see `fit_line`.
        ticks: int64 `(K, N)`.
        received_ns: int64 `(K, N)`.
        ns_per_tick: Nominal length of a tick.
    """
    many, size = ticks.shape
    keep, blocks = kept(size), min(BLOCKS, size // 2)
    ticks, received_ns = ticks[:, -keep:], received_ns[:, -keep:]
    moved = ticks[:, -1] > ticks[:, 0] if size >= FEWEST else np.zeros(many, np.bool_)
    if not moved.all():
        left = iter(fit_lines(None if sent_ns is None else sent_ns[moved], ticks[moved], received_ns[moved],
                              ns_per_tick) if moved.any() else ())  # fmt: skip
        return [next(left) if each else None for each in moved.tolist()]
    middle, origin = ticks[:, keep // 2, None], received_ns[:, keep // 2, None]
    x: Float = np.asarray((ticks - middle) * ns_per_tick, np.float64)
    above: Float = (received_ns - origin) - x
    rows = [above] if sent_ns is None else [above, (sent_ns[:, -keep:] - origin) - x]
    mean = sum(rows, np.zeros((many, keep))) / len(rows)
    sides, signs = np.stack(rows, axis=1), np.array([[-1.0], [1.0]])[: len(rows)]
    centred, level = x - np.add.reduce(x, axis=1)[:, None] / keep, np.add.reduce(mean, axis=1)[:, None] / keep
    stretch: Float = np.vecdot(centred, mean - level) / np.vecdot(centred, centred)
    there, fits = np.empty((2, many, len(rows))), np.empty((3, many))
    turning = np.arange(many)
    for _ in range(_ROUNDS):
        every = len(turning) == many
        found = _directions(*((x, sides) if every else (x[turning], sides[turning])), signs, stretch[turning], blocks,
                            ns_per_tick)  # fmt: skip
        there[:, turning], fits[:, turning] = (found.x, found.y), (fit := _combine(found, blocks))
        settled = np.abs(fit.stretch - stretch[turning]) < 1e-12  # another round would change nothing
        stretch[turning] = fit.stretch
        turning = turning[~settled]
        if not len(turning):
            break
    lines = _lines(there, fits[0], middle[:, 0], origin[:, 0], ns_per_tick)
    quantile = student95(_freedom(len(rows), blocks))
    return [
        Line(tick, t_ns, slope, error, levels, quantile, ns_per_tick, apart)
        for tick, t_ns, apart, slope, error, levels in zip(*lines, *fits.tolist(), strict=True)
    ]


class _Directions(NamedTuple):
    """Least squares through the block minima of each direction: centre, slope, and what is left over; `(K, ways)`."""

    x: Float
    y: Float
    slope: Float
    spread: Float
    """Sum of squares of x about the centre."""
    own: Float
    """Sum of squares of y about the direction's own line."""
    scale: Float
    """Spread of the lower quarter of all delays, ns."""


class _Fit(NamedTuple):
    """One slope through both directions, its standard error and the level's; `(K,)`."""

    stretch: Float
    error: Float
    levels: Float


def _lines(
    there: Float, stretch: Float, middle: Int64, origin: Int64, ns_per_tick: float
) -> tuple[list[int], list[int], list[float]]:
    """Return tick, UTC and round trip of each line at the middle of its evidence.

    Args:
        there: `(2, K, ways)`, centres of the directions: x and y.
        stretch: `(K,)`, the slopes through them.
        middle: `(K,)`, ticks from which x is counted.
        origin: `(K,)`, UTC from which y is counted.
        ns_per_tick: Nominal.
    """
    where, level = np.add.reduce(there, axis=2) / there.shape[2]
    tick = middle + np.rint(where / ns_per_tick).astype(np.int64)
    level += (tick - middle) * ns_per_tick - where  # along the nominal line to a whole tick
    t_ns = origin + np.rint(level + where).astype(np.int64)
    apart = there[1] + stretch[:, None] * (where[:, None] - there[0])
    return tick.tolist(), t_ns.tolist(), (apart[:, 0] - apart[:, -1]).tolist()


def _directions(x: Float, sides: Float, signs: Float, stretch: Float, blocks: int, ns_per_tick: float) -> _Directions:
    """Return each direction's least squares; all at once, because a fit is made at every ping.

    Args:
        x: `(K, N)`, board time, ns.
        sides: `(K, ways, N)`, host time less board time.
        signs: `(ways, 1)`, -1 where delays lie above the truth, 1 where they lie below.
        stretch: `(K,)`, the slopes that are taken out before the least delays are sought.
        blocks: N is a multiple of it.
        ns_per_tick: Nominal.
    """
    many, ways, size = sides.shape
    delay = ((stretch[:, None] * x)[:, None] - sides) * signs
    inside = delay.reshape(many, ways, blocks, -1).argmin(axis=3) + np.arange(0, size, size // blocks)
    least = np.minimum.reduce(delay, axis=2)
    delay.partition(size // 4, axis=2)  # from here on no longer in order
    scale = np.maximum(delay[:, :, size // 4] - least, ns_per_tick)
    which = np.arange(many)[:, None, None]
    bx, by = x[which, inside], sides[which, np.arange(ways)[:, None], inside]
    mx, my = np.add.reduce(bx, axis=2) / blocks, np.add.reduce(by, axis=2) / blocks
    cx, cy = bx - mx[:, :, None], by - my[:, :, None]
    spread = np.maximum(np.vecdot(cx, cx), 1.0)  # never 0, even where all minima read one tick
    slope = np.vecdot(cx, cy) / spread
    own = np.maximum(np.vecdot(cy, cy) - slope**2 * spread, 0.0)
    return _Directions(mx, my, slope, spread, own, scale)


def _combine(found: _Directions, blocks: int) -> _Fit:
    ways, squares = found.scale.shape[1], found.scale**2
    weights = found.spread / squares
    total = np.add.reduce(weights, axis=1)
    slope = np.add.reduce(weights * found.slope, axis=1) / total
    left = np.add.reduce((found.own + (found.slope - slope[:, None]) ** 2 * found.spread) / squares, axis=1)
    variance = np.maximum(left / _freedom(ways, blocks), 1e-12)  # of a block's minimum, in its direction's scale
    levels = np.sqrt(variance * np.add.reduce(squares, axis=1) / blocks) / ways
    return _Fit(slope, np.sqrt(variance / total), levels)


def _freedom(ways: int, blocks: int) -> int:
    """Degrees of freedom: of the minima about their lines, less the slope and the ratio of the weights."""
    return ways * (blocks - 1) - ways
