"""The streaming step of a `Tcn` as an ONNX graph, run by onnxruntime: a second backend, without torch.

Rule: the same arithmetic as `hil.models.step` in the same fixed shape, with the state as inputs and outputs. The last
bits differ from torch's; the contract's tolerance says how much may. One thread, in order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import MissingPart
from hil.models.architecture import TcnConfig

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxStep", "open_session", "step_program"]


def open_session(program: bytes) -> onnxruntime.InferenceSession:
    """Start onnxruntime on a program: one thread, CPU, fixed order of execution.

    Raises:
        MissingPart: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingPart(
            "the backend onnxruntime is not installed", "hil.models", "run: pip install 'hil-testbench[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(program, options, providers=["CPUExecutionProvider"])


def step_program(
    config: TcnConfig, weights: Mapping[str, npt.NDArray[np.float32]], hop: int, slots: int
) -> tuple[bytes, dict[str, tuple[int, ...]]]:
    """Return the ONNX program of one hop and the shapes of its states.

    Its inputs are `x` `(slots, hop, inputs)` and `past.I`, `sums`; its outputs `logits`, `past.I.next`, `sums.next`.

    Raises:
        MissingPart: The package onnx is not installed.
    """
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        raise MissingPart(
            "the package onnx is not installed", "hil.models", "run: pip install 'hil-testbench[onnx]'"
        ) from None
    group = math.gcd(config.pool, hop)
    kept, fresh, rows, width, taps = config.pool // group, hop // group, slots * hop, config.channels, config.kernel
    nodes: list[Any] = []
    constants: list[Any] = []
    states: dict[str, tuple[int, ...]] = {}

    def constant(name: str, value: npt.NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(*values: int) -> str:
        name = "i_" + "_".join(map(str, values))
        if all(existing.name != name for existing in constants):
            constant(name, np.array(values, np.int64))
        return name

    def node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def rows_of(source: str, start: int, stop: int, output: str) -> str:
        return node("Slice", [source, integers(start), integers(stop), integers(1)], output)

    current = "x"
    for index, ((a, _), dilation) in enumerate(zip(config.widths, config.dilations, strict=True)):
        past = (taps - 1) * dilation
        span = current
        if past:
            states[f"past.{index}"] = (slots, past, a)
            span = node("Concat", [f"past.{index}", current], f"span{index}", axis=1)
            rows_of(span, hop, hop + past, f"past.{index}.next")
        parts = [rows_of(span, i * dilation, i * dilation + hop, f"tap{index}_{i}") for i in range(taps)]
        side = node("Concat", parts, f"taps{index}", axis=2) if taps > 1 else parts[0]
        flat = node("Reshape", [side, integers(rows, taps * a)], f"flat{index}")
        weight = weights[f"convs.{index}.weight"].transpose(2, 1, 0).reshape(taps * a, width)
        bias = constant(f"b{index}", weights[f"convs.{index}.bias"])
        product = node("Gemm", [flat, constant(f"w{index}", weight), bias], f"gemm{index}")
        shaped = node("Reshape", [node("Relu", [product], f"relu{index}"), integers(slots, hop, width)], f"out{index}")
        current = node("Add", [current, shaped], f"sum{index}") if index else shaped
    grouped = node("Reshape", [current, integers(slots, fresh, group, width)], "grouped")
    ring = node("ReduceSum", [grouped, integers(2)], "fresh", keepdims=0)
    if kept > fresh:
        states["sums"] = (slots, kept - fresh, width)
        ring = node("Concat", ["sums", ring], "ring", axis=1)
        rows_of(ring, fresh, kept, "sums.next")
    elif kept < fresh:
        ring = rows_of(ring, fresh - kept, fresh, "ring")
    pooled = node("ReduceSum", [ring, integers(1)], "pooled", keepdims=0)
    head = (weights["head.weight"].astype(np.float64) / config.pool).astype(np.float32).T
    node("Gemm", [pooled, constant("head", head), constant("head_bias", weights["head.bias"])], "logits")

    def value(name: str, shape: Sequence[int]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    graph = helper.make_graph(
        nodes, "step",
        [value("x", (slots, hop, config.inputs)), *(value(name, shape) for name, shape in states.items())],
        [value("logits", (slots, config.classes)), *(value(f"{name}.next", shape) for name, shape in states.items())],
        constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString(), states


class OnnxStep:
    """Streaming form of a `Tcn` on onnxruntime; the interface of `hil.models.group.Step`."""

    backend = "onnxruntime"

    def __init__(self, config: TcnConfig, weights: Mapping[str, npt.NDArray[np.float32]], hop: int, slots: int) -> None:
        program, shapes = step_program(config, weights, hop, slots)
        self._session = open_session(program)
        import onnxruntime

        self.version = f"onnxruntime {onnxruntime.__version__}"
        self.input = np.zeros((slots, hop, config.inputs), np.float32)
        self._state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self._slots = set(range(slots))

    def run(self, active: Sequence[int], reset: Sequence[int]) -> npt.NDArray[np.float32]:
        """Advance the `active` slots by the hop in `input`, after clearing those in `reset`."""
        before = self._state
        for array in before.values():
            array[list(reset)] = 0.0
        logits, *after = self._session.run(None, {"x": self.input, **before})
        idle = sorted(self._slots.difference(active))
        self._state = dict(zip(before, after, strict=True))
        if idle:
            for name, array in self._state.items():
                array[idle] = before[name][idle]
        out: npt.NDArray[np.float32] = logits
        return out
