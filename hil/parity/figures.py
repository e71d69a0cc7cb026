"""Figures of two sets of decisions about the same windows: agreement, its interval, F1, reliability.

Rule of this room: pure. Windows of one person resemble each other, so that an interval is one as if windows were
independent. What has no labels has no F1 (None), never 0.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from hil.measure.intervals import share_interval
from hil.models.datasets import NONE
from hil.models.score import calibration_error, macro_f1

__all__ = ["Agreement", "Bin", "Labelled", "Reliability", "agreement", "labelled", "reliability"]

Ints = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

CHANCE = 0.05
"""Of taking windows that chance spoilt for a loss."""

_BINS = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two deciders chose the same label.

    Attributes:
        windows: Windows that both decided on.
        same: Those with the same label.
        share: `same / windows`; None where there are no windows.
        low: Lower end of its 95 % interval (Clopper-Pearson, as if windows were independent); None likewise.
        high: Upper end.
    """

    windows: int
    same: int
    share: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Labelled:
    """How good two deciders are, over windows with a truth.

    Attributes:
        windows: Windows with a truth.
        macro_f1_model: Macro-F1 of the model in floating point; None where nothing is labelled.
        macro_f1_other: Macro-F1 of what it is compared with.
        accuracy_model: Share of right decisions of the model.
        accuracy_other: The other's.
        spoilt: Windows that the model alone got right.
        mended: Windows that the other alone got right.
    """

    windows: int
    macro_f1_model: float | None
    macro_f1_other: float | None
    accuracy_model: float | None
    accuracy_other: float | None
    spoilt: int
    mended: int

    @property
    def loss(self) -> float | None:
        """Points (hundredths) of macro-F1 that the other is worse by; None where nothing is labelled."""
        if self.macro_f1_model is None or self.macro_f1_other is None:
            return None
        return 100.0 * (self.macro_f1_model - self.macro_f1_other)

    @property
    def surely_worse(self) -> bool:
        """Whether the other spoilt more windows than it mended, by more than chance (a sign test at 5 %)."""
        parted = self.spoilt + self.mended
        return parted > 0 and float(stats.binomtest(self.spoilt, parted, 0.5, "greater").pvalue) < CHANCE

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"loss_points": self.loss}


@dataclass(frozen=True, slots=True)
class Bin:
    """Decisions of about the same confidence.

    Attributes:
        low: Least confidence in it.
        high: Greatest.
        decisions: How many.
        confidence: Their mean confidence.
        right: Share of them that were right.
    """

    low: float
    high: float
    decisions: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether a board's confidence is worth what it says.

    Attributes:
        against: What counts as right: `labels`, or `model` where nothing is labelled.
        ece: Expected calibration error of the board's confidence, 0 to 1.
        ece_model: The same of the model in floating point; None where it is judged by itself.
        bins: Decisions by confidence; empty bins are left out.
    """

    against: str
    ece: float
    ece_model: float | None
    bins: tuple[Bin, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def agreement(said: Ints, other: Ints) -> Agreement:
    """Return how often two deciders chose the same label.

    Args:
        said: `(N,)` labels of one.
        other: `(N,)` labels of the other.
    """
    same, count = int((said == other).sum()), len(said)
    low, high = share_interval(same, count)
    if low is None or high is None:
        return Agreement(count, same, None, None, None)
    return Agreement(count, same, same / count, low / 100, high / 100)


def labelled(truth: Ints, said: Ints, other: Ints, classes: int) -> Labelled:
    """Return how good two deciders are.

    Args:
        truth: `(N,)` labels, or `NONE`.
        said: `(N,)` labels that the model chose.
        other: `(N,)` labels that the other chose.
        classes: Labels that there are.
    """
    known = truth != NONE
    count = int(known.sum())
    if not count:
        return Labelled(0, None, None, None, None, 0, 0)
    true, one, two = truth[known], said[known], other[known]
    right, kept = one == true, two == true
    return Labelled(
        count, macro_f1(true, one, classes), macro_f1(true, two, classes), float(right.mean()), float(kept.mean()),
        int((right & ~kept).sum()), int((~right & kept).sum()),
    )  # fmt: skip


def reliability(truth: Ints, model: Float64, board: Float64) -> Reliability:
    """Return how reliable a board's confidence is.

    Args:
        truth: `(N,)` labels, or `NONE`.
        model: `(N, labels)` probabilities of the model.
        board: `(N, labels)` probabilities of the board.
    """
    known = truth != NONE
    against = "labels" if known.any() else "model"
    right = truth[known] if known.any() else model.argmax(axis=1)
    if known.any():
        model, board = model[known], board[known]
    sure, said = board.max(axis=1), board.argmax(axis=1)
    place = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    bins = tuple(
        Bin(
            index / _BINS, (index + 1) / _BINS, int(here.sum()), float(sure[here].mean()),
            float((said[here] == right[here]).mean()),
        )
        for index in range(_BINS)
        if (here := place == index).any()
    )  # fmt: skip
    ece_model = calibration_error(model.argmax(axis=1) == right, model.max(axis=1)) if against == "labels" else None
    return Reliability(against, calibration_error(said == right, sure), ece_model, bins)
