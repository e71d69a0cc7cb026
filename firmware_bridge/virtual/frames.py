"""The board's end of the frames: payloads in and out of `COBS( type | flags | seq | payload | crc ) 0x00`.

A board sends one frame at a time and reads short commands, so this is the scalar path alone: the `cobs` C extension
and the CRCs of the standard library. What does not fit into `max_frame` leaves as fragments.
"""

import binascii
import struct
import zlib

from cobs import cobs

from firmware_bridge.wire.messages import HEADER, TABLE, Flag, Message, pack, unpack

__all__ = ["CommandReader", "FrameWriter"]

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")


def _crc(body: bytes, bits: int) -> bytes:
    return _U32.pack(zlib.crc32(body)) if bits == 32 else _U16.pack(binascii.crc_hqx(body, 0xFFFF))


class FrameWriter:
    """Makes the frames of one board and counts them.

    Args:
        crc_bits: 16 or 32, of all frames whose message does not insist on CRC-16.
        max_frame: Most bytes of a frame before stuffing, header and CRC included.
    """

    def __init__(self, crc_bits: int = 16, max_frame: int = 1024) -> None:
        self.crc_bits = crc_bits
        self.max_frame = max_frame
        self._seq = 0

    def restart(self) -> None:
        """Count from 0 again, as after a reboot."""
        self._seq = 0

    def message(self, message: Message) -> bytes:
        """Return the frame, or the fragments, of a message."""
        return self.payload(message.kind, message.flags, pack(message))

    def payload(self, kind: int, flags: int, payload: bytes) -> bytes:
        """Return the frame, or the fragments, of a packed payload."""
        bits = 16 if TABLE[kind].crc16 else self.crc_bits  # type: ignore[index]
        room = self.max_frame - HEADER.size - bits // 8
        if len(payload) <= room:
            return self._frame(kind, flags, payload, bits)
        room -= _U32.size
        parts = []
        for offset in range(0, len(payload), room):
            more = Flag.MORE if offset + room < len(payload) else Flag.NONE
            part = _U32.pack(offset) + payload[offset : offset + room]
            parts.append(self._frame(kind, flags | Flag.FRAGMENT | more, part, bits))
        return b"".join(parts)

    def _frame(self, kind: int, flags: int, payload: bytes, bits: int) -> bytes:
        body = HEADER.pack(kind, flags, self._seq) + payload
        self._seq = (self._seq + 1) & 0xFFFF
        stuffed: bytes = cobs.encode(body + _crc(body, bits))
        return stuffed + b"\0"


class CommandReader:
    """Reads the host's commands from bytes in any pieces.

    Args:
        crc_bits: As announced in HELLO.
        max_frame: Longer frames are given up.
    """

    def __init__(self, crc_bits: int = 16, max_frame: int = 1024) -> None:
        self.crc_bits = crc_bits
        self.max_frame = max_frame
        self._held = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, int, Message | None] | None]:
        """Return (kind, seq, message) for each complete frame: message None if unknown, all None if damaged."""
        self._held += data
        *frames, rest = self._held.split(b"\0")
        self._held = rest[-2 * self.max_frame :]
        return [self._read(bytes(frame)) for frame in frames if frame]

    def _read(self, frame: bytes) -> tuple[int, int, Message | None] | None:
        try:
            body: bytes = cobs.decode(frame)
        except cobs.DecodeError:
            return None
        if len(body) < HEADER.size + 2:
            return None
        kind, flags, seq = HEADER.unpack_from(body)
        always16 = kind in TABLE and TABLE[kind].crc16
        for bits in (16,) if always16 else (self.crc_bits,):
            end = len(body) - bits // 8
            if end >= HEADER.size and _crc(body[:end], bits) == body[end:]:
                return kind, seq, unpack(kind, flags, body[HEADER.size : end])
        return None
