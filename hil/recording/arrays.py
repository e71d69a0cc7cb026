"""Samples of one stream read back: plain arrays, their segments, and batches as the pipeline takes them.

Rule of this room: what was not received is not there; a gap shows in `numbers` and ends a segment, never as a value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch, Float32, Int64
from firmware_bridge.streams import Stream
from hil.recording.cdr import Samples

__all__ = ["StreamArrays", "end_to_end", "in_order", "joined"]


@dataclass(frozen=True, eq=False)
class StreamArrays:
    """Samples of one stream in order of their number.

    Attributes:
        board: Role of the board.
        stream: What was sampled.
        numbers: int64 `(N,)`, unwrapped sample numbers.
        boot: int32 `(N,)`, how often the board had started.
        ticks: int64 `(N,)`, the board's clock.
        t_ns: int64 `(N,)`, UTC.
        raw: `(N, *shape)`, in the wire's dtype.
        start_ns: Time of the recording's first sample, from which `t_s` counts.
    """

    board: str
    stream: Stream
    numbers: Int64
    boot: npt.NDArray[np.int32]
    ticks: Int64
    t_ns: Int64
    raw: npt.NDArray[Any]
    start_ns: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def values(self) -> Float32:
        """Readings in the stream's units, float32 `(N, *shape)`."""
        return self.stream.values(self.raw)

    @property
    def t_s(self) -> npt.NDArray[np.float64]:
        """Seconds since the recording's first sample, float64 `(N,)`."""
        seconds: npt.NDArray[np.float64] = (self.t_ns - self.start_ns) / 1e9
        return seconds

    @property
    def first(self) -> int:
        """Number of the first sample.

        Raises:
            IndexError: There is none.
        """
        return int(self.numbers[0])

    @cached_property
    def segments(self) -> tuple[slice, ...]:
        """Stretches without a gap or a reboot inside, as slices of these arrays."""
        if not len(self):
            return ()
        breaks = np.flatnonzero((np.diff(self.numbers) != 1) | (np.diff(self.boot) != 0)) + 1
        edges = [0, *breaks.tolist(), len(self)]
        return tuple(slice(start, stop) for start, stop in pairwise(edges))

    def part(self, piece: slice) -> "StreamArrays":
        """Return some of the samples, sharing memory."""
        return StreamArrays(
            self.board, self.stream, self.numbers[piece], self.boot[piece], self.ticks[piece], self.t_ns[piece],
            self.raw[piece], self.start_ns,
        )  # fmt: skip

    def batches(self, longest: int | None = None) -> Iterator[Batch]:
        """Yield the samples as batches, one a segment, or pieces of at most `longest` samples."""
        for segment in self.segments:
            step = longest or segment.stop - segment.start
            for start in range(segment.start, segment.stop, step):
                piece = slice(start, min(start + step, segment.stop))
                raw = self.raw[piece]
                raw.flags.writeable = False
                yield Batch(
                    self.board, self.stream, int(self.boot[start]), int(self.numbers[start]), self.ticks[piece],
                    self.t_ns[piece], raw,
                )  # fmt: skip


def joined(board: str, stream: Stream, parts: Sequence[Samples], start_ns: int) -> StreamArrays:
    """Return parts that follow each other as one set of arrays."""
    if not parts:
        nothing = np.empty(0, np.int64)
        raw = np.empty((0, *stream.shape), stream.dtype)
        return StreamArrays(board, stream, nothing, nothing.astype(np.int32), nothing, nothing, raw, start_ns)
    numbers, boot, ticks, t_ns, raw = (_column(parts, name) for name in ("numbers", "boot", "ticks", "t_ns", "raw"))
    return StreamArrays(board, stream, numbers, boot, ticks, t_ns, raw, start_ns)


def in_order(arrays: StreamArrays) -> StreamArrays:
    """Return samples in order of boot and number."""
    order = np.lexsort((arrays.numbers, arrays.boot))
    return StreamArrays(
        arrays.board, arrays.stream, arrays.numbers[order], arrays.boot[order], arrays.ticks[order],
        arrays.t_ns[order], arrays.raw[order], arrays.start_ns,
    )  # fmt: skip


def end_to_end(parts: Sequence[StreamArrays]) -> StreamArrays:
    """Return pieces of one stream that follow each other as one."""
    first = parts[0]
    samples = [Samples(part.numbers, part.boot, part.ticks, part.t_ns, part.raw) for part in parts]
    return joined(first.board, first.stream, samples, first.start_ns)


def _column(parts: Sequence[Samples], name: str) -> npt.NDArray[Any]:
    arrays = [getattr(part, name) for part in parts]
    whole: npt.NDArray[Any] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return whole
