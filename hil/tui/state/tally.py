"""How often a model was right so far, under which label it said what, and what its confidence was worth.

Rule of this room: pure. A decision is counted once, by its time; one without a label is counted as that and never as
right or wrong. A calibration error of few decisions says more of chance than of the model: below `ENOUGH` none is told.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hil.views.snapshot import PredictionView, ReplayView, Snapshot

__all__ = ["BINS", "ENOUGH", "Bin", "Tally", "counted", "truth_of"]

BINS = 15
"""Bins of confidence, as many as everywhere (`hil.models.score`)."""
ENOUGH = 100
"""Judged decisions that a calibration error needs."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Decisions of like confidence: how many under a label, the sum of their confidences, how many were right."""

    count: int = 0
    sure: float = 0.0
    right: int = 0

    @property
    def confidence(self) -> float:
        """Mean confidence; only where there is a decision."""
        return self.sure / self.count

    @property
    def accuracy(self) -> float:
        """Share that was right; only where there is a decision."""
        return self.right / self.count


@dataclass(frozen=True, slots=True)
class Tally:
    """What a model said against what people (or the board) say was going on.

    Attributes:
        pairs: How often which decision was made under which label, by (label, decision).
        bins: By confidence, from 0 to 1, those that are not empty by their place among `BINS`.
        unlabelled: Decisions while no label ran.
        since_ns: The newest decision that is counted.
    """

    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    bins: Mapping[int, Bin] = field(default_factory=dict)
    unlabelled: int = 0
    since_ns: int = 0

    @property
    def judged(self) -> int:
        """Decisions under a label."""
        return sum(self.pairs.values())

    @property
    def right(self) -> int:
        """Those of them that say so."""
        return sum(count for (truth, said), count in self.pairs.items() if truth == said)

    @property
    def ece(self) -> float | None:
        """Expected calibration error, 0 to 1; None while too few decisions were judged."""
        if self.judged < ENOUGH:
            return None
        return sum(one.count * abs(one.accuracy - one.confidence) for one in self.bins.values()) / self.judged


def counted(tally: Tally | None, one: PredictionView, snapshot: Snapshot) -> Tally:
    """Return the tally after one more look at a model."""
    newest = max((t_ns for t_ns, _, _ in one.history), default=0)
    if tally is None or newest < tally.since_ns:  # the first look, or a replay went back
        return Tally(since_ns=newest) if tally is None else replace(tally, since_ns=newest)
    pairs, bins, unlabelled = Counter(tally.pairs), dict(tally.bins), tally.unlabelled
    for t_ns, label, sure in one.history:
        if t_ns <= tally.since_ns:
            continue
        truth = truth_of(one, snapshot, t_ns)
        if not truth:
            unlabelled += 1
            continue
        pairs[truth, label] += 1
        at = min(BINS - 1, max(0, int(sure * BINS)))
        held = bins.get(at, Bin())
        bins[at] = Bin(held.count + 1, held.sure + sure, held.right + (truth == label))
    return Tally(pairs, bins, unlabelled, max(newest, tally.since_ns))


def truth_of(one: PredictionView, snapshot: Snapshot, t_ns: int) -> str:
    """Return what was going on when a window ended: marks of a replay, a person's label, or what the board told."""
    if snapshot.replay is not None:
        return _marked(snapshot.replay, snapshot.replay.position_s - (snapshot.now_ns - t_ns) / 1e9)
    return snapshot.active_label or one.told


def _marked(replay: ReplayView, at_s: float) -> str:
    runs = ""
    for mark in sorted(replay.marks, key=lambda one: one.t_s):
        if mark.t_s > at_s:
            break
        if mark.kind == "start":
            runs = mark.text
        elif mark.kind == "stop" and mark.text == runs:
            runs = ""
    return runs
