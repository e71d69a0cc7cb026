"""`hil model tune`: the fastest way to run a model here, chosen once by measurement and written into a new model file.

Rule: a choice is made by this verb and never at start, because another backend has other last bits. A way that does not
agree with the model within its own tolerance is not eligible, however fast it is. Ways take turns, so that a busy
neighbour slows all of them.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np

from firmware_bridge.errors import UsageError
from hil.models.model import BACKENDS, Model, build_network
from hil.models.nets.shapes import TcnConfig
from hil.models.package import pack, unpack
from hil.models.scanning import Step

__all__ = ["Tuned", "Way", "tune"]

_SEED = 11
_COMPARED = 200
"""Hops over which ways are compared."""


@dataclass(frozen=True, slots=True)
class Way:
    """A backend and how it did: times of a call for all slots in microseconds.

    Attributes:
        backend: Its name.
        version: Of its library.
        p50_us: Median.
        p99_us: 99th percentile.
        p999_us: 99.9th percentile.
        difference: Largest difference of a probability from the eager form.
        refused: Why it cannot be chosen; empty where it can.
    """

    backend: str
    version: str
    p50_us: float
    p99_us: float
    p999_us: float
    difference: float
    refused: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """The model with its choice, and every way that was measured, the chosen one first."""

    model: Model
    ways: tuple[Way, ...]


def tune(model: Model, *, slots: int = 8, calls: int = 2000, clock: Callable[[], int] = perf_counter_ns) -> Tuned:
    """Measure every way to run a model and choose the fastest that agrees.

    Args:
        model: A network of ours.
        slots: Boards in one call.
        calls: How often each way is timed.
        clock: Nanoseconds.

    Raises:
        UsageError: It is a program of another's, for which there is one way only.
        MissingPart: What exports or runs a program is not installed.
    """
    architecture, hop = model.contract.architecture, model.contract.hop
    if architecture is None:
        raise UsageError(
            "a network that we do not know runs on onnxruntime only",
            f"model {model.contract.name}",
            "leave it as it is",
        )
    network = build_network(model.package)
    if isinstance(architecture.config, TcnConfig):
        from hil.models.step_onnx import step_program

        program = step_program(architecture.config, model.package.weights, hop)
    else:
        from hil.models.step_export import exported_step

        program = exported_step(network, hop)
    with_step = _model(model, model.contract.model_dump(), program)
    steps = {backend: with_step.step(slots, backend) for backend in BACKENDS}
    differences = _differences(with_step, steps)
    times = _times(steps, calls, clock)
    ways = [
        _way(steps[backend], times[backend], differences[backend], model.contract.tolerance) for backend in BACKENDS
    ]
    ways.sort(key=lambda way: (bool(way.refused), way.p50_us))
    measured = {
        "slots": slots, "hop": hop, "calls": calls, "machine": platform.machine(),
        "ways": [asdict(way) for way in ways],
    }  # fmt: skip
    plain = model.contract.model_dump()
    plain |= {"backend": ways[0].backend, "lineage": {**plain["lineage"], "tuned": measured}}
    return Tuned(_model(model, plain, program), tuple(ways))


def _model(model: Model, plain: dict[str, Any], program: bytes) -> Model:
    contract = type(model.contract).model_validate(plain)
    return Model(unpack(pack(contract, dict(model.package.weights), program), contract.name))


def _inputs(step: Step, count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(_SEED).standard_normal((count, *step.input.shape)).astype(np.float32)


def _differences(model: Model, steps: dict[str, Step]) -> dict[str, float]:
    """Largest difference of a probability from the eager form, over hops of noise from a cleared state."""
    slots = range(next(iter(steps.values())).input.shape[0])
    hop, said = model.contract.hop, dict[str, list[np.ndarray[Any, Any]]]()
    for backend, step in steps.items():
        for at, readings in enumerate(_inputs(step, _COMPARED)):
            step.input[...] = readings
            logits = step.run(slots, slots if at == 0 else (), [at * hop] * len(slots)).astype(np.float64)
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            said.setdefault(backend, []).append(shares / shares.sum(axis=1, keepdims=True))
    return {backend: float(np.abs(np.array(made) - np.array(said["eager"])).max()) for backend, made in said.items()}


def _times(steps: dict[str, Step], calls: int, clock: Callable[[], int]) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {backend: [] for backend in steps}
    slots = range(next(iter(steps.values())).input.shape[0])
    inputs = _inputs(next(iter(steps.values())), 16)
    starts = [0] * len(slots)
    for at in range(calls):
        for backend, step in steps.items():
            step.input[...] = inputs[at % len(inputs)]
            before = clock()
            step.run(slots, (), starts)
            times[backend].append(clock() - before)
    return times


def _way(step: Step, times: list[int], difference: float, tolerance: float) -> Way:
    p50, p99, p999 = (float(value) / 1e3 for value in np.percentile(times, (50, 99, 99.9)))
    far = f"differs by {difference:.2g}, more than the {tolerance:g} allowed" if not difference <= tolerance else ""
    return Way(step.backend, step.version, p50, p99, p999, difference, far)
