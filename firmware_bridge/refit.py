"""A recorded clock fitted afterwards, with all its exchanges: better than what could be known at the time.

Crystals wander, so one line does not fit hours: each span of some seconds gets its own level by the envelope fit, and
times are interpolated between them. Nothing here is causal; live times come from `timebase`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from firmware_bridge.envelope import FEWEST, fit_line

__all__ = ["Reading", "Refit", "refit"]

Int64 = npt.NDArray[np.int64]


class Reading(Protocol):
    """One exchange, such as `batch.ClockReading`."""

    @property
    def sent_ns(self) -> int:
        """UTC when the ping left."""

    @property
    def tick(self) -> int:
        """The board's clock, unwrapped."""

    @property
    def received_ns(self) -> int:
        """UTC when the answer came."""


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """The clock of one boot seen afterwards, with all evidence: lines between the levels of successive spans.

    Attributes:
        ticks: int64 `(K,)`, ticks of the knots.
        t_ns: int64 `(K,)`, UTC at the knots.
        ns_per_tick: Slope before the first and after the last knot.
    """

    ticks: Int64
    t_ns: Int64
    ns_per_tick: float

    def to_ns(self, ticks: Int64) -> Int64:
        """Return UTC of unwrapped ticks, int64 `(N,)`; increasing with the ticks, not bounded by any `now`."""
        origin, start = int(self.ticks[0]), int(self.t_ns[0])
        x, xp, fp = (ticks - origin).astype(float), (self.ticks - origin).astype(float), self.t_ns - start
        made = np.interp(x, xp, fp)
        made = np.where(x < xp[0], x * self.ns_per_tick, made)
        made = np.where(x > xp[-1], fp[-1] + (x - xp[-1]) * self.ns_per_tick, made)
        return np.rint(made).astype(np.int64) + start


def refit(readings: Iterable[Reading], tick_hz: float, knot_s: float = 30.0) -> Refit | None:
    """Fit a recorded clock afterwards, wander included.

    Args:
        readings: The exchanges of one boot in order.
        tick_hz: Nominal ticks a second.
        knot_s: Length of the spans that get a level each.

    Returns:
        The fit, or None where there are fewer than `envelope.FEWEST` exchanges.
    """
    rows = np.array([(one.sent_ns, one.tick, one.received_ns) for one in readings], np.int64).reshape(-1, 3)
    per_tick = 1e9 / tick_hz
    whole = fit_line(rows[:, 0], rows[:, 1], rows[:, 2], per_tick) if len(rows) >= FEWEST else None
    if whole is None:
        return None
    slope = per_tick * (1 + whole.stretch)
    spans = max(1, min(len(rows) // 16, round((rows[-1, 1] - rows[0, 1]) * per_tick / (knot_s * 1e9))))
    knots = []
    for part in np.array_split(rows, spans):
        line = fit_line(part[:, 0], part[:, 1], part[:, 2], per_tick)
        knots.append((line.tick, line.t_ns) if line else (whole.tick, whole.t_ns))
    ticks, t_ns = np.array(sorted(set(knots)), np.int64).T
    rising = np.concatenate(([True], np.diff(t_ns) > 0))
    return Refit(ticks[rising], t_ns[rising], slope)
