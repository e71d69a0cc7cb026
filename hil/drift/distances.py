"""How far each channel's distribution is from training's: one number a channel that a person can follow.

Rule of this room: Wasserstein-1 between the quantiles of training and the readings of about the last hundred looks,
in the channel's own spread. Readings are counted between training's quantiles, so that memory stays what it is.
"""

import numpy as np
import numpy.typing as npt

from hil.drift.change import Rows, another
from hil.drift.reference import LEVELS, Reference

__all__ = ["Distances"]

Float = npt.NDArray[np.float64]

_EVERY = 8
"""Of so many readings one is counted: neighbours say much the same."""

_KEPT = 0.99
"""Share of the counts that the next look leaves."""


class Distances:
    """Counts the readings of every channel, of many streams.

    Args:
        reference: What training looked like.
        rows: Streams.
    """

    def __init__(self, reference: Reference, rows: int = 1) -> None:
        self._edges = np.array(reference.quantiles)
        self._lowest, self._highest = self._edges[:, :1].copy(), self._edges[:, -1:].copy()
        self._scales = np.array(reference.scales)
        count, levels = self._edges.shape
        self._below = np.zeros((rows, count, levels))
        self._beyond = np.zeros((rows, count))
        self._total = np.zeros(rows)

    def grow(self) -> None:
        """Add a stream."""
        self._below, self._beyond, self._total = map(another, (self._below, self._beyond, self._total))

    def add(self, readings: npt.NDArray[np.floating]) -> None:
        """Count readings `(N, C)` of the only stream."""
        self.add_of(slice(None), readings[None])

    def add_of(self, rows: Rows, readings: npt.NDArray[np.floating]) -> None:
        """Count readings `(rows, N, C)` of some streams."""
        some = np.ascontiguousarray(readings[:, ::_EVERY].transpose(0, 2, 1))
        length = some.shape[2]
        below = (some[:, :, None] <= self._edges[:, :, None]).view(np.uint8)
        small = np.uint8 if length < 256 else np.uint32
        self._below[rows] = _KEPT * self._below[rows] + np.add.reduce(below, axis=3, dtype=small)
        outside = np.abs(some - np.minimum(np.maximum(some, self._lowest), self._highest))
        self._beyond[rows] = _KEPT * self._beyond[rows] + np.add.reduce(outside, axis=2)
        self._total[rows] = _KEPT * self._total[rows] + length

    def values(self, row: int = 0) -> list[float]:
        """Return the distance of every channel of a stream; NaN before the first look."""
        total = float(self._total[row])
        if not total:
            return [float("nan")] * len(self._edges)
        gap = np.abs(self._below[row] / total - np.array(LEVELS))
        inside = (0.5 * (gap[:, 1:] + gap[:, :-1]) * np.diff(self._edges, axis=1)).sum(axis=1)
        # Beyond training's outermost quantiles: what readings lie outside, by how far.
        found: list[float] = ((inside + self._beyond[row] / total) / self._scales).tolist()
        return found
