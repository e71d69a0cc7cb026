"""Derives everything in a recording again from its raw bytes and says whether it is the same: `verify`.

Rule of this room: the same sessions see the same bytes at the same times as live. Verdicts: `reproduced` (`exact`: to
the last bit), `diverged` (with the first difference by stage, board and sample), `partial` (what could be derived is
the same, and it is said what could not), `not_verifiable` (there are no raw bytes, or no way to decode them), and
`damaged` (checksums do not hold). Models come from outside: this room knows no network.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from firmware_bridge.batch import Batch
from firmware_bridge.errors import BridgeError
from firmware_bridge.events import Arrival, ClockReading, Event, Item, Prediction
from firmware_bridge.roles import Expect
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.checks import check
from hil.recording.compare import STAGES, Difference, Notes, SampleStage, stored_books, stored_events
from hil.recording.decisions import Decisions
from hil.recording.files import parts_of
from hil.recording.header import environment
from hil.recording.reader import Recording

__all__ = ["Runner", "Verdict", "rederive"]


class Runner(Protocol):
    """What turns items into decisions, as it did live."""

    def push(self, items: Iterable[Item | Arrival]) -> list[Prediction]:
        """Take items in order; return the decisions that they complete."""


MakeRunner = Callable[[Recording, str], tuple[Runner, int]]
"""Makes a model's runner for a recording: the runner and how many samples its decisions depend on.

Raises a BridgeError with one sentence where the model is not at hand."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of deriving a recording again.

    Attributes:
        verdict: `reproduced`, `diverged`, `partial`, `not_verifiable` or `damaged`.
        exact: Whether everything was equal to the last bit; None where nothing was reproduced.
        sentence: What that means.
        first_difference: The first difference in the order of the stages; None where there is none.
        differences: The first difference of every stage that has one.
        compared: How many entries of every stage were compared.
        remarks: What else is worth knowing, a sentence each.
    """

    verdict: str
    exact: bool | None
    sentence: str
    first_difference: Difference | None = None
    differences: tuple[Difference, ...] = ()
    compared: dict[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        first = self.first_difference
        return {
            "verdict": self.verdict, "exact": self.exact, "sentence": self.sentence,
            "first_difference": None if first is None else first.as_dict(),
            "differences": [difference.as_dict() for difference in self.differences],
            "compared": dict(self.compared), "remarks": list(self.remarks),
        }  # fmt: skip


def rederive(
    path: str | Path, make_runner: MakeRunner | None = None, progress: Callable[[float], None] | None = None
) -> Verdict:
    """Derive samples, events, clock, ledger and predictions again and compare them with what is stored.

    Args:
        path: The recording; of a split one the part, whose earlier parts must lie beside it.
        make_runner: Makes the runner of a model by its name; None: predictions are not derived.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        FileError: The recording cannot be read.
    """
    recordings = [Recording(part, skip_damaged=True) for part in parts_of(Path(path))]
    try:
        damaged = [one for recording in recordings for one in (*recording.damaged, *check(recording.file))]
        if damaged:
            return Verdict("damaged", None, "; ".join(damaged[:3]), remarks=tuple(damaged))
        return _Derivation(recordings, make_runner, progress).verdict()
    finally:
        for recording in recordings:
            recording.close()


class _Derivation:
    def __init__(
        self, recordings: list[Recording], make_runner: MakeRunner | None, progress: Callable[[float], None] | None
    ) -> None:
        self.recordings, self.last, self.progress = recordings, recordings[-1], progress
        self.remarks: list[str] = []
        self.sessions: dict[str, Session] = {}
        self.silent: list[str] = []
        self._meet_boards()
        boards = list(self.sessions)
        same = all(recording.header.environment == environment() for recording in recordings)
        self.samples = SampleStage(recordings, same)
        self.events = Notes("events", stored_events(recordings, "events", boards))
        self.clock = Notes("clock", stored_events(recordings, "clock", boards))
        self.ledger = Notes("ledger", {})
        self.books = {board: stored_books(recordings, board) for board in boards}
        self.due_books = {board: next(self.books[board], None) for board in boards}
        self.decisions = [
            Decisions(self.last, recordings, model, make_runner, same)
            for model in dict.fromkeys(p.model for recording in recordings for p in recording.predictions())
        ]

    def verdict(self) -> Verdict:
        first_part = self.recordings[0].header.part
        if first_part != 1:
            need = f"this is part {self.last.header.part}, and part {first_part - 1} does not lie beside it"
            return Verdict("not_verifiable", None, f"{need}: what was said before it is not known")
        if not self.sessions:
            why = "; ".join(self.remarks) or "it holds no raw bytes from which anything could be derived"
            return Verdict("not_verifiable", None, why, remarks=tuple(self.remarks))
        for recording in self.recordings:
            span = max(1.0, recording.duration_s * 1e9)
            for arrival in recording.arrivals():
                if arrival.board in self.sessions and arrival.kind != "note":
                    self._derive(arrival)
                if self.progress is not None:
                    self.progress(min(1.0, max(0.0, (arrival.t_ns - recording.start_ns) / span)))
        stages: list[SampleStage | Notes | Decisions] = [self.samples, self.events, self.clock, self.ledger]
        stages += self.decisions
        for stage in stages:
            stage.finish()
        return self._judged(sorted((s.first for s in stages if s.first), key=lambda one: STAGES.index(one.stage)))

    def _meet_boards(self) -> None:
        spoke = {
            channel.metadata.get("board", "")
            for recording in self.recordings
            for kind in ("rx", "tx", "link")
            for channel in recording.pieces.channels(kind)
        }
        heard = {one.board for recording in self.recordings for one in recording.streams()}
        for board in self.last.header.boards:
            if board.role not in spoke:
                if board.role in heard:  # of a board that never said a word there is nothing to derive
                    self.silent.append(board.role)
            elif board.dialect is None:
                self.remarks.append(f"nobody wrote down how {board.role} talks")
                self.silent.append(board.role)
            else:
                try:
                    dialect = make_dialect(board.dialect)
                except BridgeError as error:
                    self.remarks.append(f"the dialect of {board.role} cannot be made: {error}")
                    self.silent.append(board.role)
                else:
                    judge = Expect(board.expect_model, board.expect_serial).judge
                    self.sessions[board.role] = Session(board.role, dialect, nonce=board.nonce, expect=judge)

    def _derive(self, arrival: Arrival) -> None:
        board = arrival.board
        made = self.sessions[board].apply(arrival)
        for item in made.items:
            if isinstance(item, Batch):
                self.samples.take(item)
            elif isinstance(item, ClockReading):
                self.clock.take(board, item)
            elif isinstance(item, Event):
                self.events.take(board, item)
        due = self.due_books[board]
        if due is not None and due[0] == arrival.seq:
            self.due_books[board] = next(self.books[board], None)
            self._compare_books(board, due[1], made.books)
        for decisions in self.decisions:
            decisions.take(made)

    def _compare_books(self, board: str, stored: Any, books: Any) -> None:
        derived = books.as_dict() if books is not None else None
        if derived == stored:
            self.ledger.compared += 1
        elif self.ledger.first is None:
            told = _unequal(stored, derived)
            self.ledger.first = Difference(
                "ledger", board, "", self.ledger.compared, f"ledger of {board}: {told}"[:600]
            )

    def _judged(self, differences: Sequence[Difference]) -> Verdict:
        compared = {
            "samples": self.samples.compared, "events": self.events.compared, "clock": self.clock.compared,
            "ledger": self.ledger.compared, "predictions": sum(one.compared for one in self.decisions),
        }  # fmt: skip
        cut = self.last.lost is not None or any(name == "hil/recovered" for name, _ in self.last.file.metadata)
        missing = sum(self.samples.short.values())
        remarks = list(self.remarks)
        if not cut and missing and not differences:
            (board, stream), count = next(iter(self.samples.short.items()))
            what = f"{count} samples of {board}/{stream} follow from the bytes and are not stored"
            differences = [Difference("samples", board, stream, None, what)]
        if not cut and not differences and (self.events.short or self.clock.short):
            stage = self.events if self.events.short else self.clock
            board, count = next(iter(stage.short.items()))
            what = f"{count} entries of {board} follow from the bytes and are not stored"
            differences = [Difference(stage.stage, board, "", None, what)]
        if differences:
            first = differences[0]
            return Verdict("diverged", False, first.what, first, tuple(differences), compared, tuple(remarks))
        if self.last.lost:
            remarks.append(self.last.lost)
        elif cut:
            remarks.append("the file was recovered from a torn one")
        remarks += [f"{board} has no raw bytes: its readings were imported" for board in self.silent]
        remarks += [sentence for one in self.decisions for sentence in one.remarks]
        incomplete = [sentence for one in self.decisions for sentence in one.missing]
        exact = self.samples.exact and all(one.exact for one in self.decisions)
        if cut or self.silent or incomplete:
            why = "; ".join([*incomplete, *remarks][:3])
            sentence = f"what could be derived is the same; {why}"
            return Verdict("partial", exact, sentence, None, (), compared, (*remarks, *incomplete))
        how = "to the last bit" if exact else "within the tolerance for another machine"
        return Verdict(
            "reproduced", exact, f"everything follows from the raw bytes {how}", None, (), compared, tuple(remarks)
        )


def _unequal(stored: Any, derived: Any, path: str = "") -> str:
    """Return the first place at which two JSON values differ."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        for key in {**stored, **derived}:
            if stored.get(key) != derived.get(key):
                return _unequal(stored.get(key), derived.get(key), f"{path}.{key}" if path else str(key))
    if isinstance(stored, list) and isinstance(derived, list):
        for place, (one, other) in enumerate(zip(stored, derived, strict=False)):
            if one != other:
                return _unequal(one, other, f"{path}[{place}]")
    return f"{path} is stored as {stored!r} and derived as {derived!r}"
