"""Native frames in a stream of bytes: what they are is read, what they are made of is left as it came.

Before a HELLO was understood every byte goes on at once, since nobody knows whether these are frames at all; from then
on a frame goes on when it is complete (no host can read one earlier).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from firmware_bridge.streams import Stream
from firmware_bridge.wire.checksum import CRC16
from firmware_bridge.wire.description import understand
from firmware_bridge.wire.encode import Encoder
from firmware_bridge.wire.frames import MAX_FRAME, stuffed_length
from firmware_bridge.wire.framing import split
from firmware_bridge.wire.messages import HEADER, Flag, Kind, Message, unpack

__all__ = ["Finder", "Found"]

_PARTS = int(Flag.FRAGMENT | Flag.MORE)


@dataclass(frozen=True, slots=True)
class Found:
    """Bytes that go on together: a frame with its zero, or anything else. `body` (header and payload) of a good one."""

    raw: bytes
    body: bytes | None = None


class Finder:
    """Finds the frames of one connection.

    Attributes:
        crc_bits: Checksum of the frames, as HELLO named it.
        max_frame: Longest frame before stuffing, as HELLO named it.
        streams: What the board sends, by wire id.
        tick_hz: Ticks a second; 0: no clock.
        known: Whether a HELLO was understood.
        began: Whether samples have come since.
    """

    def __init__(self) -> None:
        self._hello: Message | None = None
        self.began = False
        self.reset()

    def reset(self) -> None:
        """Another connection: who is there has to say HELLO first."""
        self.crc_bits, self.max_frame = CRC16, MAX_FRAME
        self.streams: dict[int, Stream] = {}
        self.tick_hz = 0
        self.known = False
        self._tail = b""
        self._given = 0
        self._parts = b""

    def feed(self, data: bytes) -> Iterator[Found]:
        """Yield what these bytes complete, in order; together, with what `held` says, all bytes that came."""
        *frames, tail = (self._tail + data).split(b"\0")
        self._tail = b""
        for frame in frames:
            raw, given = frame + b"\0", self._given
            self._given = 0
            body = self._read(raw)
            yield Found(raw[given:]) if given else Found(raw, body)
        self._tail = tail
        if not self.known or len(tail) > stuffed_length(self.max_frame):
            rest, self._given = tail[self._given :], len(tail)
            if len(tail) > stuffed_length(MAX_FRAME):
                self._tail, self._given = b"", 0
            if rest:
                yield Found(rest)

    def end(self) -> bytes:
        """Return the bytes of a frame that will not be completed."""
        rest = self._tail[self._given :]
        self._tail, self._given = b"", 0
        return rest

    def hello(self, nonce: int) -> bytes:
        """Return the last HELLO as the board would say it again, with the nonce of the run; empty where none came."""
        if self._hello is None:
            return b""
        again = Message(Kind.HELLO, {**self._hello.fields, "nonce": nonce}, self._hello.tail)
        return Encoder(CRC16, self._hello.max_frame).encode(again)

    def _read(self, raw: bytes) -> bytes | None:
        parts = split(raw, self.crc_bits, self.max_frame)
        if not len(parts):
            return None
        body = parts.bodies[0][: parts.lengths[0] - parts.tail]
        if body[0] == Kind.HELLO:
            self._identity(body[1], body[HEADER.size :])
        elif body[0] == Kind.SAMPLES and self.known:
            self.began = True
        return body

    def _identity(self, flags: int, payload: bytes) -> None:
        if flags & Flag.FRAGMENT:
            at = int.from_bytes(payload[:4], "little")
            self._parts = payload[4:] if not at else self._parts + payload[4:] if at == len(self._parts) else b""
            if flags & Flag.MORE:
                return
            payload = self._parts
        message = unpack(Kind.HELLO, flags & ~_PARTS, payload)
        understood = "" if message is None else understand(message.tail, message.tick_hz)
        if message is None or isinstance(understood, str):
            return
        self._hello, self.known = message, True
        self.streams, self.tick_hz = understood[1], message.tick_hz
        self.crc_bits, self.max_frame = message.crc_bits, message.max_frame
