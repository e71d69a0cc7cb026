"""The spectrum of a stream, portion by portion, and its lines by name: mains, its harmonics and their aliases.

Rule of this room: segments never straddle a gap; spectra of portions are averaged by their number of segments, so that
a day costs no more memory than an hour. Frequencies are by the measured rate; where steps are unequal they are said to
be approximate.
"""

import math
import re

import numpy as np
import numpy.typing as npt
from scipy import stats

from firmware_bridge.streams import Stream
from hil.dsp.spectrum import Peak, Spectrum, noise_density, peaks, welch
from hil.measure.continuity import Stretch
from hil.measure.figure import Figure, PlotData
from hil.measure.make import Maker

__all__ = ["Psd", "segment_for"]

Float = npt.NDArray[np.float64]

_LONGEST = 13
_LEAST_SEGMENTS = 4
_ORDERS = (1, 2, 3)
"""Harmonics that count as mains: of more of them, some alias would fall near any line."""

_TOO_UNEQUAL = 0.1
_SLOW = 0.02
"""Part of the rate below which a line is of the signal, whatever alias falls there."""

_TOO_MUCH = 0.2
"""Share of the band that may look like mains."""


def segment_for(samples: int, stretches: list[Stretch]) -> int:
    """Return how long segments may be, by how many samples there are and by the stretches of the first portion."""
    usual = float(np.percentile([one.piece.stop - one.piece.start for one in stretches], 75)) if stretches else 0.0
    most = min(samples / 16, usual if len(stretches) > 1 else samples)
    return 1 << int(min(_LONGEST, max(6, math.log2(max(most, 1)))))


class Psd:
    """Averages spectra.

    Args:
        segment: Samples a segment.
        rate_hz: Samples a second.
    """

    def __init__(self, segment: int, rate_hz: float) -> None:
        self._segment = segment
        self._rate = rate_hz
        self._sum: Float | None = None
        self._frequency: Float = np.empty(0)
        self._segments = 0
        self._freedom = 0.0
        self._resolution = 0.0
        self._held: Float | None = None

    def add(self, values: Float, stretches: list[Stretch]) -> None:
        """Take the next portion `(N, C)`."""
        for stretch in stretches:
            part = values[stretch.piece]
            if stretch.goes_on and self._held is not None:
                part = np.concatenate((self._held, part))
            if len(part) < self._segment:
                self._held = part
                continue
            self._held = part[-(self._segment // 2) :].copy()
            one = welch(part, self._rate, self._segment)
            weighted = one.density * one.segments
            self._sum = weighted if self._sum is None else self._sum + weighted
            self._frequency, self._resolution = one.frequency_hz, one.resolution_hz
            self._segments += one.segments
            self._freedom += one.freedom

    def spectrum(self) -> Spectrum | None:
        """Return the mean spectrum; None where there were too few segments."""
        if self._sum is None or self._segments < _LEAST_SEGMENTS:
            return None
        density = self._sum / self._segments
        low, high = self._freedom / stats.chi2.ppf([0.975, 0.025], self._freedom)
        return Spectrum(self._frequency, density, density * low, density * high, self._rate, self._segments,
                        self._freedom, self._resolution)  # fmt: skip

    # ---- figures -----------------------------------------------------------------------------------------------------

    def figures(self, make: Maker, stream: Stream, unequal: float = 0.0) -> list[Figure]:
        """Return noise floor and lines of every channel.

        Args:
            make: Of the stream.
            stream: What is measured.
            unequal: Share of the steps that are unequal, 0 to 1: frequencies are then approximate.
        """
        spectrum = self.spectrum()
        keys = ("noise_floor", "mains", "strongest_peak", "peaks")
        if spectrum is None:
            why = f"there are not {_LEAST_SEGMENTS} stretches of {self._segment} samples without a gap"
            return [make.unknown(key, why, channel) for channel in stream.channels for key in keys]
        told = f"{spectrum.segments} segments of {self._segment / self._rate:.3g} s"
        uneven = f"{100 * unequal:.1f} % of the steps are unequal"
        told += f"; {uneven}: frequencies are approximate" if unequal > 0.01 else ""
        approximate = uneven if unequal > _TOO_UNEQUAL else ""
        figures = []
        for place, channel in enumerate(stream.channels):
            found = peaks(spectrum, place)
            level, low, high = (
                float(each[place]) for each in noise_density(spectrum, 0.25 * self._rate, 0.48 * self._rate)
            )
            figures += [
                make("noise_floor", level, low, high, channel=channel, condition=told, n=spectrum.segments,
                     method=f"median density from {0.25 * self._rate:.4g} to {0.48 * self._rate:.4g} Hz, chi-squared"),
                self._mains(make, channel, found, told, approximate),
                *self._lines(make, channel, found, told),
            ]  # fmt: skip
        return figures

    def _mains(self, make: Maker, channel: str, found: list[Peak], told: str, approximate: str) -> Figure:
        if self._rate <= 2:
            return make.unknown("mains", f"at {self._rate:.3g} Hz every alias of mains falls on slow signals", channel)
        if approximate:
            return make.unknown("mains", f"{approximate}, too much to tell mains from other lines", channel)
        reach = 2 * sum(self._resolution + 0.001 * mains * order for mains in (50, 60) for order in _ORDERS)
        if reach > _TOO_MUCH * self._rate / 2:
            why = f"a resolution of {self._resolution:.2g} Hz is too coarse to tell mains from other lines"
            return make.unknown("mains", why, channel)
        lines = [peak for peak in found if _order(peak) in _ORDERS and peak.frequency_hz > _SLOW * self._rate]
        power = sum(peak.amplitude**2 for peak in lines)
        note = "; ".join(f"{peak.name} at {peak.frequency_hz:.3f} Hz" for peak in lines)
        where = "; a line of the signal may lie there by chance" if lines else "; no line is where mains would be"
        return make("mains", math.sqrt(power), channel=channel, condition=told + where, n=len(lines),
                    method="root of the summed power of named lines", note=note)  # fmt: skip

    def _lines(self, make: Maker, channel: str, found: list[Peak], told: str) -> list[Figure]:
        names = ", ".join(f"{peak.frequency_hz:.4g} Hz ({peak.name or 'unnamed'})" for peak in found[:8])
        count = make("peaks", len(found), channel=channel, condition=told, n=len(found), note=names,
                     method="above the median of the surroundings, one false line in 1000 spectra")  # fmt: skip
        if not found:
            return [make.unknown("strongest_peak", "no line stands above the noise", channel), count]
        best = found[0]
        half = 0.5 * self._resolution
        note = f"amplitude {best.amplitude:.4g} {make.unit_of(channel)}, {best.name or 'unnamed'}"
        strongest = make("strongest_peak", best.frequency_hz, best.frequency_hz - half, best.frequency_hz + half,
                         channel=channel, condition=told, method="Hann interpolation; half a bin either way",
                         note=note)  # fmt: skip
        return [strongest, count]

    def plots(self, make: Maker, stream: Stream) -> dict[str, PlotData]:
        """Return the spectrum of every channel."""
        spectrum = self.spectrum()
        if spectrum is None:
            return {}
        plots = {}
        for place, channel in enumerate(stream.channels):
            inner = slice(1, None)
            arrays = {"x": spectrum.frequency_hz[inner]}
            for name, power in (("y", spectrum.density), ("low", spectrum.low), ("high", spectrum.high)):
                arrays[name] = np.sqrt(power[inner, place])
            marks = tuple((peak.frequency_hz, peak.name or "line") for peak in peaks(spectrum, place)[:12])
            plots[f"spectrum.{make.board}.{stream.name}.{channel}"] = PlotData(
                "spectrum", "amplitude density", make.place, channel, "frequency, Hz",
                f"density, {make.unit_of(channel)}/sqrt(Hz)", arrays, log_x=True, log_y=True, marks=marks,
            )  # fmt: skip
        return plots


def _order(peak: Peak) -> int:
    """Return the harmonic of mains a line is named after; 0 for none."""
    if "mains" not in peak.name:
        return 0
    found = re.search(r"harmonic (\d+)", peak.name)
    return int(found[1]) if found else 1
