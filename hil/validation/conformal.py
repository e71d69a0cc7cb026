"""Sets of labels that hold the truth with a promised probability: split conformal prediction.

Rule of this room: the threshold comes from decisions about groups that the judged one is not among. The promise holds
for people like those; whether it held for each unseen person is counted, since people are not exchangeable.

- `lac`: every label at least as probable as the threshold (Sadinle, Lei and Wasserman 2019); the smallest sets.
- `aps`: labels from the most probable on until their sum passes the threshold, cut at random (Romano, Sesia and Candes
  2020); sets grow where the model is unsure. The draws have a seed.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["METHODS", "label_sets", "threshold"]

METHODS = ("lac", "aps")
Float = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def threshold(scores: Float, truth: Ints, level: float, method: str, seed: int) -> float:
    """Return the threshold of nonconformity for a level; infinite where there are too few decisions for it.

    Args:
        scores: `(N, classes)` probabilities of decisions for calibration.
        truth: `(N,)` label indices.
        level: Promised coverage, such as 0.9.
        method: In `METHODS`.
        seed: Of the draws of `aps`.
    """
    found = np.sort(_nonconformity(scores, method, seed)[np.arange(len(truth)), truth])
    place = math.ceil((len(found) + 1) * level)
    return float(found[place - 1]) if place <= len(found) else math.inf


def label_sets(scores: Float, limit: float, method: str, seed: int) -> npt.NDArray[np.bool_]:
    """Return `(N, classes)`: which labels are in each set.

    Args:
        scores: `(N, classes)` probabilities.
        limit: Of `threshold`.
        method: In `METHODS`.
        seed: Of the draws of `aps`; another one than that of the threshold.
    """
    return _nonconformity(scores, method, seed) <= limit


def _nonconformity(scores: Float, method: str, seed: int) -> Float:
    """Return `(N, classes)`: how odd each label would be."""
    if method == "lac":
        return 1.0 - scores
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    drawn = np.random.default_rng(seed).random((len(scores), 1))
    found = np.empty_like(scores)
    np.put_along_axis(found, order, before + drawn * ranked, axis=1)
    return found
