"""A float graph and its ranges into an op list: scales, zero points and fixed-point factors.

Rule of this room: post-training and exact about what is rounded. Weights are symmetric, one scale an output channel;
tensors have one scale and zero point and always hold 0 exactly; biases are whole steps of the sum. Factors become whole
numbers once, here, so that no board ever sees a float.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.ops import Op, OpList
from firmware_bridge.oplist.table import (
    ADD_MULT_MAX,
    ADD_SHIFT_MAX,
    BIAS_MAX,
    ELEMENTS_MAX,
    INPUT_OFFSET_MAX,
    INPUT_SHIFT_MAX,
    NAMES,
    OPS_MAX,
    POOL_BITS,
    SHIFT_MAX,
    Code,
    Raw,
)
from hil.models.int8.arena import plan
from hil.models.int8.calibrate import Range
from hil.models.int8.graph import Graph, Node

__all__ = ["Readings", "Steps", "factor", "held", "quantise", "weight_scales"]

_LEAST = 1e-9
"""Smallest range of a tensor: one that never moved still has a scale."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a board samples, and how a normalised window is made of it: `(raw * scale + offset - mean) / std`.

    Attributes:
        raw: Type of a reading.
        columns: Readings in a row.
        picked: Column of every input of the network.
        scale: One for every input.
        offset: One for every input.
        mean: One for every input.
        std: One for every input.
    """

    raw: Raw
    columns: int
    picked: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalised(self, raw: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return windows as the network sees them: `(N, rows, columns)` raw to `(N, rows, inputs)`."""
        values = raw[..., list(self.picked)].astype(np.float64) * self.scale + self.offset
        found: npt.NDArray[np.float64] = (values - self.mean) / self.std
        return found


@dataclass(frozen=True, slots=True)
class Steps:
    """How a tensor is held: `scale * (q - zero)`.

    Attributes:
        scale: What one step is worth.
        zero: The step that stands for 0.
    """

    scale: float
    zero: int

    def step(self, value: float) -> int:
        """The step next to a value, within int8."""
        if not math.isfinite(value):
            return -128 if value < 0 else 127
        return min(max(round(value / self.scale) + self.zero, -128), 127)


def quantise(graph: Graph, found: Sequence[Range], readings: Readings, name: str = "network") -> OpList:
    """Return the op list of a graph.

    Args:
        graph: The network.
        found: Range of every node over calibration windows.
        readings: What its first node is made of.
        name: Name of the model, for messages.

    Raises:
        UsageError: A tensor or a layer is larger than an op list can say.
    """
    layout = plan(graph)
    steps = held(graph, found)
    ops: list[Op] = []
    if len(graph.nodes) > OPS_MAX:
        raise UsageError(f"it has {len(graph.nodes)} operators; an op list has {OPS_MAX}", f"model {name}", "use fewer")
    for index, node in enumerate(graph.nodes):
        source = graph.nodes[node.sources[0].node] if node.sources else node
        read = node.sources[0].rows if node.sources else node.rows
        if max(node.rows * node.channels, read * source.channels, node.kernel * source.channels) > ELEMENTS_MAX:
            raise UsageError(
                f"operator {index} ({NAMES[node.code]}) has more than {ELEMENTS_MAX} elements", f"model {name}",
                "use a shorter window or fewer channels",
            )  # fmt: skip
        into = [steps[view.node] for view in node.sources]
        out = steps[index]
        places = [
            layout.offsets[view.node] + view.skip * graph.nodes[view.node].channels for view in node.sources
        ] or [0]  # fmt: skip
        low, high = out.step(node.low), out.step(node.high)
        fields: dict[str, Any] = {
            "code": node.code, "in_rows": read, "in_channels": source.channels, "out_rows": node.rows,
            "out_channels": node.channels, "input": places[0], "output": layout.offsets[index],
            "in_zero": into[0].zero if into else 0, "out_zero": out.zero, "low": low, "high": high,
            "kernel": node.kernel, "stride": node.stride, "dilation": node.dilation, "pad_left": node.pad_left,
            "pad_right": node.pad_right, "groups": node.groups, "out_scale": float(np.float32(out.scale)),
        }  # fmt: skip
        if node.code is Code.INPUT:
            fields["arrays"] = _input(readings, out)
        elif node.code is Code.ADD:
            fields |= _addition(into, out) | {"input2": places[1], "in2_zero": into[1].zero}
        elif node.code is Code.AVERAGE_POOL:
            fields["mult"], fields["shift"] = factor(into[0].scale / (out.scale * node.kernel * 2**POOL_BITS))
        elif len(node.weight):
            fields["arrays"] = _weights(node, into[0], out)
        ops.append(Op(**fields))
    rows = graph.nodes[0].rows
    return OpList(rows, readings.columns, readings.raw, layout.size, tuple(ops))


def held(graph: Graph, found: Sequence[Range]) -> list[Steps]:
    """Return how the output of every node is held.

    Args:
        graph: The network.
        found: Range of every node.
    """
    steps: list[Steps] = []
    for node, limits in zip(graph.nodes, found, strict=True):
        steps.append(_held(limits, node, [steps[view.node] for view in node.sources]))
    return steps


def factor(value: float) -> tuple[int, int]:
    """Return `mult` and `shift` of a rescaling with `mult / 2^(32 + shift)` next to `value`, which is below 1/4."""
    if value <= 0.0:
        return 0, 1
    shift = min(max(-1 - math.frexp(value)[1], 1), SHIFT_MAX)
    mult = round(math.ldexp(value, 32 + shift))
    if mult >= 1 << 31:  # rounded up to the next power of two
        shift, mult = (shift - 1, mult >> 1) if shift > 1 else (1, (1 << 31) - 1)
    return mult, shift


def _held(found: Range, node: Node, into: Sequence[Steps]) -> Steps:
    """Scale and zero point of a node's output."""
    if node.code is Code.MAX_POOL:
        return into[0]
    low, high = min(max(found[0], node.low), 0.0), max(min(found[1], node.high), 0.0)
    scale = max((high - low) / 255.0, _LEAST)
    if len(node.weight):  # the rescaling divides by at least four
        scale = max(scale, 4.0001 * into[0].scale * float(weight_scales(node, into[0]).max()))
    elif node.code is Code.AVERAGE_POOL:
        scale = max(scale, into[0].scale / (node.kernel * 2.0 ** (POOL_BITS - 3)))
    elif node.code is Code.ADD:
        scale = max(scale, max(steps.scale for steps in into) / 2.0**18)
    return Steps(scale, min(max(round(-128 - low / scale), -128), 127))


def weight_scales(node: Node, into: Steps) -> npt.NDArray[np.float64]:
    """Return what one step of a weight is worth, for each output: as fine as the weights allow and the bias fits."""
    largest = np.abs(node.weight.reshape(node.channels, -1)).max(axis=1)
    room = np.abs(node.bias) / (into.scale * (BIAS_MAX >> 2))
    scales: npt.NDArray[np.float64] = np.maximum(np.maximum(largest / 127.0, room), 1e-12)
    return scales


def _weights(node: Node, into: Steps, held: Steps) -> dict[str, npt.NDArray[Any]]:
    scales = weight_scales(node, into)
    weight = np.clip(np.round(node.weight / scales[:, None, None]), -127, 127).astype(np.int8)
    bias = np.round(node.bias / (into.scale * scales)).astype(np.int64)
    bias -= into.zero * weight.astype(np.int64).sum(axis=(1, 2))
    pairs = [factor(into.scale * float(scale) / held.scale) for scale in scales]
    return {
        "bias": bias.astype(np.int32), "mult": np.array([mult for mult, _ in pairs], np.int32),
        "shift": np.array([shift for _, shift in pairs], np.uint8), "weight": weight.reshape(-1),
    }  # fmt: skip


def _addition(into: Sequence[Steps], held: Steps) -> dict[str, int]:
    ratios = [steps.scale / held.scale for steps in into]
    largest = math.frexp(max(ratios))[1]  # below 2^largest
    shift = min(max(ADD_MULT_MAX.bit_length() - 1 - largest, 1), ADD_SHIFT_MAX)
    mult, mult2 = (min(round(math.ldexp(ratio, shift)), ADD_MULT_MAX) for ratio in ratios)
    return {"mult": mult, "mult2": mult2, "shift": shift}


def _input(readings: Readings, held: Steps) -> dict[str, npt.NDArray[Any]]:
    mults, shifts, offsets = [], [], []
    for scale, offset, mean, std in zip(
        readings.scale, readings.offset, readings.mean, readings.std, strict=True
    ):  # fmt: skip
        gain = scale / (std * held.scale)
        constant = (offset - mean) / (std * held.scale) + held.zero
        shift = min(max(31 - math.frexp(gain)[1], 1), INPUT_SHIFT_MAX)
        while shift > 1 and abs(math.ldexp(constant, shift)) > INPUT_OFFSET_MAX:
            shift -= 1
        mults.append(min(max(round(math.ldexp(gain, shift)), -(2**31)), 2**31 - 1))
        shifts.append(shift)
        offsets.append(min(max(round(math.ldexp(constant, shift)), -INPUT_OFFSET_MAX), INPUT_OFFSET_MAX))
    return {
        "column": np.array(readings.picked, np.uint16), "mult": np.array(mults, np.int64).astype(np.int32),
        "shift": np.array(shifts, np.uint8), "offset": np.array(offsets, np.int64),
    }  # fmt: skip
