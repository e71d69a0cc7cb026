"""Whole windows out of a dataset's series: what channels are weighed on and ranges come from.

Rule of this room: windows end where hops end, as decisions do; of too many some are taken, evenly spread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.contract import Contract
from hil.models.datasets import Series, window_truth

__all__ = ["ends_of", "windows_in"]


def windows_in(
    contract: Contract, series: Sequence[Series], most: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return normalised windows `(N, memory, inputs)`, at most so many, and their labels `(N,)`, `NONE` without one.

    Raises:
        UsageError: No series is as long as a window.
    """
    memory = contract.memory_samples
    places = [(item, end) for item in series for end in ends_of(contract, len(item.values)).tolist()]
    if not places:
        raise UsageError(f"no series has {memory} samples", f"model {contract.name}", "give longer recordings")
    chosen = np.unique(np.linspace(0, len(places) - 1, min(len(places), most)).astype(np.int64)).tolist()
    some = [places[at] for at in chosen]
    cut = np.stack([item.values[end - memory : end] for item, end in some]).astype(np.float64)
    truth = [
        window_truth(item.labels, np.array([end]), contract.window, len(contract.labels))[0] for item, end in some
    ]  # fmt: skip
    mean, std = (np.array([getattr(one, key) for one in contract.inputs]) for key in ("mean", "std"))
    return (cut - mean) / std, np.array(truth, np.int64)


def ends_of(contract: Contract, length: int, reach: int | None = None) -> npt.NDArray[np.int64]:
    """Return where hops end before which `reach` samples lie; None: those of a window."""
    first = -(-(reach or contract.memory_samples) // contract.hop) * contract.hop
    return np.arange(first, length + 1, contract.hop, dtype=np.int64)
