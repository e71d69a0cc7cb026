"""Power spectral density, noise by band, narrow peaks with their significance, mains and its aliases, coherence.

Densities are one-sided (unit**2/Hz), by Welch's method with a Hann window and half overlap. A peak is judged against
the median of its surroundings: the averaged periodogram of noise is a scaled chi-square, so its chance is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Coherence", "Peak", "Spectrum", "coherence", "mains_name", "noise_density", "peaks", "welch"]

Float = npt.NDArray[np.float64]
MAINS_HZ = (50.0, 60.0)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Power spectral density.

    Attributes:
        frequency_hz: float64[F], from 0 to half the rate.
        density: float64[F] or [F, C], one-sided, unit**2/Hz.
        low: Lower 95 % bound of the density, same shape.
        high: Upper bound.
        rate_hz: Samples a second.
        segments: Segments averaged.
        freedom: Equivalent degrees of freedom of each value (segments overlap by half).
        resolution_hz: Noise bandwidth of the window.
    """

    frequency_hz: Float
    density: Float
    low: Float
    high: Float
    rate_hz: float
    segments: int
    freedom: float
    resolution_hz: float


def welch(values: npt.ArrayLike, rate_hz: float, segment: int | None = None) -> Spectrum:
    """Return the density of `(N,)` or `(N, C)` readings, each segment less its mean.

    Args:
        values: Finite readings, equally spaced.
        rate_hz: Samples a second.
        segment: Samples in a segment; None for the power of two that gives about 32 segments, 256 to 65536 long.

    Raises:
        ValueError: Fewer than 8 readings, or NaN among them.
    """
    from scipy.signal import welch as scipy_welch
    from scipy.stats import chi2

    x = np.asarray(values)
    if len(x) < 8 or not np.isfinite(np.sum(x, dtype=np.float64)):
        raise ValueError(f"a spectrum needs at least 8 finite readings, and got {len(x)}; cut the series at gaps")
    if segment is None:
        segment = 1 << min(16, max(8, int(math.log2(max(2, len(x) // 16)))))
    segment = min(segment, len(x))
    columns = x[:, None] if x.ndim == 1 else x
    parts = [  # one channel at a time: SciPy holds all segments of what it is given
        scipy_welch(columns[:, c].astype(np.float64), rate_hz, "hann", segment, detrend="constant")
        for c in range(columns.shape[1])
    ]
    frequency = parts[0][0]
    density = np.stack([part[1] for part in parts], axis=1).reshape(len(frequency), *x.shape[1:])
    count = max(1, 1 + (len(x) - segment) // (segment - segment // 2))
    share = 1 / 36  # squared correlation of neighbouring Hann segments that overlap by half
    freedom = 2 * count / (1 + 2 * share * (count - 1) / count)
    low, high = freedom / chi2.ppf([0.975, 0.025], freedom)
    return Spectrum(
        np.asarray(frequency, np.float64), density, density * low, density * high, rate_hz, count, float(freedom),
        1.5 * rate_hz / segment,
    )  # fmt: skip


def noise_density(spectrum: Spectrum, low_hz: float, high_hz: float) -> tuple[Float, Float, Float]:
    """Return (density, low, high) of the noise in a band, unit/sqrt(Hz), with a 95 % interval; NaN for an empty band.

    The median over the band, corrected to the mean of its chi-square, so that peaks in it count for nothing.

    Args:
        spectrum: Of one or more channels.
        low_hz: Lower end of the band.
        high_hz: Upper end.
    """
    from scipy.stats import chi2

    band = (spectrum.frequency_hz >= low_hz) & (spectrum.frequency_hz <= high_hz) & (spectrum.frequency_hz > 0)
    n = int(band.sum())
    if not n:
        nothing = np.full(spectrum.density.shape[1:], np.nan)
        return nothing, nothing, nothing
    to_mean = spectrum.freedom / chi2.ppf(0.5, spectrum.freedom)
    level = np.median(spectrum.density[band], axis=0) * to_mean
    # variance of a median is pi/2 of a mean's; the Hann window makes 1.5 neighbours one independent value
    error = math.sqrt(2 / spectrum.freedom * math.pi / 2 * 1.5 / n)
    values = (np.sqrt(level), np.sqrt(level * math.exp(-1.96 * error)), np.sqrt(level * math.exp(1.96 * error)))
    return values


@dataclass(frozen=True, slots=True)
class Peak:
    """A narrow line in the spectrum.

    Attributes:
        frequency_hz: Where, between bins.
        amplitude: Of a sine of that power, in the readings' unit (peak, not rms).
        above: Times the density of its surroundings.
        chance: Of such a peak anywhere in this spectrum if there were only noise.
        name: What it is likely to be, such as `50 Hz mains` or `alias of 100 Hz (mains harmonic 2)`; empty if unknown.
    """

    frequency_hz: float
    amplitude: float
    above: float
    chance: float
    name: str


def peaks(
    spectrum: Spectrum,
    channel: int | None = None,
    chance: float = 1e-3,
    most: int = 20,
    mains_hz: Sequence[float] = MAINS_HZ,
) -> list[Peak]:
    """Return narrow lines that noise would not make, strongest first.

    Args:
        spectrum: Of one channel, or of several with `channel` given.
        channel: Which one.
        chance: Of one false peak in the whole spectrum, at most.
        most: Lines returned.
        mains_hz: Mains frequencies that may be near.
    """
    from scipy.ndimage import median_filter
    from scipy.stats import chi2

    density = spectrum.density if channel is None else spectrum.density[:, channel]
    frequency, n = spectrum.frequency_hz, len(density)
    if n < 16:
        return []
    width = min(n // 2 * 2 - 1, 2 * max(16, n // 50) + 1)
    inner = slice(2, n - 1)  # the mean's own bins, and the single-sided last one, are no lines
    ground = median_filter(density, size=width, mode="nearest") * spectrum.freedom / chi2.ppf(0.5, spectrum.freedom)
    ground = np.maximum(ground, density.max() * 1e-14)
    above = density / np.where(ground > 0, ground, np.inf)
    each = chi2.sf(above * spectrum.freedom, spectrum.freedom) * n
    found: list[Peak] = []
    bin_hz = frequency[1] - frequency[0]
    taken = np.zeros(n, bool)
    for k in np.argsort(-above):
        place = int(k)
        if not each[place] < chance or len(found) >= most:
            break
        if not inner.start <= place < inner.stop or taken[max(0, place - 3) : place + 4].any():
            taken[place] = True
            continue
        place += int(np.argmax(density[place - 1 : place + 2])) - 1  # between two bins either may stand out more
        place = min(max(place, inner.start), inner.stop - 1)
        taken[place] = True
        near = density[place - 1 : place + 2]
        root = np.sqrt(np.maximum(near, 1e-300))
        # for the Hann window the ratio of neighbouring amplitudes gives the place between bins exactly
        side = 1 if root[2] >= root[0] else -1
        ratio = root[1 + side] / root[1]
        offset = side * float(np.clip((2 * ratio - 1) / (ratio + 1), 0.0, 0.5))
        power = float(np.sum(density[place - 2 : place + 3] - ground[place]) * bin_hz)
        at = float(frequency[place] + offset * bin_hz)
        name = mains_name(at, spectrum.rate_hz, 1.0 * bin_hz, mains_hz)
        found.append(Peak(at, math.sqrt(max(0.0, 2 * power)), float(above[place]), float(min(1.0, each[place])), name))
    return found


def mains_name(frequency_hz: float, rate_hz: float, tolerance_hz: float, mains_hz: Sequence[float] = MAINS_HZ) -> str:
    """Return what mains line a frequency may be, seen at this sampling rate; empty for none.

    The grid wanders by 0.1 % or so, and so do its harmonics in proportion. The lowest harmonic that fits is named; up
    to the 10th are tried.

    Args:
        frequency_hz: Seen in the spectrum, up to half the rate.
        rate_hz: Samples a second.
        tolerance_hz: How well the frequency is known.
        mains_hz: Frequencies of the grid to try.
    """
    for harmonic in range(1, 11):
        for mains in mains_hz:
            true = harmonic * mains
            seen = abs(true - rate_hz * round(true / rate_hz))
            if seen > 0 and abs(seen - frequency_hz) <= tolerance_hz + 0.001 * true:
                what = f"{mains:g} Hz mains" + (f", harmonic {harmonic}" if harmonic > 1 else "")
                return what if true <= rate_hz / 2 else f"alias of {true:g} Hz ({what})"
    return ""


@dataclass(frozen=True, slots=True)
class Coherence:
    """Magnitude-squared coherence of two series.

    Attributes:
        frequency_hz: float64[F].
        coherence: float64[F], 0 to 1.
        limit: What two unrelated series stay below at each frequency with 95 % confidence.
    """

    frequency_hz: Float
    coherence: Float
    limit: float


def coherence(a: npt.ArrayLike, b: npt.ArrayLike, rate_hz: float, segment: int | None = None) -> Coherence:
    """Return the coherence of two series `(N,)` on common times.

    Args:
        a: One.
        b: Other, as long.
        rate_hz: Samples a second.
        segment: Samples in a segment; None for about 16 segments.

    Raises:
        ValueError: Other lengths, or fewer than 64 readings.
    """
    from scipy.signal import coherence as scipy_coherence

    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 64:
        raise ValueError(
            f"coherence needs two equally long series of 64 readings or more, not {first.shape} and {second.shape}"
        )
    size = min(segment or 1 << max(5, int(math.log2(len(first) // 8))), len(first) // 2)
    frequency, value = scipy_coherence(first, second, rate_hz, "hann", size)
    count = 1 + (len(first) - size) // (size - size // 2)
    independent = max(2.0, count / (1 + 2 / 36 * (count - 1) / count))
    return Coherence(np.asarray(frequency), np.asarray(value), float(1 - 0.05 ** (1 / (independent - 1))))
