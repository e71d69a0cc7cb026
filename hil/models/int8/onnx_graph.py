"""A network that came as an ONNX program into a `Graph`, operator by operator.

Rule of this room: the program is data and is only read. Constants are what its initializers and Constant nodes hold; an
operator that is not in `_OPERATORS` is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from firmware_bridge.errors import FileError, MissingPart
from firmware_bridge.oplist.table import Code
from hil.models.int8.build import Builder, Value
from hil.models.int8.graph import Graph

__all__ = ["read_program"]


def read_program(
    program: bytes, rows: int, channels: int, *, layout: str = "time_channels", name: str = "network"
) -> Graph:
    """Read an ONNX program of one input and one output.

    Args:
        program: Its bytes.
        rows: Samples of a window.
        channels: Channels of a sample.
        layout: Axis order of a window.
        name: Name of the model, for messages.

    Raises:
        UsageError: An operator does not run on a board; it is named.
        FileError: The program cannot be read.
        MissingPart: The package onnx is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise MissingPart(
            "the package onnx is not installed", f"model {name}", "run: pip install 'hil-testbench[onnx]'"
        ) from None
    try:
        graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(program)).graph
    except Exception as error:  # protobuf's and onnx's errors share no public parent
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
        raise FileError(f"its program.onnx cannot be read ({reason})", f"model {name}", "export it again") from None
    builder = Builder(name, rows, channels, "bct" if layout == "channels_time" else "btc")
    values: dict[str, Any] = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    values |= {item.name: builder.window for item in graph.input if item.name not in values}
    values[""] = None
    outputs = {item.name for item in graph.output}
    for node in graph.node:
        attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(attributes["value"])
            continue
        function = _OPERATORS.get(node.op_type)
        if function is None or (node.op_type in _LAST and node.output[0] not in outputs):
            builder.refuse(node.op_type)
        read = [values[item] for item in node.input]
        if not isinstance(read[0], Value) and node.op_type not in ("Add",):
            builder.refuse(node.op_type, "of a constant")
        values[node.output[0]] = function(builder, node.op_type, read, attributes)
    return builder.finish(values[graph.output[0].name])


_Given = dict[str, Any]


def _around(b: Builder, name: str, a: _Given) -> tuple[int, int]:
    if a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        b.refuse(name, "with automatic padding")
    left, right = a.get("pads", (0, 0))
    return int(left), int(right)


def _first(a: _Given, key: str, default: int = 1) -> int:
    values = a.get(key) or [default]
    return int(values[0])


def _conv(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    bias = x[2] if len(x) > 2 else None
    if x[1] is None or x[1].ndim != 3:
        b.refuse(name, "in more than one dimension")
    return b.conv(name, x[0], x[1], bias, _first(a, "strides"), _around(b, name, a), _first(a, "dilations"),
                  int(a.get("group", 1)))  # fmt: skip


def _gemm(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    if a.get("transA", 0) or a.get("alpha", 1.0) != 1.0 or a.get("beta", 1.0) != 1.0:
        b.refuse(name, "with factors")
    bias = np.broadcast_to(x[2], x[1].shape[0 if a.get("transB", 0) else 1]) if len(x) > 2 else None
    return b.linear(name, x[0], x[1] if a.get("transB", 0) else x[1].T, bias)


def _matmul(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    if isinstance(x[1], Value):
        b.refuse(name, "of two tensors")
    return b.linear(name, x[0], x[1].T, None)


def _add(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    tensors = [item for item in x if isinstance(item, Value)]
    if len(tensors) == 2:
        return b.add(name, *tensors)
    constant = np.asarray(next(item for item in x if not isinstance(item, Value)), np.float64)
    channels = b.shape(tensors[0])[1]
    if constant.size not in (1, channels):
        b.refuse(name, "of a constant that differs over time")
    longest = max(range(-constant.ndim, 0), key=lambda axis: constant.shape[axis], default=-1)
    axis = tensors[0].axes.find("c") if constant.size == 1 else longest
    return b.scale(name, tensors[0], np.ones(channels), np.broadcast_to(constant.reshape(-1), channels), axis)


def _batch_norm(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    gain = x[1].astype(np.float64) / np.sqrt(x[4].astype(np.float64) + a.get("epsilon", 1e-5))
    return b.scale(name, x[0], gain, x[2] - x[3].astype(np.float64) * gain)


def _clip(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    low = float(x[1]) if len(x) > 1 and x[1] is not None else -np.inf
    high = float(x[2]) if len(x) > 2 and x[2] is not None else np.inf
    return b.clamp(name, x[0], low, high)


def _limit(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    if len(x) != 2 or isinstance(x[1], Value) or np.asarray(x[1]).size != 1:
        b.refuse(name, "of two tensors")
    limit = float(np.asarray(x[1]).reshape(-1)[0])
    return b.clamp(name, x[0], high=limit) if name == "Min" else b.clamp(name, x[0], low=limit)


def _pool(code: Code) -> Callable[[Builder, str, list[Any], _Given], Value]:
    def apply(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
        if _first(a, "dilations") != 1:
            b.refuse(name, "with dilation")
        return b.pool(name, x[0], code, _first(a, "kernel_shape"), _first(a, "strides"), _around(b, name, a),
                      bool(a.get("ceil_mode", 0)), bool(a.get("count_include_pad", 0)))  # fmt: skip

    return apply


def _reduce(code: Code) -> Callable[[Builder, str, list[Any], _Given], Value]:
    def apply(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
        axes = np.asarray(a.get("axes", ()) if len(x) < 2 else x[1], np.int64).reshape(-1)
        return b.reduce(name, x[0], code, axes.tolist(), bool(a.get("keepdims", 1)))

    return apply


def _global(code: Code) -> Callable[[Builder, str, list[Any], _Given], Value]:
    return lambda b, name, x, a: b.reduce(name, x[0], code, [2], True)


def _pad(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    around = [int(value) for value in (x[1] if len(x) > 1 else a["pads"])]
    zero = len(x) < 3 or x[2] is None or float(x[2]) == 0.0
    if a.get("mode", b"constant") != b"constant" or not zero or len(around) != 2 * len(x[0].axes):
        b.refuse(name, "with anything but zeros")
    time = x[0].axes.index("t")
    half = len(around) // 2
    if any(value for place, value in enumerate(around) if place % half != time):
        b.refuse(name, "along another axis than time")
    return b.pad(name, x[0], around[time], around[half + time])


def _slice(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    starts, ends = (np.asarray(item).reshape(-1) for item in x[1:3])
    axes = np.asarray(x[3]).reshape(-1) if len(x) > 3 else np.array([0])
    steps = np.asarray(x[4]).reshape(-1) if len(x) > 4 else np.array([1])
    if len(axes) != 1 or steps[0] != 1 or x[0].axes[int(axes[0])] != "t":
        b.refuse(name, "along another axis than time, or with a step")
    return b.slice(name, x[0], int(starts[0]), int(ends[0]))


def _flatten(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    if a.get("axis", 1) != 1:
        b.refuse(name, "of the batch")
    return b.flatten(name, x[0])


def _reshape(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    if isinstance(x[1], Value) or len(np.asarray(x[1]).reshape(-1)) != 2:
        b.refuse(name, "that mixes time and channels")
    return b.flatten(name, x[0])


def _axes(b: Builder, name: str, x: list[Any], a: _Given) -> list[int]:
    axes = np.asarray(a.get("axes", ()) if len(x) < 2 else x[1], np.int64).reshape(-1)
    if len(axes) != 1:
        b.refuse(name, "of several axes")
    return axes.tolist()


def _squeeze(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    return b.squeeze(name, x[0], *_axes(b, name, x, a))


def _unsqueeze(b: Builder, name: str, x: list[Any], a: _Given) -> Value:
    return b.unsqueeze(name, x[0], *_axes(b, name, x, a))


_OPERATORS: dict[str, Callable[[Builder, str, list[Any], _Given], Value]] = {
    "Conv": _conv, "Gemm": _gemm, "MatMul": _matmul, "Add": _add, "BatchNormalization": _batch_norm,
    "Relu": lambda b, name, x, a: b.clamp(name, x[0], 0.0), "Clip": _clip, "Min": _limit, "Max": _limit,
    "MaxPool": _pool(Code.MAX_POOL), "AveragePool": _pool(Code.AVERAGE_POOL),
    "GlobalAveragePool": _global(Code.AVERAGE_POOL), "GlobalMaxPool": _global(Code.MAX_POOL),
    "ReduceMean": _reduce(Code.AVERAGE_POOL), "ReduceMax": _reduce(Code.MAX_POOL), "Pad": _pad, "Slice": _slice,
    "Transpose": lambda b, name, x, a: b.transpose(name, x[0], [int(i) for i in a["perm"]]),
    "Flatten": _flatten, "Reshape": _reshape, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Identity": lambda b, name, x, a: x[0], "Dropout": lambda b, name, x, a: x[0],
    "Softmax": lambda b, name, x, a: x[0], "LogSoftmax": lambda b, name, x, a: x[0],
}  # fmt: skip

_LAST = ("Softmax", "LogSoftmax")
"""Left to the host: they do not change which label is the likeliest."""
