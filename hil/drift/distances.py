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
        self._lowest, self._highest = self._edges[:, 0].copy(), self._edges[:, -1].copy()
        self._scales = np.array(reference.scales)
        count, levels = self._edges.shape
        self._counts = np.zeros((rows, count, levels + 2))
        """Of each channel how many readings are at or below every edge, how far all are beyond the last, how many."""

    def grow(self) -> None:
        """Add a stream."""
        self._counts = another(self._counts)

    def add(self, readings: npt.NDArray[np.floating]) -> None:
        """Count readings `(N, C)` of the only stream."""
        self.add_of(slice(None), readings[None])

    def add_of(self, rows: Rows, readings: npt.NDArray[np.floating]) -> None:
        """Count readings `(rows, N, C)` of some streams."""
        some = readings[:, ::_EVERY].transpose(1, 0, 2).astype(np.float64, order="C")
        length = len(some)
        found = np.empty((len(readings), *self._counts.shape[1:]))
        below = (some[..., None] <= self._edges).view(np.uint8)
        np.add.reduce(below, axis=0, dtype=np.uint8 if length < 256 else np.uint32, out=found[:, :, :-2])
        some -= np.minimum(np.maximum(some, self._lowest), self._highest)
        np.add.reduce(np.abs(some, out=some), axis=0, out=found[:, :, -2])
        found[:, :, -1] = length
        self._counts[rows] = _KEPT * self._counts[rows] + found

    def values(self, row: int = 0) -> list[float]:
        """Return the distance of every channel of a stream; NaN before the first look."""
        total = float(self._counts[row, 0, -1])
        if not total:
            return [float("nan")] * len(self._edges)
        counts = self._counts[row] / total
        gap = np.abs(counts[:, :-2] - np.array(LEVELS))
        inside = (0.5 * (gap[:, 1:] + gap[:, :-1]) * np.diff(self._edges, axis=1)).sum(axis=1)
        # Beyond training's outermost quantiles: what readings lie outside, by how far.
        found: list[float] = ((inside + counts[:, -2]) / self._scales).tolist()
        return found
