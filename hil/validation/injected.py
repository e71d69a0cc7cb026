"""Sensor faults that are put into real readings to see what the drift watch makes of them.

Rule of this room: what the bench's own seeded faults can do they do; gain and exchanged axes, which no fault of a
schedule is, are made here. Strengths are in spreads of the channel in training.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.faults import Fault, Schedule
from firmware_bridge.faults.readings import Readings
from firmware_bridge.streams import Stream
from hil.drift.reference import Reference

__all__ = ["STRENGTHS", "Injected", "faults_of"]

Array = npt.NDArray[np.float32]

STRENGTHS: dict[str, tuple[str, tuple[float, ...]]] = {
    "bias": ("sd", (0.2, 0.5, 1.0)),
    "gain": ("x", (0.5, 0.8, 1.25, 2.0)),
    "noise": ("sd", (0.05, 0.2, 0.5)),
    "stuck": ("", (1.0,)),
    "swap": ("", (1.0,)),
}
"""Kind, unit of its strengths, and the strengths."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault.

    Attributes:
        kind: A name in `STRENGTHS`.
        strength: How strong.
        channels: Where.
        apply: What becomes of readings `(N, C)` from sample number `first` on.
    """

    kind: str
    strength: float
    channels: tuple[str, ...]
    apply: Callable[[Array, int], Array]


def faults_of(reference: Reference, rate_hz: float, seed: int, kinds: Sequence[str] = ()) -> Iterator[Injected]:
    """Yield every fault of every channel, or pair of channels of one unit, at every strength.

    Args:
        reference: What training looked like.
        rate_hz: Of the readings.
        seed: Of noise.
        kinds: Which; empty: all.
    """
    names, units = reference.channels, reference.units
    stream = Stream("watched", names, units, "<f4", (len(names),), rate_hz)
    for kind, (_, strengths) in STRENGTHS.items():
        if kinds and kind not in kinds:
            continue
        for strength in strengths:
            for at, name in enumerate(names):
                if kind in ("bias", "noise", "stuck"):
                    yield Injected(
                        kind, strength, (name,), _own(kind, strength, reference.scales[at], name, stream, seed)
                    )
                elif kind == "gain":
                    yield Injected(kind, strength, (name,), _gain(at, strength))
                else:
                    for other in range(at + 1, len(names)):
                        if units[at] == units[other]:
                            yield Injected(kind, strength, (name, names[other]), _swap(at, other))


def _own(
    kind: str, strength: float, scale: float, name: str, stream: Stream, seed: int
) -> Callable[[Array, int], Array]:
    """Return one of the bench's own faults."""
    params: dict[str, Any] = {"bias": {"offset": strength * scale}, "noise": {"sigma": strength * scale},
                              "stuck": {"hold_s": 0.0, "every_s": 0.0}}[kind]  # fmt: skip
    schedule = Schedule(seed, (Fault.of(f"sensor.{kind}", f"*/*/{name}", **params),))
    readings = Readings(schedule, "board", stream.name)

    def apply(values: Array, first: int) -> Array:
        keys = np.arange(first, first + len(values), dtype=np.int64)
        return readings.apply(stream, keys, keys / (stream.rate_hz or 1.0), values)

    return apply


def _gain(at: int, factor: float) -> Callable[[Array, int], Array]:
    def apply(values: Array, first: int) -> Array:
        del first
        found = values.copy()
        found[:, at] *= np.float32(factor)
        return found

    return apply


def _swap(one: int, other: int) -> Callable[[Array, int], Array]:
    def apply(values: Array, first: int) -> Array:
        del first
        found = values.copy()
        found[:, [one, other]] = values[:, [other, one]]
        return found

    return apply
