"""Writes MCAP as a stream: records are staged, and one commit is one write of whole chunks.

Rule of this room: what a commit has handed to the operating system is complete records, each chunk with its CRC and its
message index, so that a file cut anywhere after it still has it. A commit that fails takes back what it wrote of a torn
record. Nothing here knows what a message means; the container is MCAP 0 as published at mcap.dev.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import zstandard

__all__ = ["MAGIC", "ChunkEntry", "McapWriter", "Op", "Run", "Sink", "pairs", "record", "text"]

MAGIC = b"\x89MCAP0\r\n"


class Op:
    """Record codes of MCAP."""

    HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX = 1, 2, 3, 4, 5, 6, 7, 8
    ATTACHMENT, ATTACHMENT_INDEX, STATISTICS, METADATA, METADATA_INDEX = 9, 10, 11, 12, 13
    SUMMARY_OFFSET, DATA_END = 14, 15


class Sink(Protocol):
    """Where the bytes go: a file that can be taken back to a length."""

    def write(self, data: bytes) -> None:
        """Write all of `data` or raise OSError."""

    def truncate(self, size: int) -> None:
        """Take the file back to `size` bytes."""

    def close(self) -> None:
        """Close the file."""


def record(op: int, body: bytes) -> bytes:
    """Return one record: code, length, body."""
    return struct.pack("<BQ", op, len(body)) + body


def text(value: str) -> bytes:
    """Return a string with its length."""
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def pairs(values: Mapping[str, str]) -> bytes:
    """Return a map of strings with its length in bytes."""
    data = b"".join(text(key) + text(value) for key, value in values.items())
    return struct.pack("<I", len(data)) + data


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Messages of one channel in a chunk: times uint64 `(N,)` and offsets uint64 `(N,)` in the chunk's records."""

    channel: int
    times: npt.NDArray[Any]
    offsets: npt.NDArray[Any]


class ChunkEntry(NamedTuple):
    """Where a chunk is and what it holds: a tuple, because a day has 86,400 and more.

    Attributes:
        start_ns: Earliest log time in it.
        end_ns: Latest log time in it.
        offset: Place of its record in the file.
        length: Length of its record.
        indexes: Place of the message index of every channel in it.
        index_length: Length of all its message indexes.
        compression: `zstd`, `lz4` or empty.
        compressed: Bytes of its records in the file.
        size: Bytes of its records.
    """

    start_ns: int
    end_ns: int
    offset: int
    length: int
    indexes: Mapping[int, int]
    index_length: int
    compression: str
    compressed: int
    size: int

    def encoded(self) -> bytes:
        """Return its ChunkIndex record."""
        places = b"".join(struct.pack("<HQ", channel, place) for channel, place in self.indexes.items())
        return record(Op.CHUNK_INDEX, b"".join((
            struct.pack("<QQQQI", self.start_ns, self.end_ns, self.offset, self.length, len(places)), places,
            struct.pack("<Q", self.index_length), text(self.compression),
            struct.pack("<QQ", self.compressed, self.size),
        )))  # fmt: skip


@dataclass(slots=True)
class _Books:
    """What the summary at the end will say."""

    schemas: list[bytes] = field(default_factory=list)
    channels: list[bytes] = field(default_factory=list)
    chunks: list[ChunkEntry] = field(default_factory=list)
    attachments: list[bytes] = field(default_factory=list)
    metadata: list[bytes] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)


class McapWriter:
    """Writes one MCAP file to a sink.

    Args:
        sink: Where the bytes go.
        library: Who writes, for the header.
        level: zstd level of the chunks.
    """

    def __init__(self, sink: Sink, library: str, level: int = 1) -> None:
        self._sink = sink
        self._zstd = zstandard.ZstdCompressor(level=level)
        self._books = _Books()
        self._crc = 0
        self._staged: list[bytes] = []
        self._place = 0
        self._kept_counts: dict[int, int] = {}
        self.written = 0
        """Bytes committed so far."""
        self._stage(MAGIC)
        self._stage(record(Op.HEADER, text("") + text(library)))

    def _stage(self, data: bytes) -> int:
        place = self._place
        self._staged.append(data)
        self._place += len(data)
        return place

    def schema(self, name: str, encoding: str, data: bytes) -> int:
        """Stage a schema; return its id."""
        number = len(self._books.schemas) + 1
        body = struct.pack("<H", number) + text(name) + text(encoding) + struct.pack("<I", len(data)) + data
        self._books.schemas.append(record(Op.SCHEMA, body))
        self._stage(self._books.schemas[-1])
        return number

    def channel(
        self, topic: str, encoding: str, schema: int, metadata: Mapping[str, str], number: int | None = None
    ) -> int:
        """Stage a channel; return its id, which a copy may choose."""
        number = len(self._books.channels) + 1 if number is None else number
        body = struct.pack("<HH", number, schema) + text(topic) + text(encoding) + pairs(metadata)
        self._books.channels.append(record(Op.CHANNEL, body))
        self._stage(self._books.channels[-1])
        return number

    def metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Stage a metadata record."""
        data = record(Op.METADATA, text(name) + pairs(values))
        place = self._stage(data)
        self._books.metadata.append(record(Op.METADATA_INDEX, struct.pack("<QQ", place, len(data)) + text(name)))

    def attachment(self, name: str, media_type: str, data: bytes, time_ns: int) -> None:
        """Stage an attachment."""
        head = struct.pack("<QQ", time_ns, time_ns) + text(name) + text(media_type)
        body = head + struct.pack("<Q", len(data)) + data
        whole = record(Op.ATTACHMENT, body + struct.pack("<I", zlib.crc32(body)))
        place = self._stage(whole)
        index = struct.pack("<QQQQQ", place, len(whole), time_ns, time_ns, len(data)) + text(name) + text(media_type)
        self._books.attachments.append(record(Op.ATTACHMENT_INDEX, index))

    def chunk(self, records: bytes | memoryview, runs: Sequence[Run]) -> None:
        """Stage a chunk of message records (uncompressed, end to end) and the index of every channel in it."""
        data = self._zstd.compress(records)
        start = min(int(run.times.min()) for run in runs)
        end = max(int(run.times.max()) for run in runs)
        head = struct.pack("<QQQI", start, end, len(records), zlib.crc32(records)) + text("zstd")
        body_length = len(head) + 8 + len(data)
        place = self._stage(struct.pack("<BQ", Op.CHUNK, body_length) + head + struct.pack("<Q", len(data)))
        self._stage(data)
        index: dict[int, int] = {}
        indexes = self._place
        for run in runs:
            entries = np.empty((len(run.times), 2), "<u8")
            entries[:, 0], entries[:, 1] = run.times, run.offsets
            index[run.channel] = self._stage(
                struct.pack("<BQHI", Op.MESSAGE_INDEX, 6 + entries.nbytes, run.channel, entries.nbytes)
                + entries.tobytes()
            )
            self._books.counts[run.channel] = self._books.counts.get(run.channel, 0) + len(run.times)
        self._books.chunks.append(
            ChunkEntry(
                start, end, place, 9 + body_length, index, self._place - indexes, "zstd", len(data), len(records)
            )
        )

    @property
    def staged(self) -> int:
        """Bytes that wait for the next commit."""
        return self._place - self.written

    def commit(self) -> None:
        """Write all that is staged, in one write.

        Raises:
            OSError: It could not be written; the file was taken back to its last whole record.
        """
        data = b"".join(self._staged)
        try:
            if data:
                self._sink.write(data)
        except OSError:
            self._sink.truncate(self.written)
            raise
        self._crc = zlib.crc32(data, self._crc)
        self._staged.clear()
        self._kept_counts = dict(self._books.counts)
        self.written = self._place

    def forget(self) -> None:
        """Drop what is staged (after a failed commit), so that `finish` describes only what is in the file."""
        kept = self._books
        kept.chunks = [chunk for chunk in kept.chunks if chunk.offset < self.written]
        kept.metadata = [entry for entry in kept.metadata if _place_in(entry) < self.written]
        kept.attachments = [entry for entry in kept.attachments if _place_in(entry) < self.written]
        kept.counts = dict(self._kept_counts)
        self._staged.clear()
        self._place = self.written

    def finish(self) -> None:
        """Write what is staged and the summary; the sink stays open.

        Raises:
            OSError: The end could not be written; the file is whole up to its last record and opens without a summary.
        """
        self.commit()
        self._stage(record(Op.DATA_END, struct.pack("<I", self._crc)))
        start = self._place
        books = self._books
        groups: list[tuple[int, Sequence[bytes]]] = [
            (Op.SCHEMA, books.schemas), (Op.CHANNEL, books.channels), (Op.STATISTICS, [self._statistics()]),
            (Op.CHUNK_INDEX, [chunk.encoded() for chunk in books.chunks]),
            (Op.ATTACHMENT_INDEX, books.attachments), (Op.METADATA_INDEX, books.metadata),
        ]  # fmt: skip
        summary, offsets = b"", b""
        for op, entries in groups:
            data = b"".join(entries)
            if data:
                offsets += record(Op.SUMMARY_OFFSET, struct.pack("<BQQ", op, start + len(summary), len(data)))
                summary += data
        tail = struct.pack("<BQQQ", Op.FOOTER, 20, start, start + len(summary))
        crc = zlib.crc32(summary + offsets + tail)
        self._stage(summary + offsets + tail + struct.pack("<I", crc) + MAGIC)
        self.commit()

    def _statistics(self) -> bytes:
        books = self._books
        start = min((chunk.start_ns for chunk in books.chunks), default=0)
        end = max((chunk.end_ns for chunk in books.chunks), default=0)
        counts = b"".join(struct.pack("<HQ", channel, count) for channel, count in books.counts.items())
        return record(Op.STATISTICS, struct.pack(
            "<QHIIIIQQI", sum(books.counts.values()), len(books.schemas), len(books.channels), len(books.attachments),
            len(books.metadata), len(books.chunks), start, end, len(counts)) + counts)  # fmt: skip


def _place_in(entry: bytes) -> int:
    place: int = struct.unpack_from("<Q", entry, 9)[0]
    return place
