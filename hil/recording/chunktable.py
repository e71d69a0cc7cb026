"""The chunks of a file in compact form: a day of them, one a second, takes some megabytes.

Rule of this room: what went in comes out. An entry is made when it is asked for.
"""

import struct
from array import array
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import overload

import numpy as np

from hil.recording.mcapfile import ChunkEntry

__all__ = ["ChunkTable", "chunk_index"]

_FIXED = 7
_FRONT, _BACK = struct.Struct("<QQQQI"), struct.Struct("<QI")


class ChunkTable(Sequence[ChunkEntry]):
    """Chunks in the order of the file."""

    def __init__(self) -> None:
        self._fixed = array("Q")
        self._kinds: dict[str, int] = {}
        self._kind = array("B")
        self._channels, self._places, self._ends = array("H"), array("Q"), array("Q", [0])
        self._unindexed: set[int] = set()

    def append(self, one: ChunkEntry) -> None:
        """Add a chunk."""
        self._fixed.extend(
            (one.start_ns, one.end_ns, one.offset, one.length, one.index_length, one.compressed, one.size)
        )
        self._kind.append(self._kinds.setdefault(one.compression, len(self._kinds)))
        self._channels.extend(one.indexes.keys())
        self._places.extend(one.indexes.values())
        self._ends.append(len(self._places))

    def forget_index(self, at: int) -> None:
        """Let the message index of a chunk, which contradicts it or may be torn, count as missing."""
        self._unindexed.add(range(len(self))[at])

    def __len__(self) -> int:
        return len(self._kind)

    @overload
    def __getitem__(self, at: int) -> ChunkEntry: ...
    @overload
    def __getitem__(self, at: slice) -> list[ChunkEntry]: ...
    def __getitem__(self, at: int | slice) -> ChunkEntry | list[ChunkEntry]:
        wanted = range(len(self))[at]
        return list(map(self._one, wanted)) if isinstance(wanted, range) else self._one(wanted)

    def __iter__(self) -> Iterator[ChunkEntry]:
        return map(self._one, range(len(self)))

    def holding(self, channels: Collection[int]) -> Iterator[ChunkEntry]:
        """Yield the chunks that may hold messages of some channels: all whose index names one or is missing."""
        ends = np.array(self._ends)
        named = np.concatenate(([0], np.cumsum(np.isin(np.array(self._channels), list(channels)))))
        may = (named[ends[1:]] > named[ends[:-1]]) | (ends[1:] == ends[:-1])
        may[list(self._unindexed)] = True
        return map(self._one, np.flatnonzero(may).tolist())

    def _one(self, at: int) -> ChunkEntry:
        low, high = self._ends[at], self._ends[at + 1]
        index = (
            {} if at in self._unindexed else dict(zip(self._channels[low:high], self._places[low:high], strict=True))
        )
        start, end, offset, length, index_length, compressed, size = self._fixed[at * _FIXED : (at + 1) * _FIXED]
        kind = next(name for name, number in self._kinds.items() if number == self._kind[at])
        return ChunkEntry(start, end, offset, length, index, index_length, kind, compressed, size)


def chunk_index(body: bytes) -> ChunkEntry:
    """Return the chunk that a ChunkIndex record tells of; raises `struct.error` where it contradicts itself."""
    start, end, place, length, size = _FRONT.unpack_from(body)
    at = _FRONT.size + size
    index_length, letters = _BACK.unpack_from(body, at)
    at += _BACK.size + letters
    packed, unpacked = struct.unpack_from("<QQ", body, at)
    if size % 10:
        raise struct.error("an index of parts of channels")
    places = _places(size // 10).unpack_from(body, _FRONT.size)
    index = dict(zip(places[::2], places[1::2], strict=True))
    compression = body[at - letters : at].decode("utf-8", "replace")
    return ChunkEntry(start, end, place, length, index, index_length, compression, packed, unpacked)


@cache
def _places(channels: int) -> struct.Struct:
    return struct.Struct("<" + "HQ" * channels)
