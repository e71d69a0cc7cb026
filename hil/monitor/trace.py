"""One stream as the bench remembers it for a screen: its ring, its gaps, its frames and its measured rate.

Times come with the samples; nothing here asks a clock. The rate is measured between sample numbers on the board's own
ticks, so that neither a lost sample nor the host's scheduling changes it.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.monitor.figures import Stretch
from hil.monitor.ring import Ring
from hil.views.cursor import CursorView
from hil.views.stream import StreamView
from hil.views.view import View

__all__ = ["Trace"]

HISTORY_S = 600.0
FAST_HZ = 1000.0
"""Rate that is planned for where the board states none."""
MAX_BYTES = 32 * 1024 * 1024
"""Most memory of one stream's ring; of its frames, too."""
RATE_SPAN_S = 5.0
SILENT_S = 2.0
MAX_GAPS = 4096

Int64 = npt.NDArray[np.int64]


class Trace:
    """The last minutes of one stream.

    Args:
        board: Role of the board.
        stream: What is sampled.
    """

    def __init__(self, board: str, stream: Stream) -> None:
        self.board = board
        self.stream = stream
        size = int(np.prod(stream.shape))
        dtype = np.dtype(stream.dtype)
        # Flags are kept as bytes: they have no smallest and largest of their own.
        kept = "u1" if dtype.kind == "b" else dtype.str
        wanted = int(HISTORY_S * (stream.rate_hz or FAST_HZ))
        width = 2 if stream.is_image else size
        self._ring = Ring(width, kept, min(wanted, MAX_BYTES // (width * dtype.itemsize * 2 + 8)))
        self._frames: Ring | None = None
        if stream.is_image:
            self._frames = Ring(size, kept, min(wanted, MAX_BYTES // (size * dtype.itemsize)))
        self._gaps: deque[tuple[int, int]] = deque(maxlen=MAX_GAPS)
        self._next: tuple[int, int] | None = None
        self._missing = False
        self._anchors: deque[tuple[int, int]] = deque()
        self.samples = 0

    @property
    def newest(self) -> tuple[int, int] | None:
        """Boot and number of the newest sample, None before the first."""
        return None if self._next is None else (self._next[0], self._next[1] - 1)

    def fits(self, stream: Stream) -> bool:
        """Whether samples of `stream` can be kept beside the present ones; its rate may differ."""
        mine = self.stream
        same = (mine.dtype, mine.shape, mine.channels, mine.units, mine.scale, mine.offset)
        return same == (stream.dtype, stream.shape, stream.channels, stream.units, stream.scale, stream.offset)

    def gap(self) -> None:
        """Samples of unknown number are missing before the next one."""
        self._missing = True

    def clear(self) -> None:
        """Forget the samples and what was measured on them (a replay jumped)."""
        self._ring.clear()
        if self._frames is not None:
            self._frames.clear()
        self._gaps.clear()
        self._anchors.clear()
        self._next = None
        self._missing = False

    def append(self, batches: Sequence[Batch]) -> None:
        """Copy samples in: `batches` of this stream, in order."""
        before = self._ring.last_ns
        for batch in batches:
            if not len(batch):
                continue
            if self._missing or (self._next is not None and self._next != (batch.boot, batch.first)):
                if before is not None:
                    self._gaps.append((before, int(batch.t_ns[0])))
                self._anchors.clear()
                self._missing = False
            before = int(batch.t_ns[-1])
            self._next = (batch.boot, batch.end)
        last_batch = batches[-1]
        self.stream = last_batch.stream
        raw = last_batch.raw if len(batches) == 1 else np.concatenate([batch.raw for batch in batches])
        t_ns = last_batch.t_ns if len(batches) == 1 else np.concatenate([batch.t_ns for batch in batches])
        self.samples += len(raw)
        flat = raw.reshape(len(raw), -1)
        if self._frames is not None:
            self._frames.append(flat, t_ns)
            flat = np.stack((flat.min(axis=1), flat.max(axis=1)), axis=1)
        self._ring.append(flat, t_ns)
        if len(last_batch):
            self._anchor(last_batch)

    def _anchor(self, batch: Batch) -> None:
        hz = batch.stream.tick_hz or 1e9
        if not self._anchors:
            self._anchors.append((batch.first, int(batch.ticks[0])))
        self._anchors.append((batch.end - 1, int(batch.ticks[-1])))
        # The oldest anchor goes only while the next one still spans the time that is measured over.
        while len(self._anchors) > 2 and (self._anchors[-1][1] - self._anchors[1][1]) / hz >= RATE_SPAN_S:
            self._anchors.popleft()

    def latest(self) -> Batch | None:
        """Return what is still at hand without a gap, of a stream of channels; None where that is nothing."""
        if self._next is None or self.stream.is_image:
            return None
        raw, t_ns = self._ring.tail(self._gaps[-1][1] if self._gaps else 0)
        raw.flags.writeable = False
        boot, end = self._next
        return Batch(self.board, self.stream, boot, end - len(raw), np.zeros(len(raw), np.int64), t_ns, raw)

    def stretch(self, start_ns: int, end_ns: int, most: int, lead: int) -> Stretch:
        """Return copies of the newest readings of a stream of channels, at most `most`, and `lead` before the start."""
        rate = self.stream.rate_hz or self.measured_hz(end_ns) or None
        early = round(lead / rate * 1e9) if rate else 0
        raw, t_ns = self._ring.between(start_ns - early, end_ns, most)
        breaks = np.unique(np.searchsorted(t_ns, np.array([stop for _, stop in self._gaps], np.int64)))
        inside = breaks[(breaks > 0) & (breaks < len(t_ns))].astype(np.int64)
        return Stretch(self.stream, raw, t_ns, inside, rate, start_ns, end_ns)

    def cursor(self, t_ns: int) -> CursorView | None:
        """Return the sample nearest to a time; None where there is none, and of pictures."""
        found = None if self.stream.is_image else self._ring.nearest(t_ns)
        return None if found is None else CursorView(self.board, self.stream.name, found[1], self._values(found[0]))

    def readings(self, from_ns: int, to_ns: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return what is still at hand of a time: int64 `(N,)` UTC and float32 `(N, C)`; of images each pixel is a C.

        Args:
            from_ns: First moment, UTC.
            to_ns: End, UTC; it does not belong to it.
        """
        raw, t_ns = (self._ring if self._frames is None else self._frames).tail(from_ns)
        count = int(np.searchsorted(t_ns, to_ns))
        values = self.stream.values(raw[:count].reshape(count, *self.stream.shape))
        return t_ns[:count], values.reshape(count, -1)

    def measured_hz(self, now_ns: int | None) -> float | None:
        """Return samples a second on the board's clock; 0 when it fell silent, None while unknown.

        Args:
            now_ns: What time it is; None: how fast they came while they came, however long ago that is.
        """
        last = self._ring.last_ns
        if last is None:
            return None
        if now_ns is not None and now_ns - last > 1e9 * max(SILENT_S, 3 / (self.stream.rate_hz or FAST_HZ)):
            return 0.0
        if len(self._anchors) < 2:
            return None
        (first, start), (end, stop) = self._anchors[0], self._anchors[-1]
        return (end - first) * (self.stream.tick_hz or 1e9) / (stop - start) if stop > start else None

    def view(self, view: View, now_ns: int) -> StreamView:
        """Return the stream as a screen wants it at bench time `now_ns`."""
        stream, end = self.stream, now_ns if view.end_ns is None else view.end_ns
        count = max(1, view.columns) if view.envelopes else 0
        width = view.column_ns
        last = view.edge_ns(now_ns) // width
        low, high = self._envelope(last - count, count, width)
        shown = self._ring.before(end)
        image, image_ns = self._image(end) if view.images else (None, 0)
        if stream.is_image or shown is None:
            latest = np.full(len(stream.channels), np.nan, np.float32)
        else:
            latest = stream.values(shown[0])
        some = stream.is_image and bool(np.isfinite(low).any())
        return StreamView(
            board=self.board, name=stream.name, channels=stream.channels, units=stream.units, rate_hz=stream.rate_hz,
            measured_hz=self.measured_hz(now_ns), rate_inferred=stream.rate_inferred, samples=self.samples,
            start_ns=(last - count) * width, end_ns=last * width, low=low, high=high,
            gaps=self._flags(last - count, count, width), latest=latest, is_image=stream.is_image, image=image,
            image_ns=image_ns, image_low=float(np.nanmin(low)) if some else None,
            image_high=float(np.nanmax(high)) if some else None,
        )  # fmt: skip

    def _envelope(self, first: int, count: int, width: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        low, high, there = self._ring.columns(first, count, width)
        if self.stream.is_image:
            low, high = low[:, :1], high[:, 1:]
        one, other = self._values(low), self._values(high)
        # A negative scale turns the smallest raw value into the largest reading.
        low, high = np.fmin(one, other), np.fmax(one, other)
        low[~there] = high[~there] = np.nan
        return np.ascontiguousarray(low.T), np.ascontiguousarray(high.T)

    def _values(self, raw: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return self.stream.values(raw)

    def _image(self, end: int) -> tuple[npt.NDArray[np.float32] | None, int]:
        found = None if self._frames is None else self._frames.before(end)
        if found is None:
            return None, 0
        return self.stream.values(found[0].reshape(self.stream.shape)), found[1]

    def _flags(self, first: int, count: int, width: int) -> npt.NDArray[np.bool_]:
        flags = np.zeros(count, np.bool_)
        for start, stop in self._gaps:
            left, right = start // width - first, stop // width - first
            if right >= 0 and left < count:
                flags[max(0, left) : right + 1] = True
        return flags
