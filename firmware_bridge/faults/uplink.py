"""Everything that goes wrong between a board and the recorder: frame, byte and link faults, in this order.

`Uplink` takes the board's bytes with their times and gives what the host receives, when. Times count from the board's
first SAMPLES frame where it speaks the native protocol, else from its first byte (and nothing happens in its first
second, in which a board introduces itself). Bytes that were recorded behind it are simply what was received, so that a
recording made with such faults is verified like any other.
"""

from firmware_bridge.faults.bytelevel import ByteFault
from firmware_bridge.faults.finder import Finder
from firmware_bridge.faults.framelevel import FrameFaults
from firmware_bridge.faults.linklevel import LinkFaults
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.wire.framing import split
from firmware_bridge.wire.messages import HEADER, Kind, unpack

__all__ = ["LEVELS", "Uplink"]

LEVELS = ("frame", "byte", "link")
_INTRODUCTION_NS = 1_000_000_000


class Uplink:
    """The way from one board to the host, over any number of connections.

    Args:
        schedule: Any schedule; what concerns other boards and levels is left out.
        board: Role.
    """

    def __init__(self, schedule: Schedule, board: str = "") -> None:
        kept = schedule.of(board, LEVELS)
        self._finder = Finder()
        self._frames = FrameFaults(kept, board, self._finder)
        self._bytes = [ByteFault(one, kept, board) for one in kept.faults if one.level == "byte"]
        self._link = LinkFaults(kept, board)
        self._any = bool(kept)
        self._first_ns: int | None = None
        self._origin_ns: int | None = None
        self._early: list[bytes] = []
        self._cut_after = 0.0
        self._nonce = 0

    def __bool__(self) -> bool:
        return self._any

    def push(self, data: bytes, now_ns: int) -> None:
        """Take bytes of the board that come at `now_ns`."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._early.append(self.pull(now_ns))
        data = self._framed(data, now_ns)
        seconds = self._seconds(now_ns)
        if seconds is None:
            self._early.append(data)
            return
        for fault in self._bytes:
            data = fault.apply(data, seconds)
        if self._link:
            self._link.push(data, seconds)
        else:
            self._early.append(data)

    def pull(self, now_ns: int) -> bytes:
        """Return what has reached the host by `now_ns`."""
        out = b"".join(self._early)
        self._early.clear()
        seconds = self._seconds(now_ns)
        return out if seconds is None else out + self._link.pull(seconds)

    def end(self) -> bytes:
        """Return what was held back for an order of frames, where the board says no more."""
        return self._frames.end() + self._finder.end()

    def next_ns(self) -> int | None:
        """Return when bytes that wait will reach the host; None: none wait."""
        if any(self._early):
            return self._first_ns
        due = self._link.next_s()
        return None if due is None or self._origin_ns is None else self._origin_ns + _ceil_ns(due)

    # ------------------------------------------------------------------ lost and found again

    def cut_ns(self) -> int | None:
        """Return when the connection will be lost next; None: not as far as is known now."""
        at = self._link.cut(self._cut_after) if self._origin_ns is not None else None
        return None if at is None or self._origin_ns is None else self._origin_ns + _ceil_ns(at)

    def down_ns(self, now_ns: int) -> int | None:
        """Return until when the connection is lost; None: it is not."""
        seconds = self._seconds(now_ns)
        until = None if seconds is None else self._link.down(seconds)
        return None if until is None or self._origin_ns is None else self._origin_ns + _ceil_ns(min(until, 1e9))

    def lose(self, now_ns: int) -> None:
        """The connection is lost: what was under way is gone, and the next one begins with HELLO."""
        seconds = self._seconds(now_ns)
        self._cut_after = max(self._cut_after, 0.0 if seconds is None else seconds + 1e-9)
        self._early.clear()
        self._link.lose()
        self._finder.reset()
        self._frames.reset()

    def said(self, data: bytes) -> None:
        """Take bytes that the host wrote, to know the run that the board is in."""
        parts = split(data[: data.rfind(0) + 1], self._finder.crc_bits)
        for body, length in zip(parts.bodies, parts.lengths, strict=True):
            message = unpack(body[0], body[1], body[HEADER.size : length - parts.tail])
            if message is not None and message.kind == Kind.START:
                self._nonce = message.nonce

    def hello(self) -> bytes:
        """Return what the board would answer to an IDENTIFY: its last HELLO, under the nonce of the run."""
        return self._finder.hello(self._nonce)

    # ------------------------------------------------------------------ pieces

    def _framed(self, data: bytes, now_ns: int) -> bytes:
        if not self._frames and self._origin_ns is not None and not self._link:
            return data  # nobody asks for frames any more
        out = []
        for found in self._finder.feed(data):
            if self._origin_ns is None and self._finder.began:
                self._origin_ns = now_ns
            out.append(self._frames.take(found, self._seconds(now_ns) or 0.0) if self._frames else found.raw)
        return b"".join(out) if self._frames else data

    def _seconds(self, now_ns: int) -> float | None:
        if self._origin_ns is None:
            if self._first_ns is None or self._finder.known or now_ns - self._first_ns < _INTRODUCTION_NS:
                return None
            self._origin_ns = self._first_ns
        return (now_ns - self._origin_ns) / 1e9


def _ceil_ns(seconds: float) -> int:
    """Return a time at which `seconds` have surely passed."""
    return -round(-seconds * 1e9 // 1) + 1
