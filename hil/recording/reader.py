"""Reads a recording: who was there, what they sent as arrays, and the raw bytes in their recorded order.

Rule of this room: opening reads the index only; samples are read chunk by chunk as arrays, so that memory is bounded by
what is asked for. A torn file opens and `lost` says in one sentence what is missing, or that it is still being written.
A chunk that does not match its checksum raises, unless the recording was opened with `skip_damaged=True`: then it is
left out and listed.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, ClockReading, Event, Mark, Prediction
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.traffic import Traffic
from hil.recording.arrays import StreamArrays, in_order, joined
from hil.recording.marks import KeptMark, Label, labels_of, merged
from hil.recording.mcapread import McapFile
from hil.recording.notes import event_from
from hil.recording.opening import definitions, read_header
from hil.recording.pieces import Pieces, RecordedStream
from hil.recording.raw import RAW_KINDS, raw_arrivals, raw_traffic, sample_arrivals

if TYPE_CHECKING:
    import pandas

__all__ = ["RecordedStream", "Recording"]


class Recording:
    """A recording that is read; also a context manager.

    Args:
        path: The file.
        skip_damaged: Leave out chunks that do not match their checksum and list them in `damaged`, instead of raising.

    Raises:
        FileError: It cannot be read, is no recording of the bench, or is of a newer schema.
    """

    def __init__(self, path: str | Path, skip_damaged: bool = False) -> None:
        self.path = Path(path)
        self.file = McapFile(self.path)
        self.pieces = Pieces(self.file, skip_damaged)
        try:
            self.header, self.metadata = read_header(self.pieces)
            """What was known when it was recorded; and all metadata records that can be believed."""
            self._streams = definitions(self.pieces)
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording {self.path.name}: {self.duration_s:.1f} s, {', '.join(self.boards) or 'no boards'}>"

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    @property
    def damaged(self) -> list[str]:
        """Chunks that were left out so far, a sentence each."""
        return self.pieces.damaged

    # ---- who and what ------------------------------------------------------------------------------------------------

    @property
    def boards(self) -> Mapping[str, BoardInfo]:
        """Who was there, by role."""
        return MappingProxyType({board.role: board.info for board in self.header.boards if board.info is not None})

    def streams(self) -> tuple[RecordedStream, ...]:
        """Return every stream that has samples, in the order in which they came."""
        return self._streams

    def stream(self, board: str, stream: str) -> RecordedStream:
        """Return the last definition of a stream.

        Raises:
            UsageError: There is none of that name.
        """
        for known in reversed(self._streams):
            if known.board == board and known.stream.name == stream:
                return known
        there = ", ".join(sorted({f"{known.board}/{known.stream.name}" for known in self._streams})) or "no streams"
        raise UsageError(f"there is no stream {board}/{stream}", str(self.path), f"it has {there}")

    @cached_property
    def start_ns(self) -> int:
        """UTC of the first sample (of the first message where there are no samples)."""
        return self._span[0]

    @cached_property
    def duration_s(self) -> float:
        """Seconds from the first sample to the last (from the first message where there are no samples)."""
        return (self._span[1] - self._span[0]) / 1e9

    @cached_property
    def _span(self) -> tuple[int, int]:
        wanted = {known.channel for known in self._streams}
        return self.pieces.extent(wanted) or self.pieces.extent(set(self.file.channels)) or (0, 0)

    @property
    def being_written(self) -> bool:
        """Whether somebody who lives still writes it: it grows, and was not cut off."""
        return self.file.being_written

    @cached_property
    def lost(self) -> str | None:
        """What is missing because the recording was cut off or is still being written; None for a whole file."""
        torn = self.file.torn
        if torn is None:
            return None
        if self.being_written:
            until = max((chunk.end_ns for chunk in self.file.chunks), default=None)
            so_far = "none of its readings" if until is None else f"{(until - self.start_ns) / 1e9:.3f} s of it"
            return f"it is still being written by another process: {so_far} had reached the file when it was opened"
        if torn.data_ended:
            return "no readings are lost: the file was cut in the index after them, which was rebuilt"
        cut = f"its last {torn.size - torn.good} bytes are torn, and " if torn.size > torn.good else ""
        if not self.file.chunks:
            return f"everything is lost: the file ends after {torn.size} bytes, before the first readings were written"
        last = max(chunk.end_ns for chunk in self.file.chunks)
        return (
            f"the recording was cut off: {cut}all that came later than {(last - self.start_ns) / 1e9:.3f} s is lost "
            "(up to a second that was not yet written); `hil recover FILE -o NEW` makes a whole file of the rest"
        )

    # ---- samples -----------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> StreamArrays:
        """Return all samples of `board/stream`, or of `stream` where only one board has it.

        Raises:
            KeyError: There is none of that name, or several.
        """
        there = dict.fromkeys((known.board, known.stream.name) for known in self._streams)
        found = [key for key in there if name in (key[1], f"{key[0]}/{key[1]}")]
        if len(found) != 1:
            what = "several streams are called so" if found else "there is no such stream"
            raise KeyError(f"{name}: {what}; it has {', '.join(f'{board}/{stream}' for board, stream in there)}")
        return self.read(*found[0])

    def read(
        self, board: str, stream: str, start_s: float | None = None, end_s: float | None = None, time: str = "causal"
    ) -> StreamArrays:
        """Return the samples of a stream as arrays.

        Args:
            board: Role of the board.
            stream: Name of the stream.
            start_s: From this time on, in seconds since the recording's first sample.
            end_s: Before this time.
            time: `causal` for the times as they were known live, `refit` for the best offline fit of the board's clock.

        Raises:
            UsageError: There is no such stream, or its definition changed (then use `chunks`).
            FileError: A chunk is damaged.
        """
        known = self._one(board, stream)
        low, high = self._utc(start_s), self._utc(end_s)
        parts = [part for one in known for part in self.pieces.samples(one, low, high)]
        arrays = joined(board, known[-1].stream, parts, self.start_ns)
        if len(known) > 1:
            arrays = in_order(arrays)
        if time == "causal":
            return arrays
        if time != "refit":
            raise UsageError(f"time={time!r} is not known", "read", "use `causal` or `refit`")
        from hil.recording.refit import refitted

        return refitted(arrays, self.clock(board))

    def chunks(
        self, board: str, stream: str, start_s: float | None = None, end_s: float | None = None
    ) -> Iterator[StreamArrays]:
        """Yield the samples of a stream in pieces of one chunk, in bounded memory, whatever their definition."""
        self.stream(board, stream)
        low, high = self._utc(start_s), self._utc(end_s)
        for known in self._streams:
            if known.board == board and known.stream.name == stream:
                for part in self.pieces.samples(known, low, high):
                    yield joined(board, known.stream, [part], self.start_ns)

    def frame(
        self, board: str, stream: str, start_s: float | None = None, end_s: float | None = None
    ) -> "pandas.DataFrame":
        """Return the samples of a stream as a pandas frame indexed by `t_s`, one column a channel (see `read`)."""
        from hil.recording.frames import frame_of

        return frame_of(self.read(board, stream, start_s, end_s))

    def count(self, board: str, stream: str) -> int:
        """Return how many samples of a stream there are."""
        named = (known for known in self._streams if (known.board, known.stream.name) == (board, stream))
        return sum(self.pieces.count(known.channel) for known in named)

    # ---- everything else ---------------------------------------------------------------------------------------------

    def arrivals(self, from_ns: int | None = None, to_ns: int | None = None) -> Iterator[Arrival]:
        """Yield reads, writes and link changes in their recorded order, without items.

        Boards without raw bytes (imported readings) give `note` arrivals that hold their batches instead.

        Args:
            from_ns: From this time of arrival on, UTC.
            to_ns: Before this time.
        """
        silent = [known for known in self._streams if not self.has_bytes(known.board)]
        arrivals = raw_arrivals(self.pieces, from_ns, to_ns)
        return sample_arrivals(self, silent, from_ns, to_ns, arrivals) if silent else arrivals

    def has_bytes(self, board: str) -> bool:
        """Whether a board has raw bytes; imported readings have none."""
        return any(one.metadata.get("board") == board for kind in RAW_KINDS for one in self.pieces.channels(kind))

    def traffic(self, board: str, to_ns: int | None = None) -> Iterator[Arrival | Traffic]:
        """Yield the link changes of a board, and its reads and writes between them in pieces, in their recorded order.

        Args:
            board: Its role; one without raw bytes has none of these.
            to_ns: Before this time of arrival, UTC.
        """
        return raw_traffic(self.pieces, board, to_ns)

    def events(self, board: str | None = None) -> Iterator[Event]:
        """Yield events (gaps, damage, reboots, logs ...) in their recorded order, of one board or of all."""
        for event in self._told("events"):
            if board is None or event.board == board:
                yield event

    def predictions(self, model: str | None = None, board: str | None = None) -> tuple[Prediction, ...]:
        """Return recorded predictions in order, of one model and board or of all."""
        found = (event for event in self._told("predictions") if isinstance(event, Prediction))
        return tuple(
            event for event in found if model in (None, event.model) and board in (None, event.board)
        )  # fmt: skip

    def clock(self, board: str) -> tuple[ClockReading, ...]:
        """Return the exchanges that dated a board's clock, in order."""
        found = (event for event in self._told("clock") if isinstance(event, ClockReading))
        return tuple(event for event in found if event.board == board)

    def ledger(self, board: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        """Return the books of a board as they were after an arrival: `(seq of the arrival, books)` in order."""
        plain = [json.loads(bytes(data)) for data in self.pieces.messages("ledger", board)]
        return tuple((entry["seq"], entry["books"]) for entry in plain)

    @property
    def kept_marks(self) -> tuple[KeptMark, ...]:
        """Marks of the recording and of its sidecar, with their ids; read anew each time."""
        return merged(self.path, self.recorded_marks)

    @property
    def recorded_marks(self) -> tuple[Mark, ...]:
        """Marks and labels of the recording itself, in their recorded order."""
        return tuple(event for event in self._told("marks") if isinstance(event, Mark))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Marks and labels of the recording and of its sidecar, in order of time."""
        return tuple(kept.mark for kept in self.kept_marks)

    @property
    def labels(self) -> tuple[Label, ...]:
        """Labelled stretches of time."""
        return labels_of(self.marks)

    # ---- how ---------------------------------------------------------------------------------------------------------

    def _utc(self, seconds: float | None) -> int | None:
        return None if seconds is None else self.start_ns + round(seconds * 1e9)

    def _one(self, board: str, stream: str) -> list[RecordedStream]:
        last = self.stream(board, stream)
        known = [one for one in self._streams if (one.board, one.stream.name) == (board, stream)]
        if any((one.stream.dtype, one.stream.shape) != (last.stream.dtype, last.stream.shape) for one in known):
            raise UsageError(
                f"the definition of {board}/{stream} changed during the recording", str(self.path),
                "read it with `chunks`, where every piece has its own definition",
            )  # fmt: skip
        return known

    def _told(self, kind: str) -> Iterator[Event]:
        for data in self.pieces.messages(kind):
            event = event_from(data)
            if event is not None:
                yield event
