"""The streaming form of any network of ours as an ONNX program: data that onnxruntime runs without torch.

Rule: the program is exported from the very function that runs eagerly (`Net.advance`), with state as inputs and outputs
and the number of slots left free; whoever runs it always gives the same number.
"""

from __future__ import annotations

import logging
import warnings

import torch
from torch import Tensor, nn

from firmware_bridge.errors import MissingPart, UsageError
from hil.models.nets.seam import Net

__all__ = ["exported_step"]


class _Flat(nn.Module):
    """`advance` with its state as a list of tensors, as exporters want it; a state of no rows is none to them."""

    def __init__(self, net: Net, hop: int) -> None:
        super().__init__()
        states = net.states(hop)
        self.net = net
        self.kept = {name: shape for name, shape in states.items() if 0 not in shape}
        self.empty = {name: shape for name, shape in states.items() if 0 in shape}

    def forward(self, x: Tensor, at: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        held = dict(zip(self.kept, state, strict=True))
        none = {name: x.new_zeros(x.shape[0], *shape) for name, shape in self.empty.items()}
        logits, after = self.net.advance(x, at, {**held, **none})
        return (logits, *(after[name] for name in self.kept))


def exported_step(net: Net, hop: int) -> bytes:
    """Return the ONNX program of one hop.

    Its inputs are `x` `(slots, hop, inputs)`, `at` `(slots,)` where the network's clearings follow sample numbers, and
    the states by their names; its outputs are `logits` and every state's `NAME.next`.

    Args:
        net: The network, fused.
        hop: Samples a call.

    Raises:
        MissingPart: The package onnxscript is not installed.
        UsageError: The exporter cannot do it.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingPart(
            "the package onnxscript is not installed", "hil.models", "run: pip install 'hil-testbench[onnx]'"
        ) from None
    flat, slots = _Flat(net.eval(), hop), 3
    states = flat.kept
    given = (
        torch.zeros(slots, hop, net.config.inputs), torch.zeros(slots, dtype=torch.int64),
        *(torch.zeros(slots, *shape) for shape in states.values()),
    )  # fmt: skip
    free = torch.export.Dim("slots", min=2, max=4096)
    names = ("x", "at", *states)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                flat, given, dynamo=True, verbose=False, input_names=list(names),
                output_names=["logits", *(f"{name}.next" for name in states)],
                dynamic_shapes=({0: free}, {0: free}, *([tuple({0: free} for _ in states)] if states else [])),
            )  # fmt: skip
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
        raise UsageError(
            f"the streaming step cannot be exported ({reason})", type(net).__name__, "run it eagerly"
        ) from error
    finally:
        log.setLevel(level)
    assert program is not None
    proto = program.model_proto
    within = (node for function in proto.functions for node in function.node)
    for part in (*proto.graph.node, *proto.graph.value_info, *proto.graph.initializer, *within):
        part.ClearField("metadata_props")  # where in whose folder a line of Python stood is nobody's business
    made: bytes = proto.SerializeToString()
    return made
