"""What a board hears: the host's bytes in any pieces, cut into commands; damaged frames are counted."""

from firmware_bridge.wire.checksum import CRC16
from firmware_bridge.wire.frames import IDLE
from firmware_bridge.wire.framing import Decoder, decode
from firmware_bridge.wire.messages import HEADER, Message, unpack

__all__ = ["CommandReader", "Heard"]

Heard = tuple[int, int, Message | None]
"""(kind, sequence number, message): message None where kind or length is not known."""


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
            heard.append((kind, seq, unpack(kind, flags, body[HEADER.size :])))
        return heard
