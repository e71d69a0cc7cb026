"""How much a confidence is worth: temperature scaling, calibration error with and without its bias, Brier score.

Rule of this room: arrays in, numbers out. A temperature is fitted on decisions about other groups than it is used on.
Decisions that were not made have no confidence and are left out. The bias of a binned error: even a calibrated model
shows gaps, because each bin holds few decisions; `ece_corrected` takes off what chance adds (Kumar, Liang and Ma 2019,
under a normal approximation), and `rms_corrected` is the root of their unbiased squared error.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.models.score import BINS, calibration_error

__all__ = ["calibration_figures", "fit_temperature", "reliability", "tempered"]

Float = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_TINY = 1e-12


def fit_temperature(scores: Float, truth: Ints) -> float:
    """Return the temperature that makes the truth most likely (Guo et al. 2017).

    Args:
        scores: `(N, classes)` probabilities; at least one row.
        truth: `(N,)` label indices.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(scores, _TINY))
    found = minimize_scalar(lambda log_t: _loss(logs / math.exp(log_t), truth), bounds=(-3.0, 3.0), method="bounded")
    return float(math.exp(found.x))


def tempered(scores: Float, temperature: float) -> Float:
    """Return probabilities at another temperature: those of the logits over it."""
    logs = np.log(np.maximum(scores, _TINY)) / temperature
    made = np.exp(logs - logs.max(axis=1, keepdims=True))
    found: Float = made / made.sum(axis=1, keepdims=True)
    return found


def calibration_figures(scores: Float, truth: Ints) -> dict[str, float | None]:
    """Return `ece`, `ece_corrected`, `rms_corrected`, `brier` and `nll`; None where there is no decision.

    Args:
        scores: `(N, classes)` probabilities.
        truth: `(N,)` label indices.
    """
    if not len(truth):
        return dict.fromkeys(("ece", "ece_corrected", "rms_corrected", "brier", "nll"))
    right = scores.argmax(axis=1) == truth
    sure = scores.max(axis=1)
    one_hot = np.zeros_like(scores)
    one_hot[np.arange(len(truth)), truth] = 1.0
    logs = np.log(np.maximum(scores, _TINY))
    return {
        "ece": calibration_error(right, sure),
        "ece_corrected": _corrected(right, sure),
        "rms_corrected": _rms(right, sure),
        "brier": float(((scores - one_hot) ** 2).sum(axis=1).mean()),
        "nll": float(-logs[np.arange(len(truth)), truth].mean()),
    }


def reliability(scores: Float, truth: Ints, bins: int = BINS) -> list[Mapping[str, Any]]:
    """Return the bins that are not empty: `confidence` and `accuracy` (means), and `count`."""
    count, sure, right = _binned(scores.argmax(axis=1) == truth, scores.max(axis=1), bins)
    return [
        {"confidence": sure[at] / count[at], "accuracy": right[at] / count[at], "count": int(count[at])}
        for at in np.flatnonzero(count).tolist()
    ]


def _loss(logits: Float, truth: Ints) -> float:
    top = logits.max(axis=1, keepdims=True)
    total = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return float((total - logits[np.arange(len(truth)), truth]).mean())


def _binned(right: npt.NDArray[np.bool_], sure: Float, bins: int) -> Sequence[Float]:
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    weights = (None, sure, right.astype(np.float64))
    return [np.bincount(place, weights=one, minlength=bins).astype(np.float64) for one in weights]


def _corrected(right: npt.NDArray[np.bool_], sure: Float) -> float:
    """Return the binned error less what chance adds to the size of each bin's gap, at least 0."""
    from scipy.special import ndtr

    bins = _binned(right, sure, BINS)
    count, sums, hits = (one[bins[0] > 0] for one in bins)
    rate, gap = hits / count, np.abs(sums - hits) / count
    spread = np.sqrt(np.maximum(rate * (1 - rate), 0.25 / count) / count)
    # Mean size of a normal variable about the gap (folded normal).
    shown = spread * math.sqrt(2 / math.pi) * np.exp(-0.5 * (gap / spread) ** 2) + gap * (1 - 2 * ndtr(-gap / spread))
    return max(0.0, float((count * (2 * gap - shown)).sum() / count.sum()))


def _rms(right: npt.NDArray[np.bool_], sure: Float) -> float:
    count, sums, hits = _binned(right, sure, BINS)
    kept = count > 1
    rate, gap = hits[kept] / count[kept], (sums[kept] - hits[kept]) / count[kept]
    unbiased = gap**2 - rate * (1 - rate) / (count[kept] - 1)
    return math.sqrt(max(0.0, float((count[kept] * unbiased).sum() / count.sum())))
