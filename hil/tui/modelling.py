"""What the page of models knows: the models now, which one is looked at, and how often each was right so far.

Rule of this room: pure, from one snapshot to the next scene. A decision is counted once, by its time; one without a
label is counted as that and never as right or wrong.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hil.snapshot import PredictionView, ReplayView, Snapshot

__all__ = ["Modelling", "Tally", "looked", "told"]


@dataclass(frozen=True, slots=True)
class Tally:
    """What a model said against what people (or the board) say was going on.

    Attributes:
        pairs: How often which decision was made under which label, by (label, decision).
        unlabelled: Decisions while no label ran.
        since_ns: The newest decision that is counted.
    """

    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class Modelling:
    """How this screen looks at models.

    Attributes:
        latest: The bench as it is.
        lost: Why there is no bench; empty while there is one.
        cursor: Which model at which board is looked at.
        tallies: What each was so far, by model and board.
        shown: Model that is being taught, whether a stretch runs, and how many were shown.
    """

    latest: Snapshot | None = None
    lost: str = ""
    cursor: int = 0
    tallies: Mapping[tuple[str, str], Tally] = field(default_factory=dict)
    shown: tuple[str, bool, int] = ("", False, 0)

    @property
    def models(self) -> tuple[PredictionView, ...]:
        """Every model at every board."""
        return () if self.latest is None else self.latest.predictions

    @property
    def here(self) -> PredictionView | None:
        """The one at the cursor."""
        return self.models[self.cursor] if 0 <= self.cursor < len(self.models) else None

    @property
    def tally(self) -> Tally:
        """What the one at the cursor was so far."""
        here = self.here
        return Tally() if here is None else self.tallies.get((here.model, here.board), Tally())

    def choose(self, line: int) -> "Modelling":
        """Put the cursor on a line."""
        return replace(self, cursor=max(0, min(len(self.models) - 1, line)))

    def anew(self) -> "Modelling":
        """Count the model at the cursor anew."""
        here = self.here
        if here is None:
            return self
        newest = max((row[0] for row in here.history), default=here.t_ns)
        return replace(self, tallies={**self.tallies, (here.model, here.board): Tally(since_ns=newest)})


def looked(scene: Modelling, snapshot: Snapshot) -> Modelling:
    """Return the scene after one more look."""
    tallies = dict(scene.tallies)
    for one in snapshot.predictions:
        key = (one.model, one.board)
        tallies[key] = _counted(tallies.get(key), one, snapshot)
    known = replace(scene, latest=snapshot, lost="", tallies=tallies)
    return replace(known, cursor=max(0, min(len(known.models) - 1, scene.cursor)))


def told(scene: Modelling, values: Mapping[str, Any]) -> Modelling:
    """Return the scene after the engine said what it was shown."""
    if "shown" not in values:
        return scene
    return replace(scene, shown=(str(values["model"]), bool(values["running"]), int(values["shown"])))


def _counted(tally: Tally | None, one: PredictionView, snapshot: Snapshot) -> Tally:
    newest = max((t_ns for t_ns, _, _ in one.history), default=0)
    if tally is None or newest < tally.since_ns:  # the first look, or a replay went back
        return Tally(since_ns=newest) if tally is None else replace(tally, since_ns=newest)
    pairs, unlabelled = Counter(tally.pairs), tally.unlabelled
    for t_ns, label, _ in one.history:
        if t_ns <= tally.since_ns:
            continue
        truth = _truth(one, snapshot, t_ns)
        if truth:
            pairs[truth, label] += 1
        else:
            unlabelled += 1
    return Tally(pairs, unlabelled, max(newest, tally.since_ns))


def _truth(one: PredictionView, snapshot: Snapshot, t_ns: int) -> str:
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
