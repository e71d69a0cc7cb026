"""What a buffer held once it was decoded: bodies of frames in one array, and where every other byte went.

Every byte of a buffer is in a good frame or in one kind of damage, tested in this order: `idle` (a lone zero),
`oversize` (stuffed longer than `max_frame` allows), `cobs` (a code points beyond the end), `short` (no room for header
and CRC), `oversize` again (unstuffed longer than `max_frame`), `crc`. The zero behind a frame counts with the frame.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.messages import TABLE

__all__ = [
    "COBS",
    "CRC",
    "DAMAGE",
    "FIXED16",
    "GOOD",
    "IDLE",
    "MAX_FRAME",
    "OVERSIZE",
    "SHORT",
    "Bytes",
    "Frames",
    "Int64",
    "Parts",
    "stuffed_length",
]

Int64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

MAX_FRAME = 65535
"""Longest frame before stuffing (type to CRC) that the protocol knows; HELLO may say less."""

DAMAGE = ("frames", "idle", "oversize", "cobs", "short", "crc")
GOOD, IDLE, OVERSIZE, COBS, SHORT, CRC = range(6)

FIXED16 = np.zeros(256, np.bool_)
FIXED16[[kind for kind, shape in TABLE.items() if shape.crc16]] = True
"""Kinds whose frames carry CRC-16 whatever HELLO names."""


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """What a buffer held.

    Attributes:
        data: uint8, holds the bodies (not always end to end).
        start: int64 `(n,)`, where in `data` body k begins.
        length: int64 `(n,)`, its length: header and payload, the CRC taken off.
        size: int64 `(n,)`, bytes it took in the buffer with its zero.
        damaged: `(frames before it, index into DAMAGE, bytes)` in order.
    """

    data: Bytes
    start: Int64
    length: Int64
    size: Int64
    damaged: tuple[tuple[int, int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.start)

    def body(self, index: int) -> bytes:
        """Return header and payload of one frame."""
        start = int(self.start[index])
        return self.data[start : start + int(self.length[index])].tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The same as single bodies, for a few frames.

    Attributes:
        bodies: Header, payload and `tail` more bytes each.
        lengths: Of the bodies, with the tail.
        sizes: Bytes each took in the buffer with its zero.
        tail: Bytes behind each payload (the CRC).
        damaged: As in `Frames`.
        uniform: Whether all bodies are known to have one length, and one size.
    """

    bodies: list[bytes]
    lengths: list[int]
    sizes: list[int]
    tail: int
    damaged: tuple[tuple[int, int, int], ...] = ()
    uniform: bool = False

    def __len__(self) -> int:
        return len(self.bodies)

    def frames(self) -> Frames:
        """Return the bodies end to end in one array."""
        n = len(self.bodies)
        if self.uniform:
            long = self.lengths[0]
            data = np.frombuffer(b"".join(self.bodies), np.uint8)
            start = np.arange(0, n * long, long)
            return Frames(data, start, np.full(n, long - self.tail), np.full(n, self.sizes[0]), self.damaged)
        length = np.array(self.lengths, np.int64)
        data = np.frombuffer(b"".join(self.bodies), np.uint8)
        return Frames(data, length.cumsum() - length, length - self.tail, np.array(self.sizes, np.int64), self.damaged)


def stuffed_length(max_frame: int) -> int:
    """Return how long a frame of `max_frame` bytes can be after stuffing, without its zero."""
    return max_frame + max_frame // 254 + 1
