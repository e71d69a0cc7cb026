"""How far each channel's distribution is from training's: one number a channel that a person can follow.

Rule of this room: Wasserstein-1 between the quantiles of training and the readings of about the last hundred looks,
in the channel's own spread. Readings are counted between training's quantiles, so that memory stays what it is.
"""

import numpy as np
import numpy.typing as npt

from hil.drift.reference import LEVELS, Reference

__all__ = ["Distances"]

Float = npt.NDArray[np.float64]

_EVERY = 4
"""Of so many readings one is counted: neighbours say much the same."""

_KEPT = 0.99
"""Share of the counts that the next look leaves."""


class Distances:
    """Counts the readings of every channel.

    Args:
        reference: What training looked like.
    """

    def __init__(self, reference: Reference) -> None:
        self._edges = np.array(reference.quantiles)
        self._scales = np.array(reference.scales)
        count, levels = self._edges.shape
        self._below = np.zeros((count, levels))
        self._beyond = np.zeros((count, 2))
        self._total = 0.0

    def add(self, readings: npt.NDArray[np.floating]) -> None:
        """Count readings `(N, C)`."""
        some = readings[::_EVERY]
        self._below *= _KEPT
        self._below += (some[:, :, None] <= self._edges).sum(axis=0)
        self._beyond *= _KEPT
        self._beyond[:, 0] += np.maximum(self._edges[:, 0] - some, 0.0).sum(axis=0)
        self._beyond[:, 1] += np.maximum(some - self._edges[:, -1], 0.0).sum(axis=0)
        self._total = _KEPT * self._total + len(some)

    def values(self) -> list[float]:
        """Return the distance of every channel; NaN before the first look."""
        if not self._total:
            return [float("nan")] * len(self._edges)
        gap = np.abs(self._below / self._total - np.array(LEVELS))
        inside = (0.5 * (gap[:, 1:] + gap[:, :-1]) * np.diff(self._edges, axis=1)).sum(axis=1)
        # Beyond training's outermost quantiles: what readings lie outside, by how far.
        found: list[float] = ((inside + self._beyond.sum(axis=1) / self._total) / self._scales).tolist()
        return found
