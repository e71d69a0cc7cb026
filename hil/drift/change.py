"""Change-point detection: Page's cumulative sums, many at once, against what this wearer has been like so far.

Rule of this room: time is counted in looks. People differ for good, so each number is taken against a mean that begins
at training's and moves to the wearer's own as looks come (a random effect: `within` and `between` say how fast); while
a number is suspicious its mean stands still, so that a fault is not learnt as a habit. The sum tells when it began:
where it last was zero (Page 1954). Of the libraries, ruptures cuts a whole series after the fact and looks ahead, which
no live watch can; river's detectors (Page-Hinkley, ADWIN) take one number at a time by one Python object each, where a
look has some thirty for every board, and they know neither wearers nor a limit that was found on other people.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ALLOWANCE", "CALM", "CAP", "Rows", "Rules", "Sums", "another"]

Float = npt.NDArray[np.float64]

Rows = slice | npt.NDArray[np.int64]
"""Which of many streams; a slice where it is all of them, which costs no copies."""

ALLOWANCE = 0.75
"""Standard deviations a look that are forgiven: shifts of twice that are found fastest."""

CALM = 0.5
"""Share of its limit below which a number is unsuspicious: its mean moves, and an alarm is over."""

CAP = 2.0
"""Limits that a sum is at most."""

_WAYS = np.array([[1.0], [-1.0]])
"""Up and down."""

_REGIME = 8
"""Looks that belong together, since a movement lasts: so many count as one when a wearer is got to know."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """How each of `H` numbers is watched; every field `(H,)`, or `(rows, H)` where streams differ.

    Attributes:
        within: Standard deviation within one wearer.
        between: Of wearers' means; 0: the mean is training's for good.
        limits: Sum that is an alarm.
        falling: Whether a fall is watched as well as a rise.
        allowance: What is forgiven a look.
        most: What one look adds at most, in standard deviations.
        cap: What a sum is at most, in limits: so much later an alarm is over.
    """

    within: Float
    between: Float
    limits: Float
    falling: npt.NDArray[np.bool_]
    allowance: Float
    most: Float
    cap: Float

    def __add__(self, other: "Rules") -> "Rules":
        return Rules(*(np.concatenate((getattr(self, one.name), getattr(other, one.name)), -1) for one in fields(self)))


class Sums:
    """Sums of `H` numbers, of many streams that do not depend on each other.

    Args:
        rules: How each number is watched; where streams differ in it, only all of them together are looked at.
        rows: Streams.
    """

    def __init__(self, rules: Rules, rows: int = 1) -> None:
        self.limits = rules.limits
        self._own, self._most = rules.within**2, rules.most
        rising = rules.cap * rules.limits
        self._cap = np.stack((rising, rising * rules.falling), axis=-2)  # a way that is not watched stays at zero
        self._least = -rules.most
        self._moves = rules.between > 0
        self._prior = _REGIME * self._own / np.where(self._moves, rules.between**2, 1.0)
        self._open = np.where(self._moves, _REGIME * self._own, 0.0)
        self._allowance = rules.allowance[..., None, :]
        count = rules.within.shape[-1]
        self.sums = np.zeros((rows, 2, count))
        """Upward and downward `(rows, 2, H)`."""
        self.ages = np.zeros((rows, 2, count), np.int64)
        """Looks since each sum was zero."""
        self._total, self._seen = np.zeros((rows, count)), np.zeros((rows, count))

    def grow(self) -> None:
        """Add a stream."""
        self.sums, self.ages, self._total, self._seen = map(
            another, (self.sums, self.ages, self._total, self._seen)
        )  # fmt: skip

    def take(self, numbers: Float, known: Float | None = None) -> Float:
        """Add a look's numbers `(H,)` of the only stream; see `take_of`."""
        share: Float = self.take_of(slice(None), numbers[None], None if known is None else known[None])[0]
        return share

    def take_of(self, rows: Rows, numbers: Float, known: Float | None = None) -> Float:
        """Add a look of some streams; return each sum as a share of its limit.

        Args:
            rows: Which.
            numbers: `(rows, H)`.
            known: `(rows, H)`: 0 where a number is not known and its sum stays, else 1; None: all are.

        Returns:
            `(rows, H)`.
        """
        total, seen = self._total[rows], self._seen[rows]
        weight = seen + self._prior
        away = (numbers - total / weight) / np.sqrt(self._own + self._open / weight)
        away = np.maximum(np.minimum(away, self._most), self._least)
        sums = away[:, None] * _WAYS
        sums -= self._allowance
        if known is not None:
            sums *= known[:, None]
        sums += self.sums[rows]
        np.maximum(sums, 0.0, out=sums)
        np.minimum(sums, self._cap, out=sums)
        self.sums[rows] = sums
        self.ages[rows] = (self.ages[rows] + 1) * (sums > 0)
        share: Float = np.maximum(sums[:, 0], sums[:, 1]) / self.limits
        calm = (share < CALM) & self._moves
        if known is not None:
            calm &= known > 0
        self._total[rows] = total + numbers * calm
        self._seen[rows] = seen + calm
        return share

    def ages_of(self, rows: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the same for a number of each of some streams."""
        found: npt.NDArray[np.int64] = self.ages[rows, self.sums[rows, :, at].argmax(axis=1), at]
        return found

    def age(self, at: int, row: int = 0) -> int:
        """Return how many looks ago the larger sum of a number began."""
        return int(self.ages[row, int(self.sums[row, :, at].argmax()), at])


def another(state: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the state of streams with one more, at its beginning."""
    return np.concatenate((state, np.zeros((1, *state.shape[1:]), state.dtype)))
