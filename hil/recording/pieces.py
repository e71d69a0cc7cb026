"""Pieces of a recording, chunk by chunk: samples as arrays, small messages as bytes.

Rule of this room: one chunk is unpacked at a time (of small ones as many as make `_TOGETHER` bytes), and only if it
holds what is asked for; its messages become arrays by views or one gather. A chunk that does not match its checksum
raises, or is left out and listed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Int64
from firmware_bridge.errors import FileError
from firmware_bridge.streams import Stream
from hil.recording.cdr import Layout, Samples, key_layout, layout_of
from hil.recording.mcapfile import ChunkEntry, Op
from hil.recording.mcapread import Channel, ChunkDamaged, McapFile
from hil.recording.mcaprecords import UInt64, heads_of

__all__ = ["Located", "Pieces", "RecordedStream"]

Located = tuple[bytes, Int64, npt.NDArray[np.void]]
"""Records, the offsets of messages in them, in order of writing, and the heads of these."""

_TOGETHER = 1 << 16
"""Chunks of fewer bytes are looked through together: what costs most of a small one is to begin with it."""


@dataclass(frozen=True, slots=True)
class RecordedStream:
    """One stream of a recording under one definition (a changed rate or scale makes a second one).

    Attributes:
        board: Role of the board.
        stream: What was sampled.
        channel: Its channel in the file.
        keys: The channel of keys beside images; 0 for others.
        form: How its readings are stored.
    """

    board: str
    stream: Stream
    channel: int
    keys: int
    form: str

    @property
    def layout(self) -> Layout:
        """The layout of its messages."""
        return layout_of(self.stream, self.form)


class Pieces:
    """Chunks of a file, and what to do with damaged ones.

    Args:
        file: The file.
        skip_damaged: Whether chunks that do not match their checksum are left out and listed in `damaged`.
    """

    def __init__(self, file: McapFile, skip_damaged: bool) -> None:
        self.file = file
        self.damaged: list[str] = []
        self._skip = skip_damaged

    def channels(self, kind: str) -> list[Channel]:
        """Return the channels of a kind."""
        return [channel for channel in self.file.channels.values() if channel.metadata.get("kind") == kind]

    def loaded(self, chunk: ChunkEntry) -> bytes | None:
        """Return the records of a chunk; None where it is damaged and such chunks are left out."""
        try:
            return self.file.unpack(chunk)
        except ChunkDamaged as error:
            self._left_out(error)
            return None

    def located(self, chunks: Iterable[ChunkEntry], wanted: set[int]) -> Iterator[Located]:
        """Yield the messages of some channels in chunks, those of small chunks together.

        Damaged chunks are left out where they may be. An index that does not fit the records (they have a checksum, it
        has none) is not used: the records are walked.
        """
        several, size = [], 0
        for chunk in chunks:
            several.append(chunk)
            size += chunk.size
            if size >= _TOGETHER:
                yield from self._located(several, wanted)
                several, size = [], 0
        yield from self._located(several, wanted)

    def _located(self, chunks: Sequence[ChunkEntry], wanted: set[int]) -> Iterator[Located]:
        records: list[bytes] = []
        places: list[Int64] = []
        counts, ends = [], [0]
        for chunk in chunks:
            try:
                found = [self.file.entries(chunk, one)[1] for one in wanted & self.file.channels_in(chunk)]
                if not (count := sum(map(len, found))):
                    continue
                records.append(self.file.unpack(chunk))
            except ChunkDamaged as error:
                self._left_out(error)
                continue
            places += [one.astype(np.int64) + ends[-1] for one in found]
            counts.append(count)
            ends.append(ends[-1] + len(records[-1]))
        if not records:
            return
        data, where = b"".join(records), np.sort(np.concatenate(places))
        heads = heads_of(data, where, np.repeat(ends[1:], counts))
        if heads is not None:
            yield data, where, heads
        elif len(chunks) > 1:
            for chunk in chunks:
                yield from self._located([chunk], wanted)
        elif chunks[0].indexes:
            self.file.distrust(chunks[0])
            yield from self._located([one for one in self.file.chunks if one.offset == chunks[0].offset], wanted)

    def messages(self, kind: str, board: str = "") -> Iterator[memoryview]:
        """Yield the data of small messages of a kind in their recorded order."""
        wanted = {
            channel.id for channel in self.channels(kind) if not board or channel.metadata.get("board") in ("", board)
        }
        for data, places, heads in self.located(self.file.chunks.holding(wanted), wanted):
            for place, length in zip(places.tolist(), heads["len"].tolist(), strict=True):
                yield memoryview(data)[place + 31 : place + 9 + length]

    def extent(self, wanted: set[int]) -> tuple[int, int] | None:
        """Return the earliest and the latest time of the messages of some channels; None where there are none."""
        found = [span for chunk in self.file.chunks.holding(wanted) if (span := self._extent(chunk, wanted))]
        return (min(start for start, _ in found), max(end for _, end in found)) if found else None

    def has(self, channel: int) -> bool:
        """Whether a channel has messages."""
        for chunk in self.file.chunks.holding([channel]):
            try:
                if channel in self.file.channels_in(chunk):
                    return True
            except ChunkDamaged as error:
                self._left_out(error)
        return False

    def count(self, channel: int) -> int:
        """Return how many messages a channel has."""
        total = 0
        for chunk in self.file.chunks.holding([channel]):
            try:
                total += len(self.file.index(chunk, channel)[0])
            except ChunkDamaged as error:
                self._left_out(error)
        return total

    def samples(self, known: RecordedStream, low: int | None, high: int | None) -> Iterator[Samples]:
        """Yield the samples of a stream from UTC `low` on and before `high`, one piece a chunk."""
        layout = known.layout
        for chunk in self.file.chunks.holding([known.channel]):
            if (low is not None and chunk.end_ns < low) or (high is not None and chunk.start_ns >= high):
                continue
            found = self._records(chunk, known)
            if found is None:
                continue
            records, beside = found
            if low is not None or high is not None:
                piece = _within(records["log"].astype(np.int64), low, high)
                records, beside = records[piece], None if beside is None else beside[piece]
            if len(records):
                yield layout.unpack(records, beside)

    def _records(
        self, chunk: ChunkEntry, known: RecordedStream
    ) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void] | None] | None:
        """Return the records of a stream in a chunk, and of the keys beside them; None where there are none."""
        try:
            if not len(self.file.index(chunk, known.channel)[1]):
                return None
            data = self.file.unpack(chunk)
            for _ in range(2):
                records = _gathered(data, self.file.index(chunk, known.channel)[1], known.layout)
                beside = _gathered(data, self.file.index(chunk, known.keys)[1], key_layout()) if known.keys else None
                if records is not None and (not known.keys or (beside is not None and len(beside) == len(records))):
                    return records, beside
                self.file.distrust(chunk)
                chunk = next(one for one in self.file.chunks if one.offset == chunk.offset)
            raise ChunkDamaged(f"the chunk at byte {chunk.offset} holds other messages than its channels say")
        except ChunkDamaged as error:
            self._left_out(error)
            return None

    def _extent(self, chunk: ChunkEntry, wanted: set[int]) -> tuple[int, int] | None:
        try:
            there = self.file.channels_in(chunk) & wanted
            if not there:
                return None
            if len(there) == len(self.file.channels_in(chunk)):
                return chunk.start_ns, chunk.end_ns
            times = np.concatenate([self.file.index(chunk, channel)[0] for channel in there])
        except ChunkDamaged as error:
            self._left_out(error)
            return None
        return int(times.min()), int(times.max())

    def leave_out(self, what: str) -> None:
        """Note a damaged piece that is left out.

        Raises:
            FileError: Nothing may be left out.
        """
        if not self._skip:
            raise FileError(what, str(self.file.path), "`hil recover FILE -o NEW` keeps everything else")
        if what not in self.damaged:
            self.damaged.append(what)

    def _left_out(self, error: ChunkDamaged) -> None:
        self.leave_out(str(error))


def _gathered(data: bytes, offsets: UInt64, layout: Layout) -> npt.NDArray[np.void] | None:
    """Return message records as one array: a view where they lie end to end, else one gather; None: they are none."""
    size = layout.record.itemsize
    if not len(offsets) or int(offsets[-1]) + size > len(data) or int(offsets[0]) > int(offsets[-1]):
        return None
    first, last = int(offsets[0]), int(offsets[-1])
    if last - first == (len(offsets) - 1) * size and (len(offsets) < 3 or np.all(np.diff(offsets) == size)):
        records: npt.NDArray[np.void] = np.frombuffer(data, layout.record, len(offsets), first)
    else:
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), size)
        records = windows[offsets.astype(np.intp)].view(layout.record).reshape(-1)
    fits = np.all(records["op"] == Op.MESSAGE) and np.all(records["len"] == size - 9)
    return records if fits else None


def _within(times: Int64, low: int | None, high: int | None) -> slice:
    """Return the stretch of non-decreasing times from `low` on and before `high`."""
    start = 0 if low is None else int(np.searchsorted(times, low, "left"))
    stop = len(times) if high is None else int(np.searchsorted(times, high, "left"))
    return slice(start, stop)
