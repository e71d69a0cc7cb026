"""What a model decided in a run, against the truth of the labels.

Rules of this room: a window's truth is the label that covers at least half of it; a decision that could not be made
(gap, reboot) is an error of its window's label; one without a truth is left out and counted. Decisions are keyed by
board, stream, boot and sample number, so that neither pace nor order of the boards plays a part.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Prediction
from hil.recording.marks import Label
from hil.scenario.evidence import BoardEvidence, Course

__all__ = ["ModelEvidence", "Verdicts", "digest", "verdicts"]

NONE, MISSED = -1, -2
_LONGEST = 50_000_000
"""Samples of one boot that are looked at: a number that jumps farther is a fault and no course."""

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
    """

    name: str
    labels: tuple[str, ...] = ()
    window: int = 1
    hop: int = 1
    memory: int = 1
    made: list[Prediction] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    age_ms: list[float] = field(default_factory=list)
    missed: int = 0
    expected: int = 0
    refused: tuple[str, ...] = ()
    identity: dict[str, object] = field(default_factory=dict)
    failed: str = ""
    deadline_ms: float | None = None


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
    said = {(one.board, one.stream, one.boot, one.sample + 1): one for one in model.made}
    streams = {(one.board, one.stream) for one in model.made}
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
            ends, known = _windows(course, labels.get(board.role, ()), place, model)
            # Before the first sample ever seen nobody could have decided; after a reboot it counts.
            least = min(one for one in range(boot + 1) if (stream, one) in board.courses)
            skip = int(course.first[0]) + model.memory if boot == least else 0
            window_of = (board.role, stream, boot)
            for end, true in zip(ends.tolist(), known.tolist(), strict=True):
                found = said.get((board.role, stream, boot, end))
                if found is None and end < skip:
                    continue
                if true == NONE:
                    excluded += 1
                    continue
                truth.append(np.array([true], np.int64))
                answers.append(MISSED if found is None else place[found.label])
                sure.append(0.0 if found is None else found.confidence)
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


def _windows(course: Course, labels: Sequence[Label], place: dict[str, int], model: ModelEvidence) -> tuple[Ints, Ints]:
    """Return the sample numbers at which decisions end, and the truth of each window."""
    from hil.models.datasets import window_truth

    numbers = np.concatenate(
        [np.arange(first, first + len(t_ns)) for first, t_ns in zip(course.first, course.t_ns, strict=True)]
    )
    times = np.concatenate(course.t_ns)
    first, last = int(numbers[0]), int(numbers[-1]) + 1
    if last - first > _LONGEST:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    base = int(times[0])
    # What did not arrive has a place in time all the same: between its neighbours.
    when = np.interp(np.arange(first, last), numbers, (times - base).astype(np.float64))
    labelled = np.full(last - first, NONE, np.int64)
    taken = np.zeros(last - first, np.int64)
    for label in labels:
        low = int(np.searchsorted(when, label.start_ns - base))
        high = len(when) if label.stop_ns is None else int(np.searchsorted(when, label.stop_ns - base))
        labelled[low:high] = place.get(label.text, NONE)
        taken[low:high] += 1
    labelled[taken > 1] = NONE
    ends = np.arange(-(-(first + 1) // model.hop) * model.hop, last + 1, model.hop, dtype=np.int64)
    return ends, window_truth(labelled, ends - first, model.window, len(model.labels))
