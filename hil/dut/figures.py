"""How right and how fast a device under test is.

Rule of this room: pure. Scores are used as the board printed them. Parts of one thing are averaged before they are
judged. What has no truth is left out and counted; of one output, and of a thing with one class, accuracy means nothing
and is None, never 0. Windows of one person resemble each other: intervals are as if they were independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import BridgeError
from firmware_bridge.wire.dutsession import Answer
from hil.measure.intervals import share_interval
from hil.models.datasets import NONE
from hil.models.score import macro_f1

__all__ = ["Agreement", "Quality", "Throughput", "agreement", "auc", "next_count", "quality", "throughput"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

OFF = 0.02
"""Share by which board and host may differ about the length of a run before it is said."""
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Quality:
    """Answers against the truth: things judged, those with a truth, and shares from 0 to 1 with 95 % intervals."""

    things: int
    labelled: int
    accuracy: float | None
    low: float | None
    high: float | None
    macro_f1: float | None
    auc: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Answers against the integer reference: windows, those with every output the same, and with the same largest."""

    windows: int
    identical: int
    same_label: int
    first_difference: int | None


@dataclass(frozen=True, slots=True)
class Throughput:
    """Runs of many inferences.

    Attributes:
        inferences: Of each run.
        seconds: By the board's counter.
        per_s: Inferences a second.
        median_per_s: Their median.
        least_s: What a run was to last.
        host_off: Largest share by which the host found a run longer than the board; negative: shorter.
    """

    inferences: tuple[int, ...]
    seconds: tuple[float, ...]
    per_s: tuple[float, ...]
    median_per_s: float
    least_s: float
    host_off: float

    @property
    def clock_is_off(self) -> bool:
        """Whether board and host differ about the time by more than the way between them explains."""
        return abs(self.host_off) > OFF

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def quality(answers: Sequence[tuple[float, ...]], truth: Int, item: Int) -> Quality:
    """Judge answers.

    Args:
        answers: `N` score vectors of one length.
        truth: `(N,)` index of the right output, or `NONE`.
        item: `(N,)` which thing each is a part of.
    """
    things, first, part = np.unique(item, return_index=True, return_inverse=True)
    scores = np.zeros((len(things), len(answers[0])))
    np.add.at(scores, part, np.asarray(answers, np.float64))
    scores /= np.bincount(part)[:, None]
    right = truth[first]
    known = right != NONE
    scores, right = scores[known], right[known]
    if scores.shape[1] < 2 or not len(right):
        return Quality(len(things), len(right), None, None, None, None, auc(scores, right))
    said = scores.argmax(axis=1)
    hits = int((said == right).sum())
    low, high = (None if end is None else end / 100 for end in share_interval(hits, len(right)))
    return Quality(len(things), len(right), hits / len(right), low, high, macro_f1(right, said, scores.shape[1]),
                   auc(scores, right))  # fmt: skip


def auc(scores: Float, right: Int) -> float | None:
    """Return the area under the receiver operating characteristic; of several classes the mean of one against the rest.

    Args:
        scores: `(N, K)`; one column is the score of class 1, of two the second is.
        right: `(N,)` class of each.

    Returns:
        None where a class has no thing, or every thing.
    """
    width = scores.shape[1]
    classes = [1] if width <= 2 else list(range(width))
    areas = []
    for one in classes:
        inside, outside = (scores[right == one, min(one, width - 1)], scores[right != one, min(one, width - 1)])
        if not len(inside) or not len(outside):
            return None
        below = np.searchsorted(np.sort(outside), inside, "left")
        equal = np.searchsorted(np.sort(outside), inside, "right") - below
        areas.append(float((below + equal / 2).sum()) / (len(inside) * len(outside)))
    return float(np.mean(areas))


def agreement(answers: Sequence[tuple[float, ...]], expected: Float, step: float) -> Agreement:
    """Compare answers with what the integers of the reference stand for.

    Args:
        answers: `N` score vectors.
        expected: `(N, K)`.
        step: What one step of an output is worth; a board prints decimals, which are nearest to one step only.

    Raises:
        BridgeError: The board gives another number of outputs.
    """
    said = np.asarray(answers, np.float64)
    if said.shape != expected.shape:
        raise BridgeError(f"the board gives {said.shape[1]} outputs and the op list {expected.shape[1]}",
                          "device under test", "give the op list that the board holds")  # fmt: skip
    same = (np.abs(said - expected) < step / 2).all(axis=1)
    differing = np.flatnonzero(~same)
    labels = int((said.argmax(axis=1) == expected.argmax(axis=1)).sum())
    return Agreement(len(said), int(same.sum()), labels, int(differing[0]) if len(differing) else None)


def throughput(answers: Sequence[Answer], least_s: float) -> Throughput:
    """Return the figures of runs, each with its time."""
    seconds = [(answer.board_us or 0) / 1e6 for answer in answers]
    rates = [answer.inferences / time for answer, time in zip(answers, seconds, strict=True)]
    off = [
        answer.host_us / 1e6 / time - 1
        for answer, time in zip(answers, seconds, strict=True)
        if answer.host_us is not None
    ]
    return Throughput(tuple(answer.inferences for answer in answers), tuple(seconds), tuple(rates), median(rates),
                      least_s, max(off, key=abs, default=0.0))  # fmt: skip


def next_count(inferences: int, took_us: int, least_s: float) -> int:
    """Return how many inferences last at least so long, a tenth in reserve, after so many took `took_us`.

    A first try may be too short to be measured: at most a hundred times as many come next.
    """
    wanted = inferences * 1.1 * least_s * 1e6 / max(took_us, 1)
    return math.ceil(min(wanted, inferences * 100, _MOST))
