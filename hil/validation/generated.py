"""A generator judged honestly: `hil generate evaluate`.

Rule of this room: every figure stands beside what real readings give in its place, with an interval from drawing whole
people (or folds of them) anew, and is told as it is: a gain of nothing is a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.datasets import Dataset, ordered
from hil.models.generate.config import GenerateConfig
from hil.models.training_config import TrainConfig
from hil.validation.generatorfold import ARMS, GeneratorPlan, Progress, fold_results
from hil.validation.likeness import spread_db
from hil.validation.spread import RESAMPLES, Sums, draws_of, figure_draws, interval
from hil.validation.versus import paired

__all__ = ["GeneratorPlan", "evaluate_generator"]

Float = npt.NDArray[np.float64]
Plain = Mapping[str, Any]


def evaluate_generator(
    config: GenerateConfig, model: TrainConfig, dataset: Dataset, plan: GeneratorPlan, keep: Path,
    progress: Progress | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train a generator for every fold of people and judge what it makes; return plain JSON values.

    Args:
        config: The generator.
        model: The network that learns from real, generated and both, with the augmentation that it has anyway.
        dataset: Labelled readings of at least two people.
        plan: What is asked for.
        keep: Folder of everything that is trained and found; what is there already is not made again.
        progress: Told the share that is done, and a line.

    Raises:
        UsageError: There are too few people, or `keep` holds something else.
    """
    people = ordered(dataset.people)
    if not 2 <= plan.folds <= len(people):
        raise UsageError(f"{len(people)} people make no {plan.folds} folds", "--folds", f"use 2 to {len(people)}")
    folds = [tuple(part.tolist()) for part in np.array_split(np.array(people), plan.folds)]
    parts = []
    for at, fold in enumerate(folds):

        def tell(share: float, line: str, at: int = at) -> None:
            if progress is not None:
                progress((at + share) / len(folds), line)

        parts.append(fold_results(config, model, dataset, plan, keep, fold, tell))
    figures, sums = _figures(people, parts, plan.seed)
    return {
        "schema": 1, "name": config.name, "model": model.name, "labels": list(dataset.labels),
        "plan": asdict(plan), "resamples": RESAMPLES, "epochs": model.training.epochs,
        "augment": model.augment.model_dump(mode="json"), "generator_steps": config.training.steps,
        "parameters": parts[0]["parameters"], "people": people, "folds": [list(fold) for fold in folds],
        "figures": figures,
        "gain": _beside(sums, "mixed", plan.seed),
        "synthetic_against_real": _beside(sums, "synthetic", plan.seed),
        "each": [_person(sums, at, person) for at, person in enumerate(people)],
        "fold_results": [{key: part[key] for key in ("held_out", "generator_sha256", "loss", "told", "neighbours")}
                         for part in parts],
        "curves": {name: _mean_curves(parts, name, dataset) for name in ("psd", "allan")},
    }  # fmt: skip


def _figures(people: Sequence[str], parts: Sequence[Plain], seed: int) -> tuple[list[dict[str, Any]], dict[str, Sums]]:
    """Return all figures with their intervals, and the sums of every arm over all people."""
    weights, fold_weights = draws_of(len(people), seed), draws_of(len(parts), seed)
    sums = {
        arm: Sums(*(np.concatenate([np.array(part["arms"][arm][key]) for part in parts])
                    for key in ("confusion", "brier", "bins"))) for arm in ARMS
    }  # fmt: skip
    told = np.array(
        [(right + part["told"]["generated"]) / 2 for part in parts for right in part["told"]["real"].values()]
    )
    accuracy = weights @ told / weights.sum(axis=1)
    rows = [
        *(_row(f"macro_f1_{arm}", figure_draws([sums[arm]], weights, "macro_f1")) for arm in ARMS),
        _row("told_from_real_accuracy", accuracy), _row("discriminative_score", np.abs(accuracy - 0.5)),
    ]  # fmt: skip
    by_fold: dict[str, list[float]] = {}
    for part in parts:
        for name, decibel in (("psd", 10.0), ("allan", 20.0)):
            curves = {who: np.array(held[name]["log10"]) for who, held in part["curves"].items()}
            for who in ("generated", "unseen"):
                apart = spread_db(curves[who], curves["learnt"], decibel)
                by_fold.setdefault(f"{name}_{who}_to_learnt_db", []).append(apart)
        for name in ("ratio", "margin", "copies"):
            by_fold.setdefault(f"neighbour_{name}", []).append(part["neighbours"][name])
    rows += [_row(name, fold_weights @ np.array(values) / len(parts)) for name, values in by_fold.items()]
    return rows, sums


def _row(name: str, drawn: Float) -> dict[str, Any]:
    value, low, high = interval(drawn)
    return {"name": name, "value": value, "low": low, "high": high}


def _beside(sums: Mapping[str, Sums], arm: str, seed: int) -> list[dict[str, Any]]:
    """Rows of `paired`: A learnt from real readings, B from those of `arm`."""
    rows = paired([sums["real"]], [sums[arm]], len(sums["real"].confusion), seed)
    return [{key: value for key, value in row.items() if key != "effect_unit"} for row in rows]


def _person(sums: Mapping[str, Sums], at: int, person: str) -> dict[str, Any]:
    only = np.zeros((1, len(sums["real"].confusion)))
    only[0, at] = 1.0
    return {"person": person, **{arm: float(figure_draws([sums[arm]], only, "macro_f1")[0]) for arm in ARMS}}


def _mean_curves(parts: Sequence[Plain], name: str, dataset: Dataset) -> dict[str, Any]:
    """Curves for a page: of every channel the mean over labels and folds, back from the logarithm."""
    found = {
        who: 10 ** np.mean([part["curves"][who][name]["log10"] for part in parts], axis=(0, 1))
        for who in ("learnt", "unseen", "generated")
    }
    return {"x": parts[0]["curves"]["learnt"][name]["x"], "channels": list(dataset.channels),
            "units": list(dataset.units), **{who: curve.tolist() for who, curve in found.items()}}  # fmt: skip
