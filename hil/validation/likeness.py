"""How like real readings generated ones are: spectra, Allan deviation, and whether they are copies.

Rule of this room: every distance stands beside the same distance between real people, which is as near as anybody gets:
"4 dB from those learnt from" means nothing until one knows that a stranger is 3 dB from them. Pure: arrays in, plain
values out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.dsp.allan import deviation
from hil.dsp.spectrum import welch
from hil.models.datasets import Series

__all__ = ["SEGMENT", "curves_of", "neighbours", "spread_db"]

Float = npt.NDArray[np.float64]

SEGMENT = 128
"""Samples of a segment of a spectrum, and four of the longest averaging time."""

_ASKED, _STRIDE, _DECIMATE = 200, 8, 2


def curves_of(series: Sequence[Series], labels: int, rate_hz: float) -> dict[str, dict[str, Any]]:
    """Return the curves `psd` (density) and `allan` (overlapping Allan deviation) of series of one label each.

    Args:
        series: Shorter ones than `SEGMENT` samples count for nothing.
        labels: How many there are.
        rate_hz: Samples a second.

    Returns:
        Plain values: `x`, frequencies in Hz or averaging times in seconds, and `log10` `(labels, C, K)`, the mean over
        series of the logarithm.

    Raises:
        UsageError: A label has no series that is long enough.
    """
    usable = [item for item in series if len(item.values) >= SEGMENT]
    times = 2.0 ** np.arange(int(np.log2(SEGMENT // 4)) + 1) / rate_hz
    found: dict[str, list[list[Float]]] = {"psd": [[] for _ in range(labels)], "allan": [[] for _ in range(labels)]}
    frequency = np.fft.rfftfreq(SEGMENT, 1 / rate_hz)[1:]
    for item in usable:
        values = item.values.astype(np.float64)
        density = welch(values, rate_hz, SEGMENT).density[1:]  # without the mean, which is not noise
        swing = deviation(values, rate_hz, taus=times).deviation
        label = int(item.labels[0])
        for name, curve in (("psd", density), ("allan", swing)):
            found[name][label].append(np.log10(np.maximum(curve.T, 1e-30)))
    if not all(found["psd"]):
        raise UsageError(
            f"a label has no series of {SEGMENT} samples, which spectra are compared by", "evaluate",
            "use fewer folds, or record more",
        )  # fmt: skip
    return {
        name: {"x": x.tolist(), "log10": [np.mean(some, axis=0).tolist() for some in found[name]]}
        for name, x in (("psd", frequency), ("allan", times))
    }


def spread_db(one: Float, other: Float, decibel: float) -> float:
    """Return how far two sets of curves are apart: root mean square over labels, channels and places, in dB.

    Args:
        one: The first `log10`.
        other: The second, of the same places.
        decibel: 10 for densities (power), 20 for deviations (amplitude).
    """
    return float(decibel * np.sqrt(np.mean((one - other) ** 2)))


def neighbours(
    learnt: Sequence[Series], unseen: Sequence[Series], made: Sequence[Series], window: int, scale: Float, seed: int
) -> dict[str, Any]:
    """Return how near the nearest window is, of those learnt from and of strangers.

    Distances are root mean squares over a window's samples and channels, each channel in its standard deviation. A
    window of those learnt from may lie at any eighth sample, so that a copy would be found at whatever phase.

    Args:
        learnt: Series that the generator learnt from.
        unseen: Series of people whom it has not met.
        made: What it made.
        window: Samples compared.
        scale: Standard deviation of every channel.
        seed: Of which windows are asked.

    Returns:
        Quartiles of four distances: `made_to_learnt` and `made_to_unseen`, the latter from as many people as are unseen
        on both sides; `unseen_to_learnt`, which nobody can have copied; and `repetition`, from a window learnt from to
        another one of the same stretch. `ratio` is `made_to_learnt` over `made_to_unseen` of as many people (1: no
        nearer to those learnt from), `margin` is `made_to_learnt` over `unseen_to_learnt`, and `copies` the share of
        generated windows that are nearer to one learnt from than 99 % of repetitions are to each other.
    """
    chance = np.random.default_rng(seed)
    asked_made, asked_unseen = (_asked(some, window, scale, chance) for some in (made, unseen))
    pool, owners, stretch, begins = _pool(learnt, window, scale)
    other, _, _, _ = _pool(unseen, window, scale)
    to_learnt = _distances(asked_made, pool)
    nearest = to_learnt.min(axis=1)
    people = list(dict.fromkeys(owners.tolist()))
    count = len({item.person for item in unseen})
    groups = [people[at : at + count] for at in range(0, len(people) - count + 1, count)] or [people]
    alike = [to_learnt[:, np.isin(owners, group)].min(axis=1) for group in groups]
    to_unseen = _distances(asked_made, other).min(axis=1)
    unseen_nearest = _distances(asked_unseen, pool).min(axis=1)
    asked = chance.permutation(len(pool))[:_ASKED]
    repeated = _distances(pool[asked], pool)
    apart = (stretch[asked][:, None] == stretch) & (np.abs(begins[asked][:, None] - begins) >= window)
    repetition = np.where(apart, repeated, np.inf).min(axis=1)
    repetition = repetition[np.isfinite(repetition)]
    least = float(np.quantile(repetition, 0.01)) if len(repetition) else float("nan")
    return {
        "asked": len(asked_made),
        "made_to_learnt": _quartiles(nearest), "made_to_unseen": _quartiles(to_unseen),
        "unseen_to_learnt": _quartiles(unseen_nearest), "repetition": _quartiles(repetition),
        "ratio": float(np.median(np.concatenate(alike)) / np.median(to_unseen)),
        "margin": float(np.median(nearest) / np.median(unseen_nearest)),
        "copies": float((nearest < least).mean()), "least_repetition": least,
    }  # fmt: skip


def _asked(series: Sequence[Series], window: int, scale: Float, chance: np.random.Generator) -> Float:
    """Some windows that do not overlap."""
    found = [
        _row(item.values[begin:end], scale)
        for item in series
        for begin, end in pairwise(range(0, len(item.values) + 1, window))
    ]
    return np.stack([found[at] for at in chance.permutation(len(found))[:_ASKED]])


def _pool(
    series: Sequence[Series], window: int, scale: Float
) -> tuple[Float, npt.NDArray[np.str_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All windows at every eighth sample: rows, whose, of which series, and where they begin."""
    rows, owners, stretch, begins = [], [], [], []
    for at, item in enumerate(series):
        for begin in range(0, len(item.values) - window + 1, _STRIDE):
            rows.append(_row(item.values[begin : begin + window], scale))
            owners.append(item.person)
            stretch.append(at)
            begins.append(begin)
    return np.stack(rows), np.array(owners), np.array(stretch, np.int64), np.array(begins, np.int64)


def _row(values: npt.NDArray[np.float32], scale: Float) -> npt.NDArray[np.float32]:
    """A window as one row; of every two samples the mean, which halves the work and blurs nothing that a body does."""
    even = values[: len(values) // _DECIMATE * _DECIMATE] / scale
    halved = even.reshape(-1, _DECIMATE, even.shape[1]).mean(axis=1)
    return np.asarray(halved.ravel() / np.sqrt(halved.size), np.float32)


def _distances(some: npt.NDArray[Any], others: npt.NDArray[Any]) -> Float:
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    found: Float = np.sqrt(np.maximum(squares, 0.0)).astype(np.float64)
    return found


def _quartiles(values: Float) -> dict[str, float] | None:
    if not len(values):
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {"low": float(low), "median": float(middle), "high": float(high)}
