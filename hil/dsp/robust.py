"""What a channel's readings look like, told so that a few bad ones change nothing: spread, outliers, steps, runs.

Everything takes one channel `(N,)` and gives figures or counted places; nothing is repaired. Quantisation is judged
best on raw codes (whole numbers); on scaled readings the step is found from the differences that occur.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Histogram",
    "Quantisation",
    "Runs",
    "Saturation",
    "Spread",
    "histogram",
    "outliers",
    "quantisation",
    "saturation",
    "spread",
    "stuck",
]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
GAUSS = 1.482602218505602
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Middle and width of a distribution.

    Attributes:
        median: Median.
        mad: Median absolute deviation from it.
        sigma: `mad` scaled to the standard deviation of a normal distribution.
        low: 2.5 % quantile.
        high: 97.5 % quantile.
    """

    median: float
    mad: float
    sigma: float
    low: float
    high: float


def spread(values: npt.ArrayLike) -> Spread:
    """Return the spread of the finite readings; NaN everywhere when there are none."""
    x = _finite(values)
    if not len(x):
        return Spread(*(math.nan,) * 5)
    median = float(np.median(x))
    mad = float(np.median(np.abs(x - median)))
    low, high = np.quantile(x, [0.025, 0.975])
    return Spread(median, mad, mad * GAUSS, float(low), float(high))


def outliers(values: npt.ArrayLike, sigmas: float = 6.0) -> Int:
    """Return where single readings stand out from both neighbours.

    A reading's distance is to the mean of its neighbours, in units of the robust width of all such distances (not below
    the least step that occurs), so that slow changes and honest signals are no outliers. At 6 a million normal readings
    give none.

    Args:
        values: `(N,)`; NaN never stands out.
        sigmas: How far is too far.

    Returns:
        int64[K], rising positions.
    """
    x = np.asarray(values, np.float64)
    if len(x) < 5:
        return np.empty(0, np.int64)
    distance = x[1:-1] - (x[:-2] + x[2:]) / 2
    width = spread(distance)
    step = quantisation(x).step
    unit = max(width.sigma, 0.0 if math.isnan(step) else step)
    if not unit > 0:
        return np.empty(0, np.int64)
    far = np.abs(distance) > sigmas * unit
    # one spike moves its neighbours' distances by half: only the farthest of a row of three is the outlier
    size = np.where(far, np.abs(distance), 0.0)
    padded = np.concatenate([[0.0], size, [0.0]])
    peak = far & (size >= padded[:-2]) & (size >= padded[2:])
    # before and after a step between two levels a reading is far from one neighbour only
    left, right = x[1:-1] - x[:-2], x[1:-1] - x[2:]
    alone = (left * right > 0) & (np.minimum(np.abs(left), np.abs(right)) > np.abs(distance) / 2)
    return np.flatnonzero(peak & alone).astype(np.int64) + 1


@dataclass(frozen=True, slots=True)
class Runs:
    """Stretches in which a channel did not change for longer than chance allows.

    Attributes:
        start: int64[K], first reading of each.
        length: int64[K], readings in each.
        share: Part of all readings that lie in them.
        longest: Readings in the longest run of equal ones, stuck or not.
        limit: Readings from which on a run counts as stuck.
    """

    start: Int
    length: Int
    share: float
    longest: int
    limit: int


def stuck(values: npt.ArrayLike, least: int = 10, chance: float = 1e-6) -> Runs:
    """Return the stuck stretches.

    Equal neighbours are common where noise is below the step of the converter, so the limit follows the channel: a run
    counts when, with the share of equal neighbours seen outside the longest runs, one so long would come by chance in
    fewer than `chance` of recordings.

    Args:
        values: `(N,)`; NaN equals nothing.
        least: A run shorter than this never counts.
        chance: Of one false run in the whole recording.
    """
    x = np.asarray(values)
    if len(x) < 2:
        return Runs(np.empty(0, np.int64), np.empty(0, np.int64), 0.0, len(x), least)
    edges = np.flatnonzero(np.concatenate([[True], x[1:] != x[:-1], [True]]))
    start, length = edges[:-1], np.diff(edges)
    limit = least
    for _ in range(8):  # runs that are too long do not tell how usual equal neighbours are
        usual = length[length < limit]
        equal, pairs = float(np.sum(usual - 1)), float(np.sum(usual))
        share = (equal + 0.5) / (pairs + 1.0) if pairs else 0.0
        needed = math.log(chance / len(x)) / math.log(share) if 0 < share < 1 else math.inf
        wanted = max(least, math.ceil(needed) + 1 if math.isfinite(needed) else least)
        if wanted <= limit:
            break
        limit = wanted
    found = length >= limit
    return Runs(
        start[found].astype(np.int64), length[found].astype(np.int64), float(length[found].sum() / len(x)),
        int(length.max()), limit,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantisation:
    """The grid that readings lie on.

    Attributes:
        step: Least step of the grid in the readings' unit; NaN where readings show no grid.
        codes: Different readings that occur.
        missing: Grid points between well-used neighbours that never occur.
        missing_codes: The first of them (at most 64), in the readings' unit.
        share_on_grid: Part of the differences between occurring readings that are whole multiples of the step.
    """

    step: float
    codes: int
    missing: int
    missing_codes: tuple[float, ...]
    share_on_grid: float


def quantisation(values: npt.ArrayLike, expected: float = 12.0) -> Quantisation:
    """Return the step all readings are multiples of, and the codes that are missing.

    A grid point is missing when it was never read although the mean count of its two neighbours on each side makes at
    least `expected` readings of it likely (at 12 one false alarm in 160,000 grid points).

    Args:
        values: `(N,)`; whole numbers are codes, others scaled readings.
        expected: Readings that the neighbours must promise.
    """
    unique, counts = np.unique(_finite(values), return_counts=True)
    if len(unique) < 2:
        return Quantisation(math.nan, len(unique), 0, (), 0.0)
    step, share = _step(np.diff(unique))
    if math.isnan(step):
        return Quantisation(math.nan, len(unique), 0, (), share)
    place = np.round((unique - unique[0]) / step).astype(np.int64)
    gaps = np.flatnonzero(np.diff(place) > 1)
    wide = place[gaps + 1] - place[gaps]
    gaps = gaps[wide <= 5]  # a wide gap is an outlier or two levels, not a code that is missing
    missing: list[float] = []
    for left in gaps.tolist():
        near = counts[max(0, left - 1) : left + 3]
        spans = place[left + 1] - place[left]
        if len(near) >= 3 and float(near.mean()) >= expected and float(min(counts[left], counts[left + 1])) > 0:
            missing.extend(unique[left] + step * k for k in range(1, int(spans)))
    return Quantisation(step, len(unique), len(missing), tuple(float(code) for code in missing[:64]), share)


def _step(differences: Float) -> tuple[float, float]:
    """Return the greatest step that the differences are multiples of, and the share that are."""
    least = float(differences.min())
    ceiling = float(differences.max())
    tolerance = 1e-3
    for _ in range(20):  # Euclid with tolerance: the remainder of some difference is the next candidate
        parts = differences / least
        error = np.abs(parts - np.round(parts))
        fits = error < tolerance * np.maximum(1.0, parts * 1e-3)
        share = float(np.mean(fits))
        if share > 0.999:
            near = parts < 1000  # a longer lever for the last digits of the step
            if np.count_nonzero(near) * 2 < len(parts):
                break  # a step thousands of times finer than the readings differ fits anything: it is no step
            step = float(np.sum(differences[near]) / np.sum(np.round(parts[near])))
            return step, share
        smaller = float((error[~fits] * least).max())
        if smaller < ceiling * 1e-9 or smaller < least * 0.02:
            break
        least = smaller
    return math.nan, share


@dataclass(frozen=True, slots=True)
class Saturation:
    """Readings at the ends of the range.

    Attributes:
        low: Share at the lower end.
        high: Share at the upper end.
        known: Whether the ends were given, not guessed from readings that heap up at their own extremes.
    """

    low: float
    high: float
    known: bool

    @property
    def share(self) -> float:
        """Share at either end."""
        return self.low + self.high


def saturation(values: npt.ArrayLike, low: float | None = None, high: float | None = None) -> Saturation:
    """Return the share of readings at or beyond the ends of the range.

    Without ends a channel counts as saturated where its own extreme is heaped: at least 3 readings, and more than 3
    times what the next 8 occurring values have on average.

    Args:
        values: `(N,)`.
        low: Least possible reading.
        high: Greatest possible reading.
    """
    x = _finite(values)
    if not len(x):
        return Saturation(math.nan, math.nan, low is not None or high is not None)
    if low is not None or high is not None:
        below = 0.0 if low is None else float(np.mean(x <= low))
        above = 0.0 if high is None else float(np.mean(x >= high))
        return Saturation(below, above, True)
    unique, counts = np.unique(x, return_counts=True)
    if len(unique) < 10:
        return Saturation(0.0, 0.0, False)

    def heap(ordered: npt.NDArray[np.intp]) -> float:
        heaped = ordered[0] >= 3 and ordered[0] > 3 * ordered[1:9].mean()
        return float(ordered[0] / len(x)) if heaped else 0.0

    return Saturation(heap(counts), heap(counts[::-1]), False)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often readings fall into bins.

    Attributes:
        edges: float64[K + 1].
        counts: int64[K].
        skewness: Third standardised moment; 0 when symmetric.
        kurtosis: Fourth standardised moment less 3; 0 when normal.
    """

    edges: Float
    counts: Int
    skewness: float
    kurtosis: float


def histogram(values: npt.ArrayLike, bins: int = 64) -> Histogram:
    """Return at most `bins` bins over the finite readings, whole steps of a coarse grid so that they form no comb."""
    x = _finite(values)
    if not len(x):
        return Histogram(np.array([0.0, 1.0]), np.zeros(1, np.int64), math.nan, math.nan)
    low, high = float(x.min()), float(x.max())
    step = quantisation(x[:: max(1, len(x) // 100_000)]).step
    if high > low and not math.isnan(step) and (high - low) / step < 64 * bins:
        each = max(1, math.ceil(((high - low) / step + 1) / bins))
        number = math.ceil(((high - low) / step + 1) / each - 1e-6)
        first, width = low - step / 2, each * step
    else:
        number, first, width = bins, low, ((high - low) or (abs(low) or 1.0) * 1e-6) / bins
    edges = np.asarray(first + width * np.arange(number + 1), np.float64)
    edges[-1] = max(edges[-1], high)
    counts = np.histogram(x, edges)[0]
    centred = x - x.mean()
    variance = float(np.mean(centred**2))
    if variance == 0:
        return Histogram(edges, counts.astype(np.int64), math.nan, math.nan)
    third, fourth = float(np.mean(centred**3)), float(np.mean(centred**4))
    return Histogram(edges, counts.astype(np.int64), third / variance**1.5, fourth / variance**2 - 3)


def _finite(values: npt.ArrayLike) -> Float:
    x = np.asarray(values, np.float64).ravel()
    return x[np.isfinite(x)]
