"""The delay between two streams, and readings at common times.

The delay is where the cross-correlation of the two (each less its line) peaks, found between samples from the phase of
the cross-spectrum weighted by its coherence; its interval comes from how much the delays of separate stretches differ.
A positive delay means that the second stream shows things later than the first.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Common", "Delay", "common_times", "delay", "resample"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
STRETCHES = 12
"""Parts of the record whose delays give the interval."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How much later the second of two series is.

    Attributes:
        seconds: The delay; NaN where nothing is common to both.
        low: Lower end of the 95 % interval; NaN where the record is too short for one.
        high: Upper end.
        correlation: Correlation of the two after the shift, -1 to 1 (negative: one is upside down).
        known: Whether the correlation is more than chance.
    """

    seconds: float
    low: float
    high: float
    correlation: float
    known: bool


def delay(first: npt.ArrayLike, second: npt.ArrayLike, rate_hz: float, longest_s: float | None = None) -> Delay:
    """Return how much later the second series is.

    Args:
        first: `(N,)` at common times.
        second: `(N,)` at the same times.
        rate_hz: Samples a second.
        longest_s: Greatest delay looked for, to either side; None for a quarter of the record.

    Raises:
        ValueError: Other lengths or fewer than 16 samples.
    """
    from scipy.stats import t

    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 16:
        raise ValueError(f"a delay needs two equally long series of 16 or more, not {a.shape} and {b.shape}")
    n = len(a)
    most = n // 4 if longest_s is None else min(n - 2, max(1, round(longest_s * rate_hz)))
    shift, correlation, chance = _peak(_level(a), _level(b), most)
    if math.isnan(shift):
        return Delay(math.nan, math.nan, math.nan, 0.0, False)
    # parts around the whole record's delay, not looked for again: a part that found another peak would not be a spread
    size = (n - abs(round(shift))) // STRETCHES
    parts: list[float] = []
    if size >= 32:
        lag = round(shift)
        left, right = (a[: n - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[: n + lag])
        for k in range(STRETCHES):
            own = slice(k * size, (k + 1) * size)
            fine = _peak(_level(left[own]), _level(right[own]), max(2, min(size // 4, 8)))[0]
            if not math.isnan(fine):
                parts.append(lag + fine)
    low = high = math.nan
    known = chance < 1e-3
    if known and len(parts) >= STRETCHES // 2:
        half = float(t.ppf(0.975, len(parts) - 1)) * float(np.std(parts, ddof=1)) / math.sqrt(len(parts))
        low, high = (shift - half) / rate_hz, (shift + half) / rate_hz
    return Delay(shift / rate_hz, low, high, correlation, known)


def _level(x: Float) -> Float:
    """Return a series less its straight line."""
    t = np.arange(len(x)) - (len(x) - 1) / 2
    level: Float = x - x.mean() - t * float(t @ x) / float(t @ t)
    return level


def _peak(a: Float, b: Float, most: int) -> tuple[float, float, float]:
    """Return (shift in samples, correlation there, chance of one so great between unrelated series)."""
    from scipy.special import ndtr

    n = len(a)
    size = 1 << (2 * n - 1).bit_length()
    fa, fb = np.fft.rfft(a, size), np.fft.rfft(b, size)
    cross = np.conj(fa) * fb
    both = math.sqrt(float(a @ a) * float(b @ b))
    if both == 0:
        return math.nan, 0.0, 1.0
    product = np.fft.irfft(cross, size)
    lags = np.arange(-most, most + 1)
    covariance = product[lags % size]
    place = int(np.argmax(np.abs(covariance) / (n - np.abs(lags))))  # each sum by the samples that overlap
    lag = int(lags[place])
    sign = 1.0 if covariance[place] >= 0 else -1.0
    left, right = (a[: n - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[: n + lag])
    scale = math.sqrt(float(left @ left) * float(right @ right)) or both
    correlation = float(np.clip(float(left @ right) / scale, -1, 1))
    # independent pairs of samples there are: fewer than samples, as both series vary slowly (Bartlett)
    auto = np.fft.irfft(np.abs(fa) ** 2, size)[:n] * np.fft.irfft(np.abs(fb) ** 2, size)[:n] / both**2
    independent = n / max(1.0, 1 + 2 * float(np.sum((auto * (1 - np.arange(n) / n))[1:])))
    independent *= 1 - abs(lag) / n
    score = math.atanh(min(abs(correlation), 1 - 1e-12)) * math.sqrt(max(independent - 3, 0.5))
    chance = min(1.0, 2 * float(ndtr(-score)) * len(lags))
    return lag + _fraction(left, right, sign), correlation, chance


def _fraction(a: Float, b: Float, sign: float) -> float:
    """Return the delay of `b` after `a`, a part of a sample or so, from the slope of the cross-spectrum's phase."""
    n = len(a)
    window = np.hanning(n)
    fa, fb = np.fft.rfft(a * window), np.fft.rfft(b * window)
    cross, power = sign * np.conj(fa) * fb, np.abs(fa) ** 2 + np.abs(fb) ** 2
    width = max(3, n // 256) | 1
    kernel = np.ones(width) / width
    smooth = np.convolve(cross, kernel, "same")
    both = np.convolve(np.abs(fa) ** 2, kernel, "same") * np.convolve(np.abs(fb) ** 2, kernel, "same")
    coherence = np.minimum(np.abs(smooth) ** 2 / np.where(both > 0, both, np.inf), 0.999)
    weight = np.where(power > 0, np.abs(cross) * coherence / (1 - coherence), 0.0)
    angle = 2 * np.pi * np.arange(len(cross)) / n
    fraction = 0.0
    for _ in range(20):  # phases about the current guess, so that none wraps
        phase = np.angle(cross * np.exp(1j * angle * fraction))
        curvature = float(np.sum(weight * angle**2))
        if curvature == 0:
            return 0.0
        step = -float(np.sum(weight * angle * phase)) / curvature
        fraction = float(np.clip(fraction + step, -1.0, 1.0))
        if abs(step) < 1e-9:
            break
    return fraction


@dataclass(frozen=True, slots=True)
class Common:
    """Two streams at the times they share.

    Attributes:
        t_ns: int64[N], equally spaced.
        first: float64[N, ...].
        second: float64[N, ...].
        rate_hz: Samples a second.
    """

    t_ns: Int
    first: Float
    second: Float
    rate_hz: float


def resample(t_ns: npt.ArrayLike, values: npt.ArrayLike, at_ns: npt.ArrayLike, gap_ns: float | None = None) -> Float:
    """Return readings at other times, on straight lines between readings; NaN before, after and inside gaps.

    Args:
        t_ns: int64[N], rising.
        values: `(N,)` or `(N, C)`.
        at_ns: int64[M].
        gap_ns: Distance of readings from which on nothing is put between them; None for 3 times the median distance.
    """
    t, x, at = np.asarray(t_ns, np.int64), np.asarray(values, np.float64), np.asarray(at_ns, np.int64)
    result = np.full((len(at), *x.shape[1:]), np.nan)
    if len(t) < 2:
        return result
    steps = np.diff(t)
    limit = 3 * float(np.median(steps)) if gap_ns is None else gap_ns
    after = np.clip(np.searchsorted(t, at, "left"), 1, len(t) - 1)
    span = (t[after] - t[after - 1]).astype(np.float64)
    part = np.divide((at - t[after - 1]).astype(np.float64), span, out=np.zeros(len(at)), where=span > 0)
    wide = (slice(None), *(None,) * (x.ndim - 1))
    inside = (at >= t[0]) & (at <= t[-1]) & ((span <= limit) | (part == 0) | (part == 1))
    result[:] = x[after - 1] + (x[after] - x[after - 1]) * part[wide]
    result[part == 0] = x[after - 1][part == 0]
    result[part == 1] = x[after][part == 1]
    result[~inside] = np.nan
    return result


def common_times(
    first_ns: npt.ArrayLike, first: npt.ArrayLike, second_ns: npt.ArrayLike, second: npt.ArrayLike
) -> Common:
    """Return two streams at the slower one's rate over the time that both cover (NaN in gaps).

    Raises:
        ValueError: They have no time in common.
    """
    a, b = np.asarray(first_ns, np.int64), np.asarray(second_ns, np.int64)
    start, stop = (max(a[0], b[0]), min(a[-1], b[-1])) if len(a) > 1 and len(b) > 1 else (0, 0)
    if stop <= start:
        raise ValueError("the two streams have no time in common; compare recordings made at the same time")
    step = max(float(np.median(np.diff(a))), float(np.median(np.diff(b))))
    at = (start + np.arange(int((stop - start) / step) + 1) * step).astype(np.int64)
    return Common(at, resample(a, first, at), resample(b, second, at), 1e9 / step)
