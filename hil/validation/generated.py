"""A generator judged honestly: `hil generate evaluate`.

Rule of this room: in every fold the generator, and all that learns from what it makes, has met nobody of those judged
on. Each figure stands beside what real readings give in its place, with an interval from drawing whole people anew, and
is told as it is: a gain of nothing is a result. All models are kept as they are finished, so that a cut loses only what
was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.augment_config import AugmentConfig
from hil.models.datasets import Dataset, Series, digest, ordered
from hil.models.evaluate import Decisions, cross_validate
from hil.models.generate.config import GenerateConfig
from hil.models.generate.file import GeneratorPackage, read_generator, write_generator
from hil.models.generate.fit import train_generator
from hil.models.generate.generator import Generator
from hil.models.generate.mixing import PERSON, generated_series
from hil.models.nets.choice import TcnChoice
from hil.models.training_config import EarlyStopping, GeneratedShare, TrainConfig
from hil.validation.likeness import curves_of, neighbours, spread_db
from hil.validation.spread import RESAMPLES, Sums, draws_of, figure_draws, interval, sums_of
from hil.validation.versus import paired

__all__ = ["ARMS", "GeneratorPlan", "evaluate_generator"]

Progress = Callable[[float, str], None]
Float = npt.NDArray[np.float64]

ARMS = ("real", "synthetic", "mixed")
"""What the same network learns from: real readings, generated ones, both."""

_FRESH = f"{PERSON} anew"
_KINDS = ("real", "generated")


@dataclass(frozen=True, slots=True)
class GeneratorPlan:
    """What is asked for.

    Attributes:
        folds: How many folds of people, in order of their names.
        seed: Of all that learns and draws.
        share: Share of generated readings in the mixed training.
        judge_epochs: Epochs of the network that tells generated from real.
        piece: Samples of a generated series.
    """

    folds: int = 5
    seed: int = 0
    share: float = 0.3
    judge_epochs: int = 20
    piece: int = 1200


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
        keep: Folder of everything that is trained; what is there already is not trained again.
        progress: Told the share that is done, and a line.

    Raises:
        UsageError: There are too few people, or `keep` holds something else.
    """
    people = ordered(dataset.people)
    if not 2 <= plan.folds <= len(people):
        raise UsageError(f"{len(people)} people make no {plan.folds} folds", "--folds", f"use 2 to {len(people)}")
    folds = [tuple(part.tolist()) for part in np.array_split(np.array(people), plan.folds)]
    tell = progress or (lambda share, line: None)
    parts = []
    for at, fold in enumerate(folds):
        step = _Fold(config, model, dataset, plan, keep, fold)
        parts.append(step.done(lambda share, line, at=at: tell((at + share) / len(folds), line)))  # type: ignore[misc]
    return _summary(config, model, dataset, plan, people, folds, parts)


class _Fold:
    """Everything about the people of one fold."""

    def __init__(
        self, config: GenerateConfig, model: TrainConfig, dataset: Dataset, plan: GeneratorPlan, keep: Path,
        fold: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.config, self.model, self.dataset, self.plan, self.keep, self.fold = (
            config,
            model,
            dataset,
            plan,
            keep,
            fold,
        )
        self.learnt = [item for item in dataset.series if item.person not in fold]
        self.samples = sum(len(item.values) for item in self.learnt)

    def done(self, tell: Progress) -> dict[str, Any]:
        """Train what is to be trained and return what was found."""
        name = "-".join(self.fold)
        path = self.keep / f"{self.config.name}-{self.plan.seed}-{name}.hilmodel"
        package = self._generator(path, lambda share: tell(0.4 * share, ""))
        generator = Generator(package)
        tell(0.4, f"{name}: generator, loss {package.contract.lineage['loss']:.3f}")
        first, second = (
            generated_series(generator, self.dataset, self.samples, seed, piece=self.plan.piece)
            for seed in (self.plan.seed + 1, self.plan.seed + 2)
        )
        unseen = self.dataset.of(self.fold)
        arms: dict[str, Decisions] = {}
        share = GeneratedShare(model=str(path.resolve()), share=self.plan.share)
        for at, (arm, data, mixed) in enumerate((
            ("real", self.dataset, None),
            ("synthetic", replace(self.dataset, series=(*first, *unseen)), None),
            ("mixed", self.dataset, share),
        )):  # fmt: skip
            config = self.model.model_copy(update={"name": f"{self.model.name}-{arm}", "generated": mixed})
            (made,) = cross_validate(config, data, [self.plan.seed], [self.fold], keep=self.keep)
            arms[arm] = made.decisions
            score = made.decisions.score(len(self.dataset.labels))
            tell(0.4 + 0.15 * (at + 1), f"{name}: {arm}, macro-F1 {score.macro_f1:.3f}")
        told = self._told_apart(first, second, unseen)
        tell(0.95, f"{name}: told from real in {told['accuracy']:.3f} of windows")
        scale = np.array([item.std for item in package.contract.inputs])
        curves = {
            who: curves_of(some, len(self.dataset.labels), self.dataset.rate_hz)
            for who, some in (("learnt", self.learnt), ("unseen", unseen), ("generated", second))
        }
        return {
            "fold": self.fold, "generator": package.sha256, "loss": package.contract.lineage["loss"],
            "parameters": package.contract.shape.parameters, "arms": arms, "told": told, "curves": curves,
            "neighbours": neighbours(self.learnt, unseen, second, self.config.window, scale, self.plan.seed),
        }  # fmt: skip

    def _generator(self, path: Path, share: Callable[[float], None]) -> GeneratorPackage:
        config = self.config.model_copy(update={"seed": self.plan.seed})
        if path.exists():
            package = read_generator(path)
            wanted = config.model_dump(mode="json", by_alias=True, exclude={"data"}), digest(self.learnt)
            if (package.contract.lineage.get("config"), package.contract.training_data_sha256) != wanted:
                raise UsageError("it is a generator of another training", str(path), "name an empty folder with --keep")
            return package
        package = train_generator(config, self.dataset, self.fold, lambda at: share(at.step / at.steps))
        return write_generator(path, package)

    def _told_apart(
        self, first: Sequence[Series], second: Sequence[Series], unseen: Sequence[Series]
    ) -> dict[str, Any]:
        """Teach a network real from generated, and ask it about unseen people and about what was made anew."""

        def called(some: Sequence[Series], kind: int, person: str = "") -> list[Series]:
            return [
                replace(item, labels=np.full(len(item.labels), kind), person=person or item.person) for item in some
            ]

        series = [*called(self.learnt, 0), *called(unseen, 0), *called(first, 1), *called(second, 1, _FRESH)]
        data = replace(self.dataset, series=tuple(series), labels=_KINDS)
        config = self.model.model_copy(update={
            "name": f"{self.model.name}-judge", "architecture": TcnChoice(channels=16), "augment": AugmentConfig(),
            "generated": None, "early_stopping": EarlyStopping(),
            "training": self.model.training.model_copy(update={"epochs": self.plan.judge_epochs}),
        })  # fmt: skip
        away = (*self.fold, _FRESH)
        (made,) = cross_validate(config, data, [self.plan.seed], [away], keep=self.keep)
        who = np.array(made.decisions.people)
        right = made.decisions.truth == made.decisions.predicted
        real = {person: float(right[who == person].mean()) for person in self.fold}
        anew = float(right[who == _FRESH].mean())
        return {"accuracy": (float(np.mean(list(real.values()))) + anew) / 2, "real": real, "generated": anew}


def _summary(
    config: GenerateConfig, model: TrainConfig, dataset: Dataset, plan: GeneratorPlan, people: Sequence[str],
    folds: Sequence[tuple[str, ...]], parts: Sequence[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    classes, weights = len(dataset.labels), draws_of(len(people), plan.seed)
    sums = {arm: [sums_of(Decisions.joined([part["arms"][arm] for part in parts]), people, classes)] for arm in ARMS}
    fold_weights = draws_of(len(folds), plan.seed)
    told = np.array([
        (part["told"]["real"][person] + part["told"]["generated"]) / 2 for person in people for part in parts
        if person in part["fold"]
    ])  # fmt: skip
    accuracy = weights @ told / weights.sum(axis=1)
    figures = [
        *(_row(f"macro_f1_{arm}", figure_draws(sums[arm], weights, "macro_f1")) for arm in ARMS),
        _row("told_from_real_accuracy", accuracy), _row("discriminative_score", np.abs(accuracy - 0.5)),
    ]  # fmt: skip
    by_fold: dict[str, list[float]] = {}
    for part in parts:
        for name, decibel in (("psd", 10.0), ("allan", 20.0)):
            curves = {who: part["curves"][who][name] for who in ("learnt", "unseen", "generated")}
            for who in ("generated", "unseen"):
                key = f"{name}_{who}_to_learnt_db"
                by_fold.setdefault(key, []).append(spread_db(curves[who], curves["learnt"], decibel))
        for name in ("ratio", "margin", "copies"):
            by_fold.setdefault(f"neighbour_{name}", []).append(part["neighbours"][name])
    figures += [_row(name, fold_weights @ np.array(v) / len(folds)) for name, v in by_fold.items()]
    last = parts[-1]
    return {
        "schema": 1, "name": config.name, "model": model.name, "labels": list(dataset.labels),
        "plan": asdict(plan), "resamples": RESAMPLES, "epochs": model.training.epochs,
        "augment": model.augment.model_dump(mode="json"), "generator_steps": config.training.steps,
        "parameters": last["parameters"], "people": list(people), "folds": [list(fold) for fold in folds],
        "figures": figures,
        "gain": _told_gain(paired(sums["real"], sums["mixed"], len(people), plan.seed)),
        "synthetic_against_real": _told_gain(paired(sums["real"], sums["synthetic"], len(people), plan.seed)),
        "each": [_person(sums, at, person) for at, person in enumerate(people)],
        "fold_results": [
            {"held_out": list(part["fold"]), "generator_sha256": part["generator"], "loss": part["loss"],
             "told": part["told"], "neighbours": part["neighbours"]} for part in parts
        ],
        "curves": {name: _plain_curves(parts, name, dataset) for name in ("psd", "allan")},
    }  # fmt: skip


def _row(name: str, drawn: Float) -> dict[str, Any]:
    value, low, high = interval(drawn)
    return {"name": name, "value": value, "low": low, "high": high}


def _told_gain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `paired` where A is real only and B what it is compared with."""
    return [{key: value for key, value in row.items() if key != "effect_unit"} for row in rows]


def _person(sums: dict[str, list[Sums]], at: int, person: str) -> dict[str, Any]:
    only = np.zeros((1, len(sums["real"][0].confusion)))
    only[0, at] = 1.0
    return {"person": person, **{arm: float(figure_draws(sums[arm], only, "macro_f1")[0]) for arm in ARMS}}


def _plain_curves(parts: Sequence[dict[str, Any]], name: str, dataset: Dataset) -> dict[str, Any]:
    """Curves for a page: of every channel the mean over labels and folds, back from the logarithm."""
    found = {
        who: 10 ** np.nanmean([part["curves"][who][name].log10 for part in parts], axis=(0, 1))
        for who in ("learnt", "unseen", "generated")
    }
    x = parts[0]["curves"]["learnt"][name].x.tolist()
    return {"x": x, "channels": list(dataset.channels), "units": list(dataset.units),
            **{who: curve.tolist() for who, curve in found.items()}}  # fmt: skip
