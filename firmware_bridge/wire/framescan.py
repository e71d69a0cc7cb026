"""Frames of described boards found in bytes: by their first bytes and length, or between delimiters.

Rules. A candidate that fails (length, checksum) costs one byte: the search goes on right behind its first, so that a
good frame inside a false one is not lost. Bytes between frames are lines for people where the file says so and they are
printable, else they are discarded (`resync`). Every byte is in a frame, in a drop, or pending; the result depends on
the bytes and never on how they were cut.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.fieldplan import FramePlan
from firmware_bridge.wire.sums import SUMS

__all__ = ["PRINTABLE", "Drop", "Found", "Judge", "Synchronised"]

Int64 = npt.NDArray[np.int64]
MAX_TEXT = 1024
PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n\x1b"


@dataclass(frozen=True, slots=True)
class Drop:
    """Bytes outside good frames: bucket, place in all bytes fed, the bytes' number, and the text where it is one."""

    kind: str
    offset: int
    count: int
    text: bytes = b""


@dataclass(slots=True)
class Found:
    """What a scan found.

    Attributes:
        data: Bytes that hold the frames (unstuffed where they were stuffed).
        starts: Where each frame begins in `data`.
        lengths: How long it is there.
        wire: How many bytes it took on the wire.
        offsets: Where it began in all bytes fed.
        drops: Everything else, in order.
    """

    data: bytes = b""
    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)


class Judge:
    """Lengths and checksums of candidates."""

    def __init__(self, plan: FramePlan) -> None:
        table = plan.table
        self.fixed = table.length if isinstance(table.length, int) else None
        self.max_length = max(table.max_length, self.fixed or 0)
        self.header = len(plan.sync)
        self._at = self._size = self._add = 0
        self._order: Any = "little"
        if table.length is not None and not isinstance(table.length, int):
            self._at, self._size, self._add = table.length.at, int(table.length.type[1:]) // 8, table.length.add
            self._order = table.length.endian or table.endian
            self.header = self._at + self._size
        self._check = table.checksum
        self._sum = SUMS[table.checksum.kind] if table.checksum is not None else None
        ids = table.id.at + table.id.size if table.id is not None else 0
        self.shortest = max(self.header, ids, plan.overhead, table.payload + plan.tail)

    def length(self, data: bytes, start: int) -> int:
        """Return the length of the frame at `start`, whose header is there; 0 where it cannot be."""
        if self.fixed is not None:
            return self.fixed
        value = int.from_bytes(data[start + self._at : start + self._at + self._size], self._order) + self._add
        return value if self.shortest <= value <= self.max_length else 0

    def good(self, data: npt.NDArray[np.uint8], starts: list[int], lengths: list[int]) -> npt.NDArray[np.bool_]:
        """Return which candidates have a right checksum."""
        verdict = np.ones(len(starts), np.bool_)
        if self._check is None or self._sum is None:
            return verdict
        begin, sizes = np.array(starts, np.int64), np.array(lengths, np.int64)
        for length in set(lengths):
            which = np.flatnonzero(sizes == length)
            frames = data[begin[which][:, None] + np.arange(length)]
            at = self._check.at if self._check.at is not None else -self._sum.size
            at = at + length if at < 0 else at
            end = self._check.to if self._check.to is not None else at
            end = end + length if end < 0 else end
            if not 0 <= at <= length - self._sum.size or not self._check.first < end <= length:
                verdict[which] = False
                continue
            big = (self._check.endian == "big") and not self._sum.in_order
            stored = np.zeros(len(which), np.uint64)
            for index in range(self._sum.size):
                place = index if big else self._sum.size - 1 - index
                stored = stored << np.uint64(8) | frames[:, at + place].astype(np.uint64)
            verdict[which] = self._sum.compute(frames[:, self._check.first : end]) == stored
        return verdict


class Synchronised:
    """Frames that begin with known bytes (or follow each other without any) and know their length."""

    def __init__(self, plan: FramePlan) -> None:
        self._judge = Judge(plan)
        self._sync = plan.sync
        self._lines = plan.table.text is not None
        self._buffer = b""
        self._offset = 0
        self._long = False

    @property
    def pending(self) -> int:
        """Bytes held back."""
        return len(self._buffer)

    def take(self, data: bytes, final: bool = False) -> Found:
        """Take bytes; `final` when no more come, so that what is held back is decided."""
        buffer = self._buffer + data
        found = Found(buffer)
        view = np.frombuffer(buffer, np.uint8)
        position = gap = 0
        limit = 8
        while position < len(buffer):
            starts, lengths, why = self._chain(buffer, position, limit)
            if why == "none" and not starts:
                position = self._next(buffer, position)
                if not buffer.startswith(self._sync, position):
                    break
                continue
            self._close(buffer, gap, position, found)
            gap = position
            good = self._judge.good(view, starts, lengths)
            count = len(starts) if good.all() else int(np.argmin(good))
            found.starts += starts[:count]
            found.lengths += lengths[:count]
            if count:
                position = gap = starts[count - 1] + lengths[count - 1]
            if count < len(starts):
                limit = 8
                position = gap = self._fail("bad_checksum", buffer, position, position + lengths[count], found)
            elif why == "length":
                position = gap = self._fail("bad_length", buffer, position, position + 1, found)
            elif why == "incomplete":
                if not final:
                    break
                position = gap = self._fail("torn_frame", buffer, position, len(buffer), found)
            else:
                limit = min(limit * 4, 4096)
        gap = self._open(buffer, gap, len(buffer) if final else position, found, final)
        found.wire = found.lengths
        found.offsets = [self._offset + start for start in found.starts]
        self._buffer = buffer[gap:]
        self._offset += gap
        return found

    def _chain(self, buffer: bytes, position: int, limit: int) -> tuple[list[int], list[int], str]:
        """Return up to `limit` candidates in a row, and why the row ends."""
        starts: list[int] = []
        lengths: list[int] = []
        judge, sync, total = self._judge, self._sync, len(buffer)
        while len(starts) < limit:
            if position >= total or not buffer.startswith(sync, position):
                return starts, lengths, "none"
            if total - position < judge.header:
                return starts, lengths, "incomplete"
            length = judge.length(buffer, position)
            if not length:
                return starts, lengths, "length"
            if total - position < length:
                return starts, lengths, "incomplete"
            starts.append(position)
            lengths.append(length)
            position += length
        return starts, lengths, "limit"

    def _next(self, buffer: bytes, position: int) -> int:
        """Return where a frame may begin from `position` on: a whole sync, or the part of one at the very end."""
        place = buffer.find(self._sync, position)
        if place >= 0:
            return place
        for size in range(min(len(self._sync) - 1, len(buffer) - position), 0, -1):
            if buffer.endswith(self._sync[:size]):
                return len(buffer) - size
        return len(buffer)

    def _fail(self, kind: str, buffer: bytes, start: int, end: int, found: Found) -> int:
        """Drop a candidate up to where the next may begin, at most to its own end; return where to go on."""
        place = min(self._next(buffer, start + 1), end)
        found.drops.append(Drop(kind, self._offset + start, place - start))
        return place

    def _close(self, buffer: bytes, start: int, end: int, found: Found) -> None:
        """Drop the bytes between frames: a candidate follows them."""
        rest = self._whole_lines(buffer, start, end, found)
        if rest < end:
            self._drop_text(buffer[rest:end], rest, found)
        self._long = False

    def _open(self, buffer: bytes, start: int, end: int, found: Found, final: bool) -> int:
        """Drop what is known of the bytes after the last frame; return from where on they are held back."""
        if final:
            self._close(buffer, start, end, found)
            return end
        rest = self._whole_lines(buffer, start, end, found)
        if rest < end and (not self._lines or end - rest > MAX_TEXT or self._long):
            found.drops.append(Drop("resync", self._offset + rest, end - rest))
            self._long = self._lines
            return end
        return rest

    def _whole_lines(self, buffer: bytes, start: int, end: int, found: Found) -> int:
        while self._lines and (stop := buffer.find(b"\n", start, end) + 1):
            self._drop_text(buffer[start:stop], start, found)
            self._long = False
            start = stop
        return start

    def _drop_text(self, line: bytes, start: int, found: Found) -> None:
        text = self._lines and not self._long and len(line) <= MAX_TEXT and not line.translate(None, PRINTABLE)
        found.drops.append(Drop("text" if text else "resync", self._offset + start, len(line), line if text else b""))
