"""Below which likeness a window resembles no class: a threshold, and how sure a likeness makes.

Rule of this room: both are found on people whom the metric and the prototypes have not met. Known windows (all classes
known) set the threshold, at the share of them that may be rejected by mistake; what passes it of a class that was left
out is then counted and told, not chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.models.datasets import ordered
from hil.models.kshot.metric import Float, fit_metric, prototypes
from hil.models.kshot.statistics import Statistics

__all__ = ["UNKNOWN", "OpenSet", "area_under_roc", "calibrated", "head"]

UNKNOWN = "unknown"
"""Label of what resembles no class."""

_SHARPNESS = np.geomspace(1.0, 300.0, 100)


@dataclass(frozen=True, slots=True)
class OpenSet:
    """When a window is unknown.

    Attributes:
        threshold: Likeness (cosine) to the nearest prototype below which it is.
        sharpness: Likeness is multiplied with it to give logits.
        target_false_reject: Share of known windows that the threshold was set to reject.
        false_accept: Share of windows of classes left out that it accepts.
        auroc: How well likeness tells known from unknown: 0.5 not at all, 1 always.
        people: On whom it was found, each unmet by what judged them.
        windows: Of known classes, and of classes left out.
    """

    threshold: float
    sharpness: float
    target_false_reject: float
    false_accept: float
    auroc: float
    people: int
    windows: tuple[int, int]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def calibrated(known: Statistics, shrinkage: float, false_reject: float, change: Float | None = None) -> OpenSet:
    """Find threshold and sharpness: two people at a time are set apart, with all classes and with each left out.

    Args:
        known: Windows of at least two people and two classes.
        shrinkage: Of the metric.
        false_reject: Share of known windows that may be rejected.
        change: What episodes made of the metric; see `fit_metric`.
    """
    people = ordered(np.unique(known.people).tolist())
    size = 2 if len(people) > 3 else 1
    likeness: list[Float] = []
    places: list[npt.NDArray[np.int64]] = []
    strange: list[Float] = []
    for start in range(0, len(people), size):
        apart = np.isin(known.people, people[start : start + size])
        asked, rest = known.where(apart), known.where(~apart)
        classes = rest.classes
        mine = np.isin(asked.labels, classes)
        likeness.append(_likeness(rest, asked.values[mine], classes, shrinkage, change))
        places.append(np.searchsorted(classes, asked.labels[mine]))
        for left in classes if len(classes) > 2 else ():
            others = [one for one in classes if one != left]
            new = asked.values[asked.labels == left]
            strange.append(_likeness(rest.where(rest.labels != left), new, others, shrinkage, change).max(axis=1))
    width = max(one.shape[1] for one in likeness)
    wide = np.concatenate([np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=-2.0) for one in likeness])
    nearest, foreign = wide.max(axis=1), np.concatenate(strange) if strange else np.zeros(0)
    threshold = float(np.quantile(nearest, false_reject))
    return OpenSet(
        threshold=threshold,
        sharpness=_sharpness(wide, np.concatenate(places), threshold),
        target_false_reject=false_reject,
        false_accept=float((foreign >= threshold).mean()) if len(foreign) else float("nan"),
        auroc=area_under_roc(nearest, foreign),
        people=len(people),
        windows=(len(nearest), len(foreign)),
    )


def head(points: Float, found: OpenSet) -> tuple[Float, Float]:
    """Return weight and bias of the last layer: a row for each prototype, and the last for `unknown`."""
    weight = np.vstack((found.sharpness * points, np.zeros(points.shape[1])))
    bias = np.zeros(len(weight))
    bias[-1] = found.sharpness * found.threshold
    return weight, bias


def area_under_roc(known: Float, unknown: Float) -> float:
    """Return the probability that a known window has more likeness than an unknown one; NaN without either."""
    if not len(known) or not len(unknown):
        return float("nan")
    order = np.sort(unknown)
    below, upto = np.searchsorted(order, known, "left"), np.searchsorted(order, known, "right")
    return float((below + upto).mean() / 2 / len(order))


def _likeness(rest: Statistics, values: Float, classes: Sequence[int], shrinkage: float, change: Float | None) -> Float:
    metric = fit_metric(rest.values, rest.labels, shrinkage, change)
    found: Float = metric.embed(values) @ prototypes(metric.embed(rest.values), rest.labels, classes).T
    return found


def _sharpness(likeness: Float, truth: npt.NDArray[np.int64], threshold: float) -> float:
    """Return the sharpness at which confidence fits best: least cross-entropy of the known windows."""
    rows = np.hstack((likeness, np.full((len(likeness), 1), threshold)))
    right = rows[np.arange(len(rows)), truth]
    top = rows.max(axis=1)
    losses = [
        float(np.mean(np.log(np.exp(sharp * (rows - top[:, None])).sum(axis=1)) - sharp * (right - top)))
        for sharp in _SHARPNESS
    ]
    return float(_SHARPNESS[int(np.argmin(losses))])
