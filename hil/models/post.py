"""From scores to the decision that is told: smoothing, hysteresis, minimum duration, refractory time.

Rule: part of the contract and pure. It follows decisions by their sample numbers, so that live and offline, in any
split into batches, the same decisions are told. Smoothing looks back a known stretch (`Post.extra`) that counts as
the model's memory; what is held is forgotten where a segment ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Decider", "Post"]


class Post(BaseModel):
    """How scores become decisions.

    Attributes:
        smoothing: Decisions whose probabilities are averaged, the newest and those before it.
        hysteresis: How much more probable than the label held another one must be to take its place.
        min_duration: Samples for which another label must have been ahead before it takes the place.
        refractory: Samples after a change in which there is no other change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    smoothing: Annotated[int, Field(ge=1, le=1000)] = 1
    hysteresis: Annotated[float, Field(ge=0, lt=1)] = 0.0
    min_duration: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    refractory: Annotated[int, Field(ge=0, le=10_000_000)] = 0

    def extra(self, hop: int) -> int:
        """Samples before those of one decision that smoothing looks back."""
        return (self.smoothing - 1) * hop

    @property
    def holds(self) -> bool:
        """Whether a decision depends on those told before it."""
        return bool(self.hysteresis or self.min_duration or self.refractory)


class Decider:
    """Post-processing of one stream.

    Args:
        post: How.
    """

    __slots__ = ("_ahead", "_ahead_since", "_changed", "_held", "_ring", "post")

    def __init__(self, post: Post) -> None:
        self.post = post
        self._ring: deque[Sequence[float]] = deque(maxlen=post.smoothing)
        self._forget()

    def _forget(self) -> None:
        self._ring.clear()
        self._held: int | None = None
        self._ahead: int | None = None  # the label that is about to take the place
        self._ahead_since = 0
        self._changed: int | None = None

    def take(self, scores: Sequence[float], end: int, *, reset: bool, decide: bool) -> tuple[int, list[float]] | None:
        """Take the probabilities at the end of a hop.

        Args:
            scores: One for each label.
            end: Number of the sample after the hop.
            reset: Whether a segment begins with this hop.
            decide: Whether a decision is due.

        Returns:
            The label told and the smoothed probabilities; None where none is due or a reading was not a number.
        """
        if reset:
            self._forget()
        self._ring.append(scores)
        if not decide:
            return None
        smooth = [float(value) for value in np.mean(np.array(self._ring, np.float64), axis=0)]
        best = int(np.argmax(smooth))
        if not smooth[best] >= 0.0:
            return None
        self._held = self._choose(smooth, best, end)
        return self._held, smooth

    def _choose(self, smooth: Sequence[float], best: int, end: int) -> int:
        held, post = self._held, self.post
        if held is None or not post.holds:
            return best
        if best == held or smooth[best] - smooth[held] < post.hysteresis:
            self._ahead = None
            return held
        if self._ahead != best:
            self._ahead, self._ahead_since = best, end
        resting = self._changed is not None and end - self._changed < post.refractory
        if resting or end - self._ahead_since < post.min_duration:
            return held
        self._ahead, self._changed = None, end
        return best
