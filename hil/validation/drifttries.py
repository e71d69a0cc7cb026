"""Figures of tried faults: recall, delay and what was named, each with its interval.

Rule of this room: what was alarmed before its fault began is counted apart, and a share says of how many it is one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hil.drift.verdict import Finding
from hil.measure.intervals import count_interval, share_interval
from hil.validation.injected import STRENGTHS, Injected

__all__ = ["Try", "rate", "rows", "share"]


@dataclass(frozen=True, slots=True)
class Try:
    """One fault: where, and what came of it. `looks` after its beginning until the alarm, None: none came."""

    fault: Injected
    alarmed_before: bool
    looks: int | None = None
    finding: Finding | None = None
    model_looks: int | None = None


def rows(tries: Sequence[Try], look_s: float) -> Iterator[dict[str, Any]]:
    """Yield recall and delay of each kind, strength and unit of channel."""
    for kind, (unit, strengths) in STRENGTHS.items():
        for strength in strengths:
            some = [one for one in tries if (one.fault.kind, one.fault.strength) == (kind, strength)]
            fresh = [one for one in some if not one.alarmed_before]
            if not fresh:
                continue
            delays = sorted(one.looks * look_s for one in fresh if one.looks is not None)
            named = [one for one in fresh if one.finding is not None]
            right = [one for one in named if one.finding is not None and set(one.finding.channels) <=
                     set(one.fault.channels)]  # fmt: skip
            exact = [one for one in right if one.finding is not None and one.finding.kind == kind]
            yield {
                "kind": kind, "strength": strength, "unit": unit, "tries": len(fresh),
                "alarmed_before": len(some) - len(fresh), "recall": share(len(delays), len(fresh)),
                "recall_60s": share(sum(one <= 60.0 for one in delays), len(fresh)),
                "delay_median_s": delays[len(delays) // 2] if delays else None,
                "delay_p90_s": delays[min(int(0.9 * len(delays)), len(delays) - 1)] if delays else None,
                "right_channel": len(right) / len(named) if named else None,
                "right_kind": len(exact) / len(named) if named else None,
                "called_model": sum(one.looks is None and one.model_looks is not None for one in fresh) / len(fresh),
            }  # fmt: skip


def rate(count: int, hours: float) -> dict[str, Any]:
    """Return how often something came an hour, with its Poisson interval."""
    low, high = (one or 0.0 for one in count_interval(count))
    return {"count": count, "hours": hours, "per_hour": count / hours if hours else None,
            "low": low / hours if hours else None, "high": high / hours if hours else None}  # fmt: skip


def share(hits: int, n: int) -> dict[str, Any] | None:
    """Return a share with its interval by Clopper and Pearson; None of nothing."""
    if not n:
        return None
    low, high = share_interval(hits, n)
    return {"value": hits / n, "low": (low or 0.0) / 100.0, "high": (high or 0.0) / 100.0}
