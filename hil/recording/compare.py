"""What a recording holds against what its raw bytes give now, stage by stage, in bounded memory.

Rule of this room: the first difference of every stage is kept with its place; nothing is rounded away. A stored stage
that ends early is no difference in itself (`short`): whether it may do so is for the caller to judge.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Event
from firmware_bridge.streams import Stream
from hil.recording.cdr import Samples
from hil.recording.notes import event_text
from hil.recording.reader import Recording

__all__ = ["STAGES", "Difference", "Notes", "SampleStage", "stored_books", "stored_events"]

STAGES = ("samples", "events", "clock", "ledger", "predictions")
"""What follows from the bytes, in the order in which it is derived."""

CLOSE_NS = 1_000
"""How far times may be apart on another machine."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what is stored and what is derived part.

    Attributes:
        stage: One of `STAGES`.
        board: Role.
        stream: Stream, empty where there is none.
        sample: Number of the sample, or of the entry in its stage; None where neither makes sense.
        what: One sentence.
    """

    stage: str
    board: str
    stream: str
    sample: int | None
    what: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class SampleStage:
    """Stored samples against derived batches, stream by stream.

    Args:
        recordings: The recording, or all parts of it in order.
        same_machine: Whether times must be equal to the nanosecond.
    """

    def __init__(self, recordings: list[Recording], same_machine: bool) -> None:
        self.compared = 0
        self.exact = True
        self.first: Difference | None = None
        self.short: dict[tuple[str, str], int] = defaultdict(int)
        """Derived samples that are not stored, after the end of a stored stream."""
        self._tolerance = 0 if same_machine else CLOSE_NS
        self._stored: dict[tuple[str, Stream], _Stored] = {}
        for recording in recordings:
            for known in recording.streams():
                key = (known.board, _plain(known.stream))
                self._stored.setdefault(key, _Stored()).add(recording.pieces.samples(known, None, None))

    def take(self, batch: Batch) -> None:
        """Compare a derived batch with the samples that are stored next."""
        board, name = batch.board, batch.stream.name
        if self.first is not None or not len(batch):
            return
        stored = self._stored.get((board, _plain(batch.stream)))
        numbers = batch.first + np.arange(len(batch))
        done = 0
        while done < len(batch):
            piece = stored.next(len(batch) - done) if stored is not None else None
            if piece is None:
                self.short[board, name] += len(batch) - done
                return
            part = slice(done, done + len(piece))
            derived = Samples(
                numbers[part], np.full(len(piece), batch.boot, np.int32), batch.ticks[part], batch.t_ns[part],
                batch.raw[part],
            )  # fmt: skip
            if self.short.get((board, name)):
                self._differ(board, name, int(piece.numbers[0]), "is stored and does not follow from the bytes")
                return
            self._compare(board, name, piece, derived)
            done += len(piece)
            self.compared += len(piece)

    def finish(self) -> None:
        """Nothing more is derived: what is stored and was not compared is a difference."""
        for (board, stream), stored in self._stored.items():
            rest = stored.next(1)
            if rest is not None and self.first is None:
                what = "is stored and does not follow from the bytes"
                self._differ(board, stream.name, int(rest.numbers[0]), what)

    def _compare(self, board: str, name: str, stored: Samples, derived: Samples) -> None:
        for field in ("numbers", "boot", "ticks", "t_ns", "raw"):
            ours, theirs = getattr(derived, field), getattr(stored, field)
            if np.array_equal(ours, theirs) or ours.tobytes() == theirs.tobytes():
                continue
            if field == "t_ns" and self._tolerance and np.all(np.abs(ours - theirs) <= self._tolerance):
                self.exact = False
                continue
            unequal = (ours != theirs).reshape(len(ours), -1).any(axis=1)
            place = int(unequal.argmax())
            what = f"{field} is stored as {_shown(theirs[place])} and derived as {_shown(ours[place])}"
            self._differ(board, name, int(min(derived.numbers[place], stored.numbers[place])), what)
            return

    def _differ(self, board: str, stream: str, sample: int, what: str) -> None:
        if self.first is None:
            self.first = Difference("samples", board, stream, sample, f"sample {sample} of {board}/{stream}: {what}")


class _Stored:
    """Samples of one definition of a stream, handed out in any amounts."""

    def __init__(self) -> None:
        self._sources: deque[Iterator[Samples]] = deque()
        self._piece: Samples | None = None

    def add(self, source: Iterator[Samples]) -> None:
        self._sources.append(source)

    def next(self, most: int) -> Samples | None:
        while self._piece is None or not len(self._piece):
            if not self._sources:
                return None
            self._piece = next(self._sources[0], None)
            if self._piece is None:
                self._sources.popleft()
        piece, self._piece = self._piece.part(0, most), self._piece.part(most, len(self._piece))
        return piece


class Notes:
    """Stored entries of a stage (as JSON values) against derived ones, board by board in order.

    Args:
        stage: One of `STAGES`.
        stored: Stored entries by board.
    """

    def __init__(self, stage: str, stored: Mapping[str, Iterator[dict[str, Any]]]) -> None:
        self.stage = stage
        self.compared = 0
        self.short: dict[str, int] = defaultdict(int)
        """Derived entries after the end of what is stored."""
        self.first: Difference | None = None
        self._stored = dict(stored)

    def take(self, board: str, derived: Event | dict[str, Any]) -> None:
        """Compare a derived entry with the one that is stored next."""
        if self.first is not None:
            return
        plain = derived if isinstance(derived, dict) else json.loads(event_text(derived))
        entry = next(self._stored.get(board, iter(())), None)
        if entry is None:
            self.short[board] += 1
            return
        if entry == plain:
            self.compared += 1
            return
        keys = [key for key in {**plain, **entry} if plain.get(key) != entry.get(key)]
        told = ", ".join(f"{key} is stored as {entry.get(key)!r} and derived as {plain.get(key)!r}" for key in keys[:3])
        name = entry.get("type", self.stage)
        self.first = Difference(
            self.stage, board, str(entry.get("stream", "")), self.compared, f"{name} of {board}: {told}"[:600]
        )

    def finish(self) -> None:
        """Nothing more is derived: what is stored and was not compared is a difference."""
        for board, entries in self._stored.items():
            for entry in islice(entries, 1):
                if self.first is None:
                    what = f"{entry.get('type', self.stage)} of {board} is stored and does not follow from the bytes"
                    self.first = Difference(self.stage, board, str(entry.get("stream", "")), self.compared, what)


def stored_events(recordings: list[Recording], kind: str, boards: list[str]) -> dict[str, Iterator[dict[str, Any]]]:
    """Return the stored events of a kind that followed from bytes, by board."""

    def of(board: str) -> Iterator[dict[str, Any]]:
        for recording in recordings:
            for data in recording.pieces.messages(kind, board):
                plain = json.loads(bytes(data))
                if plain.get("board") == board and not plain.get("noted"):
                    yield plain

    return {board: of(board) for board in boards}


def stored_books(recordings: list[Recording], board: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the stored books of a board with the number of the arrival after which they held."""
    for recording in recordings:
        yield from recording.ledger(board)


def _plain(stream: Stream) -> Stream:
    return replace(stream, rate_hz=None) if stream.rate_inferred else stream


def _shown(value: Any) -> str:
    return np.array2string(np.asarray(value), threshold=12, separator=", ")
