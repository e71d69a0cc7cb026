"""What the drift watch beside a model says, as a screen shows it: one frozen value.

Rule of this room: unknown is None or empty with a sentence, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.drift.verdict import State

__all__ = ["DriftView", "drift_view"]


@dataclass(frozen=True, slots=True)
class DriftView:
    """The watch beside a model at one board.

    Attributes:
        verdict: `waiting`, `fine`, `sensor different`, `model wrong`, or `unknown` where the model has no reference.
        sentence: What is different, or why nothing is known; empty where all is fine.
        kind: `bias`, `gain`, `noise`, `stuck`, `swap`, `flip`, `signal` or `scores`; empty where nothing is.
        channels: Which channels.
        since_ns: When it began, UTC; 0 where nothing did.
        looks: Windows that were looked at.
        sensor: How near a sensor's alarm is: 1 is the limit.
        model: How near the alarm of scores or of the whole signal is.
        distances: Channel and how far its distribution is from training's, in its own spread.
        embedding: Mean distance of the scores from the label they are nearest to, in their own spread; None: unknown.
    """

    verdict: str
    sentence: str = ""
    kind: str = ""
    channels: tuple[str, ...] = ()
    since_ns: int = 0
    looks: int = 0
    sensor: float = 0.0
    model: float = 0.0
    distances: tuple[tuple[str, float], ...] = ()
    embedding: float | None = None


def drift_view(state: State | None, absent: str = "") -> DriftView:
    """Return what a screen shows of a watch; None: before the first hop, or `absent` says why there is no watch."""
    if state is None:
        return DriftView("unknown" if absent else "waiting", absent)
    found = state.finding
    distances = tuple(state.distances.items()) if state.looks else ()
    return DriftView(
        state.verdict, found.sentence if found is not None else state.scores_known, found.kind if found else "",
        found.channels if found else (), found.since_ns if found else 0, state.looks, state.sensor, state.model,
        distances, state.embedding,
    )  # fmt: skip
