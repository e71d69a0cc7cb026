"""Which single suspicion explains what stands out, and how much of it.

Rule of this room: one question, asked alike of a live stream and of the people on whom limits are found. A sensor that
became different moves a look one way; a movement that nobody showed moves it every way, so that no single suspicion
explains much.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.drift.suspicions import Suspicions

__all__ = ["USUAL", "Blame", "blamed"]

Float = npt.NDArray[np.float64]

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


def blamed(suspected: Suspicions, stood: Float, usual: Float) -> Blame:
    """Return what explains most of it.

    Args:
        suspected: What is suspected.
        stood: Standardised looks since it began `(L, d)`.
        usual: The wearer's usual look `(d,)`.
    """
    shift = stood.mean(axis=0) - usual
    energy = float(shift @ suspected.precision @ shift)
    projected = suspected.filters @ shift
    explained = projected**2
    count = len(suspected.layout.channels)
    explained[2 * count : 3 * count][projected[2 * count : 3 * count] < 0] = 0.0  # less noise is no fault
    gains = np.concatenate((explained, 2.0 * suspected.ratios(stood)))
    whole = float(suspected.oddness(stood).mean())
    best = int(gains.argmax())
    share = float(gains[best] / max(energy if best < 3 * count else whole, 1e-9))
    size = 0.0
    if best < 3 * count:
        direction = suspected.directions[best]
        size = float(projected[best] / np.sqrt(direction @ suspected.precision @ direction))
    return Blame(best, share, size)
