"""What a person is shown of many streams and no verdict rests on: counted many looks at a time, or when asked.

Rule of this room: what is told is what counting look by look would tell, to the last bit; asking changes nothing, so
any thread may. A call of NumPy costs more than its sums on one look: sixteen looks are counted for the price of two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.drift.change import another
from hil.drift.distances import Distances
from hil.drift.reference import Reference
from hil.drift.scores import Labels

__all__ = ["LATER", "Aside", "Decisions"]

Float = npt.NDArray[np.float64]

Decisions = Sequence[Sequence[npt.NDArray[np.floating]]]
"""Of each stream the logits `(labels,)` of every decision in a look."""

LATER = 16
"""Looks that wait at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A look of some streams: which, readings to count, and decisions or, where they are known, their distances."""

    rows: list[int]
    readings: npt.NDArray[np.floating]
    scores: Decisions
    far: Sequence[float | None] | None

    def of(self, row: int) -> "_Waiting":
        """Return the part of one stream, as that of the only one."""
        at = self.rows.index(row)
        far = None if self.far is None else self.far[at : at + 1]
        return _Waiting([0], self.readings[at : at + 1], self.scores[at : at + 1], far)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What was counted, and what waits; replaced as a whole, for another thread may read it meanwhile."""

    counts: Float
    """`(rows, C, levels + 2)`; see `Distances`."""
    far: Float
    """Sum of the distances of scores, and of how many looks: `(rows, 2)`."""
    waiting: tuple[_Waiting, ...] = ()


class Aside:
    """Distances of distributions, and of scores from the label they are nearest to.

    Args:
        reference: What training looked like.
        labels: Where decisions for each label lay; None: scores are not looked at.
    """

    def __init__(self, reference: Reference, labels: Labels | None = None) -> None:
        self._distances, self._labels = Distances(reference), labels
        self._told = _Told(self._distances.none(0), np.zeros((0, 2)))

    def grow(self) -> None:
        """Add a stream."""
        told = self._told
        self._told = _Told(another(told.counts), another(told.far), told.waiting)

    def add(
        self, rows: Sequence[int], readings: npt.NDArray[np.floating], scores: Decisions,
        far: Sequence[float | None] | None = None,
    ) -> None:  # fmt: skip
        """Add a look of some streams.

        Args:
            rows: Which, each once.
            readings: `(rows, N, C)`.
            scores: Their decisions.
            far: Mean distance of each stream's decisions where it is known already; of a stream without any, None.
        """
        told = self._told
        one = _Waiting(list(rows), self._distances.some(readings), scores, far)
        told = _Told(told.counts, told.far, (*told.waiting, one))
        self._told = told if len(told.waiting) < LATER else self._counted(told)

    def of(self, row: int) -> tuple[list[float], float | None]:
        """Return the distance of every channel of a stream (NaN before the first look), and of its scores or None."""
        told = self._told
        waiting = tuple(one.of(row) for one in told.waiting if row in one.rows)
        own = self._counted(_Told(told.counts[row : row + 1], told.far[row : row + 1], waiting))
        total, count = own.far[0].tolist()
        return self._distances.values(own.counts[0]), total / count if count else None

    def _counted(self, told: _Told) -> _Told:
        """Return the same with nothing that waits."""
        if not told.waiting:
            return told
        counts, far = told.counts.copy(), told.far.copy()
        found = self._distances.counted(np.concatenate([one.readings for one in told.waiting]))
        distances = self._far(told.waiting)
        first = 0
        for one in told.waiting:
            last = first + len(one.rows)
            counts[one.rows] = self._distances.after(counts[one.rows], found[first:last])
            for row, distance in zip(one.rows, distances[first:last], strict=True):
                if distance is not None:
                    far[row] += (distance, 1.0)
            first = last
        return _Told(counts, far)

    def _far(self, waiting: Sequence[_Waiting]) -> list[float | None]:
        """Return how far the scores of each stream of each look are."""
        found: list[float | None] = []
        for one in waiting:
            found += [None] * len(one.rows) if one.far is None else one.far
        if self._labels is not None:
            every = [rows for one in waiting for rows in one.scores]
            unknown = [one.far is None for one in waiting for _ in one.rows]
            for length in {len(rows) for rows, ask in zip(every, unknown, strict=True) if ask} - {0}:
                places = [at for at, rows in enumerate(every) if unknown[at] and len(rows) == length]
                for at, figure in zip(
                    places, self._labels.of([every[at] for at in places])[:, 0].tolist(), strict=True
                ):
                    found[at] = figure
        return found
