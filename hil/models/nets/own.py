"""A user's own network in training: found by name, read window by window, shipped as a program that is data.

Rule: its code runs here because its owner named it in the configuration that they gave to `hil train`. A model file
never names code: the trained network is exported, and whoever opens the file runs nothing of its author's.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import cast

import torch
from torch import Tensor, nn

from firmware_bridge.errors import UsageError
from hil.models.nets.choice import Facts, OwnChoice

__all__ = ["Windowed", "own_digest", "own_network"]


class Windowed(nn.Module):
    """A network of whole windows in the interface that training uses.

    Args:
        inner: Takes `(B, window, inputs)`, gives `(B, classes)`.
        window: Samples of a window.
    """

    def __init__(self, inner: nn.Module, window: int) -> None:
        super().__init__()
        self.inner, self.window = inner, window

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """Logits of every window: `(B, T, inputs)` -> `(B, D, classes)`."""
        windows = x.unfold(1, self.window, hop).transpose(2, 3)
        count, decisions = windows.shape[:2]
        return cast(Tensor, self.inner(windows.reshape(-1, self.window, x.shape[2]))).view(count, decisions, -1)


def own_network(choice: OwnChoice, facts: Facts, folder: Path) -> Windowed:
    """Make the network that a configuration names.

    Args:
        choice: What it says.
        facts: What data and window say.
        folder: Where the configuration lies.

    Raises:
        UsageError: There is no such module or class, it cannot be made so, or it does not take windows.
    """
    where, name = "architecture.module", choice.module.partition(":")[2]
    made = getattr(_module(choice.module.partition(":")[0], folder), name, None)
    if not (isinstance(made, type) and issubclass(made, nn.Module)):
        raise UsageError(f"{choice.module} is no torch.nn.Module", where, "name a class as module:Class")
    try:
        inner = made(inputs=facts.inputs, classes=facts.classes, window=facts.window, **choice.options)
        shape, alone = _tried(inner, facts)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")[:200]
        raise UsageError(
            f"{name} cannot be made or does not take windows of [2, {facts.window}, {facts.inputs}] "
            f"({type(error).__name__}: {reason})",
            where,
            "take inputs, classes and window as arguments, and windows [batch, window, inputs] in forward",
        ) from error
    if shape != (2, facts.classes):
        raise UsageError(f"{name} gives {list(shape)} for 2 windows", where, f"give logits [batch, {facts.classes}]")
    if not alone:
        raise UsageError(f"what {name} gives for a window depends on the others in the batch", where,
                         "let each window be decided alone: no mean over the first axis")  # fmt: skip
    if not any(one.requires_grad for one in inner.parameters()):
        raise UsageError(f"{name} has no weights to learn", where, "give it layers with parameters")
    return Windowed(inner, facts.window)


def own_digest(choice: OwnChoice, folder: Path) -> str:
    """Return the digest of the code that a configuration names: another one is another training.

    Only the file itself is looked at, none that it imports; empty where there is no file.
    """
    name = choice.module.partition(":")[0]
    beside = _beside(name, folder)
    if not beside.is_file():
        found = getattr(_module(name, folder), "__file__", None)
        if not found:
            return ""
        beside = Path(found)
    return hashlib.sha256(beside.read_bytes()).hexdigest()


def _tried(inner: nn.Module, facts: Facts) -> tuple[tuple[int, ...], bool]:
    """Return the shape that two windows give, and whether the first is decided as it is alone."""
    training = inner.training
    inner.eval()
    drawn = torch.randn(2, facts.window, facts.inputs, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        both, one = inner(drawn), inner(drawn[:1])
    inner.train(training)
    return tuple(both.shape), both[:1].shape == one.shape and torch.allclose(both[:1], one, 1e-3, 1e-4, equal_nan=True)


def _beside(name: str, folder: Path) -> Path:
    return folder.joinpath(*name.split(".")).with_suffix(".py")


def _module(name: str, folder: Path) -> ModuleType:
    beside = _beside(name, folder)
    try:
        if beside.is_file():
            spec = importlib.util.spec_from_file_location(name, beside)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        return importlib.import_module(name)
    except Exception as error:
        raise UsageError(
            f"module {name} cannot be imported ({type(error).__name__}: {error})", "architecture.module",
            f"put {name}.py beside the configuration, or install it",
        ) from error  # fmt: skip
