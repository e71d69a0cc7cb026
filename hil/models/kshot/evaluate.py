"""How well new classes are learnt: people and classes that took no part in anything that was fitted.

Rule of this room: for every triple of classes and every fold of people a model is made anew, normalisation and all,
from the other classes of the other people; then the triple is learnt from k examples and asked about. Intervals are of
the mean over people, by drawing people anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.datasets import Dataset, Series, ordered
from hil.models.kshot.base import Base, base_of
from hil.models.kshot.forgetting import FIGURES, after_enrolment
from hil.models.kshot.metric import Float
from hil.models.kshot.protocol import PROTOCOLS, episodes_of
from hil.models.kshot.rivals import RIVALS, balanced, by_prototype
from hil.models.kshot.statistics import Statistics, raw_windows, statistics_of
from hil.models.nets.choice import Facts, ShotsChoice, shape_for
from hil.models.nets.shapes import ShotsConfig
from hil.models.training_config import TrainConfig

__all__ = ["Plan", "evaluate"]

WAYS = 3
_RESAMPLES = 5000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        shots: Examples of a class.
        triples: How many triples of classes are left out, drawn by the seed; None: all there are.
        repeats: Episodes of each triple, person, protocol and number of examples.
        folds: Of two folds of people, how many are held out in turn.
    """

    shots: tuple[int, ...] = (1, 5, 10)
    triples: int | None = None
    repeats: int = 4
    folds: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Unmet:
    """A model, and what it has not met.

    Attributes:
        base: Made of the other classes of the other people.
        old: Its classes.
        triple: Classes that it has not met.
        unseen: Windows of people it has not met, of all classes.
        embedded: Their points.
        raw: Their normalised readings.
    """

    base: Base
    old: tuple[int, ...]
    triple: tuple[int, ...]
    unseen: Statistics
    embedded: Float
    raw: npt.NDArray[np.float32]


def evaluate(
    config: TrainConfig, dataset: Dataset, plan: Plan, progress: Callable[[float, str], None] | None = None
) -> dict[str, Any]:
    """Measure few-shot accuracy, what is told of the unknown, and what becomes of the old classes.

    Args:
        config: Of a model of prototypes; its held-out people play no part, everyone is held out in turn.
        dataset: Labelled readings of at least four people and five classes.
        plan: How much.
        progress: Told the share that is done, and a line.

    Returns:
        Plain JSON values: `rows[]` by `shots` and `protocol` with `accuracy`, `low`, `high`, `worst_triple`, `episodes`
        and `rivals` (and `gain` over each with its interval); `open_set[]` by `shots` and `name`; `strangers[]` by
        `shots` and `label`: the share of the windows of that class, enrolled by nobody, called known; `skipped`
        episodes.

    Raises:
        UsageError: The architecture is another one, or there are too few people or classes.
    """
    choice = config.architecture
    if not isinstance(choice, ShotsChoice):
        raise UsageError(
            f"architecture {choice.name} learns no class from examples", config.name,
            'give a configuration with `[architecture] name = "shots"`',
        )  # fmt: skip
    people = ordered(dataset.people)
    if len(people) < 4 or len(dataset.labels) < WAYS + 2:
        raise UsageError(
            f"the data have {len(people)} people and {len(dataset.labels)} classes", config.name,
            f"give at least 4 people and {WAYS + 2} classes",
        )  # fmt: skip
    triples = list(combinations(range(len(dataset.labels)), WAYS))
    if plan.triples is not None and plan.triples < len(triples):
        drawn = np.random.default_rng([config.seed, 41]).permutation(len(triples))[: plan.triples]
        triples = [triples[at] for at in sorted(drawn.tolist())]
    seen: dict[tuple[int, str, str], list[tuple[str, tuple[int, ...], float]]] = defaultdict(list)
    opened: dict[tuple[int, str], list[tuple[str, float]]] = defaultdict(list)
    strangers: dict[tuple[int, int], list[tuple[str, float]]] = defaultdict(list)
    skipped = 0
    kept: list[bool] = []
    due = len(triples) * plan.folds
    for done, (fold, unmet) in enumerate(_models(config, choice, dataset, people, triples, plan.folds), 1):
        kept.append(bool(unmet.base.facts["episodes"]["kept"]))
        new = np.isin(unmet.unseen.labels, unmet.triple)
        strange, embedded, raw = unmet.unseen.where(new), unmet.embedded[new], unmet.raw[new]
        for shots in plan.shots:
            chance = np.random.default_rng([config.seed, 42, fold, shots, *unmet.triple])
            for episode in episodes_of(strange, unmet.triple, shots, plan.repeats, chance):
                if episode is None:
                    skipped += 1
                    continue
                answers = {"ours": by_prototype(embedded, episode)} | {
                    name: method(raw, embedded, episode) for name, method in RIVALS.items()
                }
                for name, said in answers.items():
                    seen[shots, episode.protocol, name].append((episode.person, unmet.triple, balanced(said, episode)))
            for person, stranger, figures in after_enrolment(
                unmet.base, unmet.old, unmet.triple, unmet.unseen, unmet.embedded, shots, chance
            ):
                for name, value in figures.items():
                    opened[shots, name].append((person, value))
                strangers[shots, stranger].append((person, figures["false_accept"]))
        if progress is not None:
            names = ", ".join(dataset.labels[one] for one in unmet.triple)
            told = [one for who, triple, one in seen[plan.shots[-1], "others", "ours"] if triple == unmet.triple]
            progress(done / due, f"{done} of {due}: {names}: {np.mean(told):.3f}" if told else f"{done} of {due}")
    return {
        "schema": 1, "name": config.name, "seed": config.seed, "triples": len(triples), "people": people,
        "protocol": f"{WAYS} classes of {len(triples)} triples and {len(people)} people, none of which the model has "
        f"met ({plan.folds} of 2 folds of people); 95 % intervals by drawing people anew",
        "protocols": PROTOCOLS, "rivals": list(RIVALS), "skipped": skipped, "metric_refined": float(np.mean(kept)),
        "rows": [
            _row(seen, shots, protocol, config.seed)
            for protocol in PROTOCOLS for shots in plan.shots if seen[shots, protocol, "ours"]
        ],
        "open_set": [
            {"shots": shots, "name": name, **_spread([*opened[shots, name]], config.seed)}
            for shots in plan.shots for name in FIGURES if opened[shots, name]
        ],
        "strangers": [
            {"shots": shots, "label": dataset.labels[one], **_spread(strangers[shots, one], config.seed)}
            for shots in plan.shots for one in range(len(dataset.labels)) if strangers[shots, one]
        ],
    }  # fmt: skip


def _models(
    config: TrainConfig, choice: ShotsChoice, dataset: Dataset, people: Sequence[str],
    triples: Sequence[tuple[int, ...]], folds: int,
) -> Iterator[tuple[int, _Unmet]]:  # fmt: skip
    """Make a model for every fold and triple."""
    width = dataset.series[0].values.shape[1]
    shape = shape_for(choice, Facts(width, len(dataset.labels), config.window, config.hop, dataset.frame))
    assert isinstance(shape, ShotsConfig)
    for fold in range(folds):
        away = people[fold::2]
        strangers = dataset.of(away)
        for triple in triples:
            old = tuple(one for one in range(len(dataset.labels)) if one not in triple)
            met = [item for one in dataset.series if one.person not in away for item in _of_classes(one, old)]
            readings = np.concatenate([item.values for item in met]).astype(np.float64)
            std = readings.std(axis=0)
            constants = (readings.mean(axis=0), np.where(std > 0, std, 1.0))
            known = statistics_of(met, shape, config.hop, constants)
            base = base_of(known, choice, config.seed)
            unseen = statistics_of(strangers, shape, config.hop, constants)
            raw = raw_windows(strangers, config.window, config.hop, constants)
            yield fold, _Unmet(base, old, triple, unseen, base.metric.embed(unseen.values), raw)


def _of_classes(series: Series, classes: Sequence[int]) -> Iterator[Series]:
    """Yield the stretches of a series that have one of some labels."""
    inside = np.isin(series.labels, classes).astype(np.int8)
    edges = np.flatnonzero(np.diff(inside, prepend=0, append=0))
    for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield Series(series.person, series.values[low:high], series.labels[low:high], series.source)


def _row(
    seen: dict[tuple[int, str, str], list[tuple[str, tuple[int, ...], float]]], shots: int, protocol: str, seed: int
) -> dict[str, Any]:
    ours = seen[shots, protocol, "ours"]
    by_triple: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for _, triple, value in ours:
        by_triple[triple].append(value)
    spread = _spread([(person, value) for person, _, value in ours], seed)
    gain = {
        name: _spread(
            [(one[0], one[2] - other[2]) for one, other in zip(ours, seen[shots, protocol, name], strict=True)], seed
        )
        for name in RIVALS
    }
    return {
        "shots": shots, "protocol": protocol, "accuracy": spread["value"], "low": spread["low"], "high": spread["high"],
        "worst_triple": min(float(np.mean(one)) for one in by_triple.values()), "episodes": len(ours),
        "people": spread["people"],
        "rivals": {name: float(np.mean([one[2] for one in seen[shots, protocol, name]])) for name in RIVALS},
        "gain": gain,
    }  # fmt: skip


def _spread(values: Sequence[tuple[str, float]], seed: int) -> dict[str, Any]:
    """Return the mean over people and its 95 % interval, by drawing people anew."""
    each: dict[str, list[float]] = defaultdict(list)
    for person, value in values:
        each[person].append(value)
    means = {person: float(np.mean(each[person])) for person in ordered(each)}
    array = np.array(list(means.values()))
    drawn = np.random.default_rng([seed, 43]).integers(len(array), size=(_RESAMPLES, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [0.025, 0.975])
    return {"value": float(array.mean()), "low": float(low), "high": float(high), "people": means}
