"""Where a training stands, on disk: what is needed to go on to the same result, bit for bit, after a kill.

Rule: tensors as safetensors, everything else as JSON in its header; no pickle. A checkpoint is written whole or not at
all, and knows which training it belongs to: another configuration, other data or another torch refuse it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from firmware_bridge.errors import FileError, UsageError

__all__ = [
    "Checkpoint", "checkpoint_of", "clear_checkpoints", "module_tensors", "optimizer_tensors", "restore_module",
    "restore_optimizer",
]  # fmt: skip


_STAGES = ("search", "fit")


class Checkpoint:
    """The checkpoint of one fit.

    Args:
        path: Its file.
        identity: What the training is: a digest.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path, self.identity = path, identity

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Write it anew.

        Raises:
            FileError: It cannot be written.
        """
        from safetensors.torch import save

        plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        part = self.path.with_name(self.path.name + ".part")
        try:
            part.write_bytes(save(plain, {"identity": self.identity, "facts": json.dumps(facts)}))
            os.replace(part, self.path)
        except OSError as error:
            raise FileError(
                f"the checkpoint cannot be written ({error.strerror})", str(self.path), "choose another folder with -o"
            ) from None

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return tensors and facts; None where there is no checkpoint.

        Raises:
            FileError: It is damaged.
            UsageError: It belongs to another training.
        """
        from safetensors import SafetensorError, safe_open

        if not self.path.exists():
            return None
        try:
            with safe_open(str(self.path), "pt") as file:
                told = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
                facts: dict[str, Any] = json.loads(told["facts"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise FileError(f"the checkpoint is damaged ({error})", str(self.path), "delete it") from None
        if told.get("identity") != self.identity:
            raise UsageError(
                "it is the checkpoint of another training: configuration, data, torch or device differ",
                str(self.path), "delete it, or choose another name with -o",
            )  # fmt: skip
        return tensors, facts


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimizer remembers of every weight, by name."""
    state = optimizer.state_dict()["state"]
    return {f"optimizer.{at}.{key}": value for at, kept in state.items() for key, value in kept.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], groups: Any) -> None:
    """Give an optimizer its memory and its rates back."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        head, _, rest = name.partition(".")
        if head == "optimizer":
            at, _, key = rest.partition(".")
            state.setdefault(int(at), {})[key] = value
    for group in groups:
        group["betas"] = tuple(group["betas"])
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def checkpoint_of(keep: Path, stage: str) -> Path:
    """Return where the checkpoint of a stage lies: beside the model file that comes of it."""
    return keep.with_name(f"{keep.name}.{stage}.ckpt")


def clear_checkpoints(keep: Path) -> None:
    """Delete the checkpoints of a training whose model is written."""
    for stage in _STAGES:
        checkpoint_of(keep, stage).unlink(missing_ok=True)


def module_tensors(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    """The weights of a network under a prefix."""
    return {f"{prefix}.{name}": value for name, value in module.state_dict().items()}


def restore_module(module: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    """Give a network the weights under a prefix."""
    start = f"{prefix}."
    module.load_state_dict({name.removeprefix(start): v for name, v in tensors.items() if name.startswith(start)})
