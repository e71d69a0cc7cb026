"""Change-point detection: Page's cumulative sums, many at once, against what this wearer has been like so far.

Rule of this room: time is counted in looks. People differ for good, so each number is taken against a mean that begins
at training's and moves to the wearer's own as looks come (a random effect: `within` and `between` say how fast); while
a number is suspicious its mean stands still, so that a fault is not learnt as a habit. The sum tells when it began:
where it last was zero (Page 1954). River's detectors do the same for one number at a time; a look has some thirty.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

__all__ = ["ALLOWANCE", "CALM", "Rules", "Sums"]

Float = npt.NDArray[np.float64]

ALLOWANCE = 0.75
"""Standard deviations a look that are forgiven: shifts of twice that are found fastest."""

CALM = 0.5
"""Share of its limit below which a number is unsuspicious: its mean moves, and an alarm is over."""

_REGIME = 8
"""Looks that belong together, since a movement lasts: so many count as one when a wearer is got to know."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """How each of `H` numbers is watched; every field `(H,)`.

    Attributes:
        within: Standard deviation within one wearer.
        between: Of wearers' means; 0: the mean is training's for good.
        limits: Sum that is an alarm.
        falling: Whether a fall is watched as well as a rise.
        allowance: What is forgiven a look.
        most: What one look adds at most, in standard deviations.
    """

    within: Float
    between: Float
    limits: Float
    falling: npt.NDArray[np.bool_]
    allowance: Float
    most: Float

    def __add__(self, other: "Rules") -> "Rules":
        return Rules(*(np.concatenate((getattr(self, one.name), getattr(other, one.name))) for one in fields(self)))


class Sums:
    """Sums of `H` numbers.

    Args:
        rules: How each is watched.
    """

    def __init__(self, rules: Rules) -> None:
        count = len(rules.within)
        self.limits = rules.limits
        self._own, self._cap, self._most = rules.within**2, 2.0 * rules.limits, rules.most
        self._moves = rules.between > 0
        self._prior = _REGIME * self._own / np.where(self._moves, rules.between**2, 1.0)
        self._open = np.where(self._moves, _REGIME * self._own, 0.0)
        self._allowance = rules.allowance
        self._ways = np.stack((np.ones(count), rules.falling.astype(np.float64)))
        self.sums = np.zeros((2, count))
        """Upward and downward `(2, H)`."""
        self.ages = np.zeros((2, count), np.int64)
        """Looks since each sum was zero."""
        self._total, self._seen = np.zeros(count), np.zeros(count)

    def take(self, numbers: Float, known: Float | None = None) -> Float:
        """Add a look's numbers `(H,)`; return each sum as a share of its limit `(H,)`.

        Args:
            numbers: Of the look.
            known: 0 where a number is not known and its sum stays, else 1; None: all are.
        """
        weight = self._seen + self._prior
        away = (numbers - self._total / weight) / np.sqrt(self._own + self._open / weight)
        away = np.maximum(np.minimum(away, self._most), -self._most)
        more = np.stack((away - self._allowance, -away - self._allowance))
        if known is not None:
            more *= known
        sums = np.maximum(self.sums + more, 0.0)
        self.sums = np.minimum(sums, self._cap) * self._ways
        self.ages = (self.ages + 1) * (self.sums > 0)
        share: Float = self.sums.max(axis=0) / self.limits
        calm = (share < CALM) & self._moves
        if known is not None:
            calm &= known > 0
        self._total = self._total + numbers * calm
        self._seen = self._seen + calm
        return share

    def age(self, at: int) -> int:
        """Return how many looks ago the larger sum of a number began."""
        return int(self.ages[int(self.sums[:, at].argmax()), at])
