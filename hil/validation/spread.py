"""Figures with intervals where the groups are the sample: whole people, days or devices are drawn anew.

Rule of this room: decisions of one group depend on each other, so that they are never drawn singly. A figure is made of
sums that each group contributes to, and a draw weighs the groups; two models are drawn with the same weights (paired).
Intervals are percentiles and no better than the number of groups allows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.models.datasets import NONE
from hil.models.evaluate import Decisions
from hil.models.score import BINS, MISSED

__all__ = ["FIGURES", "Sums", "draws_of", "figure_draws", "interval", "sums_of"]

Float = npt.NDArray[np.float64]
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the groups of one seed add up to.

    Attributes:
        confusion: `(G, classes, classes + 1)`, truths down, decisions across, those not made last.
        brier: `(G, 2)`: sum of the Brier scores, and of how many decisions.
        bins: `(G, BINS, 3)`: decisions, sum of confidence, and how many were right, by confidence.
    """

    confusion: Float
    brier: Float
    bins: Float


def sums_of(decisions: Decisions, groups: Sequence[str], classes: int) -> Sums:
    """Return the sums of decisions with a truth, by group."""
    place = {name: at for at, name in enumerate(groups)}
    known = np.flatnonzero(decisions.truth != NONE)
    who = np.array([place[decisions.people[at]] for at in known], np.int64)
    truth, said = decisions.truth[known], decisions.predicted[known]
    confusion = np.zeros((len(groups), classes, classes + 1))
    np.add.at(confusion, (who, truth, np.where(said == MISSED, classes, said)), 1.0)
    made = said != MISSED
    who, truth, scores = who[made], truth[made], decisions.scores[known][made]
    one_hot = np.zeros_like(scores)
    one_hot[np.arange(len(truth)), truth] = 1.0
    brier = np.zeros((len(groups), 2))
    np.add.at(brier, who, np.stack((((scores - one_hot) ** 2).sum(axis=1), np.ones(len(truth))), 1))
    sure = scores.max(axis=1, initial=0.0)
    bins = np.zeros((len(groups), BINS, 3))
    right = scores.argmax(axis=1) == truth if len(truth) else np.zeros(0, np.bool_)
    at = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    np.add.at(bins, (who, at), np.stack((np.ones(len(truth)), sure, right.astype(np.float64)), 1))
    return Sums(confusion, brier, bins)


def draws_of(groups: int, seed: int, resamples: int = RESAMPLES) -> Float:
    """Return how often each group is drawn, `(resamples + 1, groups)`; the first row is the sample itself."""
    drawn = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), resamples)
    return np.concatenate((np.ones((1, groups)), drawn.astype(np.float64)))


def figure_draws(sums: Sequence[Sums], weights: Float, name: str) -> Float:
    """Return a figure for every draw, the mean over seeds; `(R,)`.

    Args:
        sums: One a seed.
        weights: Of `draws_of`.
        name: In `FIGURES`.
    """
    drawn: Float = np.mean([FIGURES[name](one, weights) for one in sums], axis=0)
    return drawn


def interval(drawn: Float, level: float = 0.95) -> tuple[float, float, float]:
    """Return the figure of the sample itself and the ends of its interval."""
    low, high = np.nanquantile(drawn[1:], [(1 - level) / 2, (1 + level) / 2])
    return float(drawn[0]), float(low), float(high)


def class_f1(confusion: Float) -> Float:
    """Return the F1 of each class of confusion matrices `(..., classes, classes + 1)`; NaN where it does not occur."""
    square = confusion[..., :-1]
    hits = np.diagonal(square, axis1=-2, axis2=-1)
    total = confusion.sum(axis=-1) + square.sum(axis=-2)
    found: Float = np.where(total > 0, 2 * hits / np.where(total > 0, total, 1), np.nan)
    return found


def _confusion(sums: Sums, weights: Float) -> Float:
    drawn: Float = np.tensordot(weights, sums.confusion, 1)
    return drawn


def _macro_f1(sums: Sums, weights: Float) -> Float:
    found = class_f1(_confusion(sums, weights))
    there = ~np.isnan(found)
    made: Float = np.where(there, found, 0.0).sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)
    return made


def _accuracy(sums: Sums, weights: Float) -> Float:
    drawn = _confusion(sums, weights)
    made: Float = np.trace(drawn[..., :-1], axis1=-2, axis2=-1) / drawn.sum(axis=(-2, -1))
    return made


def _brier(sums: Sums, weights: Float) -> Float:
    total = weights @ sums.brier
    made: Float = total[:, 0] / np.maximum(total[:, 1], 1)
    return made


def _ece(sums: Sums, weights: Float) -> Float:
    drawn = np.tensordot(weights, sums.bins, 1)
    made: Float = np.abs(drawn[..., 1] - drawn[..., 2]).sum(axis=-1) / np.maximum(drawn[..., 0].sum(axis=-1), 1)
    return made


FIGURES: dict[str, Callable[[Sums, Float], Float]] = {
    "macro_f1": _macro_f1, "accuracy": _accuracy, "brier": _brier, "ece": _ece,
}  # fmt: skip
"""Figures that are made of sums."""
