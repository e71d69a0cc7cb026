"""The streaming step of a network as an ONNX program, run by onnxruntime: a second backend, without torch.

Rule: the same arithmetic as the eager step in the same fixed shape, with the state as inputs and outputs. The last
bits differ from torch's; the contract's tolerance says how much may. One thread, in order. The TCN's program is written
here node by node, which takes no time; other networks bring theirs in the model file (`hil model tune`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, MissingPart
from hil.models.nets.shape import NetShape
from hil.models.nets.shapes import TcnConfig

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxStep", "open_session", "step_program"]

_MOST = 1_000_000
"""Values of one axis of a state, at most: more is no step of a network of ours."""


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


def step_program(config: TcnConfig, weights: Mapping[str, npt.NDArray[np.float32]], hop: int) -> bytes:
    """Return the ONNX program of one hop of a TCN for any number of slots.

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
    kept, fresh, width, taps = config.pool // group, hop // group, config.channels, config.kernel
    nodes: list[Any] = []
    constants: list[Any] = []
    states: dict[str, tuple[int | str, ...]] = {}

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
            states[f"past.{index}"] = ("slots", past, a)
            span = node("Concat", [f"past.{index}", current], f"span{index}", axis=1)
            rows_of(span, hop, hop + past, f"past.{index}.next")
        parts = [rows_of(span, i * dilation, i * dilation + hop, f"tap{index}_{i}") for i in range(taps)]
        side = node("Concat", parts, f"taps{index}", axis=2) if taps > 1 else parts[0]
        flat = node("Reshape", [side, integers(-1, taps * a)], f"flat{index}")
        weight = weights[f"convs.{index}.weight"].transpose(2, 1, 0).reshape(taps * a, width)
        bias = constant(f"b{index}", weights[f"convs.{index}.bias"])
        product = node("Gemm", [flat, constant(f"w{index}", weight), bias], f"gemm{index}")
        shaped = node("Reshape", [node("Relu", [product], f"relu{index}"), integers(-1, hop, width)], f"out{index}")
        current = node("Add", [current, shaped], f"sum{index}") if index else shaped
    grouped = node("Reshape", [current, integers(-1, fresh, group, width)], "grouped")
    ring = node("ReduceSum", [grouped, integers(2)], "fresh", keepdims=0)
    if kept > fresh:
        states["sums"] = ("slots", kept - fresh, width)
        ring = node("Concat", ["sums", ring], "ring", axis=1)
        rows_of(ring, fresh, kept, "sums.next")
    elif kept < fresh:
        ring = rows_of(ring, fresh - kept, fresh, "ring")
    pooled = node("ReduceSum", [ring, integers(1)], "pooled", keepdims=0)
    head = (weights["head.weight"].astype(np.float64) / config.pool).astype(np.float32).T
    node("Gemm", [pooled, constant("head", head), constant("head_bias", weights["head.bias"])], "logits")

    def value(name: str, shape: Sequence[int | str]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    graph = helper.make_graph(
        nodes, "step",
        [value("x", ("slots", hop, config.inputs)), *(value(name, shape) for name, shape in states.items())],
        [value("logits", ("slots", config.classes)), *(value(f"{name}.next", shape) for name, shape in states.items())],
        constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    program: bytes = model.SerializeToString()
    return program


class OnnxStep:
    """Streaming form of a network on onnxruntime; the interface of `hil.models.scanning.Step`.

    Args:
        program: What `step_program` or `hil.models.step_export.exported_step` made.
        config: The shape of the network.
        hop: Samples a call.
        slots: Boards a call.
        where: The model, for messages.

    Raises:
        FileError: The program does not load, or is not the streaming form of such a network.
        MissingPart: onnxruntime is not installed.
    """

    backend = "onnxruntime"

    def __init__(self, program: bytes, config: NetShape, hop: int, slots: int, where: str) -> None:
        self._where, self._cycle, self._classes = where, config.cycle, config.classes
        self._session = self._guarded(lambda: open_session(program))
        import onnxruntime

        self.version = f"onnxruntime {onnxruntime.__version__}"
        self.input = np.zeros((slots, hop, config.inputs), np.float32)
        self._at = np.zeros(slots, np.int64)
        given = {one.name: one.shape for one in self._session.get_inputs()}
        self._reads_at = "at" in given
        shapes = {name: tuple(shape[1:]) for name, shape in given.items() if name not in ("x", "at")}
        made = [one.name for one in self._session.get_outputs()]
        if made != ["logits", *(f"{name}.next" for name in shapes)] or any(
            not isinstance(size, int) or not 0 < size <= _MOST for shape in shapes.values() for size in shape
        ):
            raise FileError("its step.onnx is no streaming step", where, "tune the model again")
        self._state = {name: np.zeros((slots, *shape), np.float32) for name, shape in shapes.items()}
        self._slots = set(range(slots))
        cleared = dict(self._state)
        if self.run(range(slots), range(slots)).shape != (slots, config.classes):
            raise FileError("its step.onnx is the step of another network", where, "tune the model again")
        self._state = cleared

    def run(self, active: Sequence[int], reset: Sequence[int], starts: Sequence[int] = ()) -> npt.NDArray[np.float32]:
        """Advance the `active` slots by the hop in `input`, after clearing those in `reset`; see `Step.run`."""
        before = self._state
        for array in before.values():
            array[list(reset)] = 0.0
        for slot, start in zip(active, starts, strict=False):
            self._at[slot] = start % self._cycle
        fed = {"x": self.input, **({"at": self._at} if self._reads_at else {}), **before}
        logits, *after = self._guarded(lambda: self._session.run(None, fed))
        idle = sorted(self._slots.difference(active))
        self._state = dict(zip(before, after, strict=True))
        if idle:
            for name, array in self._state.items():
                array[idle] = before[name][idle]
        out: npt.NDArray[np.float32] = logits
        return out

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Call onnxruntime; what it cannot do ends in a sentence."""
        try:
            return call()
        except Exception as error:
            if not (type(error).__module__.startswith("onnxruntime") or isinstance(error, RuntimeError | ValueError)):
                raise
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
            raise FileError(f"its step.onnx cannot be run ({reason})", self._where, "tune the model again") from None
