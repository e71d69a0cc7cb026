"""Two models on the same people, whom neither has met: better, same within noise, or worse.

Rule of this room: both decide on the same series, and the same people are drawn for both (paired bootstrap), so that
who is easy helps neither. The chance of any false verdict among all rows is at most 5 % (Holm).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from firmware_bridge.errors import UsageError
from hil.measure.comparison import BETTER, SAME, WORSE
from hil.models.datasets import Dataset, ordered
from hil.models.evaluate import judge
from hil.models.package import Package
from hil.validation.spread import FIGURES, RESAMPLES, Sums, draws_of, figure_draws, interval, sums_of
from hil.validation.trials import strangers

__all__ = ["compare_models", "paired"]

_FEWER = ("brier", "ece")
"""Figures of which less is better."""


def compare_models(a: Package, b: Package, dataset: Dataset, seed: int = 0) -> dict[str, Any]:
    """Judge two models on the people of a dataset whom neither has met.

    Raises:
        UsageError: Their labels differ, there is no such person, or only one.
    """
    if a.contract.labels != b.contract.labels:
        raise UsageError(
            f"{a.contract.name} tells {', '.join(a.contract.labels)} apart and {b.contract.name} "
            f"{', '.join(b.contract.labels)}", "compare", "compare models of the same labels",
        )  # fmt: skip
    both = [name for name in strangers(a, dataset) if name in strangers(b, dataset)]
    if len(both) < 2:
        raise UsageError(
            f"{len(both)} people are in the data whom neither model has met ({', '.join(both) or 'none'})", "compare",
            "give data of more, or compare training configurations with `hil validate`",
        )  # fmt: skip
    people = ordered(both)
    sums = [[sums_of(judge(one, dataset.of(people)), people, len(dataset.labels))] for one in (a, b)]
    return {
        "a": {"name": a.contract.name, "version": a.contract.version, "sha256": a.sha256},
        "b": {"name": b.contract.name, "version": b.contract.version, "sha256": b.sha256},
        "people": people, "seed": seed, "resamples": RESAMPLES, "rows": paired(sums[0], sums[1], len(people), seed),
    }  # fmt: skip


def paired(a: Sequence[Sums], b: Sequence[Sums], groups: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return a row a figure: name, verdict, effect (B less A) with its interval, p, p adjusted, and both values.

    Args:
        a: Sums of the first model, one a seed.
        b: Sums of the second, likewise, of the same groups in the same order.
        groups: How many.
        seed: Of the draws.
    """
    weights = draws_of(groups, seed)
    rows: list[dict[str, Any]] = []
    for name in FIGURES:
        ours, theirs = figure_draws(a, weights, name), figure_draws(b, weights, name)
        effect, low, high = interval(theirs - ours)
        drawn = theirs[1:] - ours[1:]
        tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum())) + 1
        p = min(1.0, 2 * tail / (len(drawn) + 1))
        rows.append({"name": name, "effect": effect, "low": low, "high": high, "effect_unit": "", "p": p,
                     "a": float(ours[0]), "b": float(theirs[0])})  # fmt: skip
    order = np.argsort([row["p"] for row in rows], kind="stable").tolist()
    least = 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, rows[at]["p"] * (len(rows) - rank)))
        rows[at]["p_adjusted"] = least
        more = rows[at]["effect"] > 0
        verdict = SAME if least > 0.05 else BETTER if more != (rows[at]["name"] in _FEWER) else WORSE
        rows[at]["verdict"] = verdict
    return rows
