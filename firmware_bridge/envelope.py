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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCKS", "FEWEST", "Line", "fit_line", "fit_lines", "student95"]

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


def fit_lines(sent_ns: Int64 | None, ticks: Int64, received_ns: Int64, ns_per_tick: float) -> list[Line | None]:
    """Fit the lines of several sets of exchanges at once, each with the bits that it has alone.

    Args:
        sent_ns: int64 `(K, N)`, or None; for this and the others see `fit_line`.
        ticks: int64 `(K, N)`.
        received_ns: int64 `(K, N)`.
        ns_per_tick: Nominal length of a tick.
    """
    many, size = ticks.shape
    blocks = min(BLOCKS, size // 2)
    moved = ticks[:, -1] > ticks[:, 0] if size >= FEWEST else np.zeros(many, np.bool_)
    if not moved.all():
        left = iter(fit_lines(None if sent_ns is None else sent_ns[moved], ticks[moved], received_ns[moved],
                              ns_per_tick) if moved.any() else ())  # fmt: skip
        return [next(left) if each else None for each in moved.tolist()]
    keep = size - size % blocks
    ticks, received_ns = ticks[:, -keep:], received_ns[:, -keep:]
    middle, origin = ticks[:, keep // 2, None], received_ns[:, keep // 2, None]
    x: Float = np.asarray((ticks - middle) * ns_per_tick, np.float64)
    above: Float = (received_ns - origin) - x
    rows = [above] if sent_ns is None else [above, (sent_ns[:, -keep:] - origin) - x]
    mean = sum(rows, np.zeros((many, keep))) / len(rows)
    sides, signs = np.stack(rows, axis=1), np.array([[-1.0], [1.0]])[: len(rows)]
    centred, level = x - np.add.reduce(x, axis=1)[:, None] / keep, np.add.reduce(mean, axis=1)[:, None] / keep
    stretch: list[float] = (np.vecdot(centred, mean - level) / np.vecdot(centred, centred)).tolist()
    fits: list[_Fit | None] = [None] * many
    for turn in range(_ROUNDS):
        there = _directions(x, sides, signs, np.array(stretch), blocks, ns_per_tick)
        waiting = 0
        for at, found in enumerate(there):
            fit = fits[at]
            if fit is not None and fit.settled:
                continue
            fits[at] = fit = _Fit(found, *_combine(found, blocks), stretch[at])
            stretch[at] = fit.stretch
            waiting += not fit.settled
        if not waiting or turn + 1 == _ROUNDS:
            break
    whole = zip(fits, middle[:, 0].tolist(), origin[:, 0].tolist(), strict=True)
    return [_line(fit, tick, t_ns, ns_per_tick) for fit, tick, t_ns in whole if fit is not None]


class _Direction(NamedTuple):
    """Least squares through the block minima of one direction: centre, slope, and what is left over."""

    x: float
    y: float
    slope: float
    spread: float
    """Sum of squares of x about the centre."""
    own: float
    """Sum of squares of y about the direction's own line."""
    scale: float
    """Spread of the lower quarter of all delays, ns."""


class _Fit(NamedTuple):
    """Where a fit stands: its directions, the slope through them with its errors, and the slope taken out before."""

    found: list[_Direction]
    stretch: float
    error: float
    levels: float
    quantile: float
    before: float

    @property
    def settled(self) -> bool:
        """Whether another round would change nothing."""
        return abs(self.stretch - self.before) < 1e-12


def _line(fit: _Fit, middle: int, origin: int, ns_per_tick: float) -> Line:
    found = fit.found
    where = sum(one.x for one in found) / len(found)
    level = sum(one.y for one in found) / len(found)
    tick = middle + round(where / ns_per_tick)
    level += (tick - middle) * ns_per_tick - where  # along the nominal line to a whole tick
    t_ns = origin + round(level + where)
    apart = [one.y + fit.stretch * (where - one.x) for one in found]
    return Line(tick, t_ns, fit.stretch, fit.error, fit.levels, fit.quantile, ns_per_tick, apart[0] - apart[-1])


def _directions(
    x: Float, sides: Float, signs: Float, stretch: Float, blocks: int, ns_per_tick: float
) -> list[list[_Direction]]:
    """Return each direction's least squares; all at once, because a fit is made at every ping.

    Args:
        x: `(K, N)`, board time, ns.
        sides: `(K, directions, N)`, host time less board time.
        signs: `(directions, 1)`, -1 where delays lie above the truth, 1 where they lie below.
        stretch: `(K,)`, the slopes that are taken out before the least delays are sought.
        blocks: N is a multiple of it.
        ns_per_tick: Nominal.
    """
    many, ways, size = sides.shape
    delay = ((stretch[:, None] * x)[:, None] - sides) * signs
    inside = delay.reshape(many, ways, blocks, -1).argmin(axis=3) + np.arange(0, size, size // blocks)
    least = np.minimum.reduce(delay, axis=2)
    delay.partition(size // 4, axis=2)  # from here on no longer in order
    scales = delay[:, :, size // 4] - least
    which = np.arange(many)[:, None, None]
    bx, by = x[which, inside], sides[which, np.arange(ways)[:, None], inside]
    mx, my = np.add.reduce(bx, axis=2) / blocks, np.add.reduce(by, axis=2) / blocks
    cx, cy = bx - mx[:, :, None], by - my[:, :, None]
    sums = np.stack([mx, my, np.vecdot(cx, cx), np.vecdot(cx, cy), np.vecdot(cy, cy), scales], axis=2)
    return [[_direction(one, ns_per_tick) for one in both] for both in sums.tolist()]


def _direction(sums: Sequence[float], ns_per_tick: float) -> _Direction:
    mx, my, xx, xy, yy, scale = sums
    spread = max(xx, 1.0)  # never 0, even where all minima read one tick
    slope = xy / spread
    return _Direction(mx, my, slope, spread, max(0.0, yy - slope**2 * spread), max(scale, ns_per_tick))


def _combine(found: list[_Direction], blocks: int) -> tuple[float, float, float, float]:
    """Return (common slope, its standard error, standard error of the level, Student's point)."""
    freedom = len(found) * (blocks - 1) - len(found)  # the slope, and the ratio of the weights
    weights = [one.spread / one.scale**2 for one in found]
    total = sum(weights)
    slope = sum(w * one.slope for w, one in zip(weights, found, strict=True)) / total
    left = sum((one.own + (one.slope - slope) ** 2 * one.spread) / one.scale**2 for one in found)
    variance = max(left / freedom, 1e-12)  # of a block's minimum, in units of its direction's scale
    level = math.sqrt(variance * sum(one.scale**2 for one in found) / blocks) / len(found)
    return slope, math.sqrt(variance / total), level, student95(freedom)
