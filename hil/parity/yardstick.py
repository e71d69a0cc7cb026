"""How far a model's own 8-bit form is from it on known windows: the measure of what quantisation explains.

Rule of this room: measured on the windows that are judged. Readings that are no integers are taken in steps of the
16-bit range of each channel, finer than any 8-bit network tells. A model that cannot be brought into 8 bits leaves it
unknown, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import BridgeError
from firmware_bridge.oplist.table import RAW_DTYPES
from hil.models.int8.deploy import deploy
from hil.models.int8.reference import dequantised, run
from hil.models.model import Model
from hil.models.windows import Windows
from hil.parity.printed import as_probabilities
from hil.parity.readings import Readings

__all__ = ["Yardstick", "yardstick"]

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What 8 bits cost.

    Attributes:
        distance: Root mean square of the differences of probabilities; None where unknown.
        largest: The largest of them.
        labels: Share of the windows that get another label.
        unknown: Why nothing is known; empty where it is.
    """

    distance: float | None
    largest: float | None
    labels: float | None
    unknown: str


def yardstick(model: Model, readings: Readings, ends: npt.NDArray[np.int64], expected: Float64) -> Yardstick:
    """Measure what 8 bits cost a model.

    Args:
        model: The model.
        readings: What it reads.
        ends: `(M,)`, index of each window's last sample.
        expected: `(M, labels)`, the model's probabilities.
    """
    contract = model.contract
    raw = readings.raw_windows(ends, contract.memory_samples)
    stream = readings.stream
    if not any(np.dtype(kind) == raw.dtype for kind in RAW_DTYPES.values()):
        values = stream.values(raw).astype(np.float64)
        largest = np.maximum(np.abs(values).max(axis=(0, 1)), 1e-9)
        raw = np.rint(values / largest * 32767).astype("<i2")
        scale = tuple(float(each) / 32767 for each in largest)
        stream = replace(stream, dtype="<i2", scale=scale, offset=(0.0,))
    nobody = np.zeros(len(ends), np.int64)
    windows = Windows(stream, readings.picked, raw, nobody, nobody, nobody, ("",) * len(ends))
    try:
        made = deploy(model, windows)
    except BridgeError as error:
        return Yardstick(None, None, None, f"what 8 bits explain is unknown: {error.what}")
    layer = run(made.oplist, raw)[-1].reshape(len(ends), -1)
    logits = dequantised(made.oplist.ops[-1], layer).astype(np.float64)
    found = as_probabilities(logits, "logits" if contract.outputs == "logits" else "probabilities")
    off = np.abs(found - expected)
    return Yardstick(
        float(np.sqrt(np.mean(off**2))), float(off.max()),
        float((found.argmax(axis=1) != expected.argmax(axis=1)).mean()), "",
    )  # fmt: skip
