"""The arithmetic of looks, of many streams beside one model in one call: readings and scores in, shares of limits out.

Rule of this room: what a stream gets does not depend, to the last bit, on which others are looked at with it. A call of
NumPy costs more than its sums on one look; eight boards that come due together cost little more than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.drift.blame import Blame, History, blamed
from hil.drift.change import CALM, CAP, Rows, Sums
from hil.drift.distances import Distances
from hil.drift.looks import features, may_stick
from hil.drift.reference import Reference
from hil.drift.rules import rising_rules, suspicion_rules
from hil.drift.scores import FIGURES, SHOWN_ONLY, Labels
from hil.drift.suspicions import MOST, Suspicions

__all__ = ["Bank", "Look"]

Float = npt.NDArray[np.float64]

_RUN = 5
"""Equal readings in a row beyond twice the longest run of training, and a quarter of a look: a stuck sensor."""


_SLACK = 1.2
"""How far above the limit of what nobody explains a sum may rise."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the numbers say of one look.

    Attributes:
        shares: Of each number's limit `(H,)`: the suspicions, the oddness of the signal, the figures of the scores.
        sensor: The greatest of a sensor's suspicions.
        unlike: Of the oddness.
        said: The greatest of the scores.
        far: Distance of the scores from the label they are nearest to; None where there are none.
        stuck: Whether a channel may be stuck.
        blame: What explains most, where a sensor's suspicion is at its limit; None: no such is.
    """

    shares: Float
    sensor: float
    unlike: float
    said: float
    far: float | None
    stuck: bool
    blame: Blame | None


class Bank:
    """Looks of many streams against one reference.

    Args:
        reference: What training looked like.
        network: Digest of the network whose scores come; another one's are not judged.
    """

    def __init__(self, reference: Reference, network: str = "") -> None:
        self.reference = reference
        layout = reference.layout
        self.suspected = Suspicions.of(
            layout, np.array(reference.centre), np.array(reference.spread), reference.matrix()
        )
        self.names = self.suspected.names
        """Kind and channels of each suspicion: the first of the numbers."""
        scores = reference.scores
        self.why = "the model file has no scores of people it was not trained on" if scores is None else ""
        """Why scores are not judged; empty where they are."""
        if scores is not None and scores.weights_sha256 != network:
            scores, self.why = None, "the scores in the model file are those of another network"
        within, between, limits = (np.array(one) for one in (reference.within, reference.between, reference.limits))
        rules = suspicion_rules(within, between, limits, len(layout.channels), max(CAP, _SLACK * reference.unexplained))
        rules += rising_rules(*(np.array([one]) for one in reference.oddness[1:]))
        self._labels: Labels | None = None
        if scores is not None:
            if min(scores.limits) >= SHOWN_ONLY:
                self.why = "scores of fewer than three people are shown and not judged"
            rules += rising_rules(*map(np.array, (scores.within, scores.between, scores.limits)))
            none = (np.nan,) * len(scores.means)
            self._labels = Labels(np.array([row or none for row in scores.means]), np.array(scores.precision))
            self._centre = np.array(scores.centre)
        self.odd = len(self.names)
        """Place of the oddness among the numbers."""
        self.longest = np.maximum(2 * np.array(reference.longest_run) + _RUN, reference.samples // 4)
        """Of each channel the longest run of equal readings that is no fault."""
        self._shortest = int(self.longest.min())
        self._count = len(rules.limits)
        self._parts = [0, self.odd, self.odd + 1][: 2 + (self._labels is not None)]
        self.sums, self.distances = Sums(rules, 0), Distances(reference, 0)
        self._history = History(layout.size + len(self.suspected.turns) + 1, layout.size)
        self._rows = 0

    def row(self) -> int:
        """Return the row of a new stream."""
        self.sums.grow()
        self.distances.grow()
        self._history.grow()
        self._rows += 1
        return self._rows - 1

    def look(
        self, rows: Sequence[int], readings: npt.NDArray[np.floating],
        scores: Sequence[Sequence[npt.NDArray[np.floating]]],
    ) -> list[Look]:  # fmt: skip
        """Look at a stretch of some streams.

        Args:
            rows: Which, each once.
            readings: `(rows, N, C)`, all of them numbers.
            scores: Of each stream the logits `(labels,)` of every decision within.
        """
        some = np.array(rows)
        at: Rows = slice(None) if len(rows) == self._rows and list(rows) == list(range(self._rows)) else some
        odd = self.odd
        self.distances.add_of(at, readings)
        standard = self.suspected.standard(features(readings, self.suspected.layout))
        shifts, ratios, oddness = self.suspected.parts(standard)
        count = shifts.shape[1]
        numbers = np.empty((len(rows), self._count))
        numbers[:, :count] = shifts
        np.minimum(np.maximum(ratios, -MOST), MOST, out=numbers[:, count:odd])
        np.log(oddness, out=numbers[:, odd])
        numbers[:, odd] -= self.reference.oddness[0]
        known, far = self._said(numbers, scores)
        shares = self.sums.take_of(at, numbers, known)
        most = np.maximum.reduceat(shares, self._parts, axis=1)
        self._history.add_of(some, (standard, ratios, oddness[:, None]), most[:, 0] < CALM)
        blames = self._blames(some, shares, most[:, 0] >= 1.0)
        stuck = may_stick(readings, self._shortest).tolist()
        return [
            Look(share, high[0], high[1], high[2] if len(high) > 2 else 0.0, how_far, may, blame)
            for share, high, how_far, may, blame in zip(shares, most.tolist(), far, stuck, blames, strict=True)
        ]

    def _blames(self, rows: npt.NDArray[np.int64], shares: Float, alarmed: npt.NDArray[np.bool_]) -> list[Blame | None]:
        """Return what explains most of what stands out in each alarmed stream."""
        found: list[Blame | None] = [None] * len(rows)
        places = np.flatnonzero(alarmed)
        if len(places):
            some = rows[places]
            ages = self.sums.ages_of(some, shares[places, : self.odd].argmax(axis=1))
            for at, one in zip(places.tolist(), blamed(self.suspected, *self._history.since(some, ages)), strict=True):
                found[at] = one
        return found

    def _said(
        self, numbers: Float, scores: Sequence[Sequence[npt.NDArray[np.floating]]]
    ) -> tuple[Float | None, list[float | None]]:
        """Write the figures of the scores behind the other numbers; return which numbers are known, and how far."""
        far: list[float | None] = [None] * len(scores)
        if self._labels is None:
            return None, far
        first = self.odd + 1
        lengths = [len(rows) for rows in scores]
        for length in set(lengths) - {0}:
            places = [at for at, one in enumerate(lengths) if one == length]
            rows = np.array([row for at in places for row in scores[at]]).reshape(len(places), length, -1)
            found = self._labels.figures(rows)
            numbers[places, first:] = found - self._centre
            for at, one in zip(places, found[:, 0].tolist(), strict=True):
                far[at] = one
        if all(lengths):
            return None, far
        known = np.ones_like(numbers)
        known[[at for at, one in enumerate(lengths) if not one], first : first + len(FIGURES)] = 0.0
        return known, far
