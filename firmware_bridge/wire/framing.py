"""Frames on the wire: COBS-stuffed bodies with a CRC, one zero byte behind each; whole buffers at a time.

`COBS( type:u8 | flags:u8 | seq:u16 | payload | crc )` and a zero. Two decoders with one behaviour, down to the bucket
of every byte (see `frames`): `decode_live` (the `cobs` C extension and zlib, best for the few frames of a live read)
and `bulk.decode_bulk` (NumPy over the whole buffer, best for replay). `Decoder` cuts a byte stream into what is
complete and what is torn.
"""

from binascii import crc_hqx
from zlib import crc32

import numpy as np
from cobs.cobs import DecodeError
from cobs.cobs import decode as unstuff
from cobs.cobs import encode as cobs_encode

from firmware_bridge.wire.bulk import decode_bulk
from firmware_bridge.wire.checksum import CRC16, CRC32, CRC32_RESIDUE, append, checksum
from firmware_bridge.wire.frames import (
    COBS,
    CRC,
    DAMAGE,
    FIXED16,
    GOOD,
    IDLE,
    MAX_FRAME,
    OVERSIZE,
    SHORT,
    Frames,
    Parts,
    stuffed_length,
)
from firmware_bridge.wire.messages import HEADER

__all__ = ["CROSS_OVER", "DAMAGE", "Decoder", "Frames", "cobs_encode", "crc_bits_of", "decode", "decode_bulk",
           "decode_live", "frame", "split"]  # fmt: skip

CROSS_OVER = 1500
"""From so many frames a buffer on NumPy is faster (measured by `hil.bench.decode.cross_over`: 1,300 to 1,800)."""

_FIXED16_BYTES = frozenset(np.flatnonzero(FIXED16).tolist())


def crc_bits_of(kind: int, crc_bits: int) -> int:
    """Return the CRC width of a frame of `kind` on a link whose HELLO named `crc_bits`."""
    return CRC16 if kind in _FIXED16_BYTES else crc_bits


def frame(body: bytes, crc_bits: int) -> bytes:
    """Return the bytes of one frame: CRC appended, stuffed, a zero behind.

    Args:
        body: Header and payload.
        crc_bits: 16 or 32, as HELLO named it (kinds that always carry CRC-16 get that).
    """
    return bytes(cobs_encode(append(body, crc_bits_of(body[0], crc_bits)))) + b"\0"


def decode(buffer: bytes, crc_bits: int, max_frame: int = MAX_FRAME) -> Frames:
    """Decode by the faster of the two ways.

    Args:
        buffer: Ends with a zero (see `Decoder`).
        crc_bits: 16 or 32, as HELLO named it.
        max_frame: Longest frame allowed before stuffing, with its CRC.
    """
    if is_many(buffer):
        return decode_bulk(buffer, crc_bits, max_frame)
    return decode_live(buffer, crc_bits, max_frame)


def is_many(buffer: bytes) -> bool:
    """Return whether a buffer holds so many frames that NumPy is faster."""
    return len(buffer) >= CROSS_OVER * 7 and buffer.count(0) >= CROSS_OVER


def decode_live(buffer: bytes, crc_bits: int, max_frame: int = MAX_FRAME) -> Frames:
    """Decode with the C extension; arguments as `decode`."""
    return split(buffer, crc_bits, max_frame).frames()


def split(buffer: bytes, crc_bits: int, max_frame: int = MAX_FRAME) -> Parts:
    """Decode into single bodies, for buffers of a few frames; arguments as `decode`."""
    parts = buffer.split(b"\0")
    parts.pop()
    width = crc_bits // 8
    if not parts:
        return Parts([], [], [], width)
    try:
        bodies = list(map(unstuff, parts))
    except DecodeError:
        return _one_by_one(parts, crc_bits, max_frame)
    lengths = list(map(len, bodies))
    longest = max(lengths)
    uniform = lengths.count(longest) == len(lengths)
    if (longest if uniform else min(lengths)) < HEADER.size + width or longest > max_frame:
        return _one_by_one(parts, crc_bits, max_frame)
    if crc_bits == CRC32:
        if list(map(crc32, bodies)).count(CRC32_RESIDUE) != len(bodies):
            return _one_by_one(parts, crc_bits, max_frame)
        if not _FIXED16_BYTES.isdisjoint([body[0] for body in bodies]):
            return _one_by_one(parts, crc_bits, max_frame)
    else:
        for body in bodies:
            if crc_hqx(body[:-2], 0xFFFF) != body[-2] | body[-1] << 8:
                return _one_by_one(parts, crc_bits, max_frame)
    if uniform and longest < 254:  # without a full block stuffing costs exactly one byte
        return Parts(bodies, lengths, [longest + 2] * len(bodies), width, uniform=True)
    return Parts(bodies, lengths, [len(part) + 1 for part in parts], width)


def _one_by_one(parts: list[bytes], crc_bits: int, max_frame: int) -> Parts:
    """Decode where something is wrong: each part is judged by itself."""
    longest = stuffed_length(max_frame)
    bodies: list[bytes] = []
    sizes: list[int] = []
    damaged: list[tuple[int, int, int]] = []
    for part in parts:
        verdict, body = _judge(part, crc_bits, max_frame, longest)
        if verdict == GOOD:
            # A frame with the narrow CRC gets two bytes more, so that all bodies end alike.
            narrow = crc_bits == CRC32 and body[0] in _FIXED16_BYTES
            bodies.append(body + b"\0\0" if narrow else body)
            sizes.append(len(part) + 1)
        else:
            damaged.append((len(bodies), verdict, len(part) + 1))
    return Parts(bodies, list(map(len, bodies)), sizes, crc_bits // 8, tuple(damaged))


def _judge(part: bytes, crc_bits: int, max_frame: int, longest: int) -> tuple[int, bytes]:
    if not part:
        return IDLE, b""
    if len(part) > longest:
        return OVERSIZE, b""
    try:
        body = unstuff(part)
    except DecodeError:
        return COBS, b""
    bits = crc_bits_of(body[0], crc_bits) if body else crc_bits
    if len(body) < HEADER.size + bits // 8:
        return SHORT, b""
    if len(body) > max_frame:
        return OVERSIZE, b""
    width = bits // 8
    good = checksum(body[:-width], bits) == int.from_bytes(body[-width:], "little")
    return (GOOD if good else CRC), body


class Decoder:
    """Cuts a stream of bytes into what is complete and what is torn, and discards what is longer than allowed."""

    def __init__(self) -> None:
        self.crc_bits = CRC16
        self.max_frame = MAX_FRAME
        self._tail = b""
        self._skipping = False

    @property
    def pending(self) -> int:
        """Bytes held back: a frame that is not complete."""
        return len(self._tail)

    def take(self, data: bytes) -> tuple[bytes, int]:
        """Return the complete frames with their zeros, and how many bytes at the front of `data` belong to a frame
        that is being discarded."""  # noqa: D205, D209
        skipped = 0
        if self._skipping:
            end = data.find(0) + 1
            if not end:
                return b"", len(data)
            self._skipping, skipped, data = False, end, data[end:]
        cut = data.rfind(0) + 1
        if not cut:
            self._tail += data
            return b"", skipped
        complete = self._tail + data[:cut]
        self._tail = data[cut:]
        return complete, skipped

    def peek(self, data: bytes) -> bytes | None:
        """Return the frames that `data` would complete, and take nothing; None while a frame is being discarded."""
        return None if self._skipping else self._tail + data[: data.rfind(0) + 1]

    def overflow(self) -> int:
        """Discard a torn frame that is too long already; return its bytes. To be called once `take` is worked off."""
        if not self._tail or len(self._tail) <= stuffed_length(self.max_frame):
            return 0
        return self._discard(skipping=True)

    def end(self) -> int:
        """Forget the torn frame because the connection is gone; return its bytes."""
        return self._discard(skipping=False)

    def _discard(self, *, skipping: bool) -> int:
        lost, self._tail, self._skipping = len(self._tail), b"", skipping
        return lost
