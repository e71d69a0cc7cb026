"""What the network says of a look: how far its scores are from every label they have meant, and how much it doubts.

Rule of this room: scores are the embedding that every model has. A decision is near a label when it lies where
decisions for that label lay (Mahalanobis distance with one covariance, Lee et al. 2018).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hil.drift.learn import LEAST_PEOPLE, learn_rising
from hil.drift.reference import Scores, rounded

__all__ = ["FIGURES", "SHOWN_ONLY", "Labels", "learn_scores"]

Float = npt.NDArray[np.float64]

FIGURES = ("distance", "doubt")
"""Of a look: mean distance of its decisions from the nearest label, and mean of 1 less the confidence."""

SHOWN_ONLY = 1e9
"""Limit of scores of so few people that nobody can say how people differ: they are shown, and raise no alarm."""

_SHRUNK = 0.05


class Labels:
    """Where decisions for each label lay.

    Args:
        means: `(labels, labels)`, NaN rows for labels that were never decided for.
        precision: `(labels, labels)`.
    """

    def __init__(self, means: Float, precision: Float) -> None:
        size, way = np.linalg.eigh((precision + precision.T) / 2)
        self._root = way * np.sqrt(np.maximum(size, 0.0))
        self._means = means[~np.isnan(means).any(axis=1)] @ self._root

    def figures(self, scores: npt.NDArray[np.floating]) -> Float:
        """Return `FIGURES` of the decisions of looks, each look by itself: logits `(L, D, labels)` to `(L, 2)`."""
        rows = np.asarray(scores, np.float64)
        away = np.matmul(rows, self._root)[:, :, None] - self._means
        away *= away
        figures = np.empty((len(FIGURES), *rows.shape[:2]))
        np.minimum.reduce(np.add.reduce(away, axis=3), axis=2, initial=np.inf, out=figures[0])
        figures[0] /= rows.shape[2]
        np.sqrt(figures[0], out=figures[0])
        shifted = np.exp(rows - np.maximum.reduce(rows, axis=2, keepdims=True))
        np.subtract(1.0, 1.0 / np.add.reduce(shifted, axis=2), out=figures[1])
        found: Float = (np.add.reduce(figures, axis=2) / rows.shape[1]).T
        return found


def learn_scores(
    looks: Mapping[str, Sequence[Float]], per_hour: float, look_hours: float, seed: int, network: str,
    spread: tuple[float, int] | None = None,
) -> Scores | None:  # fmt: skip
    """Return what scores of people are like; None where there are too few.

    Args:
        looks: Of each person, by stretch, logits `(L, D, labels)` of the decisions of looks.
        per_hour: False alarms an hour that are allowed.
        look_hours: How long a look lasts.
        seed: Of the orders of stretches.
        network: Digest of the network.
        spread: How people's peaks lie apart, and degrees of freedom, where more people tell it.
    """
    rows = [one.reshape(-1, one.shape[-1]) for parts in looks.values() for one in parts if len(one)]
    if not rows or sum(len(one) for one in rows) < 10 * rows[0].shape[1]:
        return None
    every = np.concatenate(rows).astype(np.float64)
    said = every.argmax(axis=1)
    labels = every.shape[1]
    means = np.full((labels, labels), np.nan)
    for label in np.unique(said).tolist():
        means[label] = every[said == label].mean(axis=0)
    away = every - means[said]
    covariance = away.T @ away / len(every)
    level = float(np.trace(covariance)) / labels or 1.0
    precision = np.linalg.inv((1 - _SHRUNK) * covariance + _SHRUNK * level * np.eye(labels))
    known = Labels(means, precision)
    found = {who: [known.figures(part) for part in parts if len(part)] for who, parts in looks.items()}
    found = {who: parts for who, parts in found.items() if parts}
    centre, within, between, limits = learn_rising(found, per_hour, look_hours, seed, spread)
    if len(found) < LEAST_PEOPLE:
        limits = np.full_like(limits, SHOWN_ONLY)
    return Scores(
        means=tuple(() if np.isnan(row).any() else rounded(row) for row in means),
        precision=tuple(rounded(row) for row in precision), centre=rounded(centre), within=rounded(within),
        between=rounded(between), limits=rounded(limits), people=tuple(sorted(found)), weights_sha256=network,
    )  # fmt: skip
