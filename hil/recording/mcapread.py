"""Reads the container: what an MCAP file holds and where, whole or torn, without knowing what messages mean.

Rule of this room: a file that was cut at any byte opens. With a summary the index is read from it; without one the
records are walked once, and whatever stands after the last whole record is counted as lost, never guessed. Chunks are
read one at a time and always checked against their CRC.
"""

import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zstandard

from firmware_bridge.errors import FileError
from hil.recording.chunktable import ChunkTable, chunk_index
from hil.recording.claim import claimed
from hil.recording.files import explain
from hil.recording.mcapfile import MAGIC, ChunkEntry, Op
from hil.recording.mcaprecords import NONE, Cursor, UInt64, chunk_entry, in_order, unpacked, walk_records

__all__ = ["Channel", "ChunkDamaged", "McapFile", "Torn"]

_LARGEST = 1 << 31
_LEAST = {Op.CHUNK: 40, Op.MESSAGE_INDEX: 6, Op.SCHEMA: 14, Op.CHANNEL: 16, Op.METADATA: 8, Op.ATTACHMENT: 36,
          Op.DATA_END: 4, Op.HEADER: 8, Op.MESSAGE: 22}  # fmt: skip


class ChunkDamaged(Exception):
    """A chunk does not match its CRC or cannot be unpacked; the text says which."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: topic, encoding of its messages, metadata, and its schema (name, encoding, data)."""

    id: int
    topic: str
    encoding: str
    metadata: Mapping[str, str]
    schema: tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Torn:
    """Where a file without its end stops making sense.

    Attributes:
        good: Bytes up to the end of the last whole record.
        size: Bytes in the file.
        data_ended: Whether all data is there and only the summary is missing.
    """

    good: int
    size: int
    data_ended: bool


@dataclass(slots=True)
class _Found:
    schemas: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)
    channels: dict[int, tuple[int, str, str, dict[str, str]]] = field(default_factory=dict)
    chunks: ChunkTable = field(default_factory=ChunkTable)
    metadata: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    attachments: list[tuple[str, str, int, int]] = field(default_factory=list)
    chunk_count: int = -1


class McapFile:
    """What an MCAP file holds.

    Args:
        path: The file.

    Raises:
        FileError: It cannot be read, or is no MCAP file (a beginning of one is).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115  (closed by close)
            writing = claimed(self._file.fileno())  # before it is read: a file that is ended meanwhile is whole
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise explain(error, self.path) from error
        self.torn: Torn | None = None
        """Where it was cut; None for a whole file."""
        self.being_written = False
        """Whether it has no end because somebody who lives still writes it."""
        self._found = _Found()
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise
        self.being_written = writing and self.torn is not None
        none = ("", "", b"")
        self.channels = {
            number: Channel(number, topic, encoding, about, self._found.schemas.get(schema, none))
            for number, (schema, topic, encoding, about) in self._found.channels.items()
        }
        self.chunks = self._found.chunks
        self.metadata = self._found.metadata
        """Metadata records in order: name and values."""
        self._block = (-1, b"")
        self._walked: dict[int, dict[int, tuple[UInt64, UInt64]]] = {}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # ---- chunks ------------------------------------------------------------------------------------------------------

    def unpack(self, chunk: ChunkEntry) -> bytes:
        """Return the records of a chunk.

        Raises:
            ChunkDamaged: They do not match the CRC, or cannot be unpacked.
        """
        where = f"the chunk at byte {chunk.offset}"
        record = self.bytes_at(chunk.offset, chunk.length)
        head, packed = record[: chunk.length - chunk.compressed], record[chunk.length - chunk.compressed :]
        if len(head) < 49 or head[0] != Op.CHUNK:
            raise ChunkDamaged(f"{where} is not there")
        size, crc = struct.unpack_from("<QI", head, 25)
        if size > _LARGEST or len(packed) != chunk.compressed:
            raise ChunkDamaged(f"{where} is cut")
        try:
            data = unpacked(packed, chunk.compression, size)
        except (zstandard.ZstdError, ValueError) as error:
            raise ChunkDamaged(f"{where} cannot be unpacked ({error})") from error
        if len(data) != size or (crc and zlib.crc32(data) != crc):
            raise ChunkDamaged(f"{where} does not match its checksum")
        return data

    def channels_in(self, chunk: ChunkEntry) -> frozenset[int]:
        """Return the channels that have messages in a chunk."""
        return frozenset(chunk.indexes) if chunk.indexes else frozenset(self._walk_chunk(chunk))

    def index(self, chunk: ChunkEntry, channel: int) -> tuple[UInt64, UInt64]:
        """Return log times and offsets (in the chunk's records) of a channel's messages, in the order of writing."""
        return in_order(*self.entries(chunk, channel))

    def entries(self, chunk: ChunkEntry, channel: int) -> tuple[UInt64, UInt64]:
        """Return what `index` does, as the file has it: other writers may sort by time."""
        place = chunk.indexes.get(channel)
        if place is None:
            return (self._walk_chunk(chunk) if not chunk.indexes else {}).get(channel, (NONE, NONE))
        block, at = self._index_block(chunk, place)
        if at + 15 <= len(block) and block[at] == Op.MESSAGE_INDEX:
            (size,) = struct.unpack_from("<I", block, at + 11)
            if at + 15 + size <= len(block) and size % 16 == 0:
                both = np.frombuffer(block, "<u8", size // 8, at + 15).reshape(-1, 2)
                return both[:, 0], both[:, 1]
        return self._walk_chunk(chunk).get(channel, (NONE, NONE))

    def _index_block(self, chunk: ChunkEntry, place: int) -> tuple[bytes, int]:
        """Return bytes that hold the message index at a place, and where in them; those of a chunk are read at once."""
        begin = chunk.offset + chunk.length
        if not begin <= place < begin + chunk.index_length <= begin + _LARGEST:  # no summary has told how long it is
            (size,) = struct.unpack("<I", self.bytes_at(place + 11, 4).rjust(4, b"\0"))
            return self.bytes_at(place, 15 + size), 0
        if self._block[0] != begin:
            self._block = begin, self.bytes_at(begin, chunk.index_length)
        return self._block[1], place - begin

    def distrust(self, chunk: ChunkEntry) -> None:
        """Walk the records of a chunk from now on, because its message index contradicts them."""
        self.chunks.forget_index(next(at for at, known in enumerate(self.chunks) if known.offset == chunk.offset))

    def _walk_chunk(self, chunk: ChunkEntry) -> dict[int, tuple[UInt64, UInt64]]:
        known = self._walked.get(chunk.offset)
        if known is None:
            known = self._walked[chunk.offset] = walk_records(self.unpack(chunk))
        return known

    # ---- attachments -------------------------------------------------------------------------------------------------

    @property
    def attachments(self) -> list[tuple[str, str]]:
        """Name and media type of every attachment."""
        return [(name, media) for name, media, _, _ in self._found.attachments]

    def attachment(self, name: str) -> bytes:
        """Return the data of an attachment (the last of that name).

        Raises:
            KeyError: There is none.
            FileError: It does not match its CRC.
        """
        for known, _, place, length in reversed(self._found.attachments):
            if known == name:
                body = self.bytes_at(place + 9, length - 9)
                cursor = Cursor(body)
                cursor.take("QQ")
                cursor.text(), cursor.text()
                (size,) = cursor.take("Q")
                data = body[cursor.at : cursor.at + size]
                if zlib.crc32(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
                    raise FileError(f"the attachment {name} does not match its checksum", str(self.path))
                return data
        raise KeyError(name)

    # ---- opening -----------------------------------------------------------------------------------------------------

    def bytes_at(self, place: int, size: int) -> bytes:
        """Return up to `size` bytes from a place; fewer at the end of the file."""
        if place < 0 or size <= 0 or place >= self.size:
            return b""
        size = min(size, self.size - place)
        if hasattr(os, "pread"):
            parts = [os.pread(self._file.fileno(), size, place)]
            if len(parts[0]) == size:
                return parts[0]
            while parts[-1] and sum(map(len, parts)) < size:
                done = sum(map(len, parts))
                parts.append(os.pread(self._file.fileno(), size - done, place + done))
            return b"".join(parts)
        self._file.seek(place)
        return self._file.read(size)

    def _open(self) -> None:
        start = self.bytes_at(0, len(MAGIC))
        if start != MAGIC[: len(start)]:
            next_step = "bring other files in with `hil import` or `hil decode`"
            raise FileError("this is no MCAP recording", str(self.path), next_step)
        if not self._summary():
            self._found = _Found()
            torn = self._walk()
            whole = torn.data_ended and self.bytes_at(self.size - 8, 8) == MAGIC and self._footless()
            self.torn = None if whole else torn

    def _summary(self) -> bool:
        """Read the index from the summary; False where there is none or it is damaged."""
        tail = self.bytes_at(self.size - 37, 37)
        if len(tail) < 37 or tail[29:] != MAGIC or tail[:9] != struct.pack("<BQ", Op.FOOTER, 20):
            return False
        start, _, crc = struct.unpack_from("<QQI", tail, 9)
        if not start:
            return False
        summary = self.bytes_at(start, self.size - 37 - start)
        if crc and zlib.crc32(tail[:25], zlib.crc32(summary)) != crc:
            return False
        at = 0
        try:
            while at < len(summary):
                op, length = struct.unpack_from("<BQ", summary, at)
                self._take(op, summary[at + 9 : at + 9 + length])
                at += 9 + length
        except (struct.error, UnicodeDecodeError):
            return False
        return bool(self._found.chunks) or self._found.chunk_count == 0

    def _footless(self) -> bool:
        """Whether the writer meant to write no summary."""
        return self.bytes_at(self.size - 28, 8) == bytes(8)

    def _walk(self) -> Torn:
        """Walk the records of a file without a summary; return where they end."""
        at = len(MAGIC)
        ended = False
        chunks: list[ChunkEntry] = []
        indexes: dict[int, int] = {}
        while at + 9 <= self.size:
            head = self.bytes_at(at, 96)
            op, length = struct.unpack_from("<BQ", head)
            end = at + 9 + length
            if end > self.size or length < _LEAST.get(op, 0) or op == 0 or (op > Op.DATA_END and op < 0x80):
                break
            if op == Op.DATA_END:
                ended, at = True, end
                break
            if op == Op.CHUNK:
                entry = chunk_entry(head, at, length)
                if entry is None:
                    break
                indexes = {}
                chunks.append(entry._replace(indexes=indexes))
            elif op == Op.MESSAGE_INDEX:
                indexes[struct.unpack_from("<H", head, 9)[0]] = at
            elif op in (Op.SCHEMA, Op.CHANNEL, Op.METADATA):
                try:
                    self._take(op, head[9 : 9 + length] if length <= 87 else self.bytes_at(at + 9, length))
                except (struct.error, UnicodeDecodeError):
                    break
            elif op == Op.ATTACHMENT:
                cursor = Cursor(self.bytes_at(at + 9, min(length, 4096)))
                try:
                    cursor.take("QQ")
                    self._found.attachments.append((cursor.text(), cursor.text(), at, 9 + length))
                except struct.error:
                    break
            at = end
        for chunk in chunks:
            self._found.chunks.append(chunk)
        if not ended and chunks:
            # Its message indexes may be torn too: the chunk itself says what it holds.
            self._found.chunks.forget_index(-1)
        return Torn(min(at, self.size), self.size, ended)

    def _take(self, op: int, body: bytes) -> None:
        if op == Op.CHUNK_INDEX:
            self._found.chunks.append(chunk_index(body))
            return
        cursor, found = Cursor(body), self._found
        if op == Op.SCHEMA:
            (number,) = cursor.take("H")
            found.schemas[number] = (cursor.text(), cursor.text(), cursor.blob())
        elif op == Op.CHANNEL:
            number, schema = cursor.take("HH")
            found.channels[number] = (schema, cursor.text(), cursor.text(), cursor.pairs())
        elif op == Op.STATISTICS:
            found.chunk_count = cursor.take("QHIIII")[5]
        elif op == Op.METADATA:
            found.metadata.append((cursor.text(), cursor.pairs()))
        elif op == Op.METADATA_INDEX:
            place, length = cursor.take("QQ")
            self._take(Op.METADATA, self.bytes_at(place + 9, length - 9))
        elif op == Op.ATTACHMENT_INDEX:
            place, length, *_ = cursor.take("QQQQQ")
            found.attachments.append((cursor.text(), cursor.text(), place, length))
