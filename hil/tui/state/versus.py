"""Two models at one board: how often they say the same, and who of them is right where they differ.

Rule of this room: pure. Decisions belong together where their windows end at the same time, or, of models that decide
at other times, where the other's newest is no older than the time between two of its own; what has no partner is
counted as that.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from hil.tui.state.tally import truth_of
from hil.views.snapshot import PredictionView, Snapshot

__all__ = ["Versus", "compared"]

SLACK_NS = 1_000_000
"""Rounding of times: less than this apart is the same time."""


@dataclass(frozen=True, slots=True)
class Versus:
    """One model against another at the same board.

    Attributes:
        both: Decisions that both made.
        same: Those of them in which both said the same.
        left: Of those that differ, how often only the one was right; only under a label.
        right: How often only the other was right.
        alone: Decisions of the one without a partner.
        since_ns: The newest decision that is compared.
    """

    both: int = 0
    same: int = 0
    left: int = 0
    right: int = 0
    alone: int = 0
    since_ns: int = 0

    @property
    def differ(self) -> int:
        """How often they said something else."""
        return self.both - self.same


def compared(known: Mapping[tuple[str, str, str], Versus], snapshot: Snapshot) -> dict[tuple[str, str, str], Versus]:
    """Return every pair of models at a board after one more look, by (model, other model, board)."""
    made = {}
    for one, other in combinations(snapshot.predictions, 2):
        if one.board == other.board and one.history and other.history:
            key = (one.model, other.model, one.board)
            made[key] = _counted(known.get(key), one, other, snapshot)
    return made


def _counted(before: Versus | None, one: PredictionView, other: PredictionView, snapshot: Snapshot) -> Versus:
    # What the other has not come to yet is compared at the next look, so that no decision counts as lonely too early.
    reached = other.history[-1][0] + SLACK_NS
    until = max((t_ns for t_ns, _, _ in one.history if t_ns <= reached), default=None)
    if before is None or until is None or until < before.since_ns:
        return replace(before or Versus(), since_ns=until or 0)
    hop_ms = None if other.work is None else other.work.hop_ms
    reach_ns = SLACK_NS if hop_ms is None else round(hop_ms * 1e6) - SLACK_NS
    times = [row[0] for row in other.history]
    found = before
    for t_ns, label, _ in one.history:
        if not before.since_ns < t_ns <= until:
            continue
        at = bisect_right(times, t_ns + SLACK_NS) - 1
        if at < 0 or t_ns - times[at] > reach_ns:
            found = replace(found, alone=found.alone + 1)
            continue
        said, truth = other.history[at][1], truth_of(one, snapshot, t_ns)
        found = replace(
            found, both=found.both + 1, same=found.same + (said == label),
            left=found.left + (said != label and label == truth), right=found.right + (said != label and said == truth),
        )  # fmt: skip
    return replace(found, since_ns=until)
