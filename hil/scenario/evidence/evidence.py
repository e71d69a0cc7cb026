"""What a run leaves behind: everything that a metric may be made of, taken from arrivals as they pass.

Rule of this room: it only counts and keeps; what a count means is `metrics`' work. Each board is counted by itself, in
the order of its own arrivals, so that the order of the boards plays no part.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import ClockReading, Connected, Damage, Disconnected, Gap, Item, Log, Mark, Rebooted
from firmware_bridge.ledger import Books
from firmware_bridge.timebase import ClockFit
from firmware_bridge.wire.dialect import CHECKSUM
from hil.monitor.told import BoardLabels
from hil.scenario.evidence.course import Course
from hil.scenario.evidence.stretches import Passing, Stretch
from hil.scenario.evidence.tally import StreamTally

__all__ = ["BoardEvidence", "Evidence"]

_ARRIVAL_STEP_NS = 10_000


@dataclass(slots=True, eq=False)
class BoardEvidence:
    """What is known of one board.

    Attributes:
        role: Its name in the scenario.
        imported: Whether there are readings and no bytes.
        person: Who wore it, where the recording says so.
        derived: A stream that is none of the board's own; its gaps are counted with the one it is derived from.
        books: The ledger at the end.
        clock: The clock fit at the end.
        streams: What was counted of each stream.
        courses: Times of samples by (stream, boot), for models.
        counts: Events by kind.
        reads: Times between reads, in steps of 10 us.
        marks: Labels that the board told or its recording has.
    """

    role: str
    imported: bool = False
    person: str = ""
    derived: str = ""
    books: Books | None = None
    clock: ClockFit | None = None
    streams: dict[str, StreamTally] = field(default_factory=dict)
    courses: dict[tuple[str, int], Course] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    reads: Counter[int] = field(default_factory=Counter)
    marks: list[Mark] = field(default_factory=list)
    start_ns: int | None = None
    end_ns: int = 0
    met: bool = False
    _read_ns: int = 0

    @property
    def seconds(self) -> float:
        """From the first sample to the last."""
        return 0.0 if self.start_ns is None else (self.end_ns - self.start_ns) / 1e9

    def arrived(self, arrival: Passing) -> None:
        """Count reads by their times."""
        if isinstance(arrival, Stretch):
            self._reads(arrival.reads)
        elif arrival.kind == "rx":
            if self._read_ns:
                self.reads[(arrival.t_ns - self._read_ns) // _ARRIVAL_STEP_NS] += 1
            self._read_ns = arrival.t_ns
        if arrival.books is not None:
            self.books = arrival.books

    def take(self, item: Item) -> None:
        """Count a batch or an event."""
        if isinstance(item, Batch):
            self._samples(item)
        elif isinstance(item, Gap):
            self.counts["gaps"] += item.stream != self.derived
            self.counts[f"gaps {item.stream}"] += 1
        elif isinstance(item, Damage):
            self.counts["damaged bytes"] += item.count
            self.counts["crc"] += item.kind in CHECKSUM
        elif isinstance(item, Rebooted):
            self.counts["reboots"] += 1
        elif isinstance(item, Disconnected):
            self.counts["disconnects"] += 1
        elif isinstance(item, Log):
            self.counts["told"] += item.level in ("warning", "error")
        elif isinstance(item, Connected):
            self.met = True
        elif isinstance(item, ClockReading):
            self.counts["exchanges"] += 1

    def _reads(self, times: npt.NDArray[np.int64]) -> None:
        steps = np.diff(times, prepend=self._read_ns or times[0]) // _ARRIVAL_STEP_NS
        for step, often in zip(*np.unique(steps if self._read_ns else steps[1:], return_counts=True), strict=True):
            self.reads[int(step)] += int(often)
        self._read_ns = int(times[-1])

    def _samples(self, batch: Batch) -> None:
        if not len(batch):
            return
        name = batch.stream.name
        tally = self.streams.get(name)
        if tally is None:
            tally = self.streams[name] = StreamTally(batch.stream)
        tally.add(batch)
        self.met = True
        course = self.courses.get((name, batch.boot))
        if course is None:
            course = self.courses[name, batch.boot] = Course()
        course.add(batch.first, batch.t_ns)
        begin, end = int(batch.t_ns[0]), int(batch.t_ns[-1])
        self.start_ns = begin if self.start_ns is None else min(self.start_ns, begin)
        self.end_ns = max(self.end_ns, end)


class Evidence:
    """What a run leaves behind, all boards.

    Args:
        roles: Boards of the scenario.
    """

    def __init__(self, roles: Iterable[str]) -> None:
        self.boards = {role: BoardEvidence(role) for role in roles}
        self._told = {role: BoardLabels() for role in self.boards}

    def take(self, arrival: Passing) -> None:
        """Count what passes, with its items."""
        board = self.boards.get(arrival.board)
        if board is not None:
            board.arrived(arrival)
            board.marks += self._told[arrival.board].marks(arrival.items)
        for item in arrival.items:
            if (about := self.boards.get(item.board)) is not None:
                about.take(item)
