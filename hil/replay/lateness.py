"""How late a paced replay was, against its absolute schedule, in bounded memory.

Pure. Latenesses are counted in bins of 5 per cent width, so that a week of replay costs the same as a second; the
largest and the number of misses are exact.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MISSED_NS", "Lateness", "LatenessReport"]

MISSED_NS = 50_000_000
"""An arrival handed on later than this after its time is missed: a person would see it."""

_FIRST_NS = 1_000.0
_GROWTH = 1.05
_BINS = 512


@dataclass(frozen=True, slots=True)
class LatenessReport:
    """Lateness of the arrivals handed on so far; None where there were none."""

    arrivals: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    missed: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "arrivals": self.arrivals, "late_p50_ms": self.p50_ms, "late_p99_ms": self.p99_ms,
            "late_max_ms": self.max_ms, "missed": self.missed, "missed_after_ms": MISSED_NS / 1e6,
        }  # fmt: skip


class Lateness:
    """Counts latenesses."""

    def __init__(self) -> None:
        self._counts: npt.NDArray[np.int64] = np.zeros(_BINS, np.int64)
        self._max_ns = 0
        self._missed = 0
        # Bin 0 holds everything up to a microsecond: nobody can act on less.
        self._edges = _FIRST_NS * _GROWTH ** np.arange(_BINS - 1)

    def add(self, late_ns: npt.NDArray[np.int64]) -> None:
        """Count latenesses in nanoseconds; what was early (a clock that stands still) counts as 0."""
        if not len(late_ns):
            return
        bins = np.searchsorted(self._edges, late_ns)
        self._counts += np.bincount(bins, minlength=_BINS)
        self._max_ns = max(self._max_ns, int(late_ns.max()))
        self._missed += int(np.count_nonzero(late_ns > MISSED_NS))

    def report(self) -> LatenessReport:
        """Return the figures so far; quantiles are the upper ends of their bins, never more than the maximum."""
        total = int(self._counts.sum())
        if not total:
            return LatenessReport(0, None, None, None, 0)
        return LatenessReport(
            total, self._quantile(0.5, total), self._quantile(0.99, total), self._max_ns / 1e6, self._missed
        )

    def _quantile(self, share: float, total: int) -> float:
        at = int(np.searchsorted(np.cumsum(self._counts), share * total))
        if at == 0:
            return min(_FIRST_NS, self._max_ns) / 1e6
        return min(float(self._edges[min(at, _BINS - 2)]), float(self._max_ns)) / 1e6
