"""Everything that trials say, as plain values: the JSON of `hil validate`, and what its page draws.

Rule of this room: temperatures and thresholds for a fold come from decisions about other groups, and how is written
beside them. A figure that cannot be known is None with its reason.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.models.datasets import NONE
from hil.models.evaluate import Decisions
from hil.models.score import MISSED
from hil.validation.calibration import calibration_figures, fit_temperature, reliability, tempered
from hil.validation.conformal import METHODS, label_sets, threshold
from hil.validation.selective import risk_coverage
from hil.validation.spread import FIGURES, Sums, class_f1, draws_of, figure_draws, interval, sums_of
from hil.validation.trials import Trial

__all__ = ["Held", "calibrated", "summarise"]

Float = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Decisions that were made and have a truth, all folds and seeds, with what was fitted on others.

    Attributes:
        scores: `(N, classes)` as the models gave them.
        tempered: `(N, classes)` at the temperature of each fold.
        truth: `(N,)`.
        people: Group of each.
        sets: `(N, classes)` by method: the labels in each conformal set.
        temperatures: One a fold and seed.
        how: What they were fitted on; or why they could not be.
    """

    scores: Float
    tempered: Float
    truth: Ints
    people: tuple[str, ...]
    sets: Mapping[str, npt.NDArray[np.bool_]]
    temperatures: tuple[float, ...]
    how: str


def calibrated(trials: Sequence[Trial], level: float, seed: int) -> Held:
    """Fit temperature and conformal thresholds for each trial on decisions about other groups, and apply them."""
    parts: list[tuple[Float, Float, Ints, list[str], dict[str, npt.NDArray[np.bool_]]]] = []
    temperatures = []
    nested = all(trial.nested is not None for trial in trials)
    alone = len({trial.held_out for trial in trials}) < 2 and not nested
    for at, trial in enumerate(trials):
        scores, truth, people = _made(trial.decisions)
        others = [trial.nested] if nested else [
            one.decisions for one in trials if one.seed == trial.seed and one.held_out != trial.held_out
        ]  # fmt: skip
        known = [_made(one) for one in others if one is not None]
        fitted = [one for one in known if len(one[1])]
        if not fitted:
            everything = np.ones(scores.shape, np.bool_)
            parts.append((scores, scores, truth, people, dict.fromkeys(METHODS, everything)))
            continue
        theirs, told = np.concatenate([one[0] for one in fitted]), np.concatenate([one[1] for one in fitted])
        temperature = fit_temperature(theirs, told)
        temperatures.append(temperature)
        ours, theirs = tempered(scores, temperature), tempered(theirs, temperature)
        sets = {
            method: label_sets(
                ours, threshold(theirs, told, level, method, 2 * (seed + at)), method, 2 * (seed + at) + 1
            )
            for method in METHODS
        }
        parts.append((scores, ours, truth, people, sets))
    how = "decisions about the other folds, whose models have met these people and not those"
    if trials[0].package is not None and len({trial.package.sha256 for trial in trials if trial.package}) == 1:
        how = "decisions of the same model about the others, whom it has not met either"
    if nested:
        how = "decisions about the next fold by a model that has met neither"
    if alone:
        how = "nothing: there is only one group, so that nothing could be fitted on another"
    return Held(
        np.concatenate([one[0] for one in parts]), np.concatenate([one[1] for one in parts]),
        np.concatenate([one[2] for one in parts]), tuple(name for one in parts for name in one[3]),
        {method: np.concatenate([one[4][method] for one in parts]) for method in METHODS}, tuple(temperatures), how,
    )  # fmt: skip


def summarise(trials: Sequence[Trial], labels: Sequence[str], *, level: float = 0.9, seed: int = 0) -> dict[str, Any]:
    """Return all figures of trials as plain JSON values.

    Args:
        trials: At least one; every seed has the same folds.
        labels: Names.
        level: Promised coverage of conformal sets.
        seed: Of the bootstrap and the draws of `aps`.
    """
    classes = len(labels)
    groups = list(dict.fromkeys(name for trial in trials for name in trial.held_out))
    seeds = list(dict.fromkeys(trial.seed for trial in trials))
    pooled = [Decisions.joined([one.decisions for one in trials if one.seed == each]) for each in seeds]
    sums = [sums_of(one, groups, classes) for one in pooled]
    weights = draws_of(len(groups), seed)
    held = calibrated(trials, level, seed)
    found: dict[str, Any] = {
        "figures": {name: _figure(sums, weights, name, seeds) for name in FIGURES},
        "seeds": seeds,
        "folds": _folds(trials, classes),
        "groups": _groups(sums, groups, held, pooled),
        "classes": _classes(sums, weights, labels),
        "confusion": np.sum([one.confusion.sum(axis=0) for one in sums], axis=0).astype(int).tolist(),
        "labels": list(labels),
        "decisions": sum(int((one.truth != NONE).sum()) for one in pooled),
        "missed": sum(int((one.predicted[one.truth != NONE] == MISSED).sum()) for one in pooled),
        "excluded": sum(int((one.truth == NONE).sum()) for one in pooled),
        "warming": sum(one.warming for one in pooled),
    }
    found["worst_group"] = min(found["groups"], key=lambda one: one["macro_f1"])["group"]
    return found | _trust(held, pooled, level, groups)


def _figure(sums: Sequence[Sums], weights: Float, name: str, seeds: Sequence[int]) -> dict[str, Any]:
    value, low, high = interval(figure_draws(sums, weights, name))
    each = [float(FIGURES[name](one, weights[:1])[0]) for one in sums]
    few = len(weights[0]) < 2
    return {
        "value": value, "low": None if few else low, "high": None if few else high,
        "by_seed": dict(zip(map(str, seeds), each, strict=True)),
        "std_over_seeds": float(np.std(each, ddof=1)) if len(each) > 1 else None,
    }  # fmt: skip


def _folds(trials: Sequence[Trial], classes: int) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for trial in trials:
        scored = trial.decisions.score(classes)
        rows.append({"seed": trial.seed, "held_out": list(trial.held_out), "macro_f1": scored.macro_f1,
                     "accuracy": scored.accuracy, "decisions": scored.decisions})  # fmt: skip
    told: dict[str, Any] = {"rows": rows}
    for name in ("macro_f1", "accuracy"):
        values = [row[name] for row in rows]
        told[name] = {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                      "lowest": min(values), "highest": max(values)}  # fmt: skip
    return told


def _groups(
    sums: Sequence[Sums], groups: Sequence[str], held: Held, pooled: Sequence[Decisions]
) -> list[dict[str, Any]]:
    who = np.array(held.people)
    rows = []
    for at, name in enumerate(groups):
        only = np.zeros((1, len(groups)))
        only[0, at] = 1.0
        mine = who == name
        count = float(np.sum([one.confusion[at].sum() for one in sums]))
        rows.append({
            "group": name, "decisions": int(count),
            "macro_f1": float(figure_draws(sums, only, "macro_f1")[0]) if count else math.nan,
            "accuracy": float(figure_draws(sums, only, "accuracy")[0]) if count else math.nan,
            "conformal": {method: _covered(sets[mine], held.truth[mine]) for method, sets in held.sets.items()},
        })  # fmt: skip
    return [row for row in rows if row["decisions"]] or rows


def _classes(sums: Sequence[Sums], weights: Float, labels: Sequence[str]) -> list[dict[str, Any]]:
    f1 = np.mean([class_f1(np.tensordot(weights, one.confusion, 1)) for one in sums], axis=0)
    whole = np.sum([one.confusion.sum(axis=0) for one in sums], axis=0)
    total = whole.sum()
    rows = []
    for at, label in enumerate(labels):
        hits, truths, said = whole[at, at], whole[at].sum(), whole[:, at].sum()
        value, low, high = interval(f1[:, at]) if np.isfinite(f1[1:, at]).any() else (None, None, None)
        rows.append({
            "label": label, "support": int(truths), "precision": hits / said if said else None,
            "recall": hits / truths if truths else None, "f1": value, "low": low, "high": high,
            "this_or_not": (total - truths - said + 2 * hits) / total,
        })  # fmt: skip
    return rows


def _trust(held: Held, pooled: Sequence[Decisions], level: float, groups: Sequence[str]) -> dict[str, Any]:
    known = [(one, one.truth != NONE) for one in pooled]
    right = np.concatenate([(one.predicted == one.truth)[mine] for one, mine in known])
    sure = np.concatenate([np.where(one.predicted == MISSED, -1.0, one.confidence)[mine] for one, mine in known])
    fitted = bool(held.temperatures)
    return {
        "calibration": {
            "how": held.how,
            "temperatures": list(held.temperatures),
            "before": calibration_figures(held.scores, held.truth),
            "after": calibration_figures(held.tempered, held.truth) if fitted else None,
            "bins_before": reliability(held.scores, held.truth),
            "bins_after": reliability(held.tempered, held.truth) if fitted else [],
        },
        "selective": risk_coverage(right, sure),
        "conformal": [
            {"method": method, "level": level, "coverage": _covered(sets, held.truth) if fitted else None,
             "mean_size": float(sets.sum(axis=1).mean()) if fitted and len(sets) else None,
             "empty": float((~sets.any(axis=1)).mean()) if fitted and len(sets) else None}
            for method, sets in held.sets.items()
        ],
    }  # fmt: skip


def _covered(sets: npt.NDArray[np.bool_], truth: Ints) -> float | None:
    return float(sets[np.arange(len(truth)), truth].mean()) if len(truth) else None


def _made(decisions: Decisions) -> tuple[Float, Ints, list[str]]:
    """Return scores, truth and people of the decisions that were made and have a truth."""
    kept = np.flatnonzero((decisions.truth != NONE) & (decisions.predicted != MISSED))
    return decisions.scores[kept], decisions.truth[kept], [decisions.people[at] for at in kept]
