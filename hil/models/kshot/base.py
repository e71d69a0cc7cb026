"""A model of prototypes from labelled readings: what `hil train` makes where the architecture is `shots`.

Rule of this room: everything is computed from the people trained on, in seconds and by one seed, so that there is no
checkpoint: killed and called again it gives the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from firmware_bridge.errors import UsageError
from hil.models.datasets import Series
from hil.models.kshot.episodes import refined
from hil.models.kshot.metric import Metric, fit_metric, prototypes
from hil.models.kshot.openset import UNKNOWN, OpenSet, calibrated, head
from hil.models.kshot.statistics import Statistics, statistics_of
from hil.models.nets.choice import ShotsChoice
from hil.models.nets.shapes import ShotsConfig
from hil.models.nets.shots import Shots

__all__ = ["Base", "base_of", "fit_base", "shots_net", "with_unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A model of prototypes before it is packed.

    Attributes:
        metric: What statistics are compared under.
        points: Prototypes `(classes, features + 1)`, without one for `unknown`.
        open_set: When a window is unknown.
        facts: How it was made, for the lineage: plain JSON values.
    """

    metric: Metric
    points: npt.NDArray[np.float64]
    open_set: OpenSet
    facts: dict[str, Any]


def with_unknown(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a model: those of the data, and `unknown`.

    Raises:
        UsageError: The data use that label.
    """
    if UNKNOWN in labels:
        raise UsageError(
            f"the data have a class {UNKNOWN!r}, which is what a model of prototypes says of all other readings",
            "labels", "give that class another name",
        )  # fmt: skip
    return (*labels, UNKNOWN)


def fit_base(
    series: Sequence[Series],
    labels: Sequence[str],
    choice: ShotsChoice,
    shape: ShotsConfig,
    hop: int,
    constants: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    seed: int,
) -> Base:
    """Fit metric, prototypes and threshold.

    Args:
        series: Readings of the people trained on.
        labels: Names of the classes.
        choice: How.
        shape: Of the network.
        hop: Samples between windows.
        constants: Mean and standard deviation that normalise each channel.
        seed: Of all chance.

    Raises:
        UsageError: A class has no window, or there is but one person.
    """
    known = statistics_of(series, shape, hop, constants)
    missing = [name for index, name in enumerate(labels) if index not in known.classes]
    if missing:
        raise UsageError(
            f"no window of {shape.window} samples is labelled {', '.join(missing)}", "data",
            "record more, or use a shorter window",
        )  # fmt: skip
    if len(np.unique(known.people)) < 2:
        raise UsageError(
            f"all {len(known)} windows are of one person", "data",
            "give readings of several people: what is unknown is calibrated on people who were not met",
        )  # fmt: skip
    return base_of(known, choice, seed)


def base_of(known: Statistics, choice: ShotsChoice, seed: int) -> Base:
    """Fit metric, prototypes and threshold to statistics of windows; see `fit_base`."""
    better = refined(known, choice.shrinkage, choice.episodes, seed)
    metric = fit_metric(known.values, known.labels, choice.shrinkage, better.change)
    points = prototypes(metric.embed(known.values), known.labels, known.classes)
    found = calibrated(known, choice.shrinkage, choice.false_reject, better.change)
    judged = not np.isnan(better.before)
    facts = {
        "open_set": {key: None if value != value else value for key, value in asdict(found).items()},
        "episodes": {
            "count": choice.episodes, "kept": better.change is not None,
            "before": better.before if judged else None, "after": better.after if judged else None,
        },
        "windows": len(known),
    }  # fmt: skip
    return Base(metric, points, found, facts)


def shots_net(base: Base, shape: ShotsConfig) -> Shots:
    """Return the network with the weights of a model of prototypes."""
    net = Shots(shape).eval()
    weight, bias = head(base.points, base.open_set)
    with torch.no_grad():
        for layer, (rows, more) in (
            (net.metric, (base.metric.weight, base.metric.bias)), (net.head, (weight, bias)),
        ):  # fmt: skip
            layer.weight.copy_(torch.from_numpy(rows))
            layer.bias.copy_(torch.from_numpy(more))
    return net
