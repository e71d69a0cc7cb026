"""Which single suspicion explains what stands out, and how much of it: of many streams at once.

Rule of this room: one question, asked alike of live streams and of the people on whom limits are found. A sensor that
became different moves a look one way; a movement that nobody showed moves it every way, so that no single suspicion
explains much. All that is asked of the looks since it began are means, so that nobody keeps those looks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.drift.change import Rows, another
from hil.drift.suspicions import Suspicions

__all__ = ["KEPT", "USUAL", "Blame", "History", "blamed"]

Float = npt.NDArray[np.float64]

KEPT = 64
"""Looks that are kept to say what has changed."""

USUAL = 8
"""Looks that stand for training's middle until a wearer's usual look is known."""


@dataclass(frozen=True, slots=True)
class Blame:
    """The suspicion that explains most.

    Attributes:
        at: Its place among the suspicions.
        share: Share of what stands out that it explains.
        size: How far it moved, in its unit; of a gain or noise the logarithm of the factor, of a turn 0.
    """

    at: int
    share: float
    size: float


def blamed(suspected: Suspicions, stood: Float, usual: Float) -> list[Blame]:
    """Return what explains most of it, of every stream.

    Args:
        suspected: What is suspected.
        stood: Mean since it began of standardised looks, log ratios of the turns and oddness `(rows, d + turns + 1)`.
        usual: The wearers' usual looks `(rows, d)`.
    """
    size, count = usual.shape[1], len(suspected.directions)
    shift = stood[:, :size] - usual
    projected, energy = suspected.projected(shift), suspected.oddness(shift[:, None])[:, 0]
    explained = projected**2
    noises = slice(2 * count // 3, None)
    explained[:, noises] *= projected[:, noises] > 0  # less noise is no fault
    gains = np.concatenate((explained, 2.0 * stood[:, size:-1]), axis=1)
    found = []
    for row, best in enumerate(gains.argmax(axis=1).tolist()):
        shifted = best < count
        whole = max(float(energy[row] if shifted else stood[row, -1]), 1e-9)
        moved = float(projected[row, best] / suspected.reach[best]) if shifted else 0.0
        found.append(Blame(best, float(gains[row, best]) / whole, moved))
    return found


class History:
    """Means of what was seen, of many streams: since some looks ago, and of each wearer's calm looks.

    Args:
        width: Numbers of a look.
        size: How many of them, the first, are the standardised look.
    """

    def __init__(self, width: int, size: int) -> None:
        self._size = size
        self._sums = np.zeros((0, KEPT + 1, width))  # of all looks, as they stood after each of the last ones
        self._total, self._usual = np.zeros((0, width)), np.zeros((0, size))
        self._looks, self._calm = np.zeros(0, np.int64), np.zeros(0)

    def grow(self) -> None:
        """Add a stream."""
        self._sums, self._total, self._usual, self._looks, self._calm = map(
            another, (self._sums, self._total, self._usual, self._looks, self._calm)
        )

    def add_of(self, rows: Rows, seen: Float, calm: npt.NDArray[np.bool_]) -> None:
        """Add a look of some streams `(rows, width)`, and whether nothing was suspicious in it `(rows,)`."""
        every = np.arange(len(self._looks)) if isinstance(rows, slice) else rows
        self._total[rows] += seen
        self._looks[rows] += 1
        self._sums[every, self._looks[rows] % (KEPT + 1)] = self._total[rows]
        self._usual[rows] += seen[:, : self._size] * calm[:, None]
        self._calm[rows] += calm

    def since(self, rows: npt.NDArray[np.int64], ages: npt.NDArray[np.int64]) -> tuple[Float, Float]:
        """Return means since so many looks `(rows, width)`, and the wearers' usual looks `(rows, size)`."""
        looks = self._looks[rows]
        age = np.minimum(np.maximum(ages, 1), np.minimum(looks, KEPT))
        before = self._sums[rows, (looks - age) % (KEPT + 1)]
        return (self._total[rows] - before) / age[:, None], self._usual[rows] / (self._calm[rows] + USUAL)[:, None]
