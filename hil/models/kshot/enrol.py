"""A new class from a few examples: one more row, and the old ones as they were.

Rule of this room: arrays in, a model out; no file, no clock, no chance, so that the verb and the live screen do the
same. The new model says whose child it is and what it was shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from firmware_bridge.errors import UsageError
from hil.models.contract import Architecture, Contract
from hil.models.kshot import SHIPPED
from hil.models.kshot.examples import Example
from hil.models.kshot.metric import Float, prototype, unit
from hil.models.kshot.openset import UNKNOWN
from hil.models.kshot.statistics import windows_in
from hil.models.matching import RATE_TOLERANCE
from hil.models.model import build_network
from hil.models.nets.shots import Shots
from hil.models.package import Package, pack, unpack
from hil.models.step import one_thread

__all__ = ["Enrolled", "can_enrol", "check_can_enrol", "enrol"]


@dataclass(frozen=True, slots=True, eq=False)
class Enrolled:
    """A model that has learnt a class.

    Attributes:
        package: The new model.
        examples: How many it was shown.
        windows: Windows in them.
        nearest: The old class that the new one resembles most.
        likeness: How much (cosine; the threshold of `unknown` is on the same scale).
        threshold: Likeness below which a window is unknown.
        recognised: Share of the examples that are recognised after learning from the others; None of one example.
    """

    package: Package
    examples: int
    windows: int
    nearest: str
    likeness: float
    threshold: float
    recognised: float | None


def can_enrol(contract: Contract) -> bool:
    """Return whether a model learns classes from examples."""
    named = contract.architecture is not None and contract.architecture.name == Shots.name
    return named and UNKNOWN in contract.labels


def check_can_enrol(contract: Contract, label: str) -> None:
    """Refuse a model that cannot learn a class, before anything is read.

    Raises:
        UsageError: It is of another architecture, or has the class.
    """
    if not can_enrol(contract):
        name = contract.architecture.name if contract.architecture is not None else "onnx"
        kind = f"{name} without {UNKNOWN!r}" if name == Shots.name else name
        raise UsageError(
            f"a model of architecture {kind} cannot learn a class from examples", f"model {contract.name}",
            f'enrol onto {SHIPPED}, which came along, or train one with `[architecture] name = "shots"`',
        )  # fmt: skip
    if label in contract.labels or not label or len(label) > 100:
        what = f"it has a class {label!r} already" if label in contract.labels else f"{label[:20]!r} is no class name"
        raise UsageError(
            what, f"model {contract.name}",
            "choose another name, or enrol all examples at once onto the model before it",
        )  # fmt: skip


def enrol(package: Package, label: str, examples: Sequence[Example]) -> Enrolled:
    """Return a model that knows one class more.

    Args:
        package: The model that learns; it stays as it is.
        label: Name of the class.
        examples: Readings of it in the model's channels, units and rate, each at least one window long. Each counts the
            same, however long.

    Raises:
        UsageError: The model is of another architecture, has the class, or an example does not fit.
    """
    contract = package.contract
    check_can_enrol(contract, label)
    if not examples:
        raise UsageError("there is no example", f"class {label}", "give at least one")
    net = cast(Shots, build_network(package))
    seen = [_embedded(net, contract, example, at) for at, example in enumerate(examples, 1)]
    points = np.stack([prototype(one) for one in seen])
    place = contract.labels.index(UNKNOWN)
    weight, bias = (package.weights[f"head.{name}"].astype(np.float64) for name in ("weight", "bias"))
    old = np.delete(weight, place, axis=0)
    sharpness = max(float(np.linalg.norm(old, axis=1).mean()), 1e-9)
    threshold = float(bias[place]) / sharpness
    point = prototype(points)
    near = unit(old) @ point
    names = [name for name in contract.labels if name != UNKNOWN]
    weights = dict(package.weights)
    row = (sharpness * point).astype(np.float32)
    weights["head.weight"] = np.insert(package.weights["head.weight"], place, row, axis=0)
    weights["head.bias"] = np.insert(package.weights["head.bias"], place, np.float32(0.0))
    made = _contract(package, label, place, examples)
    return Enrolled(
        package=unpack(pack(made, weights), made.name),
        examples=len(examples),
        windows=sum(len(one) for one in seen),
        nearest=names[int(near.argmax())],
        likeness=float(near.max()),
        threshold=threshold,
        recognised=_recognised(points, unit(old), threshold),
    )


def _embedded(net: Shots, contract: Contract, example: Example, at: int) -> Float:
    """Return the points of an example's windows, `(N, D)`."""
    where, width = f"example {at}", len(contract.inputs)
    if abs(example.rate_hz / contract.rate_hz - 1.0) > RATE_TOLERANCE:
        raise UsageError(
            f"it has {example.rate_hz:g} Hz and model {contract.name} reads {contract.rate_hz:g} Hz", where,
            "resample it as the contract's conditioning does, or set the board's rate",
        )  # fmt: skip
    if example.values.ndim != 2 or example.values.shape[1] != width or len(example.values) < contract.window:
        raise UsageError(
            f"it has shape {list(example.values.shape)} and model {contract.name} reads at least "
            f"[{contract.window}, {width}] ({', '.join(item.channel for item in contract.inputs)})",
            where, "give one column for each channel, and a whole window of samples",
        )  # fmt: skip
    if not np.isfinite(example.values).all():
        raise UsageError("readings of it are no numbers", where, "choose another stretch")
    mean, std = (np.array([getattr(item, key) for item in contract.inputs], np.float32) for key in ("mean", "std"))
    windows = (windows_in(example.values.astype(np.float32), contract.window, contract.hop) - mean) / std
    with one_thread(), torch.inference_mode():
        found: npt.NDArray[np.float32] = net.embed(torch.from_numpy(np.ascontiguousarray(windows))).numpy()
    return found.astype(np.float64)


def _recognised(points: Float, old: Float, threshold: float) -> float | None:
    """Return the share of examples that those of the others would recognise."""
    if len(points) < 2:
        return None
    right = 0
    for at, point in enumerate(points):
        others = prototype(np.delete(points, at, axis=0))
        right += bool(point @ others >= max(threshold, float((old @ point).max())))
    return right / len(points)


def _contract(package: Package, label: str, place: int, examples: Sequence[Example]) -> Contract:
    old = package.contract
    assert old.architecture is not None
    labels = (*old.labels[:place], label, *old.labels[place:])
    shape = {**old.architecture.config.model_dump(), "classes": len(labels)}
    shown = [
        {**one.facts, "samples": len(one.values), "readings_sha256": hashlib.sha256(one.values.tobytes()).hexdigest()}
        for one in examples
    ]
    taught = [*old.lineage.get("enrolled", ()), {"label": label, "parent": package.sha256, "examples": shown}]
    met = [*old.lineage.get("trained_on", ())]
    met += [name for one in shown if (name := one.get("person")) and name not in met]
    lineage: dict[str, Any] = {**old.lineage, "parents": [package.sha256], "enrolled": taught}
    if "trained_on" in old.lineage:
        lineage["trained_on"] = list(dict.fromkeys(met))
        lineage["held_out"] = [name for name in old.lineage.get("held_out", ()) if name not in met]
    lineage.pop("tuned", None)  # a fast path was made of the old rows
    figures = tuple(
        one.model_copy(update={"how": f"before {label!r} was enrolled: {one.how}"}) for one in old.card.metrics
    )
    plain = old.model_dump() | {
        "labels": labels, "lineage": lineage, "backend": "eager",
        "architecture": Architecture.model_validate({"name": old.architecture.name, "config": shape}),
        "card": old.card.model_copy(update={"metrics": figures}),
    }  # fmt: skip
    return Contract.model_validate(plain)
