"""What a board must answer: an op list run in NumPy, bit for bit, with every layer kept.

Rule of this room: the definitions of `firmware_bridge.oplist.table` as they stand, not the shortcuts of the C code.
Sums of products are taken by a float64 matrix product, which is exact here: every partial sum is a whole number below
2^53. Everything behind it is int64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.ops import Op, OpList
from firmware_bridge.oplist.table import POOL_BITS, RAW_DTYPES, Code

__all__ = ["dequantised", "rescaled", "run"]

Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]

_AT_ONCE = 32
"""Windows computed together; bounds the memory and changes no bit."""


def run(oplist: OpList, raw: npt.NDArray[Any]) -> list[Int8]:
    """Run windows of raw readings.

    Args:
        oplist: The network.
        raw: `(N, window, columns)` in the op list's type of reading.

    Returns:
        One array a layer, int8 `(N, rows, channels)`; the last is the answer.

    Raises:
        UsageError: The readings have another shape or type.
    """
    wanted = RAW_DTYPES[oplist.raw]
    if raw.ndim != 3 or raw.shape[1:] != (oplist.window, oplist.columns) or raw.dtype != np.dtype(wanted):
        raise UsageError(
            f"the windows are {raw.dtype}{list(raw.shape)} and the network reads "
            f"{np.dtype(wanted)}[windows, {oplist.window}, {oplist.columns}]",
            "op list",
            "give raw readings in the stream's type and order",
        )
    parts = [_layers(oplist, raw[at : at + _AT_ONCE]) for at in range(0, max(len(raw), 1), _AT_ONCE)]
    return [np.concatenate(layer) for layer in zip(*parts, strict=True)]


def dequantised(op: Op, layer: Int8) -> npt.NDArray[np.float32]:
    """Return what the output of an op stands for."""
    values: npt.NDArray[np.float32] = ((layer.astype(np.int64) - op.out_zero) * op.out_scale).astype(np.float32)
    return values


def rescaled(acc: Int64, mult: npt.ArrayLike, shift: npt.ArrayLike) -> Int64:
    """Return `acc * mult / 2^(32 + shift)`, rounded half up; `acc` and `mult` are below 2^31, `shift` is 1 to 30."""
    bits = 32 + np.asarray(shift, np.int64)
    product = acc * np.asarray(mult, np.int64) + (np.int64(1) << (bits - 1))
    found: Int64 = product >> bits
    return found


def _layers(oplist: OpList, raw: npt.NDArray[Any]) -> list[Int8]:
    count = len(raw)
    arena = np.zeros((count, oplist.arena), np.int8)
    layers = []
    for op in oplist.ops:
        size = op.in_rows * op.in_channels
        first, second = (
            arena[:, at : at + size].reshape(count, op.in_rows, op.in_channels).astype(np.int64)
            if op.code is not Code.INPUT
            else np.zeros((count, 0, 0), np.int64)
            for at in (op.input, op.input2 if op.code is Code.ADD else op.input)
        )
        if op.code is Code.INPUT:
            found = _input(op, raw)
        elif op.code is Code.ADD:
            total = (first - op.in_zero) * op.mult + (second - op.in2_zero) * op.mult2
            found = op.out_zero + ((total + (1 << (op.shift - 1))) >> op.shift)
        elif op.code is Code.MAX_POOL:
            found = _windows(op, first, -129).max(axis=2)
        elif op.code is Code.AVERAGE_POOL:
            total = (_windows(op, first, op.in_zero) - op.in_zero).sum(axis=2)
            found = op.out_zero + rescaled(total << POOL_BITS, op.mult, op.shift)
        else:
            found = _convolution(op, first)
        layer = np.clip(found, op.low, op.high).astype(np.int8)
        arena[:, op.output : op.output + op.elements] = layer.reshape(count, -1)
        layers.append(layer)
    return layers


def _input(op: Op, raw: npt.NDArray[Any]) -> Int64:
    shift = op.arrays["shift"].astype(np.int64)
    picked = raw[:, :, op.arrays["column"]].astype(np.int64)
    scaled = picked * op.arrays["mult"].astype(np.int64) + op.arrays["offset"] + (np.int64(1) << (shift - 1))
    found: Int64 = scaled >> shift
    return found


def _windows(op: Op, rows: Int64, padding: int) -> Int64:
    """Rows that each output row sees: `(N, out_rows, kernel, channels)`."""
    padded = np.pad(rows, ((0, 0), (op.pad_left, op.pad_right), (0, 0)), constant_values=padding)
    place = np.arange(op.out_rows)[:, None] * op.stride + np.arange(op.kernel) * op.dilation
    found: Int64 = padded[:, place]
    return found


def _convolution(op: Op, rows: Int64) -> Int64:
    windows = _windows(op, rows, op.in_zero).astype(np.float64)
    count, each, width = len(rows), op.in_channels // op.groups, op.out_channels // op.groups
    weights = op.arrays["weight"].reshape(op.out_channels, op.kernel * each).astype(np.float64)
    sums = [
        windows[..., group * each : (group + 1) * each].reshape(count, op.out_rows, -1)
        @ weights[group * width : (group + 1) * width].T
        for group in range(op.groups)
    ]
    acc = np.concatenate(sums, axis=2).astype(np.int64) + op.arrays["bias"].astype(np.int64)
    return op.out_zero + rescaled(acc, op.arrays["mult"], op.arrays["shift"])
