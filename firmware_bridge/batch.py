"""Batches: consecutive samples of one stream, the currency of the bench.

Samples are keyed by (board, stream, boot, sample number): `Batch.first` is the 64-bit unwrapped number of its first
sample and a batch is contiguous, so that any gap ends it. `t_ns` is for people and for joins between boards; no model
reads it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Float32, Stream

__all__ = ["Batch", "Float32", "Int64"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Consecutive samples of one stream: no gap, no reboot and no rate change inside.

    Attributes:
        board: Role of the board.
        stream: What was sampled.
        boot: How often the board has started since the session began, from 0.
        first: Unwrapped number of the first sample.
        ticks: int64 `(N,)`, the board's clock, unwrapped (arrival in ns where the board sends no time).
        t_ns: int64 `(N,)`, UTC by the causal clock fit at decode time; never decreases within a stream.
        raw: `(N, *shape)` read-only, in the wire's dtype.
    """

    board: str
    stream: Stream
    boot: int
    first: int
    ticks: Int64
    t_ns: Int64
    raw: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def values(self) -> Float32:
        """Readings in the stream's units, float32 `(N, *shape)`."""
        return self.stream.values(self.raw)

    @property
    def end(self) -> int:
        """Number of the sample that would follow."""
        return self.first + len(self.raw)

    def part(self, start: int, stop: int) -> "Batch":
        """Return samples `start` to `stop` (indices into this batch) as a batch that shares memory."""
        return replace(
            self, first=self.first + start, ticks=self.ticks[start:stop], t_ns=self.t_ns[start:stop],
            raw=self.raw[start:stop],
        )  # fmt: skip
