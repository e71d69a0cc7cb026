"""Intervals for figures of dependent series: the stationary bootstrap, with percentile and BCa ends.

Neighbouring readings depend on each other, so whole blocks are drawn: each begins anywhere and has a random length
(geometric, mean `block`), the series being closed to a ring. The mean length follows the series' own autocorrelation
(Politis and White) unless it is given. The same seed draws the same blocks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Interval", "block_bootstrap", "block_length", "two_sample"]

Float = npt.NDArray[np.float64]
Statistic = Callable[[Float], float]
GROUPS = 50
"""Blocks that are left out in turn to find the skewness of a statistic (BCa)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its interval.

    Attributes:
        value: Of the series itself.
        low: Lower end.
        high: Upper end.
        confidence: Such as 0.95.
        error: Standard deviation over the resamples.
        block: Mean length of a block, in readings.
        resamples: How many were drawn.
        seed: They were drawn with.
    """

    value: float
    low: float
    high: float
    confidence: float
    error: float
    block: float
    resamples: int
    seed: int


def block_length(values: npt.ArrayLike) -> float:
    """Return the mean block length that suits a series `(N,)`: 1 for independent readings, up to N / 4."""
    x = np.asarray(values, np.float64)
    n = len(x)
    x = x - x.mean()
    power = float(x @ x)
    if n < 16 or power == 0:
        return 1.0
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(x, size)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, size)[: n // 2] / n
    correlation = covariance / covariance[0]
    # correlation counts up to where it stays within chance for a while
    quiet = max(5, math.ceil(math.log10(n)))
    limit = 2 * math.sqrt(math.log10(n) / n)
    small = np.abs(correlation[1:]) < limit
    run = np.convolve(small, np.ones(quiet), "valid") == quiet
    last = int(np.argmax(run)) if run.any() else len(small)
    if last == 0:
        return 1.0
    m = min(2 * last, len(correlation) - 1)
    lag = np.arange(1, m + 1)
    taper = np.where(lag / m <= 0.5, 1.0, 2 * (1 - lag / m))  # flat-top window
    slope = 2 * float(np.sum(taper * lag * covariance[1 : m + 1]))
    level = float(covariance[0] + 2 * np.sum(taper * covariance[1 : m + 1]))
    if level <= 0 or slope == 0:
        return float(min(n / 4, max(1, last)))
    return float(min(n / 4, max(1.0, (slope**2 / level**2) ** (1 / 3) * n ** (1 / 3))))


def block_bootstrap(
    values: npt.ArrayLike,
    statistic: Statistic,
    *,
    resamples: int = 999,
    block: float | None = None,
    confidence: float = 0.95,
    method: str = "bca",
    seed: int = 0,
) -> Interval:
    """Return a statistic of a dependent series with its interval.

    Args:
        values: `(N,)` or `(N, C)`; rows stay together.
        statistic: Of such an array.
        resamples: Series drawn.
        block: Mean block length in readings; None to find it (from the first column).
        confidence: Of the interval.
        method: `percentile`, or `bca` (corrected for bias and skewness).
        seed: Of the draws.

    Raises:
        ValueError: Fewer than 8 readings, or an unknown method.
    """
    x = np.asarray(values, np.float64)
    if len(x) < 8:
        raise ValueError(f"{len(x)} readings have no bootstrap interval; give 8 or more")
    if method not in ("percentile", "bca"):
        raise ValueError(f"no interval is called {method!r}; take percentile or bca")
    length = block_length(x if x.ndim == 1 else x[:, 0]) if block is None else float(block)
    rng = np.random.default_rng(seed)
    value = float(statistic(x))
    drawn = np.array([statistic(x[_rows(len(x), length, rng)]) for _ in range(resamples)], np.float64)
    jackknife = None
    if method == "bca":
        groups = np.array_split(np.arange(len(x)), min(GROUPS, len(x)))
        kept = np.ones(len(x), bool)
        left = []
        for group in groups:
            kept[group] = False
            left.append(float(statistic(x[kept])))
            kept[group] = True
        jackknife = np.array(left)
    low, high = _ends(value, drawn, jackknife, confidence)
    return Interval(value, low, high, confidence, float(drawn.std(ddof=1)), length, resamples, seed)


def two_sample(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    statistic: Callable[[Float, Float], float],
    *,
    resamples: int = 999,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a statistic of two unrelated series (such as a ratio of their spreads) with its percentile interval.

    Args:
        a: `(N,)`.
        b: `(M,)`.
        statistic: Of both.
        resamples: Pairs drawn.
        confidence: Of the interval.
        seed: Of the draws.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    lengths = block_length(first), block_length(second)
    rng = np.random.default_rng(seed)
    value = float(statistic(first, second))
    drawn = np.array(
        [
            statistic(first[_rows(len(first), lengths[0], rng)], second[_rows(len(second), lengths[1], rng)])
            for _ in range(resamples)
        ],
        np.float64,
    )
    low, high = _ends(value, drawn, None, confidence)
    return Interval(value, low, high, confidence, float(drawn.std(ddof=1)), max(lengths), resamples, seed)


def _rows(n: int, block: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the rows of one resample: blocks of geometric length from anywhere on the ring."""
    if block <= 1:
        return rng.integers(0, n, n)
    fresh = rng.random(n) < 1 / block
    fresh[0] = True
    begin = np.flatnonzero(fresh)
    start = rng.integers(0, n, len(begin))
    return np.asarray((np.repeat(start - begin, np.diff(begin, append=n)) + np.arange(n)) % n, np.int64)


def _ends(value: float, drawn: Float, jackknife: Float | None, confidence: float) -> tuple[float, float]:
    from scipy.special import ndtr, ndtri

    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return math.nan, math.nan
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if jackknife is not None and np.ptp(drawn) > 0:
        below = (np.sum(drawn < value) + 0.5 * np.sum(drawn == value)) / len(drawn)
        bias = ndtri(np.clip(below, 0.5 / len(drawn), 1 - 0.5 / len(drawn)))
        away = jackknife.mean() - jackknife
        spread = float(np.sum(away**2))
        skew = float(np.sum(away**3)) / (6 * spread**1.5) if spread > 0 else 0.0
        z = ndtri(tails)
        tails = ndtr(bias + (bias + z) / (1 - skew * (bias + z)))
    low, high = np.quantile(drawn, tails)
    return float(low), float(high)
