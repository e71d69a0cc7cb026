"""How good the drift watch is: seeded sensor faults and an unseen class, on people whom no part of it has met.

Rule of this room: for each fold a network is trained, its scores are looked at on strangers, three people or more, and
it is judged on yet others: whoever is judged is in no statistic and no limit (`hil.validation.driftfolds`). A fault
begins at a seeded moment of a session; what was alarmed before is counted apart.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.drift.learn import learn
from hil.drift.looks import Layout
from hil.drift.verdict import MODEL, SENSOR
from hil.drift.watch import Watch
from hil.models.datasets import Dataset, Series
from hil.models.drifting import look_samples, referenced
from hil.models.evaluate import kept_or_trained
from hil.models.training_config import TrainConfig
from hil.validation.driftfolds import APART, Parts, rotation, told
from hil.validation.driftshown import Seen, Taught, shown
from hil.validation.drifttries import Try, rate, rows, share
from hil.validation.injected import Injected, faults_of

__all__ = ["DriftPlan", "drift_score"]

Array = npt.NDArray[np.float32]
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class DriftPlan:
    """What is asked for.

    Attributes:
        folds: How many of the folds of two are judged; None: all.
        kinds: Faults; empty: all.
        scores: Whether a network is trained for each fold and its scores are watched; else readings alone are.
        classes: Whether a class is held out, too, with one training more a fold.
        most_s: How long after its beginning a fault may be found.
        seed: Of the moments at which faults begin, and of noise.
    """

    folds: int | None = None
    kinds: tuple[str, ...] = ()
    scores: bool = True
    classes: bool = True
    most_s: float = 120.0
    seed: int = 0


def drift_score(
    config: TrainConfig, dataset: Dataset, plan: DriftPlan, progress: Progress | None = None,
    kept: Callable[[dict[str, Any]], None] | None = None, keep: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Judge the drift watch on people whom neither network nor reference has met; return plain JSON values.

    Args:
        config: What is trained for each fold, and how.
        dataset: Labelled readings.
        plan: What is asked for.
        progress: Told the share that is done, and a line.
        kept: Given after each fold what is known so far.
        keep: Folder of the networks of every fold: what is there already is not trained again.

    Raises:
        UsageError: There are too few people, or readings are too short for a look.
    """
    if dataset.frame is not None:
        raise UsageError("the readings are frames", "drift", "judge the watch on channels that are no frames")
    chosen = rotation(dataset.people, plan.scores)[: plan.folds]
    behind: list[dict[str, Any]] = []
    clean: dict[str, Any] = {}
    tries: list[Try] = []
    strange: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    for at, parts in enumerate(chosen):
        taught = _taught(config, dataset, parts, plan, keep)
        behind.append({"judged": list(parts.judged), **told(taught)})
        look_s = taught.look_s
        for person in parts.judged:
            session = list(dataset.of([person]))
            (whole,) = shown(taught, [taught.watch()], [[item.values for item in session]])
            clean[person] = _clean(whole, look_s)
            tries += _faulted(taught, person, session, plan)
        if plan.classes:
            strange += _unseen_class(config, dataset, parts, at % len(dataset.labels), plan, keep)
        found = _told(config, plan, behind, clean, tries, strange, look_s)
        if kept is not None:
            kept(found)
        if progress is not None:
            alarms = sum(clean[person]["sensor_alarms"] for person in parts.judged)
            progress((at + 1) / len(chosen), f"held out {', '.join(parts.judged)}: {alarms} false alarms of a sensor")
    return found


def _told(
    config: TrainConfig, plan: DriftPlan, behind: Sequence[dict[str, Any]], clean: dict[str, Any],
    tries: Sequence[Try], strange: Sequence[dict[str, Any]], look_s: float,
) -> dict[str, Any]:  # fmt: skip
    """Return everything that is known as plain JSON values."""
    hours = sum(one["hours"] for one in clean.values())
    return {
        "schema": 1, "kind": "drift", "name": config.name, "seed": plan.seed, "training_seed": config.seed,
        "epochs": config.training.epochs, "scores": plan.scores, "look_s": look_s, "most_s": plan.most_s,
        "folds": [one["judged"] for one in behind], "apart": APART, "parts": list(behind), "hours": hours,
        "false_alarms": {
            kind: rate(sum(one[f"{kind}_alarms"] for one in clean.values()), hours) for kind in ("sensor", "model")
        },
        "people": clean, "rows": list(rows(tries, look_s)), "unseen_class": list(strange),
        "unseen_class_called_sensor": share(sum(one["sensor"] for one in strange), len(strange)),
        "unseen_class_called_model": share(sum(one["model"] for one in strange), len(strange)),
    }  # fmt: skip


def _taught(
    config: TrainConfig, dataset: Dataset, parts: Parts, plan: DriftPlan, keep: Path | None
) -> Taught:  # fmt: skip
    """Learn without the judged; a network is trained without the strangers too, whose scores set its limits."""
    inside = replace(dataset, series=tuple(item for item in dataset.series if item.person not in parts.judged))
    if not plan.scores:
        stretches = {person: [item.values for item in inside.of([person])] for person in inside.people}
        classes = {person: [item.labels for item in inside.of([person])] for person in inside.people}
        spread = np.concatenate([item.values for item in inside.series]).std(axis=0)
        layout = Layout(dataset.channels, dataset.units, tuple(float(one) for one in spread))
        samples = look_samples(config.window, config.hop, dataset.rate_hz)
        reference = learn(layout, stretches, samples, dataset.rate_hz, classes=classes, seed=plan.seed)
        package = None
    else:
        network = kept_or_trained(config, dataset, parts.unmet, keep=keep)
        package = referenced(network, inside.series, inside.of(parts.strangers), seed=plan.seed)
        reference = package.contract.reference
    if reference is None:
        raise UsageError("nothing could be learnt of its readings", "drift", "give longer readings of more people")
    return Taught(reference, config.hop, dataset.rate_hz, package)


def _clean(looks: Sequence[Seen], look_s: float) -> dict[str, Any]:
    said = [one.verdict for one in looks]
    begun = {
        kind: [now for before, now in zip(["", *said], looks, strict=False) if now.verdict == kind != before]
        for kind in (SENSOR, MODEL)
    }
    named = [one.finding.kind for one in looks if one.verdict == SENSOR and one.finding is not None]
    return {
        "hours": len(said) * look_s / 3600.0, "sensor_alarms": len(begun[SENSOR]), "model_alarms": len(begun[MODEL]),
        "sensor_share": said.count(SENSOR) / max(len(said), 1), "model_share": said.count(MODEL) / max(len(said), 1),
        "named": sorted(set(named)), "model_named": _kinds(begun[MODEL]),
    }  # fmt: skip


def _kinds(looks: Sequence[Seen]) -> dict[str, int]:
    """Return how many of these looks have findings of each kind."""
    return dict(sorted(Counter(one.finding.kind for one in looks if one.finding is not None).items()))


def _faulted(taught: Taught, person: str, session: Sequence[Series], plan: DriftPlan) -> list[Try]:
    """Return what came of every fault in a session."""
    reference, size = taught.reference, taught.reference.samples
    chance = np.random.default_rng([plan.seed, sum(map(ord, person))])
    third = len(session) // 3
    most = int(plan.most_s * taught.rate_hz)
    marks: dict[int, tuple[Watch, int]] = {}
    done: list[Injected] = []
    tried: list[tuple[Injected, Watch, list[Array]]] = []
    for fault in faults_of(reference, taught.rate_hz, plan.seed, plan.kinds):
        piece = int(chance.integers(third, max(2 * third, third + 1)))
        if piece not in marks:
            whole = session[piece].values
            cut = int(chance.integers(0, max(len(whole) // size - 1, 1))) * size
            marks[piece] = (taught.watch(), cut)
            shown(taught, [marks[piece][0]], [[*(item.values for item in session[:piece]), whole[:cut]]])
        kept, cut = marks[piece]
        if kept.verdict == SENSOR:
            done.append(fault)
            continue
        rest, left, first = [], most, 0
        for values in (session[piece].values[cut:], *(item.values for item in session[piece + 1 :])):
            rest.append(fault.apply(values[:left], first))
            first, left = first + len(values), left - len(values)
            if left <= 0:
                break
        tried.append((fault, copy.deepcopy(kept), rest))
    courses = shown(taught, [watch for _, watch, _ in tried], [rest for _, _, rest in tried])
    found = [Try(fault, True) for fault in done]
    for (fault, _, _), looks in zip(tried, courses, strict=True):
        alarm = next((at for at, one in enumerate(looks) if one.verdict == SENSOR), None)
        other = next((at for at, one in enumerate(looks) if one.verdict == MODEL), None)
        found.append(Try(fault, False, None if alarm is None else alarm + 1,
                         None if alarm is None else looks[alarm].finding,
                         None if other is None else other + 1))  # fmt: skip
    return found


def _unseen_class(
    config: TrainConfig, dataset: Dataset, parts: Parts, label: int, plan: DriftPlan, keep: Path | None
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yield what is said of a class that nobody has shown the model: known classes first, then the strange one."""
    names = tuple(name for at, name in enumerate(dataset.labels) if at != label)
    shift = np.array([at - (at > label) for at in range(len(dataset.labels))])

    def known(item: Series) -> Series:
        return replace(item, labels=np.where(item.labels >= 0, shift[item.labels], item.labels))

    strange = [item for item in dataset.series if bool((item.labels == label).any())]
    usual = [known(item) for item in dataset.series if not bool((item.labels == label).any())]
    folder = None if keep is None else keep / f"without-{dataset.labels[label]}"
    if folder is not None:
        folder.mkdir(exist_ok=True)
    taught = _taught(config, replace(dataset, series=tuple(usual), labels=names), parts, plan, folder)
    for person in parts.judged:
        watch = taught.watch()
        (before,) = shown(taught, [watch], [[item.values for item in usual if item.person == person]])
        (looks,) = shown(taught, [watch], [[item.values for item in strange if item.person == person]])
        verdicts = [one.verdict for one in looks]
        yield {
            "person": person, "label": dataset.labels[label], "looks": len(looks), **told(taught),
            "before": before[-1].verdict if before else "", "sensor": SENSOR in verdicts, "model": MODEL in verdicts,
            "sensor_share": verdicts.count(SENSOR) / max(len(verdicts), 1),
            "model_share": verdicts.count(MODEL) / max(len(verdicts), 1),
            "model_named": _kinds([one for one in looks if one.verdict == MODEL]),
            "before_model": MODEL in [one.verdict for one in before],
        }  # fmt: skip
