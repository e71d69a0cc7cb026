"""A series at rest as the few hundred powers that its noise terms are fitted to.

The cosine transform (DCT-II) of N readings makes white noise plus a random walk from any starting level *exactly*
independent at each frequency, with variances known in closed form, and does so nearly for the other terms; no window,
no trend to remove, nothing lost at low frequencies. The lowest coefficients are kept with their sign (a ramp shows
there); the others as mean squares over narrow bins that are the same for every length, so that stretches between gaps
simply add up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NoiseSpectrum", "noise_spectrum"]

Float = npt.NDArray[np.float64]
HEAD = 64
"""Lowest coefficients kept one by one."""
PER_OCTAVE = 48
"""Bins an octave above them: the spectrum changes by less than 3 % inside one."""
SHORTEST = 256
"""Readings below which a stretch says nothing about noise."""


@dataclass(frozen=True, slots=True)
class NoiseSpectrum:
    """Powers of the cosine transform of one channel; two of them add up to one of both stretches.

    Attributes:
        rate_hz: Samples a second.
        samples: Readings in all stretches.
        stretches: Samples of each stretch.
        theta: float64[B], angle of each bin, pi at half the rate; NaN where empty.
        power: float64[B], mean square of the coefficients.
        count: float64[B], coefficients in it.
        head_theta: float64[H], angles of the lowest coefficients.
        head: float64[H], these coefficients, in the readings' unit.
        ramp: float64[H], what a ramp of one unit a second has there.
    """

    rate_hz: float
    samples: int
    stretches: tuple[int, ...]
    theta: Float
    power: Float
    count: Float
    head_theta: Float
    head: Float
    ramp: Float

    def __add__(self, other: "NoiseSpectrum") -> "NoiseSpectrum":
        if self.rate_hz != other.rate_hz:
            raise ValueError(f"stretches at {self.rate_hz} and {other.rate_hz} Hz do not add up; fit each alone")
        count = self.count + other.count
        share = np.divide(other.count, count, out=np.zeros_like(count), where=count > 0)
        return NoiseSpectrum(
            self.rate_hz, self.samples + other.samples, self.stretches + other.stretches,
            self.theta + (other.theta - self.theta) * share, self.power + (other.power - self.power) * share, count,
            np.concatenate([self.head_theta, other.head_theta]), np.concatenate([self.head, other.head]),
            np.concatenate([self.ramp, other.ramp]),
        )  # fmt: skip


def noise_spectrum(readings: npt.ArrayLike, rate_hz: float) -> NoiseSpectrum:
    """Return the powers of one stretch.

    Args:
        readings: `(N,)`, at rest, finite, without gaps, 256 or more (a few at the end may be left out so that the
            transform is fast).
        rate_hz: Samples a second.

    Raises:
        ValueError: Too few readings, several channels, or NaN.
    """
    from scipy.fft import dct, prev_fast_len

    given = np.asarray(readings)
    if given.ndim != 1 or len(given) < SHORTEST:
        raise ValueError(f"readings of shape {given.shape} show no noise terms; give {SHORTEST} or more of one channel")
    n = int(prev_fast_len(len(given), real=True))
    x = given[:n].astype(np.float64)
    x -= x.mean()
    if not np.isfinite(x.sum()):
        raise ValueError("the readings hold NaN or infinite values; add up the stretches between them")
    z: Float = dct(x, type=2, norm="ortho", overwrite_x=True)
    k = np.arange(1, HEAD + 1)
    theta = np.pi * k / n
    # the transform of 0, 1, 2 ... has odd coefficients only
    ramp = np.where(k % 2 == 1, -np.sqrt(2 / n) / (2 * np.sin(theta / 2) ** 2) * np.cos(theta / 2), 0.0) / rate_hz
    edges = _edges(n)
    low, high = edges[:-1], edges[1:]
    count = (high - low).astype(np.float64)
    filled = high > low
    power, middle = np.zeros(len(low)), np.full(len(low), np.nan)
    tail = z[edges[0] :]
    np.multiply(tail, tail, out=tail)
    sums = np.add.reduceat(tail, (low - edges[0])[filled])
    power[filled] = sums / count[filled]
    middle[filled] = np.pi / n * (low + high - 1)[filled] / 2
    head = z[1 : HEAD + 1].copy()
    middle[~filled] = 0.0
    return NoiseSpectrum(rate_hz, n, (n,), middle, power, count, theta, head, ramp)


def _edges(n: int) -> npt.NDArray[np.int64]:
    """Return the first coefficient of each bin (and the end): bins lie at fixed angles, empty ones are kept."""
    octaves = 40
    angles = np.pi * 2.0 ** (-np.arange(octaves * PER_OCTAVE, -1, -1) / PER_OCTAVE)
    edges = np.ceil(angles / np.pi * n - 1e-9).astype(np.int64)
    return np.clip(edges, HEAD + 1, n)
