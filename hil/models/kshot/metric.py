"""The metric and the prototypes: windows of one class near each other, classes far apart, all on one sphere.

Rule of this room: pure and in float64; no torch. Spread inside the known classes is whitened, so that what differs
between two windows of one class counts little, whichever class; nothing here is learnt about which classes there are,
and so it holds for classes that nobody had yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Metric", "fit_metric", "prototype", "prototypes", "unit"]

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A linear map before which statistics are compared.

    Attributes:
        weight: `(features + 1, features)`.
        bias: `(features + 1,)`.
    """

    weight: Float
    bias: Float

    def embed(self, values: Float) -> Float:
        """Return points on the sphere: `(N, features)` -> `(N, features + 1)`."""
        return unit(values @ self.weight.T + self.bias)


def unit(vectors: Float) -> Float:
    """Return vectors of length one."""
    found: Float = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return found


def fit_metric(values: Float, labels: npt.NDArray[Any], shrinkage: float, change: Float | None = None) -> Metric:
    """Whiten the spread inside the classes.

    The last coordinate is the same for all, about as long as the others together: on the sphere it keeps apart what is
    near the middle of everything (and resembles no class) from what is far out in the same direction.

    Args:
        values: Statistics `(N, features)`.
        labels: Class of each.
        shrinkage: Share of a ball in the spread, 0 to 1.
        change: `(features, features)` of what is done after whitening, as a difference from nothing.
    """
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    normal = (values - mean) / scale
    rest = np.concatenate([normal[labels == one] - normal[labels == one].mean(axis=0) for one in np.unique(labels)])
    spread = rest.T @ rest / len(rest)
    size = np.trace(spread) / len(spread)
    # Windows that are all alike in their class have no spread to go by: then no direction counts more than another.
    spread = (1 - shrinkage) * spread + (shrinkage * size if size > 0 else 1.0) * np.eye(len(spread))
    lengths, axes = np.linalg.eigh(spread)
    weight = (axes / np.sqrt(lengths)) @ axes.T / scale
    if change is not None:
        weight = weight + change @ weight
    bias = -weight @ mean
    middle = float(np.median(np.linalg.norm(values @ weight.T + bias, axis=1)))
    return Metric(np.vstack((weight, np.zeros(len(bias)))), np.append(bias, max(middle, 1e-6)))


def prototype(embedded: Float) -> Float:
    """Return the point that stands for a class: the direction of the sum of its examples `(N, D)`."""
    return unit(embedded.sum(axis=0))


def prototypes(embedded: Float, labels: npt.NDArray[Any], classes: Sequence[int]) -> Float:
    """Return one prototype for each class, `(classes, D)`."""
    return np.stack([prototype(embedded[labels == one]) for one in classes])
