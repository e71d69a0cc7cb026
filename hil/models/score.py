"""How good decisions are: macro-F1, accuracy, calibration and coverage, by person.

Rule: every decision that was due and has a truth counts. One that was not made although it could have been expected
(`MISSED`) is an error of its true label; one without a truth is excluded and counted; warming ones were never due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.models.datasets import NONE

__all__ = ["BINS", "MISSED", "Score", "calibration_error", "macro_f1", "score"]

MISSED = -2
"""Predicted label of a decision that could not be made."""

BINS = 15
"""Bins of the expected calibration error."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Score:
    """Figures over decisions.

    Attributes:
        macro_f1: Mean over labels of F1, 0 to 1.
        accuracy: Share of right decisions, 0 to 1.
        ece: Expected calibration error of the confidence, pooled, 15 bins, over the decisions made.
        coverage: Share of expected decisions that were made.
        decisions: Number scored.
        excluded: Number without a truth.
        people: Macro-F1 of each person.
        worst_person: The person with the lowest macro-F1.
    """

    macro_f1: float
    accuracy: float
    ece: float
    coverage: float
    decisions: int
    excluded: int
    people: dict[str, float]
    worst_person: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def macro_f1(truth: Ints, predicted: Ints, classes: int) -> float:
    """Mean F1 over the labels that occur in `truth` or `predicted`."""
    values = []
    for index in range(classes):
        true, said = truth == index, predicted == index
        total = int(true.sum() + said.sum())
        if total:
            values.append(2.0 * int((true & said).sum()) / total)
    return float(np.mean(values)) if values else 0.0


def calibration_error(right: npt.NDArray[np.bool_], confidence: npt.NDArray[np.float64], bins: int = BINS) -> float:
    """Expected calibration error: mean gap between confidence and accuracy over bins of equal width, by their size."""
    if not len(right):
        return 0.0
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=right.astype(np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))


def score(
    truth: Ints, predicted: Ints, confidence: npt.NDArray[np.float64], people: Sequence[str], classes: int
) -> Score:
    """Score decisions.

    Args:
        truth: `(N,)` label indices, `NONE` where there is none.
        predicted: `(N,)` label indices, `MISSED` where no decision was made.
        confidence: `(N,)` probability of the predicted label.
        people: `(N,)` who each decision is about.
        classes: Number of labels.
    """
    known = truth != NONE
    who = np.asarray(people)[known]
    true, said, sure = truth[known], predicted[known], confidence[known]
    made = said != MISSED
    each = {
        str(person): macro_f1(true[who == person], said[who == person], classes)
        for person in dict.fromkeys(who.tolist())
    }
    return Score(
        macro_f1=macro_f1(true, said, classes),
        accuracy=float((true == said).mean()) if len(true) else 0.0,
        ece=calibration_error(true[made] == said[made], sure[made]),
        coverage=float(made.mean()) if len(made) else 0.0,
        decisions=len(true),
        excluded=int((~known).sum()),
        people=each,
        worst_person=min(each, key=lambda person: each[person]) if each else "",
    )
