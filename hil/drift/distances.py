"""How far each channel's distribution is from training's: one number a channel that a person can follow.

Rule of this room: Wasserstein-1 between the quantiles of training and the readings of about the last hundred looks,
in the channel's own spread. Readings are counted between training's quantiles, so that memory stays what it is.
"""

import numpy as np
import numpy.typing as npt

from hil.drift.reference import LEVELS, Reference

__all__ = ["Distances"]

Float = npt.NDArray[np.float64]

_EVERY = 8
"""Of so many readings one is counted: neighbours say much the same."""

_KEPT = 0.99
"""Share of the counts that the next look leaves."""


class Distances:
    """How the readings of every channel are counted, and what counts say.

    Args:
        reference: What training looked like.
    """

    def __init__(self, reference: Reference) -> None:
        self._edges = np.array(reference.quantiles)
        self._lowest, self._highest = self._edges[:, 0].copy(), self._edges[:, -1].copy()
        self._scales = np.array(reference.scales)

    def none(self, rows: int) -> Float:
        """Return the counts of streams of which nothing was seen.

        Returns:
            `(rows, C, levels + 2)`: how many readings are at or below every edge, how far all are beyond the outermost,
            how many.
        """
        count, levels = self._edges.shape
        return np.zeros((rows, count, levels + 2))

    def some(self, readings: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return those of readings `(rows, N, C)` that are counted, `(rows, n, C)`."""
        return readings[:, ::_EVERY].copy()

    def counted(self, some: npt.NDArray[np.floating]) -> Float:
        """Return the counts of readings `(rows, n, C)`."""
        values = some.transpose(1, 0, 2).astype(np.float64, order="C")
        length = len(values)
        found = self.none(values.shape[1])
        below = (values[..., None] <= self._edges).view(np.uint8)
        np.add.reduce(below, axis=0, dtype=np.uint8 if length < 256 else np.uint32, out=found[:, :, :-2])
        values -= np.minimum(np.maximum(values, self._lowest), self._highest)
        np.add.reduce(np.abs(values, out=values), axis=0, out=found[:, :, -2])
        found[:, :, -1] = length
        return found

    def after(self, counts: Float, found: Float) -> Float:
        """Return the counts of some streams after one look more."""
        return _KEPT * counts + found

    def values(self, counts: Float) -> list[float]:
        """Return the distance of every channel by the counts `(C, levels + 2)` of a stream; NaN before any look."""
        total = float(counts[0, -1])
        if not total:
            return [float("nan")] * len(self._edges)
        share = counts / total
        gap = np.abs(share[:, :-2] - np.array(LEVELS))
        inside = (0.5 * (gap[:, 1:] + gap[:, :-1]) * np.diff(self._edges, axis=1)).sum(axis=1)
        # Beyond training's outermost quantiles: what readings lie outside, by how far.
        found: list[float] = ((inside + share[:, -2]) / self._scales).tolist()
        return found
