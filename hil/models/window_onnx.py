"""Any network as an ONNX program: a window for each board, recomputed at every hop.

Rule: the program is data that onnxruntime interprets; it takes one float32 input, a batch of windows, and gives one
output, a row for each. Where its batch axis is free all slots run in one call of fixed size; where it is fixed to 1
they run one by one. Nothing else about the network is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError
from hil.models.contract import Contract
from hil.models.step_onnx import open_session

__all__ = ["WindowStep", "check_program"]


def _open(program: bytes, contract: Contract) -> tuple[Any, bool]:
    """Return the session and whether its batch axis is free."""
    where = f"model {contract.name}"
    try:
        session = open_session(program)
    except (RuntimeError, ValueError, TypeError) as error:  # onnxruntime's own errors derive from RuntimeError
        reason = str(error).strip().splitlines()[0][:200]
        raise FileError(f"its program.onnx cannot be loaded ({reason})", where, "export the network again") from None
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime"):
            reason = str(error).strip().splitlines()[0][:200]
            raise FileError(
                f"its program.onnx cannot be loaded ({reason})", where, "export the network again"
            ) from None
        raise
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shape = (contract.window, contract.width)
    if contract.layout == "channels_time":
        shape = (shape[1], shape[0])
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type != "tensor(float)":
        raise FileError(
            f"its program has {len(inputs)} inputs and {len(outputs)} outputs and must have one float32 input and one "
            "output",
            where,
            "export a network that takes a batch of windows and gives scores",
        )
    found = list(inputs[0].shape)
    fits = len(found) == 3 and all(not isinstance(a, int) or a == b for a, b in zip(found[1:], shape, strict=True))
    if not fits or (isinstance(found[0], int) and found[0] != 1):
        raise FileError(
            f"its program takes {found} and the contract says windows of [batch, {shape[0]}, {shape[1]}]",
            where,
            "correct window, inputs or layout in the contract, or export with a free batch axis",
        )
    return session, not isinstance(found[0], int)


def check_program(program: bytes, contract: Contract) -> None:
    """Run a program once on zeros to see that it fits its contract.

    Raises:
        FileError: It does not load, or takes or gives other shapes.
    """
    step = WindowStep(program, contract, 1)
    out = step.run([0], [0])
    if out.shape != (1, len(contract.labels)):
        raise FileError(
            f"its program gives {list(out.shape[1:])} scores and the contract has {len(contract.labels)} labels",
            f"model {contract.name}",
            "correct the labels in the contract",
        )


class WindowStep:
    """A network over whole windows in the interface of `hil.models.group.Step`."""

    backend = "onnxruntime"

    def __init__(self, program: bytes, contract: Contract, slots: int) -> None:
        self._session, self._batched = _open(program, contract)
        import onnxruntime

        self.version = f"onnxruntime {onnxruntime.__version__}"
        self._name = self._session.get_inputs()[0].name
        self._swap = contract.layout == "channels_time"
        self._where = f"model {contract.name}"
        channels = contract.width
        self.input = np.zeros((slots, contract.hop, channels), np.float32)
        self._window = np.zeros((slots, contract.window, channels), np.float32)
        self._out = np.zeros((slots, len(contract.labels)), np.float32)

    def run(self, active: Sequence[int], reset: Sequence[int], starts: Sequence[int] = ()) -> npt.NDArray[np.float32]:
        """Move the windows of the `active` slots by the hop in `input`, after clearing those in `reset`."""
        window, hop = self._window, self.input.shape[1]
        length = window.shape[1]
        window[list(reset)] = 0.0
        moved = list(active)
        if hop < length:
            window[moved, :-hop] = window[moved, hop:]
            window[moved, -hop:] = self.input[moved]
        else:
            window[moved] = self.input[moved, hop - length :]
        if self._batched:
            return self._scores(window)
        rows = [self._scores(window[slot : slot + 1]) for slot in moved]
        out = self._out if rows[0].shape[1:] == self._out.shape[1:] else np.zeros((len(window), *rows[0].shape[1:]))
        out[moved] = np.concatenate(rows)
        return out

    def _scores(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        fed = np.ascontiguousarray(windows.transpose(0, 2, 1)) if self._swap else windows
        try:
            (out,) = self._session.run(None, {self._name: fed})
        except Exception as error:
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            reason = str(error).strip().splitlines()[0][:200]
            raise FileError(f"its program failed ({reason})", self._where, "export the network again") from None
        scores: npt.NDArray[np.float32] = out
        return scores
