"""Noise of an inertial sensor at rest: Allan, modified and Hadamard deviation, and its terms by name.

Rule of this room: only what lies in stretches at rest and without a gap counts; nothing is joined over either. Terms
come from the likelihood fit of `hil.dsp.noisefit`, deviations from sums over all starting points; both take stretches
one by one, so that memory is bounded by `HELD_BYTES`, whatever the length.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hil.dsp.allan import Deviation
from hil.dsp.allanstream import AllanStream
from hil.dsp.averaging import Kind
from hil.dsp.noisefit import NoiseFit, fit_noise
from hil.dsp.noisespectrum import NoiseSpectrum, noise_spectrum
from hil.measure.figure import Figure, PlotData
from hil.measure.kinds import ACCELERATION, RATE
from hil.measure.motion import Motion, MotionResult, Reading
from hil.measure.resting import Rest, to_deg, to_g

__all__ = ["HELD_BYTES", "noise_at_rest"]

Float = npt.NDArray[np.float64]

HELD_BYTES = 64 << 20
"""Readings of one stretch that are held for its spectrum; a longer stretch is taken in pieces."""

LEAST_S = 30.0
LEAST_SAMPLES = 512
_SHORTEST = 256
_FREEDOM = 10
"""Degrees of freedom below which a point of the curve is no candidate for its least: it would win by chance."""
_KEYS = ("noise_density", "random_walk", "random_walk_1s", "bias_instability", "rate_random_walk", "deviation_1s",
         "modified_1s", "hadamard_1s", "deviation_least")  # fmt: skip
_AT_1S = ("deviation_1s", "modified_1s", "hadamard_1s")
_TERMS = {"bias_instability": "bias_instability", "rate_random_walk": "rate_random_walk"}
_G = 9.80665
_KINDS: tuple[Kind, ...] = ("oadev", "mdev", "ohdev")


class _Stretches:
    """Feeds what is at rest to the deviations and holds it, raw, for the spectra."""

    def __init__(self, motion: Motion, columns: list[int]) -> None:
        stream = motion.stream
        self._motion, self._columns = motion, columns
        self._scale = np.broadcast_to(np.asarray(stream.scale), (len(stream.channels),))[columns]
        self._offset = np.broadcast_to(np.asarray(stream.offset), (len(stream.channels),))[columns]
        self.allan = AllanStream(motion.rate_hz, len(columns))
        self.spectra: list[NoiseSpectrum | None] = [None] * len(columns)
        self._held: list[npt.NDArray[np.generic]] = []
        self._count = 0
        self.samples = self.stretches = self.longest = 0
        self._run = 0
        self._most = max(_SHORTEST, HELD_BYTES // (len(columns) * np.dtype(stream.dtype).itemsize))

    def add(self, raw: npt.NDArray[np.generic]) -> None:
        """Take readings `(n, C)` that go on where the last ones ended."""
        if not len(raw):
            return
        own = np.ascontiguousarray(raw[:, self._columns])
        self.allan.append(own.astype(np.float64) * self._scale + self._offset)
        self._held.append(own)
        self._count += len(own)
        self.samples += len(own)
        self.stretches += self._run == 0
        self._run += len(own)
        self.longest = max(self.longest, self._run)
        if self._count >= self._most:
            self._transform()

    def cut(self) -> None:
        """End the stretch: rest or the readings are interrupted."""
        if self._run:
            self._transform()
            self.allan.gap()
        self._run = 0

    def _transform(self) -> None:
        if self._count >= _SHORTEST:
            for place, scale in enumerate(self._scale.tolist()):
                # Codes go in and the few powers are scaled: the long arrays are made once.
                column = np.concatenate([part[:, place] for part in self._held])
                one, before = noise_spectrum(column, self._motion.rate_hz), self.spectra[place]
                one = replace(one, power=one.power * scale**2, head=one.head * scale)
                self.spectra[place] = one if before is None else before + one
        self._held, self._count = [], 0


def noise_at_rest(result: MotionResult, motion: Motion, rest: Rest, work: Reading) -> None:
    """Add the noise figures and Allan plots of one stream.

    Args:
        result: Takes them.
        motion: The stream.
        rest: When it was at rest.
        work: What is to be read.
    """
    stream, make = motion.stream, motion.make
    columns = [place for place, unit in enumerate(stream.units) if unit in ACCELERATION or unit in RATE]
    channels = [stream.channels[place] for place in columns]
    there = rest.share * len(rest.t_s) * rest.block_s
    if there < LEAST_S or there * motion.rate_hz < LEAST_SAMPLES:
        why = f"at rest for {there:.0f} s of {len(rest.t_s) * rest.block_s:.0f} s, {LEAST_S:.0f} s are needed"
        result.figures += [make.unknown(key, why, channel) for channel in channels for key in _KEYS]
        return
    found = _read(motion, rest, columns, work)
    if found.samples < LEAST_SAMPLES or any(one is None for one in found.spectra):
        why = f"no stretch of {_SHORTEST} samples at rest is without a gap"
        result.figures += [make.unknown(key, why, channel) for channel in channels for key in _KEYS]
        return
    parts = "one stretch" if found.stretches == 1 else f"{found.stretches} stretches"
    told = f"at rest for {found.samples / motion.rate_hz:.0f} s in {parts}, the longest "
    told += f"{found.longest / motion.rate_hz:.0f} s"
    curves = {kind: found.allan.result(kind) for kind in _KINDS}
    for place, channel in enumerate(channels):
        spectrum = found.spectra[place]
        assert spectrum is not None
        fit = fit_noise(spectrum, least_bit=_least_bit(motion, columns[place]))
        own = {kind: curve.channel(place) for kind, curve in curves.items()}
        result.figures += _figures(motion, channel, columns[place], fit, own, told)
        plot = _plot(motion, channel, fit, own)
        result.plots[f"allan.{make.board}.{stream.name}.{channel}"] = plot


def _read(motion: Motion, rest: Rest, columns: list[int], work: Reading) -> _Stretches:
    """Read the stream again, and take what is at rest."""
    found = _Stretches(motion, columns)
    spans = rest.times()
    low = np.array([start for start, _ in spans])
    high = np.array([stop for _, stop in spans])
    for arrays, stretches in motion.portions(work):
        t_s = arrays.t_s
        span = np.searchsorted(low, t_s, "right") - 1
        still = (span >= 0) & (t_s < high[np.maximum(span, 0)])
        key = np.where(still, span, -1)
        for stretch in stretches:
            if not stretch.goes_on:
                found.cut()
            start, stop = stretch.piece.start, stretch.piece.stop
            edges = np.flatnonzero(np.diff(key[start:stop])) + 1 + start
            bounds = [start, *edges.tolist(), stop]
            for one, other in pairwise(bounds):
                if one > start or key[one] < 0:
                    found.cut()
                if key[one] >= 0:
                    found.add(arrays.raw[one:other])
    found.cut()
    return found


def _least_bit(motion: Motion, column: int) -> float:
    """Return the step of the readings where they are whole numbers; 0 where nobody knows."""
    if np.dtype(motion.stream.dtype).kind not in "iu":
        return 0.0
    scale = motion.stream.scale
    return abs(scale[column] if len(scale) > 1 else scale[0])


def _figures(
    motion: Motion, channel: str, column: int, fit: NoiseFit, curves: Mapping[Kind, Deviation], told: str
) -> list[Figure]:
    make, unit = motion.make, motion.stream.units[column]
    n = fit.samples
    method = "likelihood of the cosine spectrum; profile interval"
    misfit = f"the named slopes leave {100 * fit.misfit:.0f} % unexplained" if fit.misfit > 0 else ""
    figures = []
    white = fit["white"]
    per_walk = 60 * (to_deg(unit) if unit in RATE else to_g(unit) * _G)
    if white.known:
        ends = [white.value * per_walk, white.low * per_walk, white.high * per_walk]
        figures += [
            make("noise_density", *fit.density, channel=channel, condition=told, method=method, n=n, note=misfit),
            make("random_walk", *ends, channel=channel, condition=told, method=method, n=n, note=misfit),
        ]
    else:
        why = "white noise does not stand out from rounding and the other terms"
        figures += [make.unknown(key, why, channel) for key in ("noise_density", "random_walk")]
    for key, name in _TERMS.items():
        term = fit[name]
        if term.known:
            figures.append(make(key, term.value, term.low, term.high, channel=channel, condition=told, method=method,
                                n=n, note=misfit))  # fmt: skip
        else:
            below = f"; below {term.high:.3g} with 95 % confidence" if math.isfinite(term.high) else ""
            figures.append(make.unknown(key, f"it does not stand out, {told}{below}", channel, n=n))
    for key, kind in zip(_AT_1S, _KINDS, strict=True):
        value, low, high = (float(each) for each in curves[kind].at(1.0))
        figures.append(make(key, value, low, high, channel=channel, condition=told, method="all starting points, "
                            "chi-squared", n=n) if math.isfinite(value) else
                       make.unknown(key, "one second is not within the averaging times", channel))  # fmt: skip
    curve = curves["oadev"]
    walk = [float(each) * per_walk for each in curve.at(1.0)]
    if math.isfinite(walk[0]):
        figures.append(make("random_walk_1s", *walk, channel=channel, condition=told, n=n, note="bias noise is in it",
                            method="deviation at 1 s, chi-squared"))  # fmt: skip
    else:
        figures.append(make.unknown("random_walk_1s", "one second is not within the averaging times", channel))
    sure = np.flatnonzero(curve.edf >= _FREEDOM)
    if len(sure):
        at = int(sure[np.argmin(curve.deviation[sure])])
        figures.append(make("deviation_least", float(curve.deviation[at]), float(curve.low[at]), float(curve.high[at]),
                            channel=channel, condition=told, n=n, method="least of the Allan deviation, chi-squared",
                            note=f"at an averaging time of {curve.tau_s[at]:.4g} s"))  # fmt: skip
    else:
        figures.append(make.unknown("deviation_least", "too short for any averaging time", channel))
    return figures


def _plot(motion: Motion, channel: str, fit: NoiseFit, curves: Mapping[Kind, Deviation]) -> PlotData:
    curve = curves["oadev"]
    arrays = {
        "x": curve.tau_s,
        "y": curve.deviation,
        "low": curve.low,
        "high": curve.high,
        "fit": fit.allan(curve.tau_s),
    }
    for term in fit.terms:
        if term.known:
            arrays[term.name] = term.allan(curve.tau_s)
    for name, kind in zip(("modified", "hadamard"), _KINDS[1:], strict=True):
        on = np.full(len(curve.tau_s), np.nan)
        other = curves[kind]
        at = np.searchsorted(curve.factor, other.factor)
        inside = (at < len(on)) & (curve.factor[np.minimum(at, len(on) - 1)] == other.factor)
        on[at[inside]] = other.deviation[inside]
        arrays[name] = on
    make = motion.make
    return PlotData("allan", "Allan deviation at rest", make.place, channel, "averaging time, s",
                    f"deviation, {make.unit_of(channel)}", arrays, log_x=True, log_y=True)  # fmt: skip
