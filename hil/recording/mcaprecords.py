"""Pieces of MCAP records: fields out of a body, chunks out of their head, messages out of a chunk.

Rule of this room: pure functions of bytes; what contradicts itself gives None or raises `struct.error`, never garbage.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from hil.recording.mcapfile import ChunkEntry, Op

__all__ = ["HEAD", "NONE", "Cursor", "UInt64", "chunk_entry", "heads_of", "in_order", "unpacked", "walk_records"]

UInt64 = npt.NDArray[np.uint64]


class Cursor:
    """Takes fields out of a record's body, in order."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, codes: str) -> tuple[Any, ...]:
        """Return the next fields by their struct codes."""
        values = struct.unpack_from("<" + codes, self.data, self.at)
        self.at += struct.calcsize("<" + codes)
        return values

    def blob(self) -> bytes:
        """Return the next bytes with their length before them."""
        (size,) = self.take("I")
        self.at += size
        if self.at > len(self.data):
            raise struct.error("text longer than its record")
        return self.data[self.at - size : self.at]

    def text(self) -> str:
        """Return the next string."""
        return self.blob().decode("utf-8", "replace")

    def pairs(self) -> dict[str, str]:
        """Return the next map of strings."""
        inner = Cursor(self.blob())
        found: dict[str, str] = {}
        while inner.at < len(inner.data):
            key = inner.text()
            found[key] = inner.text()
        return found


HEAD = np.dtype(
    [("op", "u1"), ("len", "<u8"), ("channel", "<u2"), ("sequence", "<u4"), ("log", "<u8"), ("publish", "<u8")]
)

"""The front of a message record."""

NONE: UInt64 = np.empty(0, np.uint64)
"""No messages."""


def in_order(times: UInt64, offsets: UInt64) -> tuple[UInt64, UInt64]:
    """Return an index in the order of writing."""
    if len(offsets) > 1 and np.any(offsets[1:] < offsets[:-1]):
        order = np.argsort(offsets, kind="stable")
        return times[order], offsets[order]
    return times, offsets


def unpacked(packed: bytes, compression: str, size: int) -> bytes:
    """Return `size` bytes of records; raises ValueError or ZstdError."""
    if compression == "zstd":
        data: bytes = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
        return data
    if compression:
        raise ValueError(f"compression {compression} is not read here")
    return packed


def chunk_entry(head: bytes, at: int, length: int) -> ChunkEntry | None:
    """Return where a chunk is from the first bytes of its record, or None where they contradict each other."""
    try:
        start, end, size, _, letters = struct.unpack_from("<QQQII", head, 9)
        compression = head[41 : 41 + letters].decode()
        (packed,) = struct.unpack_from("<Q", head, 41 + letters)
    except (struct.error, UnicodeDecodeError):
        return None
    if 40 + letters + packed != length:
        return None
    return ChunkEntry(start, end, at, 9 + length, {}, 0, compression, packed, size)


def heads_of(data: bytes, places: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.void] | None:
    """Return the fronts of message records, `(N,)` of `HEAD`; None where one is no whole message.

    Args:
        data: Records of one chunk or of several.
        places: int64 `(N,)`, where each message begins, in order.
        ends: int64 `(N,)`, where the records of its chunk end.
    """
    if not len(places) or int(places[0]) < 0 or int(places[-1]) + HEAD.itemsize > len(data):
        return None
    heads: npt.NDArray[np.void] = np.ndarray((len(data) - HEAD.itemsize + 1,), HEAD, data, 0, (1,))[places]
    length = heads["len"]
    fits = (
        (heads["op"] == Op.MESSAGE) & (length >= HEAD.itemsize - 9)
        & (length <= np.maximum(ends - places - 9, 0).astype(np.uint64))
    )  # fmt: skip
    return heads if bool(fits.all()) else None


def walk_records(data: bytes) -> dict[int, tuple[UInt64, UInt64]]:
    """Return times and offsets of the messages of every channel in a chunk's records."""
    if len(data) < 31:
        return {}
    size = 9 + int.from_bytes(data[1:9], "little")
    if size >= 31 and len(data) % size == 0:
        heads = np.frombuffer(data, np.uint8).reshape(-1, size)[:, :31].copy().view(HEAD).reshape(-1)
        if np.all(heads["op"] == Op.MESSAGE) and np.all(heads["len"] == size - 9):
            places = np.arange(len(heads), dtype=np.uint64) * np.uint64(size)
            return {
                int(channel): (heads["log"][heads["channel"] == channel], places[heads["channel"] == channel])
                for channel in np.unique(heads["channel"])
            }
    found: dict[int, tuple[list[int], list[int]]] = {}
    at = 0
    while at + 31 <= len(data):
        op, length, channel, _, log = struct.unpack_from("<BQHIQ", data, at)
        if op == Op.MESSAGE:
            times, offsets = found.setdefault(channel, ([], []))
            times.append(log)
            offsets.append(at)
        at += 9 + length
    return {
        channel: (np.array(times, np.uint64), np.array(offsets, np.uint64))
        for channel, (times, offsets) in found.items()
    }
