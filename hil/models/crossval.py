"""The gate as a command: `python -m hil.models.crossval CONFIG --data FOLDER [--seeds 5] [--keep FOLDER] [-o FILE]`.

Rule: the protocol is fixed here and chosen on nobody: pairs of people by id (with `--fold-size 1` every one, or every
day) are held out in turn, every seed trains a network for every pair, and all decisions of a seed are scored together,
so that each person counts once.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hil.models.datasets import load_dataset
from hil.models.evaluate import Decisions, Fold, cross_validate, folds_of
from hil.models.training_config import load_config

__all__ = ["main", "summary"]


def summary(folds: Sequence[Fold], classes: int) -> dict[str, Any]:
    """Figures of a cross-validation; plain JSON values.

    Returns:
        `macro_f1` mean over seeds with its spread (sample standard deviation, lowest and highest), the same over
        single trainings, pooled `ece`, every person's mean macro-F1 and the worst one.
    """
    seeds = list(dict.fromkeys(fold.seed for fold in folds))
    pooled = {seed: Decisions.joined([fold.decisions for fold in folds if fold.seed == seed]) for seed in seeds}
    scores = {seed: decisions.score(classes) for seed, decisions in pooled.items()}
    values = np.array([scores[seed].macro_f1 for seed in seeds])
    single = np.array([fold.decisions.score(classes).macro_f1 for fold in folds])
    everyone = Decisions.joined(list(pooled.values())).score(classes)
    people = {
        person: float(np.mean([scores[seed].people[person] for seed in seeds])) for person in scores[seeds[0]].people
    }
    worst = min(people, key=lambda person: people[person])
    net = folds[0].package.contract.architecture
    return {
        "macro_f1": {
            "mean": float(values.mean()),
            "std_over_seeds": float(values.std(ddof=1)) if len(values) > 1 else None,
            "lowest_seed": float(values.min()),
            "highest_seed": float(values.max()),
        },
        "macro_f1_by_seed": {str(seed): scores[seed].macro_f1 for seed in seeds},
        "macro_f1_single_trainings": {
            "mean": float(single.mean()), "std": float(single.std(ddof=1)) if len(single) > 1 else None,
            "lowest": float(single.min()), "highest": float(single.max()), "trainings": len(single),
        },
        "accuracy": float(np.mean([scores[seed].accuracy for seed in seeds])),
        "ece_pooled_15_bins": everyone.ece,
        "ece_by_seed": {str(seed): scores[seed].ece for seed in seeds},
        "people": people,
        "worst_person": {"person": worst, "macro_f1": people[worst]},
        "coverage": everyone.coverage,
        "decisions_per_seed": scores[seeds[0]].decisions,
        "warming_per_seed": pooled[seeds[0]].warming,
        "parameters": None if net is None else net.config.parameters,
        "folds": [list(fold.held_out) for fold in folds if fold.seed == seeds[0]],
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m hil.models.crossval", description="Subject-wise cross-validation.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, default=None, help="folder that the configuration's files are relative to")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fold-size", type=int, default=2, help="people (or days) held out together")
    parser.add_argument("--keep", type=Path, default=None, help="folder of finished models: a killed run goes on there")
    parser.add_argument("-o", "--output", type=Path, default=None)
    given = parser.parse_args(arguments)
    config = load_config(given.config)
    dataset = load_dataset(config.data, given.data or given.config.parent)
    seeds = range(config.seed, config.seed + given.seeds)
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    folds = list(
        cross_validate(
            config, dataset, seeds, folds_of(dataset.people, given.fold_size),
            lambda line: print(line, file=sys.stderr, flush=True), folder=given.config.parent, keep=given.keep,
        )
    )  # fmt: skip
    found = json.dumps(summary(folds, len(dataset.labels)), indent=1)
    if given.output is not None:
        given.output.write_text(found + "\n", encoding="utf-8")
    print(found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
