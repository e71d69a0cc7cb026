"""How wide a child may be: the same layers with fewer channels, for so many multiplications a hop.

Rule of this room: shapes only. A child differs from its parent in widths and in nothing else, and every width shrinks
by the same share, so that one number says how far it was shrunk.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from firmware_bridge.errors import UsageError
from hil.models.contract import Architecture, Contract
from hil.models.cost import macs_of
from hil.models.nets.shape import NetShape
from hil.models.nets.shapes import ResnetConfig
from hil.models.package import Package

__all__ = ["described", "fewer", "narrower", "widest"]

_WIDTHS = ("channels", "features", "hidden")
"""What a shape calls its widths."""


def widest(shape: NetShape) -> int:
    """Return the largest width of a network."""
    return max(int(np.max(getattr(shape, key))) for key in _WIDTHS if hasattr(shape, key))


def narrower(shape: NetShape, share: float) -> NetShape:
    """Return a shape whose widths are a share of another's, at least one channel each."""
    plain: dict[str, Any] = shape.model_dump()
    for key in _WIDTHS:
        if key in plain:
            given = plain[key]
            plain[key] = _scaled(given, share) if isinstance(given, int) else [_scaled(one, share) for one in given]
    if isinstance(shape, ResnetConfig):
        plain["channels"] = _as_skipped(shape, plain["channels"])
    return type(shape).model_validate(plain)


def fewer(contract: Contract, times: float) -> NetShape:
    """Return the widest shape that takes at most one `times`-th of a model's multiplications a hop.

    Args:
        contract: Of a network of ours.
        times: At least 1.

    Raises:
        UsageError: Even one channel a layer takes more.
    """
    assert contract.architecture is not None
    whole = contract.architecture.config
    most, low, high = _macs(contract, whole) / times, 0, widest(whole)
    while low < high:
        middle = (low + high + 1) // 2
        fits = _macs(contract, narrower(whole, middle / widest(whole))) <= most
        low, high = (middle, high) if fits else (low, middle - 1)
    if low == 0:
        raise UsageError(
            f"with one channel a layer it takes more than a {times:g}th of its multiplications",
            f"model {contract.name}", "ask for less with --times",
        )  # fmt: skip
    return narrower(whole, low / widest(whole))


def described(contract: Contract, shape: NetShape) -> Contract:
    """Return the contract of the same model with another shape of the same architecture."""
    assert contract.architecture is not None
    plain = {
        **contract.model_dump(), "memory_samples": shape.memory, "backend": "eager", "int8": None,
        "architecture": Architecture.model_validate({"name": contract.architecture.name, "config": shape}),
    }  # fmt: skip
    return Contract.model_validate(plain)


def _as_skipped(shape: ResnetConfig, widths: list[int]) -> list[int]:
    """Widths that change where the parent's do and nowhere else: there its skips are convolutions."""
    found, before = [], shape.inputs
    for at, width in enumerate(widths):
        if not shape.skips(at):
            width = before
        elif width == before:
            width = width + 1 if width < shape.channels[at] else max(1, width - 1)
        found.append(width)
        before = width
    return found


def _scaled(width: int, share: float) -> int:
    return max(1, round(width * share))


def _macs(contract: Contract, shape: NetShape) -> int:
    blank = {name: np.zeros(size, np.float32) for name, size in shape.shapes().items()}
    return macs_of(Package(described(contract, shape), blank, None, ""))
