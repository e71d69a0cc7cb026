"""What a board hears: the host's bytes in any pieces, cut into commands; damaged frames are counted."""

from typing import NamedTuple

from firmware_bridge.wire.checksum import CRC16
from firmware_bridge.wire.frames import IDLE
from firmware_bridge.wire.framing import Decoder, decode
from firmware_bridge.wire.messages import HEADER, OFFSET, Flag, Kind, Message, unpack

__all__ = ["CommandReader", "Heard"]

_PARTS = Flag.FRAGMENT | Flag.MORE


class Heard(NamedTuple):
    """A command that was heard; `message` is None where it is none that is known."""

    kind: int
    flags: int
    seq: int
    payload: bytes
    message: Message | None


class CommandReader:
    """Reads one connection's commands.

    Args:
        crc_bits: As HELLO announces.
        max_frame: Longer frames are discarded.
    """

    def __init__(self, crc_bits: int = CRC16, max_frame: int = 1024) -> None:
        self._decoder = Decoder()
        self._decoder.crc_bits = crc_bits
        self._decoder.max_frame = max_frame
        self.refused = 0
        """Frames that could not be read."""

    def feed(self, data: bytes) -> list[Heard]:
        """Return the commands that these bytes complete."""
        complete, skipped = self._decoder.take(data)
        if skipped and complete:
            self.refused += 1
        frames = decode(complete, self._decoder.crc_bits, self._decoder.max_frame)
        self.refused += sum(what != IDLE for _, what, _ in frames.damaged)
        self._decoder.overflow()
        heard: list[Heard] = []
        for index in range(len(frames)):
            body = frames.body(index)
            kind, flags, seq = HEADER.unpack_from(body)
            payload = body[HEADER.size :]
            heard.append(Heard(kind, flags, seq, payload, _read(kind, flags, payload)))
        return heard


def _read(kind: int, flags: int, payload: bytes) -> Message | None:
    """Return a command, or as much as is known of a part of one: only windows need not fit a frame."""
    if not flags & _PARTS:
        return unpack(kind, flags, payload)
    is_part = kind == Kind.INFER and flags & Flag.FRAGMENT and len(payload) >= OFFSET.size
    return Message(Kind.INFER, flags=Flag(flags & 0x0F)) if is_part else None
