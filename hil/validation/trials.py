"""Decisions about groups that no model has met: by training anew for each fold, by a finished model, or by a baseline.

Rule of this room: whoever is held out is touched by nothing that is fitted, and folds are given, not found. Everything
is decided in the streaming form, one decision a hop, except by baselines, which have no other form than windows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.errors import MissingPart, UsageError
from hil.data.features import simple_features, window_ends
from hil.models.datasets import NONE, Dataset, Series, ordered, window_truth
from hil.models.evaluate import Decisions, cross_validate, judge
from hil.models.package import Package
from hil.models.training_config import TrainConfig

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

__all__ = ["BASELINES", "Baseline", "Trial", "of_baseline", "of_config", "of_model", "strangers"]

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What one model said of the groups of one fold.

    Attributes:
        seed: It was trained with.
        held_out: The groups.
        decisions: About them.
        package: The model; None for a baseline.
        nested: Decisions about groups of the other folds, by a model that has met neither them nor `held_out`; None
            where nobody asked.
    """

    seed: int
    held_out: tuple[str, ...]
    decisions: Decisions
    package: Package | None = None
    nested: Decisions | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A quick model.

    Attributes:
        name: As it is asked for.
        about: What it is.
        trees: Of the forest.
        raw: It reads single samples as they are, else simple features of windows.
    """

    name: str
    about: str
    trees: int
    raw: bool


BASELINES = {
    one.name: one
    for one in (
        Baseline("extra-trees", "100 extra-trees on the raw values of single samples", 100, True),
        Baseline("forest", "200 extra-trees on mean, spread, ends and step of every channel", 200, False),
    )
}


def of_config(
    config: TrainConfig, dataset: Dataset, folds: Sequence[Sequence[str]], seeds: Sequence[int],
    nested: bool = False, progress: Progress | None = None, *, folder: Path = Path(), keep: Path | None = None,
) -> Iterator[Trial]:  # fmt: skip
    """Train once for every seed and fold and decide on the fold.

    Args:
        config: What to train and how.
        dataset: Labelled readings, grouped as the folds are.
        folds: Who is held out together.
        seeds: In order.
        nested: Train each once more without the next fold too, whose decisions then serve calibration.
        progress: Told the share that is done, and a line.
        folder: Where the configuration lies, for a network of the user's own.
        keep: Folder of models and checkpoints; what is there already is not trained again.
    """
    due, done = len(folds) * len(seeds) * (2 if nested else 1), 0
    lines: list[str] = []
    for fold in cross_validate(config, dataset, seeds, folds, lines.append, folder=folder, keep=keep):
        done += 1
        inner = None
        if nested:
            others = list(folds)
            after = others[(others.index(tuple(fold.held_out)) + 1) % len(others)]
            away = (*fold.held_out, *after)
            (made,) = cross_validate(config, dataset, [fold.seed], [away], folder=folder, keep=keep)
            inner = judge(made.package, dataset.of(after))
            done += 1
        if progress is not None:
            progress(done / due, lines[-1])
        yield Trial(fold.seed, fold.held_out, fold.decisions, fold.package, inner)


def strangers(package: Package, dataset: Dataset) -> tuple[str, ...]:
    """Return the people of a dataset whom a model has not met, in order.

    Raises:
        UsageError: The model does not say whom it has met, or has met everyone.
    """
    lineage = package.contract.lineage
    if "trained_on" not in lineage:
        raise UsageError(
            f"model {package.contract.name} does not say on whom it was trained", package.contract.name,
            "validate its training configuration instead",
        )  # fmt: skip
    met = {str(one) for one in lineage["trained_on"]}
    found = [one for one in ordered(dataset.people) if one not in met]
    if not found:
        raise UsageError(
            f"model {package.contract.name} was trained on everyone in the data ({', '.join(dataset.people)})",
            package.contract.name, "give data of people it has not met, or validate its training configuration",
        )  # fmt: skip
    return tuple(found)


def of_model(package: Package, dataset: Dataset, people: Sequence[str]) -> Iterator[Trial]:
    """Let a finished model decide on people whom it has not met, each a fold of its own."""
    for person in people:
        yield Trial(
            int(package.contract.lineage.get("seed", 0)), (person,), judge(package, dataset.of([person])), package
        )


def of_baseline(
    baseline: Baseline, dataset: Dataset, folds: Sequence[Sequence[str]], seeds: Sequence[int], window: int, hop: int,
    progress: Progress | None = None,
) -> Iterator[Trial]:  # fmt: skip
    """Train a baseline for every seed and fold and let it decide on the fold.

    Raises:
        MissingPart: scikit-learn is not installed.
    """
    values, truth, people = baseline_rows(baseline, dataset, window, hop)
    who = np.array(people)
    classes = len(dataset.labels)
    for done, (seed, fold) in enumerate([(seed, fold) for seed in seeds for fold in folds], 1):
        away = np.isin(who, list(fold))
        fitted = forest(baseline, seed).fit(values[~away], truth[~away])
        decisions = _decided(fitted, values[away], truth[away], who[away].tolist(), classes)
        if progress is not None:
            found = decisions.score(classes)
            line = (
                f"seed {seed}, held out {', '.join(fold)}: macro-F1 {found.macro_f1:.3f}, accuracy {found.accuracy:.3f}"
            )
            progress(done / (len(seeds) * len(folds)), line)
        yield Trial(seed, tuple(fold), decisions)


def baseline_rows(
    baseline: Baseline, dataset: Dataset, window: int, hop: int
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return what a baseline reads `(N, F)`, the truth `(N,)` of what has one, and whose it is."""
    parts: list[tuple[np.ndarray, np.ndarray, Series]] = []
    for series in dataset.series:
        size, step = (1, 1) if baseline.raw else (window, hop)
        ends = window_ends(len(series.values), size, step)
        truth = window_truth(series.labels, ends, size, len(dataset.labels))
        ends, truth = ends[truth != NONE], truth[truth != NONE]
        parts.append((simple_features(series.values, ends, size), truth, series))
    people = [series.person for _, truth, series in parts for _ in range(len(truth))]
    return np.concatenate([one[0] for one in parts]), np.concatenate([one[1] for one in parts]), people


def forest(baseline: Baseline, seed: int) -> "ExtraTreesClassifier":
    """Return a forest that has seen nothing.

    Raises:
        MissingPart: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import ExtraTreesClassifier
    except ImportError:
        raise MissingPart("scikit-learn is not installed", baseline.name, "pip install 'hil-testbench[lab]'") from None
    return ExtraTreesClassifier(baseline.trees, random_state=seed)


def _decided(
    fitted: "ExtraTreesClassifier", values: np.ndarray, truth: np.ndarray, people: Sequence[str], classes: int
) -> Decisions:
    scores = np.zeros((len(truth), classes))
    if len(truth):
        scores[:, fitted.classes_] = fitted.predict_proba(values)
    return Decisions(truth, scores.argmax(axis=1), scores.max(axis=1, initial=0.0), tuple(people), 0, scores)
