"""A torch network, ours or anyone's, into a `Graph`: traced by torch.export in evaluation mode, operator by operator.

Rule of this room: only what the trace says counts, so that a Sequential, a functional network and our own read alike.
An operator that is not in `_OPERATORS` is refused by its name.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.table import Code
from hil.models.int8.build import SUPPORTED, Builder, Value
from hil.models.int8.graph import Graph

__all__ = ["trace"]


def trace(
    module: nn.Module, rows: int, channels: int, *, layout: str = "time_channels", name: str = "network"
) -> Graph:
    """Read a network.

    Args:
        module: Takes `(batch, rows, channels)`, or `(batch, channels, rows)` with `layout = "channels_time"`.
        rows: Samples of a window.
        channels: Channels of a sample.
        layout: Axis order of a window.
        name: Name of the model, for messages.

    Raises:
        UsageError: An operator does not run on a board (it is named), or the network cannot be traced.
    """
    swapped = layout == "channels_time"
    sample = torch.zeros((1, channels, rows) if swapped else (1, rows, channels))
    training = module.training
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(module.eval(), (sample,), strict=False)
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
        raise UsageError(
            f"the network cannot be traced ({reason})", f"model {name}", f"build it from {SUPPORTED}"
        ) from error
    finally:
        module.train(training)
    builder = Builder(name, rows, channels, "bct" if swapped else "btc")
    signature = program.graph_signature
    held = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    arrays = {**dict(program.state_dict), **program.constants}
    values: dict[str, Any] = {}
    answer: Value | None = None
    for item in program.graph.nodes:
        if item.op == "placeholder":
            known = held.get(item.name) or signature.inputs_to_lifted_tensor_constants.get(item.name)
            values[item.name] = builder.window if known is None else arrays[known].detach().cpu().numpy()
        elif item.op == "output":
            (answer,) = _resolved(item.args[0], values)
        else:
            values[item.name] = _applied(builder, item, values)
    assert answer is not None
    return builder.finish(answer)


def _applied(builder: Builder, item: torch.fx.Node, values: dict[str, Any]) -> Any:
    if item.target is operator.getitem:
        builder.refuse("getitem")
    name = str(item.target).removeprefix("aten.")
    base = name.split(".")[0].rstrip("_")
    function = _OPERATORS.get(base)
    if function is None:
        builder.refuse(base)
    if base in _LAST and any(user.op != "output" for user in item.users):
        builder.refuse(base, "before the end")
    target: Any = item.target
    arguments = {
        given.name: given.default_value if given.has_default_value() else None
        for given in target._schema.arguments  # noqa: SLF001 (names of arguments have no other way out)
    }
    arguments |= dict(zip(arguments, item.args, strict=False)) | dict(item.kwargs)
    known = {key: _resolved(value, values) for key, value in arguments.items()}
    known.setdefault("self", known.get("input"))  # torch calls it either
    known["_shape"] = tuple(item.meta["val"].shape) if "val" in item.meta else ()
    return function(builder, base, known)


def _resolved(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, torch.fx.Node):
        return values[value.name]
    if isinstance(value, list | tuple):
        return [_resolved(item, values) for item in value]
    return value


def _one(value: Any, default: int = 0) -> int:
    """The number in what torch gives as a list of one, or as a number."""
    if isinstance(value, Sequence):
        return int(value[0]) if value else default
    return default if value is None else int(value)


def _conv(b: Builder, name: str, a: dict[str, Any]) -> Value:
    dilation, padding = _one(a["dilation"], 1), a["padding"]
    if padding == "same":
        extent = (a["weight"].shape[2] - 1) * dilation
        around = (extent // 2, extent - extent // 2)
    else:
        around = (0, 0) if padding == "valid" else (_one(padding), _one(padding))
    return b.conv(name, a["input"], a["weight"], a["bias"], _one(a["stride"], 1), around, dilation, int(a["groups"]))


def _batch_norm(b: Builder, name: str, a: dict[str, Any]) -> Value:
    if a["running_mean"] is None:
        b.refuse(name, "without running statistics")
    variance = a["running_var"].astype(np.float64)
    gain = 1.0 / np.sqrt(variance + a["eps"])
    gain = gain if a["weight"] is None else gain * a["weight"]
    shift = -a["running_mean"].astype(np.float64) * gain
    return b.scale(name, a["input"], gain, shift if a["bias"] is None else shift + a["bias"])


def _clamp(b: Builder, name: str, a: dict[str, Any]) -> Value:
    low, high = a.get("min", a.get("min_val")), a.get("max", a.get("max_val"))
    low, high = -np.inf if low is None else float(low), np.inf if high is None else float(high)
    return b.clamp(name, a["self"], low, high)


def _sum(b: Builder, name: str, a: dict[str, Any]) -> Value:
    if not isinstance(a["self"], Value) or not isinstance(a["other"], Value) or a["alpha"] != 1:
        b.refuse(name, "of a constant")
    return b.add(name, a["self"], a["other"])


def _max_pool(b: Builder, name: str, a: dict[str, Any]) -> Value:
    kernel = _one(a["kernel_size"])
    if _one(a["dilation"], 1) != 1:
        b.refuse(name, "with dilation")
    around = (_one(a["padding"]), _one(a["padding"]))
    return b.pool(name, a["self"], Code.MAX_POOL, kernel, _one(a["stride"], kernel), around, a["ceil_mode"])


def _average_pool(b: Builder, name: str, a: dict[str, Any]) -> Value:
    kernel = _one(a["kernel_size"])
    around = (_one(a["padding"]), _one(a["padding"]))
    return b.pool(
        name, a["self"], Code.AVERAGE_POOL, kernel, _one(a["stride"], kernel), around, a["ceil_mode"],
        a["count_include_pad"],
    )  # fmt: skip


def _adaptive(code: Code) -> Callable[[Builder, str, dict[str, Any]], Value]:
    def apply(b: Builder, name: str, a: dict[str, Any]) -> Value:
        rows, _ = b.shape(a["self"])
        out = _one(a["output_size"])
        if rows % out:
            b.refuse(name, f"from {rows} rows to {out}")
        return b.pool(name, a["self"], code, rows // out, rows // out)

    return apply


def _reduced(code: Code) -> Callable[[Builder, str, dict[str, Any]], Value]:
    def apply(b: Builder, name: str, a: dict[str, Any]) -> Value:
        return b.reduce(name, a["self"], code, [int(axis) for axis in a["dim"] or []], bool(a["keepdim"]))

    return apply


def _pad(b: Builder, name: str, a: dict[str, Any]) -> Value:
    x, around = a["self"], a["pad"]
    if a.get("mode", "constant") != "constant" or (a["value"] or 0) != 0:
        b.refuse(name, "with anything but zeros")
    if x.axes == "btc" and len(around) == 4 and around[:2] == [0, 0]:
        return b.pad(name, x, *around[2:])
    if x.axes != "bct" or len(around) != 2:
        b.refuse(name, "along another axis than time")
    return b.pad(name, x, *around)


def _slice(b: Builder, name: str, a: dict[str, Any]) -> Value:
    x: Value = a["self"]
    axis, start, stop = a["dim"], a["start"] or 0, a["end"]
    stop = np.iinfo(np.int64).max if stop is None else stop
    if x.axes[axis] == "b" and start == 0:
        return x
    if x.axes[axis] != "t" or a["step"] != 1:
        b.refuse(name, "along another axis than time, or with a step")
    return b.slice(name, x, start, stop)


def _transpose(b: Builder, name: str, a: dict[str, Any]) -> Value:
    order = list(range(len(a["self"].axes)))
    one, two = int(a["dim0"]), int(a["dim1"])
    order[one], order[two] = order[two], order[one]
    return b.transpose(name, a["self"], order)


def _reshape(b: Builder, name: str, a: dict[str, Any]) -> Value:
    """Flatten, view, reshape, squeeze, unsqueeze: all that only say anew how elements are counted."""
    x: Value = a["self"]
    shape = a["_shape"][1:]
    rows, channels = b.shape(x)
    if len(shape) == 1:
        return b.flatten(name, x)
    if len(shape) == 2 and x.axes != "bf" and shape == tuple({"c": channels, "t": rows}[axis] for axis in x.axes[1:]):
        return x
    if sorted(shape) == sorted((1, channels)):
        return b.unflatten(name, x, "bct" if shape[1] == 1 else "btc")
    b.refuse(name, "that mixes time and channels")


def _same(b: Builder, name: str, a: dict[str, Any]) -> Value:
    if a.get("train"):
        b.refuse(name, "while training")
    value: Value = a["self"]
    return value


_OPERATORS: dict[str, Callable[[Builder, str, dict[str, Any]], Value]] = {
    "conv1d": _conv, "batch_norm": _batch_norm, "clamp": _clamp, "hardtanh": _clamp, "clamp_min": _clamp,
    "relu": lambda b, name, a: b.clamp(name, a["self"], 0.0),
    "relu6": lambda b, name, a: b.clamp(name, a["self"], 0.0, 6.0),
    "add": _sum, "max_pool1d": _max_pool, "avg_pool1d": _average_pool,
    "adaptive_avg_pool1d": _adaptive(Code.AVERAGE_POOL), "mean": _reduced(Code.AVERAGE_POOL),
    "amax": _reduced(Code.MAX_POOL), "pad": _pad, "constant_pad_nd": _pad,
    "slice": _slice, "transpose": _transpose,
    "permute": lambda b, name, a: b.transpose(name, a["self"], [int(i) for i in a["dims"]]),
    "linear": lambda b, name, a: b.linear(name, a["input"], a["weight"], a["bias"]),
    "flatten": _reshape, "view": _reshape, "reshape": _reshape, "squeeze": _reshape, "unsqueeze": _reshape,
    "dropout": _same, "feature_dropout": _same, "clone": _same, "contiguous": _same, "alias": _same, "detach": _same,
    "softmax": _same, "log_softmax": _same,
}  # fmt: skip

_LAST = ("softmax", "log_softmax")
"""Left to the host: they do not change which label is the likeliest, and a board answers with what goes into them."""
