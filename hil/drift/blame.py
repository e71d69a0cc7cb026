"""Which single suspicion explains what stands out, and how much of it: of many streams at once.

Rule of this room: one question, asked alike of live streams and of the people on whom limits are found. A sensor that
became different moves a look one way; a movement that nobody showed moves it every way, so that no single suspicion
explains much. All that is asked of the looks since it began are means, so that nobody keeps those looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.drift.change import another
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
        self._width = width
        # Sums of all looks, then of what is standardised of calm ones, and how many were calm.
        self._total = np.zeros((0, width + size + 1))
        self._sums = np.zeros((0, KEPT + 1, width))  # of all, as they stood after each of the last looks
        self._looks = np.zeros(0, np.int64)

    def grow(self) -> None:
        """Add a stream."""
        self._sums, self._total, self._looks = map(another, (self._sums, self._total, self._looks))

    def add_of(self, rows: npt.NDArray[np.int64], seen: Sequence[Float], calm: npt.NDArray[np.bool_]) -> None:
        """Add a look of some streams.

        Args:
            rows: Which.
            seen: The look in parts, the standardised one first: `(rows, width)` together.
            calm: Whether nothing was suspicious in it `(rows,)`.
        """
        usual = calm[:, None]
        self._total[rows] = total = self._total[rows] + np.concatenate((*seen, seen[0] * usual, usual), axis=1)
        self._looks[rows] = looks = self._looks[rows] + 1
        self._sums[rows, looks % (KEPT + 1)] = total[:, : self._width]

    def since(self, rows: npt.NDArray[np.int64], ages: npt.NDArray[np.int64]) -> tuple[Float, Float]:
        """Return means since so many looks `(rows, width)`, and the wearers' usual looks `(rows, size)`."""
        looks, total = self._looks[rows], self._total[rows]
        age = np.minimum(np.maximum(ages, 1), np.minimum(looks, KEPT))
        stood = total[:, : self._width] - self._sums[rows, (looks - age) % (KEPT + 1)]
        return stood / age[:, None], total[:, self._width : -1] / (total[:, -1:] + USUAL)
