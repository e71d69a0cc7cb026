"""One fold of a generator's evaluation: what is trained, what is made, and what unseen people say of it.

Rule of this room: the generator, and all that learns from what it makes, has met nobody of the fold. What comes out is
plain JSON values and is kept, as is every model, so that a cut loses only what was under way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from firmware_bridge.errors import UsageError
from hil.models.augment_config import AugmentConfig
from hil.models.datasets import Dataset, Series, digest
from hil.models.evaluate import cross_validate
from hil.models.generate.config import GenerateConfig
from hil.models.generate.file import GeneratorPackage, read_generator
from hil.models.generate.fit import train_and_write
from hil.models.generate.generator import Generator
from hil.models.generate.mixing import PERSON, generated_series
from hil.models.training_config import EarlyStopping, GeneratedShare, TrainConfig
from hil.validation.likeness import curves_of, neighbours
from hil.validation.spread import sums_of

__all__ = ["ARMS", "GeneratorPlan", "Progress", "fold_results"]

Progress = Callable[[float, str], None]

ARMS = ("real", "synthetic", "mixed")
"""What the same network learns from: real readings, generated ones, both."""

_FRESH = f"{PERSON} anew"
_KINDS = ("real", "generated")
_PIECE = 1200
"""Samples of a generated series."""

_ANEW = 4
"""How much less is made for looking at than for learning from."""


@dataclass(frozen=True, slots=True)
class GeneratorPlan:
    """What is asked for.

    Attributes:
        folds: How many folds of people, in order of their names.
        seed: Of all that learns and draws.
        share: Share of generated readings in the mixed training.
        judge_epochs: Epochs of the network that tells generated from real.
    """

    folds: int = 5
    seed: int = 0
    share: float = 0.3
    judge_epochs: int = 20


def fold_results(
    config: GenerateConfig, model: TrainConfig, dataset: Dataset, plan: GeneratorPlan, keep: Path,
    fold: tuple[str, ...], tell: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Return what was found about the people of a fold, as plain JSON values; what is kept is not made again.

    Raises:
        UsageError: `keep` holds something else under the same name.
    """
    one = _Fold(config, model, dataset, plan, keep, fold)
    path = keep / f"{config.name}-{plan.seed}-{'-'.join(fold)}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found.get("identity") != one.identity:
            raise UsageError("it is of another evaluation", str(path), "name an empty folder with --keep")
        return found
    found = {"identity": one.identity, **one.done(tell)}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    part.replace(path)
    return found


class _Fold:
    """Everything about the people of one fold."""

    def __init__(
        self, config: GenerateConfig, model: TrainConfig, dataset: Dataset, plan: GeneratorPlan, keep: Path,
        fold: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.config = config.model_copy(update={"seed": plan.seed})
        self.model, self.dataset, self.plan, self.keep, self.fold = model, dataset, plan, keep, fold
        self.learnt = [item for item in dataset.series if item.person not in fold]
        self.unseen = dataset.of(fold)
        self.samples = sum(len(item.values) for item in self.learnt)

    @property
    def identity(self) -> str:
        """What makes this fold what it is: settings, plan and data."""
        parts = (
            *(one.model_dump_json(exclude={"data"}) for one in (self.config, self.model)),
            json.dumps({**asdict(self.plan), "folds": self.fold}), digest(self.learnt), digest(self.unseen),
        )  # fmt: skip
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def done(self, tell: Progress) -> dict[str, Any]:
        """Train what is to be trained and return what was found."""
        name, labels = "-".join(self.fold), len(self.dataset.labels)
        path = self.keep / f"{self.config.name}-{self.plan.seed}-{name}.hilmodel"
        package = self._generator(path, lambda share: tell(0.3 * share, ""))
        tell(0.3, f"{name}: generator, loss {package.contract.lineage['loss']:.3f}")
        generator = Generator(package)
        made = generated_series(generator, self.dataset, self.samples, self.plan.seed + 1, piece=_PIECE)
        anew = generated_series(generator, self.dataset, self.samples // _ANEW, self.plan.seed + 2, piece=_PIECE)
        share = GeneratedShare(model=str(path.resolve()), share=self.plan.share)
        arms: dict[str, Any] = {}
        for at, (arm, data, mixed) in enumerate((
            ("real", self.dataset, None),
            ("synthetic", replace(self.dataset, series=(*made, *self.unseen)), None),
            ("mixed", self.dataset, share),
        )):  # fmt: skip
            config = self.model.model_copy(update={"name": f"{self.model.name}-{arm}", "generated": mixed})
            (tried,) = cross_validate(config, data, [self.plan.seed], [self.fold], keep=self.keep)
            sums = sums_of(tried.decisions, self.fold, labels)
            arms[arm] = {part: getattr(sums, part).tolist() for part in ("confusion", "brier", "bins")}
            tell(0.3 + 0.18 * (at + 1), f"{name}: {arm}, macro-F1 {tried.decisions.score(labels).macro_f1:.3f}")
        told = self._told_apart(made, anew)
        tell(0.95, f"{name}: told from real in {told['accuracy']:.3f} of windows")
        scale = np.array([item.std for item in package.contract.inputs])
        curves = {
            who: curves_of(some, labels, self.dataset.rate_hz)
            for who, some in (("learnt", self.learnt), ("unseen", self.unseen), ("generated", anew))
        }
        return {
            "held_out": list(self.fold), "generator_sha256": package.sha256, "loss": package.contract.lineage["loss"],
            "parameters": package.contract.shape.parameters, "arms": arms, "told": told, "curves": curves,
            "neighbours": neighbours(self.learnt, self.unseen, anew, self.config.window, scale, self.plan.seed),
        }  # fmt: skip

    def _generator(self, path: Path, share: Callable[[float], None]) -> GeneratorPackage:
        if path.exists():
            package = read_generator(path)
            wanted = self.config.model_dump(mode="json", by_alias=True, exclude={"data"}), digest(self.learnt)
            if (package.contract.lineage.get("config"), package.contract.training_data_sha256) != wanted:
                raise UsageError("it is a generator of another training", str(path), "name an empty folder with --keep")
            return package
        return train_and_write(self.config, self.dataset, self.fold, path, lambda at: share(at.step / at.steps))

    def _told_apart(self, made: Sequence[Series], anew: Sequence[Series]) -> dict[str, Any]:
        """Teach a network real from generated, and ask it about unseen people and about what was made anew."""

        def called(some: Sequence[Series], kind: int, person: str = "") -> list[Series]:
            return [
                replace(item, labels=np.full(len(item.labels), kind), person=person or item.person) for item in some
            ]

        series = [*called(self.learnt, 0), *called(self.unseen, 0), *called(made, 1), *called(anew, 1, _FRESH)]
        data = replace(self.dataset, series=tuple(series), labels=_KINDS)
        config = self.model.model_copy(update={
            "name": f"{self.model.name}-judge", "augment": AugmentConfig(), "generated": None,
            "early_stopping": EarlyStopping(),
            "training": self.model.training.model_copy(update={"epochs": self.plan.judge_epochs}),
        })  # fmt: skip
        (tried,) = cross_validate(config, data, [self.plan.seed], [(*self.fold, _FRESH)], keep=self.keep)
        who = np.array(tried.decisions.people)
        right = tried.decisions.truth == tried.decisions.predicted
        real = {person: float(right[who == person].mean()) for person in self.fold}
        fresh = float(right[who == _FRESH].mean())
        return {"accuracy": (float(np.mean(list(real.values()))) + fresh) / 2, "real": real, "generated": fresh}
