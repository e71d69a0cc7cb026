"""Heart beats in a pulse wave: a filter, a finder, and how each beat resembles the usual one.

Pure arithmetic on one window of equally spaced readings. The finder is the two moving averages of Elgendi et al. (PLOS
ONE 2013, doi 10.1371/journal.pone.0076585) on the upright wave, with the peak placed between samples. SciPy is enough
for it: heartpy's last release is of 2021, and neurokit2 brings pandas, scikit-learn and matplotlib for one function.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

__all__ = ["BAND_HZ", "Beats", "find_beats", "pulse_wave", "upright"]

Float = npt.NDArray[np.float64]

BAND_HZ = (0.5, 8.0)
"""Where a pulse lives."""

_PEAK_S = 0.111
_BEAT_S = 0.667
_OFFSET = 0.02
_SHAPE = 48
"""Points in which a beat is compared with the usual one."""


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Beats of one window.

    Attributes:
        at: float64 `(B,)`, place of the systolic peak in samples, between samples.
        height: float64 `(B,)`, from the foot before to the peak, in units.
        likeness: float64 `(B,)`, correlation with the usual beat of the window.
        power: float64 `(B,)`, mean square of the usual beat, scaled to this one.
        rest: float64 `(B,)`, mean square of what differs.
    """

    at: Float
    height: Float
    likeness: Float
    power: Float
    rest: Float

    def __len__(self) -> int:
        return len(self.at)


def pulse_wave(values: Float, rate_hz: float) -> Float:
    """Return readings `(N,)` filtered to the band of a pulse, without delay."""
    top = min(BAND_HZ[1], 0.45 * rate_hz)
    sections = signal.butter(2, (BAND_HZ[0], top), "bandpass", fs=rate_hz, output="sos")
    wave: Float = signal.sosfiltfilt(sections, values - values.mean(), padlen=min(len(values) - 1, int(3 * rate_hz)))
    return wave


def upright(wave: Float) -> bool:
    """Whether a pulse goes up: its peaks are narrow and its valleys wide, so that readings are skewed to their side."""
    low, high = np.percentile(wave, [2, 98])
    cut = np.clip(wave, low, high)
    return bool(((cut - cut.mean()) ** 3).mean() >= 0)


def find_beats(wave: Float, rate_hz: float) -> Beats:
    """Return the beats of an upright filtered wave `(N,)`."""
    nothing = np.empty(0)
    power = np.clip(wave, 0, None) ** 2
    limit = 9 * float(np.percentile(power, 90))
    power = np.minimum(power, limit)  # one artefact must not hide the beats around it
    short, long = (max(1, round(seconds * rate_hz) | 1) for seconds in (_PEAK_S, _BEAT_S))
    quick = np.convolve(power, np.ones(short) / short, "same")
    slow = np.convolve(power, np.ones(long) / long, "same") + _OFFSET * float(power.mean())
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (quick > slow).astype(np.int8), [0]))))
    places = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start >= short:
            places.append(start + int(np.argmax(wave[start:stop])))
    found = _apart(np.array(places, np.int64), wave, round(0.3 * rate_hz))
    found = found[(found > 0) & (found < len(wave) - 1)]
    if len(found) < 3:
        return Beats(nothing, nothing, nothing, nothing, nothing)
    at = _between(wave, found)
    height = _heights(wave, found, rate_hz)
    return Beats(at, height, *_shapes(wave, at))


def _apart(places: npt.NDArray[np.int64], wave: Float, least: int) -> npt.NDArray[np.int64]:
    """Return the peaks without those that follow a higher one too soon (dicrotic waves)."""
    kept: list[int] = []
    for place in places.tolist():
        if kept and place - kept[-1] < least:
            if wave[place] > wave[kept[-1]]:
                kept[-1] = place
        else:
            kept.append(place)
    return np.array(kept, np.int64)


def _between(wave: Float, found: npt.NDArray[np.int64]) -> Float:
    left, middle, right = wave[found - 1], wave[found], wave[found + 1]
    bend = left - 2 * middle + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend == 0, -1.0, bend), 0.0)
    at: Float = found + np.clip(shift, -1, 1)
    return at


def _heights(wave: Float, found: npt.NDArray[np.int64], rate_hz: float) -> Float:
    """Return how far each peak stands above the foot before it."""
    before = np.concatenate(([max(0, int(found[0] - rate_hz))], found[:-1]))
    feet = [float(wave[start : stop + 1].min()) for start, stop in zip(before, found, strict=True)]
    heights: Float = wave[found] - np.array(feet)
    return heights


def _shapes(wave: Float, at: Float) -> tuple[Float, Float, Float]:
    """Return likeness, power and rest of each beat against the median beat."""
    usual = float(np.median(np.diff(at)))
    grid = np.linspace(-0.35, 0.6, _SHAPE) * usual
    where = at[:, None] + grid
    inside = (where[:, 0] >= 0) & (where[:, -1] <= len(wave) - 1)
    shapes = np.interp(where, np.arange(len(wave)), wave)
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    template = np.median(shapes[inside], axis=0) if inside.any() else shapes.mean(axis=0)
    template = template - template.mean()
    size = float(np.einsum("i,i->", template, template)) or 1e-300
    gain = np.einsum("bi,i->b", shapes, template) / size
    rest = ((shapes - gain[:, None] * template) ** 2).mean(axis=1)
    power = gain**2 * size / _SHAPE
    spread = np.sqrt((shapes**2).mean(axis=1) * size / _SHAPE)
    likeness = gain * size / _SHAPE / np.where(spread > 0, spread, np.inf)
    likeness[~inside] = np.nan
    return likeness, power, rest
