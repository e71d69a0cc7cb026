"""The slots that one call of the network computes: raw blocks in, probabilities out.

Rule: readings become numbers as `Stream.values` says (float64, then float32), then the contract's constants apply; both
are done for all slots at once, element by element, so that no board's values depend on another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.scanning import Scanning, Step, most_hops

__all__ = ["Group"]


class Group:
    """The slots that one call computes.

    Args:
        contract: The model's contract.
        step: The network.
    """

    def __init__(self, contract: Contract, step: Step) -> None:
        shape = step.input.shape
        self.step = step
        # All of the full shape: broadcasting would cost three times as much as the arithmetic.
        self.raw = np.zeros(shape, np.float64)
        self.scaled = np.zeros(shape, np.float64)
        self.scale = np.ones(shape)
        self.offset = np.zeros(shape)
        self.mean = np.broadcast_to(np.array([item.mean for item in contract.inputs], np.float32), shape).copy()
        self.std = np.broadcast_to(np.array([item.std for item in contract.inputs], np.float32), shape).copy()
        self.columns: list[list[int] | None] = [None] * shape[0]
        self.longest = most_hops(step)
        """Hops of one slot that one call takes."""
        self._scanning = step if isinstance(step, Scanning) else None
        self._logits = contract.outputs == "logits"

    def adopt(self, row: int, stream: Stream, picked: Sequence[int]) -> None:
        """Read the columns `picked` of `stream` in slot `row` from now on."""
        every = list(range(len(stream.channels)))
        self.columns[row] = None if list(picked) == every else list(picked)
        for target, given in ((self.scale, stream.scale), (self.offset, stream.offset)):
            target[row] = np.broadcast_to(np.asarray(given, np.float64), len(every))[list(picked)]

    def run(
        self, rows: Sequence[int], blocks: Sequence[npt.NDArray[Any]], reset: Sequence[int], starts: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        """Advance the slots `rows` by one raw block `(hop, C)` or `(hop, H, W)` each, after clearing those in `reset`.

        Args:
            rows: Slots.
            blocks: A block for each.
            reset: Slots in which a segment begins.
            starts: Number of the first sample of each block.

        Returns:
            `(slots, classes)` as the network gives them.
        """
        for row, block in zip(rows, blocks, strict=True):
            columns = self.columns[row]
            self.raw[row] = block.reshape(len(block), -1) if columns is None else block[:, columns]
        self._normalise(self.scale, self.offset)
        return self.step.run(rows, reset, starts)

    def scan(self, row: int, blocks: Sequence[npt.NDArray[Any]], reset: bool) -> npt.NDArray[np.float32]:
        """Advance slot `row` by up to `longest` raw blocks `(hop, C)` that follow each other, in one call.

        Returns:
            `(slots, classes)` as the network gives them, row k of block k.
        """
        assert self._scanning is not None
        columns = self.columns[row]
        for at, block in enumerate(blocks):
            self.raw[at] = block.reshape(len(block), -1) if columns is None else block[:, columns]
        self._normalise(self.scale[row], self.offset[row])
        return self._scanning.scan(row, len(blocks), reset)

    def _normalise(self, scale: npt.NDArray[np.float64], offset: npt.NDArray[np.float64]) -> None:
        np.multiply(self.raw, scale, out=self.scaled)
        np.add(self.scaled, offset, out=self.scaled)
        out = self.step.input
        out[...] = self.scaled
        np.subtract(out, self.mean, out=out)
        np.divide(out, self.std, out=out)

    def probabilities(self, outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Outputs as probabilities `(slots, classes)`; NaN where a reading was not a number."""
        scores = outputs.astype(np.float64)
        if self._logits:
            with np.errstate(invalid="ignore"):
                scores = np.exp(scores - scores.max(axis=1, keepdims=True))
                scores /= scores.sum(axis=1, keepdims=True)
        return scores
