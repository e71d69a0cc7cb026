"""How many labels a strategy needs, and how sure that is: where a learning curve reaches a share of the full pool.

Rule of this room: confusion matrices in, figures out. People and seeds are the sample: both are drawn anew, the same
draw for every strategy (paired). A curve is made monotone (isotonic) before it is read, so that one lucky budget does
not count as reached; where random picking never reaches the target it counts as the largest budget, which flatters it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.validation.spread import RESAMPLES, class_f1, draws_of, interval

__all__ = ["Traces", "labels_needed", "summary_of"]

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """What the runs of one experiment came to.

    Attributes:
        budgets: Labels at each point, rising.
        confusion: By strategy `(seeds, budgets, people, classes, classes + 1)`.
        full: With all labels of the pool, `(seeds, people, classes, classes + 1)`.
    """

    budgets: tuple[int, ...]
    confusion: Mapping[str, Float]
    full: Float


def labels_needed(budgets: Sequence[int], curve: Float, target: float) -> float:
    """Return where a curve first reaches a target, between budgets by a straight line; infinity where it never does.

    Args:
        budgets: Rising.
        curve: `(len(budgets),)`.
        target: As high as it has to be.
    """
    from scipy.optimize import isotonic_regression

    rising = isotonic_regression(curve).x
    reached = np.flatnonzero(rising >= target - 1e-12)
    if not len(reached):
        return float("inf")
    at = int(reached[0])
    if at == 0:
        return float(budgets[0])
    low, high = rising[at - 1], rising[at]
    return float(budgets[at - 1] + (budgets[at] - budgets[at - 1]) * (target - low) / (high - low))


def summary_of(traces: Traces, share: float = 0.95, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Any]:
    """Return curves, labels needed and ratios to `random` with their 95 % intervals, as plain JSON values.

    Args:
        traces: Of at least the strategy `random`.
        share: Of the full pool's macro-F1 that is to be reached.
        seed: Of the draws.
        resamples: How many.
    """
    seeds, people = traces.full.shape[:2]
    weights = draws_of(people, seed, resamples)
    which = np.random.default_rng([seed, 1]).multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    which = np.concatenate((np.full((1, seeds), 1 / seeds), which))
    full = _drawn(traces.full[:, None], weights, which)[:, 0]
    curves = {name: _drawn(one, weights, which) for name, one in traces.confusion.items()}
    needed = {
        name: np.array([labels_needed(traces.budgets, row, share * top) for row, top in zip(drawn, full, strict=True)])
        for name, drawn in curves.items()
    }
    never = {name: int(np.isinf(one[1:]).sum()) for name, one in needed.items()}
    random = np.where(np.isinf(needed["random"]), traces.budgets[-1], needed["random"])
    strategies = {}
    for name, drawn in curves.items():
        ratio = needed[name] / random
        low, high = (np.quantile(drawn[1:], end, axis=0) for end in (0.025, 0.975))
        strategies[name] = {
            "macro_f1": drawn[0].tolist(), "low": low.tolist(), "high": high.tolist(),
            "needed": _figure(needed[name]), "draws_that_never_reach": never[name],
            "ratio": None if name == "random" else _figure(ratio),
            "area": float(drawn[0].mean()),
        }  # fmt: skip
    return {
        "share": share, "budgets": list(traces.budgets), "full_pool_macro_f1": _figure(full),
        "target_macro_f1": share * float(full[0]), "resamples": resamples, "strategies": strategies,
    }  # fmt: skip


def _drawn(confusion: Float, weights: Float, which: Float) -> Float:
    """Return the macro-F1 of every draw at every budget, `(R, budgets)`, the mean over the drawn seeds."""
    found = np.zeros((len(weights), confusion.shape[1]))
    for seed, one in enumerate(confusion):
        for at, there in enumerate(one):
            f1 = class_f1(np.tensordot(weights, there, 1))
            known = ~np.isnan(f1)
            macro = np.where(known, f1, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)
            found[:, at] += which[:, seed] * macro
    return found


def _figure(drawn: Float) -> dict[str, float | None]:
    """Return a figure with its interval; an end that lies at infinity is None."""
    if np.isinf(drawn).any():
        drawn = np.where(np.isinf(drawn), 1e12, drawn)
    value, low, high = interval(drawn)
    return {key: None if end > 1e9 else end for key, end in (("value", value), ("low", low), ("high", high))}
