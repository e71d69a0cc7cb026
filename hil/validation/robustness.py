"""How accuracy falls as the sensor gets worse: the bench's own seeded faults on the readings of unseen people.

Rule of this room: strengths are in standard deviations of each channel in training, so that g and rad/s are hit alike.
A gap breaks a window, as at the bench; what could not be decided is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Gap, Item
from firmware_bridge.faults import Fault, Schedule
from firmware_bridge.faults.draws import chosen
from firmware_bridge.faults.readings import Readings
from hil.models.contract import Contract
from hil.models.datasets import Dataset
from hil.models.evaluate import Decisions, judge
from hil.validation.trials import Trial

__all__ = ["FAULTS", "robustness"]

FAULTS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "sensor.bias": ("offset", "sd", (0.1, 0.5, 1.0)),
    "sensor.drift": ("per_s", "sd/min", (0.5, 2.0, 6.0)),
    "sensor.noise": ("sigma", "sd", (0.1, 0.5, 1.0)),
    "sensor.spike": ("height", "sd", (1.0, 5.0, 20.0)),
    "sensor.saturate": ("limit", "sd", (2.0, 1.0, 0.5)),
    "sensor.stuck": ("hold_s", "s every 5 s", (0.1, 0.5, 2.0)),
    "sensor.dead": ("share", "of the channels", (0.1, 0.3, 0.5)),
    "frame.drop": ("rate", "of the samples", (0.0005, 0.002, 0.01)),
}
"""Kind, its main parameter, the unit of the strengths here, and the strengths, weak to strong."""

_SCALED = ("sensor.bias", "sensor.drift", "sensor.noise", "sensor.spike", "sensor.saturate")


def robustness(
    trials: Sequence[Trial], dataset: Dataset, *, kinds: Sequence[str] = tuple(FAULTS),
    strengths: Sequence[int] = (0, 1, 2), seed: int = 0, progress: Callable[[float], None] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return macro-F1, accuracy and coverage under each fault at each strength, on the groups of each fold.

    Args:
        trials: Of one seed, with their packages.
        dataset: Grouped as the folds are.
        kinds: Names in `FAULTS`.
        strengths: Which of the three.
        seed: Of the faults.
        progress: Told the share that is done.
    """
    rows = []
    due = [(kind, place) for kind in kinds for place in strengths]
    for done, (kind, place) in enumerate(due, 1):
        strength = FAULTS[kind][2][place]
        parts = []
        for trial in trials:
            assert trial.package is not None
            damage = _damage(kind, strength, trial.package.contract, seed)
            parts.append(judge(trial.package, dataset.of(trial.held_out), damage=damage))
        score = Decisions.joined(parts).score(len(dataset.labels))
        rows.append({"kind": kind, "strength": strength, "unit": FAULTS[kind][1], "seed": seed,
                     "macro_f1": score.macro_f1, "accuracy": score.accuracy, "coverage": score.coverage})  # fmt: skip
        if progress is not None:
            progress(done / len(due))
    return rows


def _damage(kind: str, strength: float, contract: Contract, seed: int) -> Callable[[Batch], Iterable[Item]]:
    """Return what becomes of a batch of readings in the contract's units."""
    if kind == "frame.drop":
        return lambda batch: _dropped(batch, strength, seed)
    main = FAULTS[kind][0]
    faults = []
    for one in contract.inputs if kind in _SCALED else (None,):
        amount = strength * (one.std if one is not None else 1.0) / (60.0 if kind == "sensor.drift" else 1.0)
        params: dict[str, Any] = {main: amount} | ({"every_s": 5.0} if kind == "sensor.stuck" else {})
        faults.append(Fault.of(kind, "" if one is None else f"*/*/{one.channel}", **params))
    schedule = Schedule(seed, tuple(faults))

    def damage(batch: Batch) -> Iterable[Item]:
        keys = np.arange(batch.first, batch.end, dtype=np.int64)
        readings = Readings(schedule, batch.board, batch.stream.name)
        raw = readings.apply(batch.stream, keys, keys / (batch.stream.rate_hz or 1.0), batch.raw)
        yield Batch(batch.board, batch.stream, batch.boot, batch.first, batch.ticks, batch.t_ns, raw)

    return damage


def _dropped(batch: Batch, rate: float, seed: int) -> Iterable[Item]:
    """Yield what is left of a batch when samples are lost one by one, with the gaps between."""
    numbers = np.arange(batch.first, batch.end, dtype=np.int64)
    lost = chosen("uniform", seed, f"frame.drop/{batch.board}/{batch.stream.name}", numbers)[:, 0] < rate
    edges = np.concatenate(([0], np.flatnonzero(np.diff(lost)) + 1, [len(lost)]))
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if lost[low]:
            t_ns = int(batch.t_ns[low])
            yield Gap(batch.board, t_ns, batch.stream.name, batch.boot, batch.first + low, high - low, "lost")
        else:
            yield batch.part(low, high)
