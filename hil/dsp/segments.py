"""Densities of stretches of readings while they come: one stretch a column is a spectrogram, their mean a spectrum.

Hann window, each stretch less its mean, one-sided, unit**2/Hz: the numbers of `scipy.signal` (the tests hold them
together). NumPy alone, because a bench computes these in the process that captures, where loading SciPy's signal
package would hold up every other thread for a second.
"""

import itertools

import numpy as np
import numpy.typing as npt

__all__ = ["densities", "frequencies", "mean_density", "segment_length"]

Float = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def segment_length(samples: int, longest: int) -> int:
    """Return a power of two that gives about 16 stretches that overlap by half, 8 to `longest`."""
    return 1 << max(3, min(longest.bit_length() - 1, (max(1, samples) // 8).bit_length() - 1))


def frequencies(length: int, rate_hz: float) -> Float:
    """Return the frequencies of a density, float64 `(length // 2 + 1,)` Hz."""
    return np.fft.rfftfreq(length, 1 / rate_hz).astype(np.float64, copy=False)


def densities(values: npt.ArrayLike, rate_hz: float, starts: Int64, length: int) -> Float:
    """Return the density of each stretch.

    Args:
        values: `(N,)` readings, equally spaced.
        rate_hz: Samples a second.
        starts: `(T,)` first samples of the stretches, each from 0 to N - length.
        length: Samples in a stretch, even.

    Returns:
        float64 `(length // 2 + 1, T)`, unit**2/Hz.
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    parts = np.asarray(values, np.float64)[starts[:, None] + np.arange(length)]
    parts = (parts - parts.mean(axis=1, keepdims=True)) * window
    density = np.square(np.abs(np.fft.rfft(parts, axis=1))) / (rate_hz * np.square(window).sum())
    density[:, 1:-1] *= 2
    return np.ascontiguousarray(density.T)


def mean_density(values: npt.ArrayLike, rate_hz: float, length: int, breaks: npt.ArrayLike = ()) -> Float | None:
    """Return the mean density of all stretches that overlap by half and hold no break (Welch's method).

    Args:
        values: `(N,)` readings.
        rate_hz: Samples a second.
        length: Samples in a stretch, even.
        breaks: Numbers of samples before which others are missing, rising.

    Returns:
        float64 `(length // 2 + 1,)`, unit**2/Hz; None where no stretch is whole.
    """
    count = len(np.asarray(values))
    edges = [0, *np.asarray(breaks, np.int64).tolist(), count]
    starts = [
        np.arange(first, stop - length + 1, length // 2, dtype=np.int64)
        for first, stop in itertools.pairwise(edges)
        if stop - first >= length
    ]
    return densities(values, rate_hz, np.concatenate(starts), length).mean(axis=1) if starts else None
