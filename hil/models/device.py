"""Where a training runs: the processor unless something else was asked for.

Rule: nothing is chosen in silence. `auto` takes CUDA, then MPS, then the processor; one that is asked for by name and
is not there is an error.
"""

from __future__ import annotations

import torch

from firmware_bridge.errors import UsageError

__all__ = ["device_for"]


def device_for(name: str) -> torch.device:
    """Return the device called `cpu`, `cuda`, `mps` or `auto`.

    Raises:
        UsageError: It is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    chosen = next(kind for kind, found in there.items() if found) if name == "auto" else name
    if not there.get(chosen, False):
        found = ", ".join(kind for kind, here in there.items() if here)
        raise UsageError(f"there is no device {name!r} here", "device", f"use auto or one of: {found}")
    return torch.device(chosen)
