"""Bytes of a described board read whole: what they hold, and which share of them the description explains.

The same dialect that reads the live board reads the file, so that import, decode and capture cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.boardfile import BoardFile
from firmware_bridge.wire.dialect import Damaged, Described, Dialect, Explaining, Samples, Text

__all__ = ["Explanation", "Table", "explain", "parse_all"]

PIECE = 1 << 20
"""Bytes fed at a time; a file is never copied whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All samples of one stream.

    Attributes:
        stream: What was sampled.
        raw: `(N, *shape)` in the stream's dtype.
        ticks: uint64 `(N,)` as sent, or None where the board sends no time.
        tick_bits: Width at which they wrap.
        number: uint64 `(N,)` as sent, or None where the board does not count.
        number_bits: Width at which they wrap.
        valid: bool `(N,)`, whether the board trusts each sample.
    """

    stream: Stream
    raw: npt.NDArray[Any]
    ticks: npt.NDArray[np.uint64] | None
    tick_bits: int
    number: npt.NDArray[np.uint64] | None
    number_bits: int
    valid: npt.NDArray[np.bool_]

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """Readings in the stream's units, float32 `(N, *shape)`."""
        return self.stream.values(self.raw)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How far a description explains bytes.

    Attributes:
        share_explained: Share of the bytes that the description accounts for, 0 to 1 (1 for no bytes).
        first_unexplained_offset: Offset of the first byte that it does not account for, or None.
        total: Bytes in all.
        buckets: Bytes by bucket; their sum is `total`.
        frames: Good frames, or lines with samples where the board prints text (None where not counted).
        samples: Samples by stream.
        invalid: Samples by stream that the board itself does not trust.
        texts: Lines for people.
    """

    share_explained: float
    first_unexplained_offset: int | None
    total: int
    buckets: Mapping[str, int]
    frames: int | None
    samples: Mapping[str, int]
    invalid: Mapping[str, int]
    texts: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "share_explained": self.share_explained, "first_unexplained_offset": self.first_unexplained_offset,
            "total": self.total, "buckets": dict(self.buckets), "frames": self.frames, "samples": dict(self.samples),
            "invalid": dict(self.invalid), "texts": self.texts,
        }  # fmt: skip


def _read(dialect: Dialect, data: bytes) -> tuple[dict[str, list[Samples]], int, int, BoardInfo | None]:
    samples: dict[str, list[Samples]] = {}
    texts, damaged, info = 0, 0, None
    view = memoryview(data)
    pieces = [bytes(view[start : start + PIECE]) for start in range(0, len(data), PIECE)] or [b""]
    for number in range(len(pieces) + 1):
        for item in dialect.feed(pieces[number], 0) if number < len(pieces) else dialect.end(0):
            if isinstance(item, Samples):
                samples.setdefault(item.stream.name, []).append(item)
            elif isinstance(item, Text):
                texts += 1
            elif isinstance(item, Damaged):
                damaged += item.count
            elif isinstance(item, Described):
                info = item.info
    return samples, texts, damaged, info


def _valid(part: Samples) -> npt.NDArray[np.bool_]:
    return part.valid if part.valid is not None else np.ones(len(part.raw), np.bool_)


def explain(board: BoardFile | Dialect, data: bytes, whole: bool = False) -> Explanation:
    """Say which share of bytes a description explains.

    Args:
        board: A board file, or any fresh dialect.
        data: Bytes as they came.
        whole: Whether they begin and end where the board's output does, as a file does.
    """
    dialect = board.dialect(whole) if isinstance(board, BoardFile) else board
    samples, texts, damaged, _ = _read(dialect, data)
    books = {kind: count for kind, count in dialect.books.items() if count}
    # A dialect that does not say what it explains explains what it does not call damaged.
    explained, first = len(data) - damaged, None
    if isinstance(dialect, Explaining):
        explained = sum(count for kind, count in books.items() if kind in dialect.explained)
        first = dialect.first_unexplained
    share = explained / len(data) if data else 1.0
    return Explanation(
        share, first, len(data), books, getattr(dialect, "frames", None),
        {name: sum(len(part.raw) for part in parts) for name, parts in samples.items()},
        {name: int(sum((~_valid(part)).sum() for part in parts)) for name, parts in samples.items()}, texts,
    )  # fmt: skip


def parse_all(board: BoardFile | Dialect, data: bytes, whole: bool = True) -> dict[str, Table]:
    """Return all samples in bytes, by stream.

    Args:
        board: A board file, or any fresh dialect (`LineDialect(whole=True)` learns the columns itself).
        data: Bytes as they came, or a file's.
        whole: Whether they begin and end where the board's output does, as a file does.

    Returns:
        One table a stream; a described stream without samples has an empty one.
    """
    dialect = board.dialect(whole) if isinstance(board, BoardFile) else board
    samples, _, _, info = _read(dialect, data)
    tables = {}
    for stream in board.streams if isinstance(board, BoardFile) else info.streams if info is not None else ():
        parts = samples.get(stream.name, [])
        ticks = [part.ticks for part in parts if part.ticks is not None]
        numbers = [part.number for part in parts if part.number is not None]
        tables[stream.name] = Table(
            stream,
            np.concatenate([part.raw for part in parts]) if parts else np.empty((0, *stream.shape), stream.dtype),
            np.concatenate(ticks) if parts and len(ticks) == len(parts) else None,
            parts[0].tick_bits if parts else 32,
            np.concatenate(numbers) if parts and len(numbers) == len(parts) else None,
            parts[0].number_bits if parts else 32,
            np.concatenate([_valid(part) for part in parts]) if parts else np.ones(0, np.bool_),
        )
    return tables
