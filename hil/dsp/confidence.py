"""How sure a deviation is: the type of noise from its lag-1 autocorrelation, degrees of freedom, chi-square bounds.

Identification and degrees of freedom follow Riley and Greenhall: a series of averages is differenced until its lag-1
autocorrelation shows a stationary power law; the variance estimate over M correlated terms then has
M / (1 + 2 sum (1 - j/M) r_j**2) degrees of freedom, with r_j the autocorrelation of the terms under that power law.
alpha is the exponent of the frequency noise: 2 white phase, 1 flicker phase, 0 white frequency (the white noise of a
gyroscope's rate), -1 flicker frequency (bias instability), -2 random walk frequency, -3 and -4 beyond.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import comb

import numpy as np
import numpy.typing as npt

__all__ = ["LagSums", "bounds", "degrees_of_freedom", "total_degrees_of_freedom"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

FEWEST = 30
"""Averages below which the type of noise is not judged; the type of the next shorter averaging time is kept."""
ENOUGH = 1 << 15
"""Phase points from which on the type of noise at one averaging time is settled; later ones are not looked at."""
FINEST = {2: 1 << 62, 1: 2048}
"""Starting points per averaging time beyond which degrees of freedom no longer change, by alpha; 64 for the others."""


@dataclass(slots=True)
class LagSums:
    """Running sums of the first differences (up to order `depth`) of phase at one averaging time, for C channels.

    Feed phase at multiples of m with `add`, in order; `cut` says that what comes next does not join.
    """

    channels: int
    depth: int = 3
    points: int = 0
    count: Int = field(init=False)
    sums: Float = field(init=False)  # (3, 4, C): of z, z**2, z z_next, and z at the ends
    _tail: Float = field(init=False)

    def __post_init__(self) -> None:
        self.count = np.zeros((3, 2), np.int64)  # terms, pairs
        self.sums = np.zeros((3, 4, self.channels))
        self._tail = np.empty((self.channels, 0))

    def add(self, phase: Float) -> None:
        """Take `phase (C, n)`, the next points."""
        phase = phase[:, : ENOUGH - self.points]
        if not phase.shape[1]:
            return
        self.points += phase.shape[1]
        joined = np.concatenate([self._tail, phase], axis=1)
        have, all_ = self._tail.shape[1], joined.shape[1]
        z = joined
        for d in range(self.depth):
            z = np.diff(z, axis=1)
            old = max(0, have - d - 1)  # differences that were there before
            fresh, n = z[:, old:], all_ - d - 1 - old
            if n <= 0:
                break
            pairs = z[:, max(0, old - 1) :]
            part = self.sums[d]
            part[0] += fresh.sum(axis=1)
            part[1] += np.einsum("cn,cn->c", fresh, fresh)
            if pairs.shape[1] > 1:
                part[2] += np.einsum("cn,cn->c", pairs[:, :-1], pairs[:, 1:])
                part[3] += 2 * pairs.sum(axis=1) - pairs[:, 0] - pairs[:, -1]
                self.count[d, 1] += pairs.shape[1] - 1
            self.count[d, 0] += n
        self._tail = joined[:, -4:].copy()

    def shift(self, constant: Float) -> None:
        """Take `constant (C,)` off the kept points: what comes next has it taken off too."""
        self._tail -= constant[:, None]

    def cut(self) -> None:
        """Begin a new stretch."""
        self._tail = np.empty((self.channels, 0))

    def alpha(self, highest: int) -> npt.NDArray[np.float64]:
        """Return the exponent for each channel, whole numbers, NaN where there are too few averages.

        Args:
            highest: Most differences to take: 2 for Allan, 3 for Hadamard deviations.
        """
        found = np.full(self.channels, np.nan)
        for d in range(highest):
            n, pairs = self.count[d]
            if n < FEWEST:
                break
            total, square, product, ends = self.sums[d]
            mean = total / n
            spread = square - n * mean**2
            with np.errstate(invalid="ignore", divide="ignore"):
                lag1 = (product - mean * ends + pairs * mean**2) / spread
                rho = np.maximum(lag1 / (1 + lag1), -2.0)
            exponent = np.clip(2.0 - 2.0 * (d + 1) - np.round(2 * rho), 2.0 - 2.0 * highest, 2.0)
            settled = np.isnan(found) & (spread > 0) & ((rho < 0.25) | (d == highest - 1))
            found[settled] = exponent[settled]
        return found


def degrees_of_freedom(alpha: int, order: int, m: int, per_tau: int, terms: int, *, modified: bool = False) -> float:
    """Return the equivalent degrees of freedom of a mean square of `terms` differences.

    Args:
        alpha: Exponent of the noise, above 1 - 2 * order.
        order: 2 for Allan, 3 for Hadamard (of phase; modified Allan is order 2 here).
        m: Averaging factor.
        per_tau: Starting points for each averaging time: m for full overlap, 1 for none.
        terms: Differences summed.
        modified: Whether phase was averaged over m points too.
    """
    if terms < 1:
        return 0.0
    finest = FINEST.get(alpha, 64)
    factor = min(1.0, (64 if modified else finest) / per_tau)
    points = 1.0 if modified else float(m if alpha >= 1 else min(m, finest))
    return _degrees(alpha, order, points, max(1, round(per_tau * factor)), max(1.0, round(terms * factor, 3)))


@lru_cache(maxsize=4096)
def _degrees(alpha: int, order: int, points: float, per_tau: int, terms: float) -> float:
    # lags of whole starting points, up to where differences no longer overlap (one more for a slow power law)
    lags = np.arange(0, (order + 1) * per_tau + 1) / per_tau
    if alpha == 2 and points > 1:  # white phase: only equal phase points are correlated, however fine the steps are
        lags = np.arange(0, order + 1, dtype=np.float64)
        steps = lags * per_tau
    else:
        steps = np.arange(len(lags), dtype=np.float64)
    correlation = _autocorrelation(lags, points, alpha, order)
    weight = np.clip(1 - steps / terms, 0.0, None)
    return float(terms / (1 + 2 * np.sum((weight * correlation**2)[1:])))


def _autocorrelation(t: Float, points: float, alpha: int, order: int) -> Float:
    """Return the autocorrelation of differences of phase at lags `t` (in averaging times)."""
    weights = [(-1) ** k * comb(2 * order, order + k) for k in range(-order, order + 1)]
    shifts = range(-order, order + 1)
    covariance = np.sum([w * _phase(t + k, points, alpha) for w, k in zip(weights, shifts, strict=True)], axis=0)
    scaled: Float = covariance / covariance[0]
    return scaled


def _phase(t: Float, points: float, alpha: int) -> Float:
    """Return the generalised autocovariance of sampled phase: the second difference of that of its integral."""
    step = 1.0 / points
    value: Float = points**2 * (2 * _integral(t, alpha) - _integral(t - step, alpha) - _integral(t + step, alpha))
    return value


def _integral(t: Float, alpha: int) -> Float:
    power = 3 - alpha  # 1, 2, 3 ... for alpha 2, 1, 0 ...
    sign = (-1.0) ** ((power + 1) // 2)
    magnitude = np.abs(t)
    if power % 2:
        odd: Float = sign * magnitude**power
        return odd
    with np.errstate(divide="ignore", invalid="ignore"):
        even = np.where(magnitude > 0, -sign * magnitude**power * np.log(magnitude), 0.0)
    return even


def total_degrees_of_freedom(alpha: int, m: int, points: int) -> float:
    """Return those of the total deviation; known for alpha 0, -1 and -2, else taken as of full overlap."""
    known = {0: (1.5, 0.0), -1: (1.17, 0.22), -2: (0.93, 0.36)}
    if alpha in known:
        slope, less = known[alpha]
        return max(slope * points / m - less, 0.5)
    return degrees_of_freedom(alpha, 2, m, m, max(points - 2 * m, 1))


def bounds(deviation: Float, edf: Float, confidence: float) -> tuple[Float, Float]:
    """Return the chi-square interval of deviations; NaN where there are no degrees of freedom.

    Args:
        deviation: Any shape.
        edf: The same shape.
        confidence: Between 0 and 1.
    """
    from scipy.stats import chi2

    with np.errstate(invalid="ignore", divide="ignore"):
        low = deviation * np.sqrt(edf / chi2.ppf((1 + confidence) / 2, edf))
        high = deviation * np.sqrt(edf / chi2.ppf((1 - confidence) / 2, edf))
    return low, high
