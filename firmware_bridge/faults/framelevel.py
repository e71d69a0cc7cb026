"""Frame faults: samples of a native board that never come, come twice, late, again, or damaged, by sample number.

Samples are hit in cells of consecutive numbers. A frame that is hit in part is cut, so that exactly the cell is lost,
however the board groups its samples; sequence numbers are made anew behind it. Samples in fragments (images) are hit
whole. Messages of other kinds go on untouched.
"""

from collections import deque
from collections.abc import Sequence

from firmware_bridge.faults import draws
from firmware_bridge.faults.finder import Finder, Found
from firmware_bridge.faults.keys import Keys
from firmware_bridge.faults.pieces import Head, cut, head
from firmware_bridge.faults.schedule import Fault, Schedule
from firmware_bridge.wire.checksum import checksum
from firmware_bridge.wire.framing import cobs_encode, crc_bits_of, frame
from firmware_bridge.wire.messages import HEADER, Flag, Kind

__all__ = ["FrameFaults"]

_KEPT = 4096
"""Frames remembered for `stale`."""

Hit = tuple[Fault, int]
"""A fault and the cell that it hits."""


class FrameFaults:
    """The frame faults of one board.

    Args:
        schedule: Frame faults of this board.
        board: Role, part of what is drawn.
        finder: Reads the frames of this connection.
    """

    def __init__(self, schedule: Schedule, board: str, finder: Finder) -> None:
        self._schedule, self._board, self._finder = schedule, board, finder
        self._faults = [one for one in schedule.faults if one.level == "frame"]
        self._remembers = any(one.kind == "frame.stale" for one in self._faults)
        self._keys: dict[str, Keys] = {}
        self._late: dict[int, list[bytes]] = {}
        self._sent: dict[int, deque[tuple[int, bytes]]] = {}
        self._group: tuple[Hit, list[bytes], int, int] | None = None
        self.reset()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def reset(self) -> None:
        """Another connection: frames are numbered anew, and what was held back is gone."""
        self._shift = 0
        self._late.clear()
        self._sent.clear()
        self._group = None

    def take(self, found: Found, seconds: float) -> bytes:
        """Return what becomes of a frame.

        Args:
            found: As `Finder.feed` yields it.
            seconds: Since the board's first sample, for streams whose rate nobody said.
        """
        body = found.body
        if body is None:
            return found.raw
        if body[0] == Kind.SAMPLES:
            return self._samples(found, body, seconds)
        return self._renumbered(found, body)

    def end(self) -> bytes:
        """Return the frames that still wait for one to overtake them."""
        late = b"".join(one for frames in self._late.values() for one in frames)
        self._late.clear()
        return late

    # ------------------------------------------------------------------ samples

    def _samples(self, found: Found, body: bytes, seconds: float) -> bytes:
        flags = body[1]
        if flags & Flag.FRAGMENT:
            return self._fragment(found, body, seconds)
        front = head(body[HEADER.size :])
        if front is None or not front.n or front.stream not in self._finder.streams:
            return self._renumbered(found, body)
        stream = self._finder.streams[front.stream]
        key = self._key(front)
        hits = self._hits(front, key, seconds)
        if not any(hits):
            whole = self._renumbered(found, body)
            return self._clean(front.stream, key, whole)
        out: list[bytes] = []
        step = self._finder.tick_hz / stream.rate_hz if stream.rate_hz else 0.0
        seq = HEADER.unpack_from(body)[2] + self._shift
        start = 0
        while start < front.n:
            stop = start + 1
            while stop < front.n and hits[stop] == hits[start]:
                stop += 1
            piece = cut(body, start, stop, (seq + len(out)) & 0xFFFF, step)
            out.append(self._fate(hits[start], front.stream, key + start, piece))
            start = stop
        self._shift += len(out) - 1
        return b"".join(out)

    def _fate(self, hit: Hit | None, wire_id: int, key: int, body: bytes) -> bytes:
        made = frame(body, self._finder.crc_bits)
        if hit is None:
            return self._clean(wire_id, key, made)
        return self._damaged(hit, wire_id, key, made, body)

    def _damaged(self, hit: Hit, wire_id: int, key: int, made: bytes, last: bytes) -> bytes:
        """Return what is sent in place of `made`, whose last frame has the body `last`."""
        fault, cell = hit
        match fault.kind:
            case "frame.duplicate":
                return made + made
            case "frame.reorder":
                self._late.setdefault(wire_id, []).append(made)
            case "frame.stale":
                size = self._size(fault, wire_id)
                return self._old(wire_id, (cell - int(fault["age"])) * size)
            case "frame.bad_crc":
                bits = crc_bits_of(last[0], self._finder.crc_bits)
                wrong = (checksum(last, bits) ^ 1).to_bytes(bits // 8, "little")
                before = made[: len(made) - len(frame(last, self._finder.crc_bits))]
                return before + bytes(cobs_encode(last + wrong)) + b"\0"
            case "frame.truncate":
                return made[: len(made) // 2] + b"\0"
        return b""

    def _clean(self, wire_id: int, key: int, made: bytes) -> bytes:
        """Return a good frame and those that it has overtaken."""
        if self._remembers:
            self._sent.setdefault(wire_id, deque(maxlen=_KEPT)).append((key, made))
        late = self._late.pop(wire_id, None)
        return made if late is None else made + b"".join(late)

    def _old(self, wire_id: int, key: int) -> bytes:
        """Return the frame that was sent with sample `key`, or before it; empty where none was."""
        return next((made for first, made in reversed(self._sent.get(wire_id, ())) if first <= key), b"")

    def _fragment(self, found: Found, body: bytes, seconds: float) -> bytes:
        payload = body[HEADER.size :]
        more = bool(body[1] & Flag.MORE)
        if int.from_bytes(payload[:4], "little") == 0:
            front = head(payload[4:])
            self._group = None
            if front is not None and front.n and front.stream in self._finder.streams:
                key = self._key(front)
                hit = next((one for one in self._hits(front, key, seconds) if one is not None), None)
                if hit is not None:
                    self._group = (hit, [], front.stream, key)
        if self._group is None:
            made = self._renumbered(found, body)
            if more:
                return made
            late = [one for frames in self._late.values() for one in frames]
            self._late.clear()
            return made + b"".join(late)
        hit, frames, wire_id, key = self._group
        frames.append(self._renumbered(found, body))
        if more:
            return b""
        self._group = None
        return self._damaged(hit, wire_id, key, b"".join(frames), self._body(body))

    # ------------------------------------------------------------------ what is hit

    def _key(self, front: Head) -> int:
        return self._keys.setdefault(self._finder.streams[front.stream].name, Keys()).one(front.first)

    def _hits(self, front: Head, key: int, seconds: float) -> Sequence[Hit | None]:
        stream = self._finder.streams[front.stream]
        hits: list[Hit | None] = [None] * front.n
        for fault in self._faults:
            if not fault.touches(self._board, stream.name):
                continue
            size = self._size(fault, front.stream)
            series = self._schedule.series(fault, self._board, stream.name)
            for cell in range(key // size, (key + front.n - 1) // size + 1):
                when = cell * size / stream.rate_hz if stream.rate_hz else seconds
                if fault.from_s <= when < fault.to_s and (
                    draws.uniform(self._schedule.seed, series, cell) < fault["rate"]
                ):
                    for at in range(max(0, cell * size - key), min(front.n, (cell + 1) * size - key)):
                        hits[at] = hits[at] or (fault, cell)
        return hits

    def _size(self, fault: Fault, wire_id: int) -> int:
        rate = self._finder.streams[wire_id].rate_hz
        return int(fault["samples"]) or max(1, min(200, round((rate or 1.0) / 100)))

    # ------------------------------------------------------------------ sequence numbers

    def _body(self, body: bytes) -> bytes:
        kind, flags, seq = HEADER.unpack_from(body)
        return HEADER.pack(kind, flags, (seq + self._shift) & 0xFFFF) + body[HEADER.size :]

    def _renumbered(self, found: Found, body: bytes) -> bytes:
        return frame(self._body(body), self._finder.crc_bits) if self._shift else found.raw
