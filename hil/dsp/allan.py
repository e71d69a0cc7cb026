"""Allan, modified, time, Hadamard and total deviations of whole arrays, with intervals.

`deviation` takes rate readings (a gyroscope's deg/s, a clock's fractional frequency) or phase, one channel or several,
and gives the curve with chi-square bounds for the type of noise found at each averaging time. By default every
possible starting point counts, as in `allantools`; `overlap=128` takes at least 128 of them in each averaging time,
which loses next to nothing and makes long times cheap. The same result from chunks: `allanstream`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from hil.dsp.averaging import (
    STOP_RATIO,
    Kind,
    Spacing,
    averaging_factors,
    difference_sums,
    stride,
    summed_difference_sums,
)
from hil.dsp.confidence import ENOUGH, LagSums, bounds, degrees_of_freedom, total_degrees_of_freedom

__all__ = ["Deviation", "adev", "deviation", "hdev", "mdev", "oadev", "ohdev", "tdev", "to_phase", "totdev"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Data = Literal["rate", "phase"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """A curve of deviations over averaging time; K times, and C channels where there are several.

    Attributes:
        kind: `adev`, `oadev`, `mdev`, `tdev`, `hdev`, `ohdev` or `totdev`.
        rate_hz: Samples a second.
        samples: Readings (or phase points) it is from.
        factor: int64[K], averaging times in samples.
        tau_s: float64[K], averaging times in seconds.
        deviation: float64[K] or [K, C], in the unit of the rate (tdev: of the phase).
        low: Lower bound, the same shape; NaN where no interval is known.
        high: Upper bound.
        confidence: Of the interval, such as 0.95.
        count: int64[K], squares summed.
        alpha: float64, exponent of the frequency noise found there: 2 white phase ... 0 white ... -1 flicker,
            -2 random walk; NaN while unknown.
        edf: float64, equivalent degrees of freedom.
    """

    kind: str
    rate_hz: float
    samples: int
    factor: Int
    tau_s: Float
    deviation: Float
    low: Float
    high: Float
    confidence: float
    count: Int
    alpha: Float
    edf: Float

    def channel(self, index: int) -> "Deviation":
        """Return the curve of one of several channels."""
        own = (each[:, index] for each in (self.deviation, self.low, self.high, self.alpha, self.edf))
        value, low, high, alpha, edf = own
        return Deviation(self.kind, self.rate_hz, self.samples, self.factor, self.tau_s, value, low, high,
                         self.confidence, self.count, alpha, edf)  # fmt: skip

    def at(self, tau_s: float) -> tuple[Float, Float, Float]:
        """Return (value, low, high) at one averaging time, interpolated in the logarithm; NaN outside the curve."""
        if not len(self.tau_s) or not self.tau_s[0] * (1 - 1e-9) <= tau_s <= self.tau_s[-1] * (1 + 1e-9):
            nothing = np.full(self.deviation.shape[1:], np.nan)
            return nothing, nothing, nothing
        place = float(np.interp(np.log(tau_s), np.log(self.tau_s), np.arange(len(self.tau_s))))
        before, part = int(place), place % 1.0
        after = min(before + 1, len(self.tau_s) - 1)
        with np.errstate(divide="ignore"):
            value, low, high = (
                each[before] * 1.0
                if part < 1e-9
                else np.exp((1 - part) * np.log(each[before]) + part * np.log(each[after]))
                for each in (self.deviation, self.low, self.high)
            )
        return value, low, high


def to_phase(rate: npt.ArrayLike, rate_hz: float) -> Float:
    """Return phase `(N + 1, ...)`: the running sum of readings less their mean, from 0 on, in unit x seconds."""
    readings = np.asarray(rate, np.float64)
    phase = np.zeros((len(readings) + 1, *readings.shape[1:]))
    if len(readings):
        np.subtract(readings, readings.mean(axis=0), out=phase[1:])
        np.cumsum(phase, axis=0, out=phase)
        phase /= rate_hz
    return phase


def deviation(
    data: npt.ArrayLike,
    rate_hz: float,
    kind: Kind = "oadev",
    *,
    data_type: Data = "rate",
    taus: Spacing | npt.ArrayLike = "octave",
    overlap: int | None = None,
    stop: bool = False,
    confidence: float = 0.95,
) -> Deviation:
    """Return the curve of one kind of deviation.

    Args:
        data: `(N,)` or `(N, C)`; no NaN (cut the series there, or feed an `AllanStream` with `gap()`).
        rate_hz: Samples a second.
        kind: `adev`, `oadev` (overlapping Allan), `mdev` (modified), `tdev` (time), `hdev`, `ohdev` (Hadamard) or
            `totdev`.
        data_type: `rate` for readings, `phase` for their integral.
        taus: `octave`, `decade`, `log10`, `all`, or averaging times in seconds.
        overlap: Least starting points in each averaging time, or None for all; averaging times become whole multiples
            of the step between them.
        stop: Whether to end where Stable32 does (at a quarter of the record for overlapping Allan).
        confidence: Of the interval.

    Raises:
        ValueError: NaN or infinite data, a wrong shape, an unknown kind.
    """
    values = np.asarray(data)
    if values.ndim not in (1, 2):
        raise ValueError(f"data of shape {values.shape} are neither (N,) nor (N, C); give time along the first axis")
    if kind not in STOP_RATIO:
        raise ValueError(f"no deviation is called {kind!r}; take one of {', '.join(STOP_RATIO)}")
    columns = values[:, None] if values.ndim == 1 else values
    points = len(values) + (data_type == "rate")
    factors = averaging_factors(taus, points, rate_hz, points // STOP_RATIO[kind] if stop else None)
    steps = np.array([stride(int(m), overlap, overlapping=kind not in ("adev", "hdev")) for m in factors], np.int64)
    factors, kept = np.unique(factors // steps * steps, return_index=True)
    steps = steps[kept]
    parts = [_channel(columns[:, c], rate_hz, kind, data_type, factors, steps) for c in range(columns.shape[1])]
    shape = (len(factors), *values.shape[1:])
    squares = np.array([part[0] for part in parts]).T.reshape(shape)
    types = np.array([part[2] for part in parts]).T.reshape(shape)
    count = parts[0][1] if parts else np.zeros(len(factors), np.int64)
    return assemble(kind, rate_hz, len(values), factors, steps, squares, count, types, confidence)


def assemble(
    kind: Kind, rate_hz: float, samples: int, factors: Int, steps: Int, squares: Float, count: Int, alpha: Float,
    confidence: float,
) -> Deviation:  # fmt: skip
    """Make the curve from sums of squared differences `squares (K, ...)`; times with fewer than two are left out.

    Args:
        kind: Of deviation.
        rate_hz: Samples a second.
        samples: Readings used.
        factors: int64[K].
        steps: int64[K], between starting points.
        squares: Sums of squares.
        count: int64[K], squares summed.
        alpha: Exponent found, NaN where there are too few averages: the one before holds on.
        confidence: Of the interval.
    """
    usable = count > 1
    factors, steps, count = factors[usable], steps[usable], count[usable]
    squares, alpha = squares[usable], alpha[usable]
    for row in range(1, len(alpha)):
        alpha[row] = np.where(np.isnan(alpha[row]), alpha[row - 1], alpha[row])
    tau = factors / rate_hz
    wide = (slice(None), *(None,) * (squares.ndim - 1))
    scale = {"hdev": 6.0, "ohdev": 6.0}.get(kind, 2.0) * tau**2
    if kind in ("mdev", "tdev"):
        scale = scale * factors.astype(np.float64) ** 2
    value = np.sqrt(squares / (scale * count)[wide])
    edf = np.full(squares.shape, np.nan)
    for place in np.ndindex(squares.shape):
        if not np.isnan(alpha[place]):
            m, step, terms = int(factors[place[0]]), int(steps[place[0]]), int(count[place[0]])
            edf[place] = _edf(kind, int(alpha[place]), m, step, terms, samples)
    low, high = bounds(value, edf, confidence)
    if kind == "tdev":
        value, low, high = (each * (tau / np.sqrt(3.0))[wide] for each in (value, low, high))
    return Deviation(kind, rate_hz, samples, factors, tau, value, low, high, confidence, count, alpha, edf)


def _edf(kind: Kind, alpha: int, m: int, step: int, terms: int, samples: int) -> float:
    if kind == "totdev":
        return total_degrees_of_freedom(alpha, m, samples)
    order = 3 if kind in ("hdev", "ohdev") else 2
    return degrees_of_freedom(alpha, order, m, max(1, m // step), terms, modified=kind in ("mdev", "tdev"))


def _channel(
    column: npt.NDArray[np.generic], rate_hz: float, kind: Kind, data_type: Data, factors: Int, steps: Int
) -> tuple[list[float], Int, list[float]]:
    """Return sums of squares, counts and types of noise of one channel."""
    phase = to_phase(column, rate_hz) if data_type == "rate" else np.ascontiguousarray(column, dtype=np.float64)
    if len(phase) and not np.isfinite(phase[-1] if data_type == "rate" else phase.sum()):
        raise ValueError("the data hold NaN or infinite values; cut the series at gaps, or feed an AllanStream")
    series = phase
    if kind in ("mdev", "tdev"):
        series = _summed(phase)
    elif kind == "totdev":
        series = _reflected(phase)
    order = 2 if kind in ("adev", "oadev", "totdev") else 3
    depth = 3 if kind in ("hdev", "ohdev") else 2
    squares, counts, types = [], [], []
    for m, step in zip(factors.tolist(), steps.tolist(), strict=True):
        if kind == "totdev":
            total, count = _total(series, m)
        elif kind in ("mdev", "tdev"):
            total, count = summed_difference_sums(phase, m, step, series)
        else:
            total, count = difference_sums(series if step == 1 else series[::step].copy(), m // step, order)
        sums = LagSums(1, depth)
        sums.add(phase[None, : ENOUGH * m : m])
        squares.append(total)
        counts.append(count)
        types.append(float(sums.alpha(depth)[0]))
    return squares, np.array(counts, np.int64), types


def _summed(phase: Float) -> Float:
    """Return the running sum of phase, from 0 on; its line is taken off, which a third difference does not see."""
    series = np.zeros(len(phase) + 1)
    if len(phase) > 1:
        np.cumsum(phase - np.linspace(phase[0], phase[-1], len(phase)), out=series[1:])
    return series


def _reflected(phase: Float) -> Float:
    """Return phase with its reflections about both ends, 3N - 4 points."""
    inner = phase[-2:0:-1]
    return np.concatenate([2 * phase[:1] - inner, phase, 2 * phase[-1:] - inner])


def _total(series: Float, m: int) -> tuple[float, int]:
    """Return the sum over all inner points of the record of squared second differences reaching m to both sides."""
    points = (len(series) + 4) // 3
    if points < 3 or m > points - 1:
        return 0.0, 0
    begin = points - 1 - m  # the record's second point is the middle of the first difference
    return difference_sums(series[begin : begin + points - 2 + 2 * m], m, 2)


Shorthand = Callable[..., Deviation]
adev: Shorthand = partial(deviation, kind="adev")
"""Allan deviation of neighbouring averages; arguments as of `deviation`."""
oadev: Shorthand = partial(deviation, kind="oadev")
"""Overlapping Allan deviation."""
mdev: Shorthand = partial(deviation, kind="mdev")
"""Modified Allan deviation."""
tdev: Shorthand = partial(deviation, kind="tdev")
"""Time deviation."""
hdev: Shorthand = partial(deviation, kind="hdev")
"""Hadamard deviation, blind to a steady drift."""
ohdev: Shorthand = partial(deviation, kind="ohdev")
"""Overlapping Hadamard deviation."""
totdev: Shorthand = partial(deviation, kind="totdev")
"""Total deviation: longer averaging times from the record and its reflections."""
KINDS: Sequence[Kind] = ("adev", "oadev", "mdev", "tdev", "hdev", "ohdev", "totdev")
