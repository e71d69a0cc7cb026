"""Bytes captured before anyone described the board, decoded now: `hil decode`.

Rule of this room: the raw bytes, with their times, are carried over untouched into the new recording, so that it
verifies like one that was captured with the description at hand; it is said which share of them the description
explains and where it first does not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.wire.boardfile import BoardFile, load_board_file
from firmware_bridge.wire.dialect import Dialect, DialectSpec, Explaining
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.files import explain
from hil.recording.header import BoardSetup, Header
from hil.recording.mcapfile import MAGIC
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter

__all__ = ["Decoded", "DecodedBoard", "decode"]

PIECE = 1024
"""Bytes of a bare file taken as one read."""


@dataclass(frozen=True, slots=True)
class DecodedBoard:
    """What a description made of one board's bytes.

    Attributes:
        board: Role.
        bytes: Bytes in all.
        share_explained: Share of them that the description accounts for, 0 to 1; None where the dialect cannot say.
        first_unexplained_offset: Offset of the first byte that it does not account for; None where there is none.
        buckets: Bytes by bucket.
        samples: Samples by stream.
    """

    board: str
    bytes: int
    share_explained: float | None
    first_unexplained_offset: int | None
    buckets: Mapping[str, int]
    samples: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "board": self.board, "bytes": self.bytes, "share_explained": self.share_explained,
            "first_unexplained_offset": self.first_unexplained_offset, "buckets": dict(self.buckets),
            "samples": dict(self.samples),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoded:
    """A recording decoded anew: its file, and what became of every board's bytes."""

    path: str
    boards: tuple[DecodedBoard, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"path": self.path, "boards": [board.as_dict() for board in self.boards]}


def decode(
    path: str | Path, output: str | Path, *, board_file: str | Path | None = None, dialect: DialectSpec | None = None,
    role: str | None = None, start_ns: int | None = None, progress: Callable[[float], None] | None = None,
) -> Decoded:  # fmt: skip
    """Decode raw bytes by a board file and write a new recording.

    Args:
        path: A recording, or a bare file of bytes as they came from a port.
        output: A recording that does not exist.
        board_file: The description.
        dialect: Another dialect in its place.
        role: Board to decode (others keep their dialect); of a bare file, what to call the board (`board`).
        start_ns: UTC of the first byte of a bare file; by default the date of the file.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        UsageError: Neither a board file nor a dialect is given, or there is no such board.
        BoardFileError: The board file is wrong.
        FileError: A file cannot be read or written.
    """
    if (board_file is None) == (dialect is None):
        raise UsageError("say how the board talks", "decode", "give `--board-file F`")
    board = None if board_file is None else load_board_file(board_file)
    path = Path(path)
    try:
        with path.open("rb") as file:
            is_recording = file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise explain(error, path) from error
    if not is_recording:
        spec = dialect or _spec(board, whole=True)
        name = role or "board"
        arrivals, total, start = _bare(path, name, board, start_ns)
        setup = BoardSetup(name, str(path.name), spec, nonce=1)
        return _write(
            output, Header(start, (setup,), "decode", extra={"source": path.name}), board, arrivals, total, progress
        )
    with Recording(path) as recording:
        roles = {channel.metadata["board"] for channel in recording.pieces.channels("rx")}
        if not roles or (role is not None and role not in roles):
            raise UsageError(
                f"no raw bytes of {role or 'any board'} are in it",
                str(path),
                f"it has {', '.join(sorted(roles)) or 'none'}",
            )
        spec = dialect or _spec(board, whole=False)
        header = replace(recording.header, origin="decode", extra={**recording.header.extra, "source": path.name})
        for name in sorted(roles):
            known = header.board(name) or BoardSetup(name)
            if role in (None, name):
                header = header.with_board(replace(known, dialect=spec, info=None))
        total = sum(chunk.size for chunk in recording.file.chunks)
        return _write(output, header, board, _with_marks(recording), total, progress)


def _spec(board: BoardFile | None, whole: bool) -> DialectSpec:
    assert board is not None
    return DialectSpec("boardfile", {"text": board.text, "file": board.file, "whole": whole})


def _bare(path: Path, role: str, board: BoardFile | None, start_ns: int | None) -> tuple[Iterator[Arrival], int, int]:
    """Return the bytes of a file as reads, dated by the baud rate; their number; and when the first came."""
    try:
        data = path.read_bytes()
        start = path.stat().st_mtime_ns if start_ns is None else start_ns
    except OSError as error:
        raise explain(error, path) from error
    if not data:
        raise FileError("the file is empty", str(path), "capture some bytes first")
    per_byte = 1e10 / (board.serial.baud if board is not None else 115200)

    def reads() -> Iterator[Arrival]:
        yield Arrival(role, 0, start, "open", path.name.encode())
        for seq, at in enumerate(range(0, len(data), PIECE), 1):
            piece = data[at : at + PIECE]
            yield Arrival(role, seq, start + round((at + len(piece)) * per_byte), "rx", piece)
        end = start + round(len(data) * per_byte)
        yield Arrival(role, (len(data) - 1) // PIECE + 2, end, "close", b"the file ends")

    return reads(), len(data), start


def _with_marks(recording: Recording) -> Iterator[Arrival]:
    """Yield the raw arrivals, and after them what people said."""
    last = 0
    for arrival in recording.arrivals():
        if arrival.kind != "note":
            last = max(last, arrival.t_ns)
            yield arrival
    if marks := recording.marks:
        yield Arrival("", -1, last, "note", b"", tuple(marks))


def _write(
    output: str | Path, header: Header, board: BoardFile | None, arrivals: Iterable[Arrival], total: int,
    progress: Callable[[float], None] | None,
) -> Decoded:  # fmt: skip
    sessions = {
        setup.role: Session(setup.role, make_dialect(setup.dialect), nonce=setup.nonce)
        for setup in header.boards
        if setup.dialect is not None
    }
    writer = RecordingWriter(output, header)
    samples: dict[str, dict[str, int]] = {name: {} for name in sessions}
    seen = 0
    try:
        if board is not None:
            writer.attach("board.toml", "application/toml", board.text.encode())
        for arrival in arrivals:
            session = sessions.get(arrival.board)
            made = arrival if session is None or arrival.kind == "note" else session.apply(arrival)
            for item in made.items:
                if isinstance(item, Batch):
                    counts = samples[item.board]
                    counts[item.stream.name] = counts.get(item.stream.name, 0) + len(item)
            writer.write(made)
            seen += len(arrival.data)
            if progress is not None and total:
                progress(min(1.0, seen / total))
    finally:
        writer.close()
    told = tuple(_told(name, session.dialect, samples[name]) for name, session in sessions.items())
    return Decoded(str(writer.path), told)


def _told(role: str, dialect: Dialect, samples: Mapping[str, int]) -> DecodedBoard:
    buckets = {kind: count for kind, count in dialect.books.items() if count}
    total = sum(buckets.values()) + dialect.pending
    share, first = None, None
    if isinstance(dialect, Explaining):
        share = sum(count for kind, count in buckets.items() if kind in dialect.explained) / total if total else 1.0
        first = dialect.first_unexplained
    return DecodedBoard(role, total, share, first, buckets, samples)
