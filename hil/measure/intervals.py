"""Intervals of 95 % in closed form: of shares, of counts, of means of dependent readings.

Rule of this room: what rests on fewer than what the method needs has no interval (None, None), never a narrow one.
Dependence between readings is met by batch means: the spread of the means of long batches is the honest one.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["Interval", "batch_interval", "count_interval", "of_batches", "sd_interval", "share_interval"]

Float = npt.NDArray[np.float64]
Interval = tuple[float | None, float | None]

_BATCHES = 24
_FEWEST = 6
NONE: Interval = (None, None)


def share_interval(hits: float, n: float) -> Interval:
    """Return the interval of a share in percent by Clopper and Pearson: `hits` of `n`."""
    if n <= 0:
        return NONE
    low = 0.0 if hits <= 0 else float(stats.beta.ppf(0.025, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(stats.beta.ppf(0.975, hits + 1, n - hits))
    return 100 * low, 100 * high


def count_interval(count: int) -> Interval:
    """Return the interval of the expected number of rare independent events (Poisson)."""
    low = 0.0 if count <= 0 else float(stats.chi2.ppf(0.025, 2 * count) / 2)
    return low, float(stats.chi2.ppf(0.975, 2 * (count + 1)) / 2)


def sd_interval(sd: float, n: float) -> Interval:
    """Return the interval of a standard deviation of `n` independent normal readings."""
    freedom = n - 1
    if freedom < 1:
        return NONE
    return (
        float(sd * math.sqrt(freedom / stats.chi2.ppf(0.975, freedom))),
        float(sd * math.sqrt(freedom / stats.chi2.ppf(0.025, freedom))),
    )


def batch_interval(value: float, per_batch: npt.ArrayLike) -> Interval:
    """Return Student's interval around `value` by the spread of the same figure in batches of equal length."""
    figures = np.asarray(per_batch, np.float64)
    figures = figures[np.isfinite(figures)]
    if len(figures) < _FEWEST:
        return NONE
    half = float(stats.t.ppf(0.975, len(figures) - 1) * figures.std(ddof=1) / math.sqrt(len(figures)))
    return value - half, value + half


def of_batches(figure: Callable[[slice], float], blocks: int, batches: int = _BATCHES) -> Float:
    """Return a figure of each of up to `batches` successive stretches of `blocks` blocks.

    Args:
        figure: Computes it for a slice of blocks.
        blocks: How many there are.
        batches: At most so many.
    """
    count = min(batches, blocks // 2)
    if count < _FEWEST:
        return np.empty(0)
    edges = np.linspace(0, blocks, count + 1).astype(int)
    return np.array([figure(slice(start, stop)) for start, stop in pairwise(edges)])
