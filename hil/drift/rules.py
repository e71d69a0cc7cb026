"""How the numbers of a look are watched: suspicions of sensors, and figures that can only be too great.

Rule of this room: one place says it, for live streams and for the people on whom limits are found; spreads may differ
from row to row (`(rows, H)`), for each left-out person has the others'.
"""

import numpy as np
import numpy.typing as npt

from hil.drift.change import ALLOWANCE, CAP, Rules
from hil.drift.suspicions import KINDS, MOST

__all__ = ["LEAST_RATIO", "LEAST_RISING", "rising_rules", "suspicion_rules"]

Float = npt.NDArray[np.float64]

LEAST_RATIO = 8.0
"""A log ratio of 8 is 3000 to 1: no wrong mounting is believed below it."""

LEAST_RISING = 6.0
"""Least limit of a figure that rises: two odd looks are a change of movement."""

_PASSING = 3.0
"""What one look adds at most to such a figure."""


def suspicion_rules(within: Float, between: Float, limits: Float, channels: int, cap: float = CAP) -> Rules:
    """Return how suspicions are watched, those of channels first and then the turns."""
    shape, count = within.shape, within.shape[-1]
    falling = np.zeros(count, np.bool_)
    falling[: 2 * channels] = True  # levels and gains; less noise is no fault
    allowance = np.full(count, ALLOWANCE)
    allowance[len(KINDS) * channels :] = 0.0  # a log ratio of what is not so falls by itself
    return Rules(
        within, between, np.broadcast_to(limits, shape), np.broadcast_to(falling, shape),
        np.broadcast_to(allowance, shape), np.full(shape, MOST), np.full(shape, cap),
    )  # fmt: skip


def rising_rules(within: Float, between: Float, limits: Float) -> Rules:
    """Return how figures are watched that can only be too great; passing from one movement to the next is no change."""
    shape = within.shape
    return Rules(
        within, between, np.broadcast_to(limits, shape), np.zeros(shape, np.bool_), np.full(shape, ALLOWANCE),
        np.full(shape, _PASSING), np.full(shape, CAP),
    )  # fmt: skip
