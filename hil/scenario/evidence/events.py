"""Labels that must appear: which came in time, which did not, and false alarms between them.

Rule of this room: decisions of one board that name the label one after another (at most two hops apart) are one run. An
appearance is met by the first run that touches it; a run that touches none is a false positive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.events import Prediction

__all__ = ["Appearances", "appearances"]


@dataclass(frozen=True, slots=True)
class Appearances:
    """What came of an event; `delay_s` None where no appearance was met."""

    true_positives: int
    false_negatives: int
    false_positives: int
    delay_s: float | None


def appearances(
    decisions: Sequence[Prediction], label: str, expected: Sequence[tuple[str, int, int]], delay_ns: int, hop_ns: int
) -> Appearances:
    """Judge one label.

    Args:
        decisions: Of one model.
        label: The label that must appear.
        expected: Board, beginning and end (UTC ns) of each appearance.
        delay_ns: How much later than its beginning an appearance may be met; 0: any time within it.
        hop_ns: Time between two decisions.
    """
    runs: list[tuple[str, int, int]] = []
    for board in sorted({one.board for one in decisions}):
        times = sorted(one.t_ns for one in decisions if one.board == board and one.label == label)
        for t_ns in times:
            if runs and runs[-1][0] == board and t_ns - runs[-1][2] <= 2 * hop_ns:
                runs[-1] = (board, runs[-1][1], t_ns)
            else:
                runs.append((board, t_ns, t_ns))
    met, delays, used = 0, [], set()
    for board, start, end in expected:
        until = min(end, start + delay_ns) if delay_ns else end
        for at, (who, first, last) in enumerate(runs):
            if who == board and first <= end + delay_ns and last >= start:
                used.add(at)
        hits = [
            one.t_ns for one in decisions if one.board == board and one.label == label and start <= one.t_ns <= until
        ]
        if hits:
            met += 1
            delays.append((min(hits) - start) / 1e9)
    return Appearances(met, len(expected) - met, len(runs) - len(used), max(delays) if delays else None)
