"""Judging a model on people it has never seen, in the streaming form it runs in.

Rule: every figure comes from the executor that live boards use: causal, one decision a hop, warm-up and coverage as at
the bench. Each series is a board of its own. In cross-validation every person is held out once, and nothing (epochs,
threshold, temperature) is chosen on a held-out person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Item
from firmware_bridge.streams import Stream
from hil.models.contract import Card, Contract, Metric
from hil.models.datasets import PIECE, Dataset, Series, digest, ordered, window_truth
from hil.models.model import Model
from hil.models.nets.choice import OwnChoice
from hil.models.package import Package, pack, read_package, unpack, write_package
from hil.models.score import MISSED, Score, score
from hil.models.training_config import TrainConfig

__all__ = ["Decisions", "Fold", "cross_validate", "folds_of", "judge", "series_stream", "with_card"]


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Decisions about known people, aligned: `(N,)` each.

    Attributes:
        truth: Label indices, `NONE` where there is none.
        predicted: Label indices, `MISSED` where no decision was made.
        confidence: Probability of the predicted label.
        people: Who each is about.
        warming: Decisions that nobody could have made.
        scores: `(N, classes)` probabilities, NaN where no decision was made.
    """

    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    people: tuple[str, ...]
    warming: int
    scores: npt.NDArray[np.float64]

    def score(self, classes: int) -> Score:
        """Figures over all of them."""
        return score(self.truth, self.predicted, self.confidence, self.people, classes)

    @staticmethod
    def joined(parts: Sequence[Decisions]) -> Decisions:
        """All decisions of several sets."""
        return Decisions(
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.predicted for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            tuple(person for part in parts for person in part.people),
            sum(part.warming for part in parts),
            np.concatenate([part.scores for part in parts]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One training of a cross-validation: who was held out, the seed, and what came of it."""

    seed: int
    held_out: tuple[str, ...]
    package: Package
    decisions: Decisions


def series_stream(contract: Contract) -> Stream:
    """Return the stream that readings in a model's own channels and units come in."""
    names = tuple(item.channel for item in contract.inputs)
    return Stream(
        contract.stream or "series", names, tuple(item.unit for item in contract.inputs), "<f4",
        contract.frame or (len(names),), contract.rate_hz,
    )  # fmt: skip


def judge(
    package: Package, series: Sequence[Series], *, backend: str | None = None, slots: int = 8,
    damage: Callable[[Batch], Iterable[Item]] | None = None,
) -> Decisions:  # fmt: skip
    """Run a model over series in streaming form.

    Args:
        package: The model.
        series: Readings in its channels and units, each from sample 0.
        backend: See `hil.models.model.BACKENDS`.
        slots: Boards in one call.
        damage: What becomes of each series before the model reads it; None: nothing.
    """
    contract = package.contract
    stream = series_stream(contract)
    runner = Model(unconditioned(package)).runner(slots=slots, backend=backend)
    whole = (batch for i, item in enumerate(series) for batch in _batches(str(i), stream, item))
    made = runner.push(whole if damage is None else (item for batch in whole for item in damage(batch)))
    place = {label: index for index, label in enumerate(contract.labels)}
    said = {(prediction.board, prediction.sample + 1): prediction for prediction in made}
    truth, predicted, confidence, people = [], [], [], []
    unknown = (np.nan,) * len(contract.labels)
    scores = []
    warming = 0
    for index, item in enumerate(series):
        first = -(-contract.reach // contract.hop) * contract.hop
        ends = np.arange(first, len(item.values) + 1, contract.hop, dtype=np.int64)
        warming += len(item.values) // contract.hop - len(ends)
        truth.append(window_truth(item.labels, ends, contract.window, len(contract.labels)))
        for end in ends.tolist():
            found = said.get((str(index), end))
            predicted.append(MISSED if found is None else place[found.label])
            confidence.append(0.0 if found is None else found.confidence)
            scores.append(unknown if found is None else found.scores)
            people.append(item.person)
    return Decisions(
        np.concatenate(truth) if truth else np.zeros(0, np.int64),
        np.array(predicted, np.int64), np.array(confidence, np.float64), tuple(people), warming,
        np.array(scores, np.float64).reshape(len(people), len(contract.labels)),
    )  # fmt: skip


def folds_of(groups: Iterable[str], count: int | None = None) -> list[tuple[str, ...]]:
    """Neighbours in order of their names: a rule that no result can influence.

    Args:
        groups: People, days or devices, in any order.
        count: Folds, at most as many as groups, the first ones larger by one where it does not go evenly; None: pairs.
    """
    names = ordered(set(groups))
    count = max(1, -(-len(names) // 2)) if count is None else count
    size, more = divmod(len(names), count)
    edges = [at * size + min(at, more) for at in range(count + 1)]
    return [tuple(names[low:high]) for low, high in pairwise(edges)]


def cross_validate(
    config: TrainConfig,
    dataset: Dataset,
    seeds: Sequence[int],
    folds: Sequence[Sequence[str]] | None = None,
    progress: Callable[[str], None] | None = None,
    *,
    folder: Path = Path(),
    keep: Path | None = None,
) -> Iterator[Fold]:
    """Train once for every seed and fold; give each as it is done.

    Args:
        config: What to train and how; its seed and held-out people are replaced.
        dataset: Labelled readings.
        seeds: Seeds, in order.
        folds: Who is held out together; None: `folds_of` pairs.
        progress: Called with a line for people after every training.
        folder: Where the configuration lies, for a network of the user's own.
        keep: Folder of the models and checkpoints; what is there already is not trained again.

    Raises:
        UsageError: A model or checkpoint in `keep` is of another training.
    """
    chosen = folds_of(dataset.people) if folds is None else [tuple(fold) for fold in folds]
    for seed in seeds:
        for fold in chosen:
            seeded = config.model_copy(update={"seed": seed})
            package = kept_or_trained(seeded, dataset, fold, folder=folder, keep=keep)
            decisions = judge(package, dataset.of(fold))
            if progress is not None:
                found = decisions.score(len(dataset.labels))
                progress(f"seed {seed}, held out {', '.join(fold)}: macro-F1 {found.macro_f1:.3f}, ECE {found.ece:.3f}")
            yield Fold(seed, tuple(fold), package, decisions)


def kept_or_trained(
    config: TrainConfig, dataset: Dataset, fold: Sequence[str], *, folder: Path = Path(), keep: Path | None = None
) -> Package:
    """Return a model trained without some people: the one that an earlier run left, or a new one that is left there.

    Args:
        config: What to train and how.
        dataset: Labelled readings.
        fold: Who is held out.
        folder: Where the configuration lies, for a network of the user's own.
        keep: Folder of models and checkpoints; None: nothing is left.

    Raises:
        UsageError: The model or checkpoint in `keep` is of another training.
    """
    from hil.models.checkpoint import clear_checkpoints
    from hil.models.train import trained

    place = None if keep is None else keep / f"{config.name}-{config.seed}-{'-'.join(fold)}.hilmodel"
    if place is not None and place.exists():
        return _kept(place, config, fold, dataset, folder)
    package = trained(config, dataset, fold, folder=folder, keep=place).package
    if place is not None:
        write_package(place, package.contract, package.program or dict(package.weights))
        clear_checkpoints(place)
    return package


def unconditioned(package: Package) -> Package:
    """The same model for readings that are conditioned already, as those of a dataset are."""
    if package.contract.conditioning is None:
        return package
    return replace(package, contract=package.contract.model_copy(update={"conditioning": None}))


def _kept(place: Path, config: TrainConfig, fold: Sequence[str], dataset: Dataset, folder: Path) -> Package:
    """A model of an earlier run of the same cross-validation."""
    package = read_package(place)
    lineage = package.contract.lineage
    learnt = digest([one for one in dataset.series if one.person not in fold])
    same = _means(lineage.get("config"), config) and lineage.get("held_out") == list(fold)
    if same and isinstance(config.architecture, OwnChoice):
        from hil.models.nets.own import own_digest

        same = lineage.get("code_sha256") == own_digest(config.architecture, folder)
    if not same or package.contract.training_data_sha256 != learnt:
        raise UsageError("it is the model of another training", str(place), "name an empty folder with --keep")
    return package


def _means(told: Any, config: TrainConfig) -> bool:
    """Whether a lineage tells of this configuration; a key that is younger than the lineage has its default there."""
    try:
        return TrainConfig.model_validate({**told, "data": config.data}) == config
    except (TypeError, ValueError):
        return False


def with_card(package: Package, card: Card) -> Package:
    """The same model with another card."""
    contract = package.contract.model_copy(update={"card": card})
    content: Any = dict(package.weights) if package.program is None else package.program
    return unpack(pack(contract, content), contract.name)


def held_out_card(package: Package, dataset: Dataset) -> Card:
    """A card with the figures on the people whom the contract holds out; the card as it is if there are none."""
    card = package.contract.card
    people = [str(person) for person in package.contract.lineage.get("held_out", [])]
    if not dataset.of(people):
        return card
    found = judge(package, dataset.of(people)).score(len(dataset.labels))
    how = f"held-out people {', '.join(people)}, streaming form, one decision a hop, {found.decisions} decisions"
    figures = (
        Metric(name="macro_f1", value=found.macro_f1, how=how),
        Metric(name="accuracy", value=found.accuracy, how=how),
        Metric(name="ece", value=found.ece, how=f"{how}, pooled, 15 bins"),
    )
    worst = f"{found.worst_person} (macro-F1 {found.people[found.worst_person]:.3f}) of those held out"
    return card.model_copy(update={"metrics": (*card.metrics, *figures), "worst_person": worst})


def _batches(board: str, stream: Stream, item: Series) -> Iterator[Batch]:
    for low in range(0, len(item.values), PIECE):
        values = item.values[low : low + PIECE]
        numbers = np.arange(low, low + len(values), dtype=np.int64)
        times = (numbers / (stream.rate_hz or 1.0) * 1e9).astype(np.int64)
        yield Batch(board, stream, 0, low, numbers, times, values.reshape(-1, *stream.shape))
