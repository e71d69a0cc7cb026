"""SAMPLES frames into arrays: a run of equal-shaped frames becomes one `Samples`, without a loop over frames.

Frames with DELTAS carry a tick for each sample; without, the ticks inside a frame are laid out by the stream's rate
from the frame's one tick (all equal where the rate is unknown), so that jitter inside a frame is not known.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.wire.dialect import Samples
from firmware_bridge.wire.messages import HEADER, TABLE, Flag, Kind
from firmware_bridge.wire.walk import Run

__all__ = ["SampleReader"]

UInt64 = npt.NDArray[np.uint64]

_DELTAS, _TICK64 = int(Flag.DELTAS), int(Flag.TICK64)
_FIRST = 6
"""Where `first` stands in a body; the tick follows."""
_CIRCLE = 1 << 32
_MASK32 = np.uint64(_CIRCLE - 1)


class SampleReader:
    """Reads the samples of one board. A frame of no samples is malformed.

    Args:
        streams: Streams by wire id.
        tick_hz: Ticks a second; 0: the board has no clock.
    """

    def __init__(self, streams: Mapping[int, Stream], tick_hz: int) -> None:
        self.streams = dict(streams)
        self.tick_hz = tick_hz
        self._layouts: dict[tuple[int, int, int], np.dtype[Any]] = {}
        self._steps: dict[tuple[int, int], UInt64] = {}

    def change_rate(self, wire_id: int, rate_hz: float) -> None:
        """Samples of this stream come at another rate from now on."""
        if wire_id in self.streams:
            self.streams[wire_id] = replace(self.streams[wire_id], rate_hz=rate_hz)
            self._steps.clear()

    def read(self, run: Run) -> Samples | str:
        """Return the samples of a run, or the bucket (`unknown`, `malformed`) of a run that cannot be read."""
        if run.length < HEADER.size + 2:
            return "malformed"  # not even a stream in it
        stream = self.streams.get(run.stream)
        if stream is None:
            return "unknown"
        layout = self._layouts.get((run.stream, run.flags, run.n))
        if layout is None:
            if not run.n or run.length != _length(stream, run.flags, run.n):
                return "malformed"  # told before a type is built that may be gigantic
            layout = self._layouts[run.stream, run.flags, run.n] = _layout(stream, run.flags, run.n)
        elif layout.itemsize != run.length:
            return "malformed"
        if run.count == 1 and isinstance(run.data, bytes):
            return self._single(run.data, layout, stream, run)
        return self._samples(run.records(layout), stream, run)

    def _single(self, body: bytes, layout: np.dtype[Any], stream: Stream, run: Run) -> Samples:
        """Read one frame that lies in bytes of its own: most live reads, so with as few calls as can be."""
        n, wide = run.n, bool(run.flags & _TICK64)
        values = run.length - n * math.prod(stream.shape) * layout["values"].base.itemsize
        raw = np.ndarray((n, *stream.shape), stream.dtype, body, values)  # read-only, as bytes are
        first = int.from_bytes(body[_FIRST : _FIRST + 4], "little")
        number = np.arange(first, first + n, dtype=np.uint64)
        if first + n > _CIRCLE:
            number &= _MASK32
        if not self.tick_hz:
            return Samples(stream, raw, number)
        tick = int.from_bytes(body[_FIRST + 4 : _FIRST + (12 if wide else 8)], "little")
        if run.flags & _DELTAS:
            deltas = np.ndarray((n,), "<u2", body, values - 2 * n)
            ticks = np.cumsum(deltas, dtype=np.uint64)
            ticks += np.uint64(tick)
        else:
            ticks = self._evenly(stream, run)[0] + np.uint64(tick)
        if not wide and n != 1:
            ticks &= _MASK32
        return Samples(stream, raw, number, 32, ticks, 64 if wide else 32)

    def _samples(self, records: npt.NDArray[Any], stream: Stream, run: Run) -> Samples:
        raw = np.array(records["values"]).reshape(-1, *stream.shape)  # copied: a view would keep the whole buffer
        raw.flags.writeable = False
        n, wide = run.n, bool(run.flags & _TICK64)
        number: UInt64 = records["first"].astype(np.uint64)
        ticks: UInt64 | None = records["tick"].astype(np.uint64) if self.tick_hz else None
        if n != 1:
            number = np.add(number[:, None], np.arange(n, dtype=np.uint64)).ravel()
            number &= _MASK32
            if ticks is not None:
                ticks = np.add(ticks[:, None], self._inside(records, stream, run)).ravel()
        if ticks is None:
            return Samples(stream, raw, number)
        if not wide and n != 1:
            ticks &= _MASK32
        return Samples(stream, raw, number, 32, ticks, 64 if wide else 32)

    def _inside(self, records: npt.NDArray[Any], stream: Stream, run: Run) -> UInt64:
        """Return how many ticks after its frame's tick each sample was taken, `(frames or 1, n)`."""
        if run.flags & _DELTAS:
            deltas: UInt64 = np.cumsum(records["deltas"], axis=1, dtype=np.uint64)
            return deltas
        return self._evenly(stream, run)

    def _evenly(self, stream: Stream, run: Run) -> UInt64:
        steps = self._steps.get((run.stream, run.n))
        if steps is None:
            step = self.tick_hz / stream.rate_hz if stream.rate_hz else 0.0
            steps = self._steps[run.stream, run.n] = np.rint(np.arange(run.n) * step).astype(np.uint64)[None, :]
        return steps


def _length(stream: Stream, flags: int, n: int) -> int:
    values = n * math.prod(stream.shape) * np.dtype(stream.dtype).itemsize
    fixed = HEADER.size + TABLE[Kind.SAMPLES].codec(Flag(flags)).size
    return fixed + (2 * n if flags & _DELTAS else 0) + values


def _layout(stream: Stream, flags: int, n: int) -> np.dtype[Any]:
    fields: list[Any] = [("head", "V4"), ("stream", "u1"), ("n", "u1"), ("first", "<u4")]
    fields.append(("tick", "<u8" if flags & _TICK64 else "<u4"))
    if flags & _DELTAS:
        fields.append(("deltas", "<u2", (n,)))
    fields.append(("values", stream.dtype, (n, *stream.shape)))
    return np.dtype(fields)
