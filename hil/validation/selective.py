"""What a model could leave to others: how the error falls when the least sure decisions are not taken.

Rule of this room: arrays in, numbers out; a decision that could not be made is the least sure and wrong.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["risk_coverage"]

_POINTS = 101


def risk_coverage(right: npt.NDArray[np.bool_], confidence: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the risk-coverage curve and the area under it (Geifman and El-Yaniv 2017).

    Args:
        right: `(N,)`.
        confidence: `(N,)`; -1 where no decision was made.

    Returns:
        `coverage` and `risk` (at most 101 points), `aurc`, `excess_aurc` (over the best order of these errors),
        and `coverage_at_5_percent` (largest share that can be taken at a risk of 5 %); None where nothing was decided.
    """
    count = len(right)
    if not count:
        return {"coverage": [], "risk": [], "aurc": None, "excess_aurc": None, "coverage_at_5_percent": None}
    order = np.argsort(-confidence, kind="stable")
    taken = np.arange(1, count + 1)
    risk = np.cumsum(~right[order]) / taken
    wrong = int((~right).sum())
    best = np.maximum(0, taken - (count - wrong)) / taken
    at = np.unique(np.linspace(0, count - 1, _POINTS).round().astype(np.int64))
    fine = np.flatnonzero(risk <= 0.05)
    return {
        "coverage": (taken[at] / count).tolist(),
        "risk": risk[at].tolist(),
        "aurc": float(risk.mean()),
        "excess_aurc": float(risk.mean() - best.mean()),
        "coverage_at_5_percent": float(taken[fine[-1]] / count) if len(fine) else 0.0,
    }
