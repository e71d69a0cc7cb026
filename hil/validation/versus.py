"""Two models on the same people, whom neither has met: better, same within noise, or worse.

Rule of this room: both decide on the same series, and the same people are drawn for both (paired bootstrap), so that
who is easy helps neither. A verdict does not rest on the interval, which few people make too narrow: were the two
alike, what they did on any person could as well be swapped, and p is the share of swaps that part them as far. The
largest of all rows counts (Westfall and Young 1993), so that the chance of any false verdict is at most 5 %, and fewer
than six people give none: five that all agree come about by chance once in sixteen times.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.measure.comparison import BETTER, SAME, WORSE
from hil.models.datasets import Dataset, ordered
from hil.models.evaluate import Decisions, judge
from hil.models.package import Package
from hil.validation.spread import FIGURES, RESAMPLES, Sums, draws_of, figure_draws, interval, sums_of
from hil.validation.trials import Trial, strangers

__all__ = ["TOO_FEW", "compare_models", "paired", "versus_baseline"]

_FEWER = ("brier", "ece")
"""Figures of which less is better."""

TOO_FEW = "too few to tell"
"""Verdict where so few people could not give another one, whatever they do: six are needed."""

_ALPHA = 0.05
_ALL_WAYS = 11
"""People up to whom every way to swap is looked at: 2,048."""


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


def versus_baseline(
    trials: Sequence[Trial], others: Sequence[Trial], about: str, labels: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Hold trials against those of a baseline on the same folds and seeds.

    Returns:
        `baseline`, `accuracy` and `macro_f1` of it over the folds (mean of the trainings), and `rows` of `paired`: the
        baseline is A.
    """
    groups = list(dict.fromkeys(name for trial in trials for name in trial.held_out))
    ours, theirs = (_by_seed(some, groups, len(labels)) for some in (trials, others))
    scores = [trial.decisions.score(len(labels)) for trial in others]
    return {
        "baseline": about, "accuracy": float(np.mean([one.accuracy for one in scores])),
        "macro_f1": float(np.mean([one.macro_f1 for one in scores])),
        "rows": paired(theirs, ours, len(groups), seed),
    }  # fmt: skip


def _by_seed(trials: Sequence[Trial], groups: Sequence[str], classes: int) -> list[Sums]:
    seeds = dict.fromkeys(trial.seed for trial in trials)
    joined = [Decisions.joined([one.decisions for one in trials if one.seed == seed]) for seed in seeds]
    return [sums_of(one, groups, classes) for one in joined]


def paired(a: Sequence[Sums], b: Sequence[Sums], groups: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return a row a figure: name, verdict, effect (B less A) with its interval, p, p adjusted, and both values.

    Args:
        a: Sums of the first model, one a seed.
        b: Sums of the second, likewise, of the same groups in the same order.
        groups: How many.
        seed: Of the draws.
    """
    weights = draws_of(groups, seed)
    swapped = _swaps(groups, seed)
    few = 2.0 ** (1 - groups) > _ALPHA
    rows: list[dict[str, Any]] = []
    apart = []
    for name in FIGURES:
        ours, theirs = figure_draws(a, weights, name), figure_draws(b, weights, name)
        effect, low, high = interval(theirs - ours)
        apart.append(_apart(a, b, swapped, name))
        rows.append({"name": name, "effect": effect, "low": low, "high": high, "effect_unit": "",
                     "a": float(ours[0]), "b": float(theirs[0])})  # fmt: skip
    for row, p, adjusted in zip(rows, *_chances(np.stack(apart)), strict=True):
        more = row["effect"] > 0
        verdict = (
            TOO_FEW if few else SAME if adjusted > _ALPHA else BETTER if more != (row["name"] in _FEWER) else WORSE
        )
        row |= {"p": p, "p_adjusted": adjusted, "verdict": verdict}
    return rows


def _swaps(groups: int, seed: int) -> npt.NDArray[np.float64]:
    """Return whose decisions are swapped, `(S, groups)` of 0 and 1, nobody's first: all ways, or many."""
    if groups <= _ALL_WAYS:
        return (np.arange(2**groups)[:, None] >> np.arange(groups) & 1).astype(np.float64)
    drawn = np.random.default_rng([seed, 1]).integers(0, 2, (RESAMPLES, groups))
    return np.concatenate((np.zeros((1, groups)), drawn.astype(np.float64)))


def _apart(
    a: Sequence[Sums], b: Sequence[Sums], swapped: npt.NDArray[np.float64], name: str
) -> npt.NDArray[np.float64]:
    """Return how far a figure of B is above that of A, for every way to swap the two; `(S,)`."""
    both = [
        Sums(*(np.concatenate((getattr(x, part), getattr(y, part))) for part in ("confusion", "brier", "bins")))
        for x, y in zip(a, b, strict=True)
    ]
    here, there = np.concatenate((1 - swapped, swapped), 1), np.concatenate((swapped, 1 - swapped), 1)
    found: npt.NDArray[np.float64] = figure_draws(both, there, name) - figure_draws(both, here, name)
    return found


def _chances(apart: npt.NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Return p of each row alone and with regard to all of them, of differences `(rows, S)` of which the first is."""
    size = np.abs(apart)
    spread = apart.std(axis=1, keepdims=True)
    size = np.round(np.divide(size, spread, out=np.zeros_like(size), where=spread > 0), 9)
    alone = (size >= size[:, :1]).mean(axis=1)
    among = (size.max(axis=0)[None] >= size[:, :1]).mean(axis=1)
    return alone.tolist(), among.tolist()
