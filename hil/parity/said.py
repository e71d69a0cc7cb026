"""A board's scores held against what a model says about the same windows.

Rule of this room: pure. Integers whose scale nobody told get the one scale that brings all of them nearest to the
model. Where only labels were told, a distance is the share of labels that differ.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from hil.parity.printed import Printed, as_probabilities
from hil.parity.yardstick import Yardstick

__all__ = ["SLACK", "Said"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

SLACK = 3.0
"""Times the distance of the model's own 8-bit form that a board may be off and still be a matter of its bits."""

_ARITHMETIC = 1e-4
"""Difference of a probability that the order of float32 sums may make."""
_SCALES = np.geomspace(1e-3, 2.0, 60)
"""What one step of an integer may be worth."""


class Said:
    """Some scores of a board.

    Args:
        printed: All of them.
        rows: `(M,)`, those to look at.
        measured: What 8 bits explain; None: nothing is known of that.
    """

    def __init__(self, printed: Printed, rows: Ints, measured: Yardstick | None = None) -> None:
        self.printed, self.rows, self.measured = printed, rows, measured
        self.scores = printed.scores[rows]
        self.only_labels = printed.form == "label"
        self.exact = _ARITHMETIC + (printed.step / 2 if printed.form == "probabilities" else 0.0)

    def __len__(self) -> int:
        return len(self.rows)

    def some(self, which: Ints) -> Said:
        """Return only these of them."""
        return Said(self.printed, self.rows[which], self.measured)

    @cached_property
    def labels(self) -> Ints:
        """The label that the board chose, `(M,)`."""
        found: Ints = self.scores[:, 0].astype(np.int64) if self.only_labels else self.scores.argmax(axis=1)
        return found

    @property
    def allowed(self) -> float | None:
        """Distance that 8 bits explain; None where that is unknown."""
        if self.measured is None or self.measured.distance is None or self.measured.labels is None:
            return None
        return max(SLACK * (self.measured.labels if self.only_labels else self.measured.distance), self.exact)

    @property
    def unknown(self) -> str:
        """Why nothing is known of what 8 bits explain; empty where it is."""
        return "what 8 bits explain was not measured" if self.measured is None else self.measured.unknown

    def probabilities(self, expected: Float64) -> Float64:
        """Return the board's probabilities `(M, labels)`; integers in the scale nearest to what is expected."""
        if self.printed.form != "integers":
            return as_probabilities(self.scores, self.printed.form)
        tried = [as_probabilities(self.scores, "integers", float(scale)) for scale in _SCALES]
        return min(tried, key=lambda one: float(np.mean((one - expected) ** 2)))

    def off(self, expected: Float64) -> Float64:
        """Return the largest difference of each window, `(M,)`: of a probability, or 1 for another label."""
        if self.only_labels:
            found: Float64 = (self.labels != expected.argmax(axis=1)).astype(np.float64)
            return found
        most: Float64 = np.abs(self.probabilities(expected) - expected).max(axis=1)
        return most

    def distance(self, expected: Float64) -> float:
        """Return how far the board is from what is expected: a root mean square, or the share of other labels."""
        if self.only_labels:
            return float(self.off(expected).mean())
        return float(np.sqrt(np.mean((self.probabilities(expected) - expected) ** 2)))

    def inexact(self, expected: Float64) -> Bools:
        """Return which windows are not what is expected to the last printed digit, `(M,)`."""
        found: Bools = self.off(expected) > self.exact
        return found

    def wrong(self, expected: Float64) -> Bools:
        """Return which windows differ by more than 8 bits explain; where that is unknown, by anything, `(M,)`."""
        largest = self.measured.largest if self.measured is not None and not self.only_labels else None
        limit = self.exact if largest is None else max(SLACK * largest, self.exact)
        found: Bools = self.off(expected) > limit
        return found

    def fits(self, expected: Float64) -> bool:
        """Whether the scores are what is expected, as far as 8 bits allow."""
        if not self.inexact(expected).any():
            return True
        return self.allowed is not None and self.distance(expected) <= self.allowed
