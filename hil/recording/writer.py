"""Writes a recording: arrivals in, one crash-safe file of viewable messages out.

Rule of this room: whatever is handed in is written, at the latest a second of arrival time later, in one `write(2)` of
whole chunks: first the raw bytes, then what they meant, so that a torn end never holds a sample without its bytes. A
kill loses what was not yet flushed and nothing else (power loss is not covered: nothing here waits for the disk). No
clock: time comes with the arrivals. Use it from one thread.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError
from firmware_bridge.events import Arrival, Connected, Mark
from firmware_bridge.streams import BoardInfo
from hil.recording.files import NewFile, Split, disk_free, explain, part_path
from hil.recording.header import BOARD, NAME, BoardSetup, Header, sealed
from hil.recording.mcapfile import McapWriter, Sink
from hil.recording.outbox import CHUNK_BYTES, Outbox

__all__ = ["RecordingWriter"]


class RecordingWriter:
    """A recording that is being made.

    Args:
        path: A file that does not exist; with `split` the parts are `NAME.001.mcap` and so on.
        header: What is known now.
        split: When to go on in a new part.
        flush_ns: Longest time that anything waits, in arrival time.
        sink: Where to write instead of `path` (tests, pipes).

    Raises:
        FileError: The file exists or may not be made.
    """

    def __init__(
        self, path: str | Path, header: Header, split: Split | None = None, flush_ns: int = 1_000_000_000,
        sink: Sink | None = None,
    ) -> None:  # fmt: skip
        self.name = Path(path)
        self.header = header
        self.closed = False
        self.failure: FileError | None = None
        """Why writing ended, once it has failed."""
        self._split = split
        self._flush_ns = flush_ns
        self._given = sink
        self._attachments: list[tuple[str, str, bytes]] = []
        self._metadata: list[tuple[str, dict[str, str]]] = []
        self._before = 0
        self._history: deque[tuple[int, int]] = deque(maxlen=64)
        self._flushed_ns: int | None = None
        self._started_ns: int | None = None
        self._labels: dict[tuple[str, str], Mark] = {}
        """Labels that run: every part must say so itself."""
        self._last_ns = header.created_ns
        self._part = header.part - 1
        self._open()

    # ---- parts -------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._part += 1
        self.path = part_path(self.name, self._part) if self._split else self.name
        self._sink: Sink = self._given or NewFile(self.path)
        self._sink_open = True
        self._file = McapWriter(self._sink, f"hil {self.header.versions.get('hil-testbench', '')}".strip())
        self._out = Outbox(self._file)
        self._started_ns = None
        self._file.metadata(NAME, sealed(replace(self.header, part=self._part).as_metadata()))
        for board in self.header.boards:
            self._put_board(board)
        for name, values in self._metadata:
            self._file.metadata(name, values)
        for name, media_type, data in self._attachments:
            self._file.attachment(name, media_type, data, self._last_ns)
        self._commit()

    @property
    def bytes_written(self) -> int:
        """Bytes in all parts so far."""
        return self._before + self._file.written

    @property
    def bytes_waiting(self) -> int:
        """Bytes of records that a kill would lose now."""
        return self._out.waiting

    def disk_left_s(self, now_ns: int) -> float | None:
        """Return how many seconds the disk lasts at the rate of the last minute; None before a rate is known."""
        free = disk_free(self.path)
        if free is None or len(self._history) < 2:
            return None
        then, written = self._history[0]
        took = now_ns - then
        rate = (self.bytes_written - written) / took * 1e9 if took > 0 else 0.0
        return free / rate if rate > 0 else None

    # ---- what can be written -----------------------------------------------------------------------------------------

    def board(self, board: BoardSetup) -> None:
        """Say who a role is and how it is listened to; may be said again when more is known."""
        if self.header.board(board.role) != board:
            self.header = self.header.with_board(board)
            self._put_board(board)

    def metadata(self, name: str, values: Mapping[str, Any]) -> None:
        """Add named metadata; values that are not text are written as JSON."""
        plain = sealed({key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()})
        self._metadata.append((name, plain))
        self._file.metadata(name, plain)

    def attach(self, name: str, media_type: str, data: bytes) -> None:
        """Put a file into the recording, such as a board file or a model."""
        self._attachments.append((name, media_type, data))
        self._file.attachment(name, media_type, data, self._last_ns)

    def write(self, arrival: Arrival) -> None:
        """Record an arrival: its bytes, and everything they meant.

        Raises:
            FileError: The disk took no more; `failure` is set, and what was flushed is in the file.
        """
        self._usable()
        now = arrival.t_ns
        self._last_ns = max(self._last_ns, now)
        if self._flushed_ns is None:
            self._flushed_ns = now
        if self._started_ns is None:
            self._started_ns = now
        if arrival.kind in ("rx", "tx"):
            self._out.put_bytes(arrival)
        elif arrival.kind != "note":
            self._out.put_link(arrival)
        for item in arrival.items:
            if isinstance(item, Batch):
                self._out.put_batch(item, now)
                continue
            if isinstance(item, Connected):
                self._learn(item.board, item.info)
            elif isinstance(item, Mark):
                self._follow(item)
            self._out.put_event(item, now, noted=arrival.kind == "note")
        if arrival.books is not None:
            self._out.put_books(arrival)
        self.tick(now)

    def mark(self, mark: Mark) -> None:
        """Record a mark or a label at its own time."""
        self._usable()
        self._follow(mark)
        self._out.put_event(mark, mark.t_ns, noted=True)

    def tick(self, now_ns: int) -> None:
        """Flush what has waited for a second of `now_ns` or fills a chunk; go on in a new part where it is time."""
        waited = 0 if self._flushed_ns is None else now_ns - self._flushed_ns
        if waited < self._flush_ns and self._out.waiting < CHUNK_BYTES:
            return
        self.flush()
        self._flushed_ns = now_ns
        self._history.append((now_ns, self.bytes_written))
        split = self._split
        if split and self._started_ns is not None and (
            (split.after_ns is not None and now_ns - self._started_ns >= split.after_ns)
            or (split.after_bytes is not None and self._file.written >= split.after_bytes)
        ):  # fmt: skip
            self._finish()
            self._before += self._file.written
            try:
                self._open()
            except FileError as error:
                self.failure = error
                raise
            for mark in self._labels.values():
                self._out.put_event(replace(mark, t_ns=now_ns), now_ns, noted=True)

    def flush(self) -> None:
        """Hand everything to the operating system, in one write: after it returns, a kill does not lose it.

        Raises:
            FileError: The disk took no more.
        """
        self._usable()
        self._out.stage()
        self._commit()

    def close(self) -> None:
        """Write what waits and the summary; the file is complete. Does nothing the second time.

        Raises:
            FileError: The disk took no more; what was flushed before is in the file.
        """
        if self.closed:
            return
        self.closed = True
        try:
            if self.failure is None:
                self.flush()
                self._finish()
        finally:
            if self.failure is not None:
                self._close_short()

    # ---- how ---------------------------------------------------------------------------------------------------------

    def _follow(self, mark: Mark) -> None:
        if mark.kind == "start":
            self._labels.setdefault((mark.board, mark.text), mark)
        elif mark.kind == "stop":
            self._labels.pop((mark.board, mark.text), None)

    def _usable(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _commit(self) -> None:
        try:
            self._file.commit()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> FileError:
        self.failure = explain(error, self.path, "what was written before is complete and opens")
        self._file.forget()
        return self.failure

    def _finish(self) -> None:
        try:
            self._file.finish()
        except OSError as error:
            raise self._failed(error) from error
        self._sink_open = False
        self._sink.close()

    def _close_short(self) -> None:
        """After a failure: a summary if it still fits, else the file ends with its last whole record."""
        if not self._sink_open:
            return
        try:
            self._file.finish()
        except OSError:
            self._file.forget()
        self._sink_open = False
        self._sink.close()

    def _put_board(self, board: BoardSetup) -> None:
        told = {"schema": json.dumps(self.header.schema), "board": json.dumps(board.as_dict())}
        self._file.metadata(BOARD, sealed(told))

    def _learn(self, role: str, info: BoardInfo) -> None:
        known = self.header.board(role) or BoardSetup(role)
        self.board(replace(known, info=info))
