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

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCKS", "FEWEST", "Line", "fit_line", "student95"]

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
    blocks = min(BLOCKS, len(ticks) // 2)
    if len(ticks) < FEWEST or ticks[-1] <= ticks[0]:
        return None
    keep = len(ticks) - len(ticks) % blocks
    ticks, received_ns = ticks[-keep:], received_ns[-keep:]
    middle, origin = int(ticks[keep // 2]), int(received_ns[keep // 2])
    x: Float = np.asarray((ticks - middle) * ns_per_tick, np.float64)
    above: Float = (received_ns - origin) - x
    rows = [above] if sent_ns is None else [above, (sent_ns[-keep:] - origin) - x]
    mean = sum(rows, np.zeros(keep)) / len(rows)
    sides, signs = np.stack(rows), np.array([[-1.0], [1.0]])[: len(rows)]
    centred, level = x - np.add.reduce(x) / keep, np.add.reduce(mean) / keep
    stretch = float(centred @ (mean - level) / (centred @ centred))
    for _ in range(_ROUNDS):
        found = _directions(x, sides, signs, stretch, blocks, ns_per_tick)
        before, (stretch, error, levels, quantile) = stretch, _combine(found, blocks)
        if abs(stretch - before) < 1e-12:
            break
    where = sum(one.x for one in found) / len(found)
    level = sum(one.y for one in found) / len(found)
    tick = middle + round(where / ns_per_tick)
    level += (tick - middle) * ns_per_tick - where  # along the nominal line to a whole tick
    t_ns = origin + round(level + where)
    apart = [one.y + stretch * (where - one.x) for one in found]
    return Line(tick, t_ns, stretch, error, levels, quantile, ns_per_tick, apart[0] - apart[-1])


@dataclass(frozen=True, slots=True)
class _Direction:
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


def _directions(
    x: Float, sides: Float, signs: Float, stretch: float, blocks: int, ns_per_tick: float
) -> list[_Direction]:
    """Return each direction's least squares; both at once, because a fit is made at every ping.

    Args:
        x: `(N,)`, board time, ns.
        sides: `(directions, N)`, host time less board time.
        signs: `(directions, 1)`, -1 where delays lie above the truth, 1 where they lie below.
        stretch: The slope that is taken out before the least delays are sought.
        blocks: N is a multiple of it.
        ns_per_tick: Nominal.
    """
    many, size = sides.shape
    delay = (stretch * x - sides) * signs
    inside = delay.reshape(many, blocks, -1).argmin(axis=2) + np.arange(0, size, size // blocks)
    least = np.minimum.reduce(delay, axis=1)
    delay.partition(size // 4, axis=1)  # from here on no longer in order
    scales = (delay[:, size // 4] - least).tolist()
    found = []
    for y, best, scale in zip(sides, inside, scales, strict=True):
        bx, by = x[best], y[best]
        mx, my = float(np.add.reduce(bx)) / blocks, float(np.add.reduce(by)) / blocks
        cx, cy = bx - mx, by - my
        spread = max(float(cx @ cx), 1.0)  # never 0, even where all minima read one tick
        slope = float(cx @ cy) / spread
        own = max(0.0, float(cy @ cy) - slope**2 * spread)
        found.append(_Direction(mx, my, slope, spread, own, max(scale, ns_per_tick)))
    return found


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
