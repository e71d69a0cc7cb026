"""What a buffer held once it was decoded: bodies of frames in one array, and where every other byte went.

Every byte of a buffer is in a good frame or in one kind of damage, tested in this order: `idle` (a lone zero),
`oversize` (stuffed longer than `max_frame` allows), `cobs` (a code points beyond the end), `short` (no room for header
and CRC), `oversize` again (unstuffed longer than `max_frame`), `crc`. The zero behind a frame counts with the frame.
"""

from dataclasses import dataclass
from typing import Any

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

    def end(self, count: int) -> int:
        """Return how many bytes of the buffer the first `count` frames and the damage ahead of them took."""
        return int(self.size[:count].sum()) + sum(lost for before, _, lost in self.damaged if before < count)

    def records(self, layout: np.dtype[Any], which: Int64 | slice) -> npt.NDArray[Any]:
        """Return frames of equal length as structured records, without a copy where they lie equally spaced.

        Args:
            layout: Structured type as long as each of these bodies.
            which: The frames.

        Returns:
            `(len(which),)` of `layout`.
        """
        start = self.start[which]
        n = len(start)
        stride = int(start[1] - start[0]) if n > 1 else layout.itemsize
        if n < 3 or (start[1:] - start[:-1] == stride).all():
            return np.ndarray((n,), layout, self.data, int(start[0]), (stride,))
        rows = self.data[start[:, None] + np.arange(layout.itemsize)]
        records: npt.NDArray[Any] = rows.view(layout)[:, 0]
        return records


def stuffed_length(max_frame: int) -> int:
    """Return how long a frame of `max_frame` bytes can be after stuffing, without its zero."""
    return max_frame + max_frame // 254 + 1
