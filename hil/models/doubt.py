"""What several minds of a model say of the same windows: draws with part of its features dropped, or several models.

Rule of this room: the network as it decides live, with nothing but its last features dropped (Monte Carlo dropout), so
that the readings pass through it once for all draws. Equal seeds drop alike. Post-processing has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.contract import Contract
from hil.models.model import Model, build_network
from hil.models.whole import probabilities

__all__ = ["DROPPED", "dropped_share", "minds"]

Float = npt.NDArray[np.float64]

DROPPED = 0.2
"""Share of the features that a draw drops, where the model does not say with how much it was trained."""
_AT_ONCE = 64


def minds(models: Sequence[Model], windows: npt.NDArray[np.floating], draws: int, seed: int) -> Float:
    """Return probabilities `(M, N, classes)`: of each model one, or of one model `draws` draws.

    Args:
        models: One, or several that tell the same labels apart.
        windows: `(N, memory_samples, width)` in the contract's channels and units; readings are finite.
        draws: Of one model.
        seed: Of what is dropped.

    Raises:
        UsageError: Several models differ in what they tell apart or read, or one is a program that cannot drop.
    """
    first = models[0].contract
    for other in models[1:]:
        if _seen(other.contract) != _seen(first):
            raise UsageError(
                f"it tells other labels apart, or reads other readings, than model {first.name}",
                f"model {other.contract.name}", "give models of one training configuration and several seeds",
            )  # fmt: skip
    if len(models) > 1:
        return np.stack([probabilities(one, windows) for one in models])
    if first.architecture is None:
        raise UsageError(
            "nothing can be dropped in an ONNX program, so one of it has one mind", f"model {first.name}",
            "give several models of several seeds, or leave the model out",
        )  # fmt: skip
    return _drawn(models[0], windows, draws, seed)


def dropped_share(contract: Contract) -> float:
    """Return the share of features that a draw drops: what the model was trained with, where it says so."""
    told: Any = contract.lineage.get("config")
    for key in ("training", "dropout"):
        told = told.get(key) if isinstance(told, dict) else None
    return float(told) if isinstance(told, int | float) and 0 < told < 1 else DROPPED


def _seen(contract: Contract) -> tuple[Any, ...]:
    inputs = tuple((item.channel, item.unit) for item in contract.inputs)
    return contract.labels, inputs, contract.frame, contract.rate_hz, contract.memory_samples, contract.conditioning


def _drawn(model: Model, windows: npt.NDArray[np.floating], draws: int, seed: int) -> Float:
    import torch
    from torch.nn import functional

    contract = model.contract
    net = build_network(model.package)
    share = dropped_share(contract)
    chance = torch.Generator().manual_seed(seed)

    def many(_module: Any, _given: Any, features: torch.Tensor) -> torch.Tensor:
        """Let the rest of the network see every window `draws` times, each with other features dropped."""
        kept = torch.rand((draws, *features.shape), generator=chance) >= share
        return (features * kept / (1 - share)).flatten(0, 1)

    mean, std = (np.array([getattr(item, key) for item in contract.inputs], np.float32) for key in ("mean", "std"))
    found = np.zeros((draws, len(windows), len(contract.labels)))
    hook = net.dropout.register_forward_hook(many)
    try:
        with torch.no_grad():
            for start in range(0, len(windows), _AT_ONCE):
                part = (np.asarray(windows[start : start + _AT_ONCE], np.float32) - mean) / std
                logits = net(torch.from_numpy(part)).view(draws, len(part), -1)
                found[:, start : start + len(part)] = functional.softmax(logits.double(), dim=-1).numpy()
    finally:
        hook.remove()
    return found
