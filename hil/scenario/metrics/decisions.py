"""What a model decided in a run, against the truth of the labels.

Rules of this room: a window's truth is the label that covers at least half of it; a decision that could not be made
(gap, reboot) is an error of its window's label; one without a truth is left out and counted. Decisions are keyed by
board, stream, boot and sample number, so that neither pace nor order of the boards plays a part.
"""

import hashlib
import math
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hil.recording.marks import Label
from hil.scenario.evidence.course import Course
from hil.scenario.evidence.decided import Decided
from hil.scenario.evidence.evidence import BoardEvidence

if TYPE_CHECKING:
    from hil.drift.watch import Watch

__all__ = ["ModelEvidence", "Verdicts", "digest", "verdicts"]

NONE, MISSED = -1, -2
_LONGEST = 50_000_000
"""Samples of one boot that are looked at: a number that jumps farther is a fault and no course."""

_AT_ONCE = 4096
"""Windows whose truth is found at a time."""

Ints = npt.NDArray[np.int64]


@dataclass(slots=True, eq=False)
class ModelEvidence:
    """What one model did.

    Attributes:
        name: Its name in the scenario.
        labels: Of its contract.
        window: Samples whose majority label is the truth.
        hop: Samples between decisions.
        memory: Samples that a decision depends on.
        made: Its decisions, in the order in which they came.
        latency_ms: Time to compute each decision.
        age_ms: Age of the last sample of each when it could be made; of boards whose arrivals have times.
        missed: Decisions that could not be made, by (board, stream).
        refused: Why a stream could not be read.
        identity: What the last bits depend on.
        failed: One sentence where it could not run.
        deadline_ms: As the scenario says.
        drift: The drift watch of every board and stream that it read.
        undrifted: Why there is no watch; empty where there is.
    """

    name: str
    labels: tuple[str, ...] = ()
    window: int = 1
    hop: int = 1
    memory: int = 1
    made: Decided = field(default_factory=Decided)
    latency_ms: "array[float]" = field(default_factory=lambda: array("d"))
    age_ms: "array[float]" = field(default_factory=lambda: array("d"))
    missed: int = 0
    expected: int = 0
    refused: tuple[str, ...] = ()
    identity: dict[str, object] = field(default_factory=dict)
    failed: str = ""
    deadline_ms: float | None = None
    drift: "dict[tuple[str, str], Watch]" = field(default_factory=dict)
    undrifted: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Windows with a truth, aligned `(N,)`: label indices, `MISSED` where no decision was made.

    `where` and `last` say which window each is: (board, stream, boot), and the number of its last sample.
    """

    truth: Ints
    said: Ints
    confidence: npt.NDArray[np.float64]
    who: tuple[str, ...]
    excluded: int
    where: tuple[tuple[str, str, int], ...] = ()
    last: tuple[int, ...] = ()


def digest(model: ModelEvidence) -> str:
    """Return a digest of all decisions to the last bit, whatever the order of the boards."""
    parts = sorted(
        f"{one.board}/{one.stream}/{one.boot}/{one.sample}/{one.label}/".encode()
        + struct.pack(f"<{len(one.scores)}d", *one.scores)
        for one in model.made
    )
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def verdicts(model: ModelEvidence, boards: Sequence[BoardEvidence], labels: dict[str, Sequence[Label]]) -> Verdicts:
    """Return every window that has a truth and what the model said of it.

    Args:
        model: Its decisions.
        boards: Boards that it read.
        labels: Labelled stretches of each board.
    """
    place = {label: index for index, label in enumerate(model.labels)}
    streams = model.made.streams()
    truth: list[Ints] = []
    answers: list[int] = []
    sure: list[float] = []
    who: list[str] = []
    where: list[tuple[str, str, int]] = []
    last: list[int] = []
    excluded = 0
    for board in boards:
        for (stream, boot), course in sorted(board.courses.items()):
            if (board.role, stream) not in streams:
                continue
            pace, before = _pace(model, board.role, stream)
            ends, known = _windows(course, labels.get(board.role, ()), place, model, pace)
            # Before the first sample ever seen nobody could have decided; after a reboot it counts.
            least = min(one for one in range(boot + 1) if (stream, one) in board.courses)
            skip = course.first + before + math.ceil(model.memory * pace) if boot == least else 0
            said = model.made.answers(board.role, stream, boot)
            window_of = (board.role, stream, boot)
            for end, true in zip(ends.tolist(), known.tolist(), strict=True):
                found = said.get(end - 1)
                if found is None and end < skip:
                    continue
                if true == NONE:
                    excluded += 1
                    continue
                truth.append(np.array([true], np.int64))
                answers.append(MISSED if found is None else place[found[0]])
                sure.append(0.0 if found is None else found[1])
                who.append(board.person or board.role)
                where.append(window_of)
                last.append(end - 1)
    return Verdicts(
        np.concatenate(truth) if truth else np.zeros(0, np.int64),
        np.array(answers, np.int64),
        np.array(sure, np.float64),
        tuple(who),
        excluded,
        tuple(where),
        tuple(last),
    )


def _pace(model: ModelEvidence, board: str, stream: str) -> tuple[Fraction, int]:
    """Return how many samples of a board one of the model's is, and how many more it looks back for resampling."""
    paces = model.identity.get("paces")
    found = paces.get(f"{board}/{stream}") if isinstance(paces, dict) else None
    return (Fraction(1), 0) if found is None else (Fraction(found[0]), int(found[1]))


def _windows(
    course: Course, labels: Sequence[Label], place: dict[str, int], model: ModelEvidence, pace: Fraction
) -> tuple[Ints, Ints]:
    """Return the sample numbers at which decisions end, and the truth of each window."""
    from hil.models.datasets import window_truth

    first, last = course.first, course.end
    if last - first > _LONGEST:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    bounds = course.numbers_at([time for one in labels for time in (one.start_ns, one.stop_ns) if time is not None])
    spans: list[tuple[int, int, int]] = []
    for label in labels:
        low = bounds.pop(0)
        spans.append((low, last if label.stop_ns is None else bounds.pop(0), place.get(label.text, NONE)))
    hop, window = model.hop * pace, round(model.window * pace)
    turns = np.arange(math.ceil((first + 1) / hop), math.floor(last / hop) + 1, dtype=np.int64)
    ends = turns * hop.numerator // hop.denominator
    truth = np.full(len(ends), NONE, np.int64)
    for at in range(0, len(ends), _AT_ONCE):  # so that a day of samples is never labelled at once
        some = ends[at : at + _AT_ONCE]
        begin, end = max(first, int(some[0]) - window), int(some[-1])
        labelled = np.full(end - begin, NONE, np.int64)
        taken = np.zeros(end - begin, np.int64)
        for low, high, index in spans:
            low, high = max(low - begin, 0), max(high - begin, 0)
            labelled[low:high] = index
            taken[low:high] += 1
        labelled[taken > 1] = NONE
        truth[at : at + _AT_ONCE] = window_truth(labelled, some - begin, window, len(model.labels))
    return ends, truth
