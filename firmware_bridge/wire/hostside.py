"""What the host wrote to a native board, read back from the bytes: a replay has nothing else to go by.

Rule of this room: pure; commands in parts (windows for a model) change nothing here and are passed over.
"""

from firmware_bridge.wire.checksum import CRC16
from firmware_bridge.wire.frames import MAX_FRAME
from firmware_bridge.wire.framing import Decoder, split
from firmware_bridge.wire.messages import HEADER, Kind, Message, unpack
from firmware_bridge.wire.walk import PARTS

__all__ = ["HostSide"]


class HostSide:
    """The commands of one connection, and the rates that were asked for and not answered yet."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._rates: dict[int, tuple[int, float]] = {}

    def speak(self, crc_bits: int, max_frame: int) -> None:
        """Read frames as HELLO said from now on."""
        self._decoder.crc_bits, self._decoder.max_frame = crc_bits, max_frame

    def forget(self) -> None:
        """The connection is gone."""
        self.speak(CRC16, MAX_FRAME)
        self._decoder.end()
        self._rates.clear()

    def take(self, data: bytes) -> list[Message]:
        """Take bytes that the host wrote (or, in a replay, had written); return the commands in them."""
        complete, _ = self._decoder.take(data)
        self._decoder.overflow()
        parts = split(complete, self._decoder.crc_bits)
        commands = []
        for body, length in zip(parts.bodies, parts.lengths, strict=True):
            kind, flags, seq = HEADER.unpack_from(body)
            if flags & PARTS:
                continue
            message = unpack(kind, flags, body[HEADER.size : length - parts.tail])
            if message is None:
                continue
            if message.kind == Kind.SET_RATE:
                self._rates[seq] = (message.stream, message.rate_mhz / 1000)
            commands.append(message)
        return commands

    def accepted(self, seq: int) -> tuple[int, float] | None:
        """The board acknowledged the SET_RATE of this number: return stream (wire id) and rate in Hz, if one was."""
        return self._rates.pop(seq, None)
