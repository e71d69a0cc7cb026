"""When an inertial sensor lies still: windows whose readings are no more than its own noise.

The statistic is that of the generalised likelihood ratio test for zero velocity (Skog): over a window, the mean square
of the turn rate less its bias, and of the acceleration less its own window mean, each over the noise at rest. The noise
and bias are those of the quietest windows of the recording itself unless they are given, so that units do not matter.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Rest", "rest"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rest:
    """Intervals of rest.

    Attributes:
        start: int64[K], first sample of each.
        stop: int64[K], the sample after the last.
        share: Part of all samples at rest.
        window: Samples of a window.
        limit: The statistic from which on a window counts as motion (1 is noise alone).
        statistic: float64[W], of each window.
    """

    start: Int
    stop: Int
    share: float
    window: int
    limit: float
    statistic: Float

    def longest(self) -> tuple[int, int] | None:
        """Return the longest interval (start, stop), or None."""
        if not len(self.start):
            return None
        place = int(np.argmax(self.stop - self.start))
        return int(self.start[place]), int(self.stop[place])


def rest(
    gyro: npt.ArrayLike | None,
    accel: npt.ArrayLike | None,
    rate_hz: float,
    *,
    window_s: float = 0.5,
    shortest_s: float = 2.0,
    noise: tuple[float | None, float | None] = (None, None),
    limit: float | None = None,
) -> Rest:
    """Return when the sensor is at rest.

    Args:
        gyro: `(N, 3)` turn rates in any unit, or None.
        accel: `(N, 3)` accelerations in any unit, or None.
        rate_hz: Samples a second.
        window_s: Length of a window.
        shortest_s: Shorter intervals do not count.
        noise: Standard deviation of (gyro, accel) readings at rest where it is known: without it a recording that never
            rests takes its quietest windows for rest.
        limit: Of the statistic; None for what noise alone exceeds in one window of ten thousand, and at least 1.5 (the
            bias wanders).

    Raises:
        ValueError: Neither stream, or other lengths.
    """
    from scipy.stats import chi2

    parts = [np.asarray(x, np.float64) for x in (gyro, accel) if x is not None]
    if not parts or len({len(x) for x in parts}) != 1:
        raise ValueError("rest needs gyro or acceleration readings, equally long; resample one onto the other")
    n, window = len(parts[0]), max(4, round(window_s * rate_hz))
    count = n // window
    if not count:
        empty = np.empty(0, np.int64)
        return Rest(empty, empty, 0.0, window, limit or 1.5, np.empty(0))
    given = [sigma for x, sigma in zip((gyro, accel), noise, strict=True) if x is not None]
    total, freedom = np.zeros(count), 0
    for index, (x, sigma) in enumerate(zip(parts, given, strict=True)):
        blocks = x[: count * window].reshape(count, window, -1)
        mean, variance = blocks.mean(axis=1), blocks.var(axis=1)
        width = variance.shape[1]
        quiet = _quietest(variance.sum(axis=1))
        unit = sigma**2 if sigma else float(np.median(variance[quiet].mean(axis=1))) * window / (window - 1)
        if unit <= 0:  # quantised flat: any change at all is motion
            unit = 1e-3 * float(np.min(variance[variance > 0], initial=1.0))
        square = variance.sum(axis=1) / unit
        own = (window - 1) * width
        if index == 0 and gyro is not None:  # a turn rate that is steady but not the bias is motion too
            bias = np.median(mean[quiet], axis=0)
            off = np.sum((mean - bias) ** 2, axis=1) / unit
            wander = np.median(off[quiet]) * 3
            square = square + np.maximum(0.0, off - wander)
        total += square * window / own
        freedom += own
    statistic = total / len(parts)
    bound = limit if limit is not None else max(1.5, float(chi2.isf(1e-4, freedom) / freedom))
    still = statistic < bound
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(np.int8)))
    start, stop = edges[::2] * window, edges[1::2] * window
    stop = np.where(stop == count * window, n if len(still) and still[-1] else stop, stop)
    kept = stop - start >= shortest_s * rate_hz
    start, stop = start[kept].astype(np.int64), stop[kept].astype(np.int64)
    return Rest(start, stop, float(np.sum(stop - start) / n), window, bound, statistic)


def _quietest(variance: Float) -> Int:
    """Return the windows that are as quiet as the recording gets: within a factor of two of its 10 % quantile."""
    level = float(np.quantile(variance, 0.1))
    quiet: Int = np.flatnonzero(variance <= 2 * level) if level > 0 else np.flatnonzero(variance <= level)
    return quiet
