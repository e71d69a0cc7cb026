"""How a running model keeps up, as a screen shows it: one frozen value.

Rule of this room: what is not known yet is None or empty, never 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ENOUGH", "WorkView", "percentiles", "rarely"]

SHARES = (0.5, 0.99, 1.0)
ENOUGH = 1000
"""Calls that the time of one in a thousand needs."""


@dataclass(frozen=True, slots=True)
class WorkView:
    """The work of a model at all of its boards.

    Attributes:
        teachable: Whether it learns a class by showing.
        decisions: How many it made.
        hop_ms: Time from one decision to the next, which is the longest that computing one may take.
        late: Decisions whose computing took longer than that.
        latency_ms: Computing a decision: middle, 99th percentile and longest of the last ones; empty before the first.
        rare_ms: What one in a thousand of them exceeds (p99.9); None while fewer than a thousand are known.
        timed: Calls that these times are of.
    """

    teachable: bool = False
    decisions: int = 0
    hop_ms: float | None = None
    late: int = 0
    latency_ms: tuple[float, ...] = ()
    rare_ms: float | None = None
    timed: int = 0


def percentiles(took: Iterable[float]) -> tuple[float, ...]:
    """Return the middle, the 99th percentile and the longest of some times; empty where there is none."""
    known = sorted(took)
    return tuple(known[min(len(known) - 1, int(share * len(known)))] for share in SHARES) if known else ()


def rarely(took: Iterable[float]) -> float | None:
    """Return the time that one in a thousand exceeds; None where fewer than a thousand are known."""
    known = sorted(took)
    return known[int(0.999 * len(known))] if len(known) >= ENOUGH else None
