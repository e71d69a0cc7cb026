"""SAMPLES frames into arrays: runs of equal-shaped frames become one `Samples`, without a loop over frames.

Frames of a stream keep their order; streams among each other do not need to. A run is cut where the flags, the number
of samples or the length changes.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Stream
from firmware_bridge.wire.dialect import Samples
from firmware_bridge.wire.frames import Frames, Int64
from firmware_bridge.wire.messages import HEADER, TABLE, Flag, Kind

__all__ = ["HEADS", "SampleReader"]

HEADS = np.dtype(
    {
        "names": ["kind", "flags", "seq", "stream", "n", "bytes"],
        "formats": ["u1", "u1", "<u2", "u1", "u1", "(6,)u1"],
        "offsets": [0, 1, 2, 4, 5, 0],
        "itemsize": 6,
    }
)
"""The front of every frame; `stream` and `n` are payload and mean something in SAMPLES only; `bytes` is all of it."""

Records = npt.NDArray[Any]
_MASK32 = np.uint64(0xFFFFFFFF)


class SampleReader:
    """Reads the samples of one board.

    A frame of no samples is malformed.

    Args:
        streams: Streams by wire id.
        tick_hz: Ticks a second; 0: the board has no clock.
    """

    def __init__(self, streams: Mapping[int, Stream], tick_hz: int) -> None:
        self.streams = dict(streams)
        self.tick_hz = tick_hz
        self._layouts: dict[tuple[int, int, int], np.dtype[Any]] = {}

    def change_rate(self, wire_id: int, rate_hz: float) -> None:
        """Samples of this stream come at another rate from now on."""
        if wire_id in self.streams:
            self.streams[wire_id] = replace(self.streams[wire_id], rate_hz=rate_hz)

    def runs(self, frames: Frames, heads: Records, which: Int64) -> Iterator[Int64]:
        """Cut SAMPLES frames into runs of one stream and shape, streams in order of their ids.

        Args:
            frames: Where they are.
            heads: All of `frames` as `HEADS`.
            which: `(k,)`, indices of the SAMPLES frames.
        """
        heads, length = heads[which], frames.length[which]
        key = (
            (heads["stream"].astype(np.int64) << 48) | (heads["flags"].astype(np.int64) << 40)
            | (heads["n"].astype(np.int64) << 32) | length
        )  # fmt: skip
        order = np.argsort(heads["stream"], kind="stable")
        cuts = np.flatnonzero(np.diff(key[order])) + 1
        start = 0
        for stop in [*cuts.tolist(), len(order)]:
            yield which[order[start:stop]]
            start = stop

    def read(self, frames: Frames, which: Int64 | slice, stream: int, flags: int, n: int, length: int) -> Samples | str:
        """Return the samples of one run, or the bucket (`unknown`, `malformed`) of a run that cannot be read.

        Args:
            frames: Where the run is.
            which: Its frames.
            stream: Wire id.
            flags: Of all its frames.
            n: Samples in each.
            length: Of each body.
        """
        if stream not in self.streams:
            return "unknown"
        layout = self._layouts.get((stream, flags, n))
        if layout is None:
            if not n or length != self._length(stream, flags, n):  # before a type is built that may be gigantic
                return "malformed"
            layout = self._layout(stream, flags, n)
        elif layout.itemsize != length:
            return "malformed"
        return self._samples(frames.records(layout, which), self.streams[stream], flags, n)

    def _length(self, stream: int, flags: int, n: int) -> int:
        what = self.streams[stream]
        values = n * math.prod(what.shape) * np.dtype(what.dtype).itemsize
        fixed = HEADER.size + TABLE[Kind.SAMPLES].codec(Flag(flags)).size
        return fixed + (2 * n if flags & Flag.DELTAS else 0) + values

    def _layout(self, stream: int, flags: int, n: int) -> np.dtype[Any]:
        what = self.streams[stream]
        fields: list[Any] = [("head", "V4"), ("stream", "u1"), ("n", "u1"), ("first", "<u4")]
        fields.append(("tick", "<u8" if flags & Flag.TICK64 else "<u4"))
        if flags & Flag.DELTAS:
            fields.append(("deltas", "<u2", (n,)))
        fields.append(("values", what.dtype, (n, *what.shape)))
        layout = self._layouts[stream, flags, n] = np.dtype(fields)
        return layout

    def _samples(self, records: Records, stream: Stream, flags: int, n: int) -> Samples:
        raw = np.array(records["values"]).reshape(-1, *stream.shape)
        raw.flags.writeable = False
        number: npt.NDArray[np.uint64] = records["first"].astype(np.uint64)
        if n != 1:
            number = np.bitwise_and(np.add(number[:, None], np.arange(n, dtype=np.uint64)), _MASK32).ravel()
        if not self.tick_hz:
            return Samples(stream, raw, number)
        ticks: npt.NDArray[np.uint64] = records["tick"].astype(np.uint64)
        if n != 1:
            ticks = np.add(ticks[:, None], self._inside(records, stream, flags, n)).ravel()
            if not flags & Flag.TICK64:
                np.bitwise_and(ticks, _MASK32, out=ticks)
        return Samples(stream, raw, number, 32, ticks, 64 if flags & Flag.TICK64 else 32)

    def _inside(self, records: Records, stream: Stream, flags: int, n: int) -> npt.NDArray[np.uint64]:
        """Return how many ticks after its frame's tick each sample was taken."""
        steps: npt.NDArray[np.uint64]
        if flags & Flag.DELTAS:
            steps = np.cumsum(records["deltas"], axis=1, dtype=np.uint64)
        else:
            step = self.tick_hz / stream.rate_hz if stream.rate_hz else 0.0
            steps = np.rint(np.arange(n) * step).astype(np.uint64)
        return steps
