"""The noise terms of a sensor at rest, by maximum likelihood, each with an interval or an honest `unknown`.

Five terms with named slopes of the Allan deviation: quantisation (-1), white noise (-1/2: angle or velocity random
walk), bias instability (0, flicker), rate random walk (+1/2) and rate ramp (+1). Their spectra add up; the likelihood
is that of independent cosine coefficients (`noisespectrum`), so the correlation between averaging times that spoils
fits to an Allan curve does not arise. A term is taken in when it raises the likelihood by more than chance would; its
interval is where the likelihood profile stays within the chi-square bound. One that is left out has an upper bound.
Coefficients are those of IEEE 952: the Allan variance is 3 Q**2 / tau**2, N**2 / tau, 2 ln 2 / pi B**2, K**2 tau / 3
and R**2 tau**2 / 2.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.dsp.likelihood import NAMES, SLOW, Powers, dispersion, interchangeable, maximise, profile, select
from hil.dsp.noisespectrum import NoiseSpectrum

__all__ = ["FACTORS", "NoiseFit", "Term", "fit_noise"]

Float = npt.NDArray[np.float64]
FACTORS: Mapping[str, float] = dict(
    zip(NAMES, (math.sqrt(3.0), 1.0, math.sqrt(2 * math.log(2) / math.pi), 1 / math.sqrt(3.0), 1 / math.sqrt(2.0)),
        strict=True)
)  # fmt: skip
"""Allan deviation of each term at 1 s (bias instability: everywhere) for a coefficient of 1."""
SLOPES: Mapping[str, float] = dict(zip(FACTORS, (-1.0, -0.5, 0.0, 0.5, 1.0), strict=True))
NARROWEST = 15
"""Thirds of an octave that may be given up at the top."""
NEGLIGIBLE = 0.02
"""Misfit of power for which no band is given up."""
ALLOWANCE = 1.08
"""Bounds of the profile are so much wider than chi-square, as terms and lines were chosen by the same data: without it
95 % intervals of a bias walk that a minute of the virtual sensor just shows cover the truth in 94 % of such minutes."""
UNITS: Mapping[str, str] = dict(zip(FACTORS, ("{u} s", "{u}/sqrt(Hz)", "{u}", "{u}/sqrt(s)", "{u}/s"), strict=True))


@dataclass(frozen=True, slots=True)
class Term:
    """One noise term.

    Attributes:
        name: `quantisation`, `white`, `bias_instability`, `rate_random_walk` or `rate_ramp`.
        value: Its coefficient (Q, N, B, K or R); NaN while unknown.
        low: Lower end of the 95 % interval; 0 while unknown.
        high: Upper end: while unknown, what it stays below with 95 % confidence; infinite where nothing can be said.
        unit: `{u}` stands for the unit of the readings.
        slope: Of the Allan deviation over averaging time.
        factor: Allan deviation at 1 s for a coefficient of 1.
        known: Whether the recording is long enough to tell the term from nothing.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    slope: float
    factor: float
    known: bool

    def allan(self, tau_s: npt.ArrayLike) -> Float:
        """Return its Allan deviation at these times, NaN while unknown."""
        deviation: Float = self.value * self.factor * np.asarray(tau_s, np.float64) ** self.slope
        return deviation


@dataclass(frozen=True, slots=True)
class NoiseFit:
    """All five terms of one channel.

    Attributes:
        terms: In the order of their slopes.
        rate_hz: Samples a second.
        samples: Readings used.
        confidence: Of the intervals.
        least_bit: Step of the readings whose rounding noise was taken off the white noise.
        band_hz: Frequencies fitted.
        misfit: Relative deviation of the spectrum from these terms beyond chance; intervals allow for it. 0 when the
            terms explain everything.
        left_out: Bins of the spectrum left out as narrow lines.
    """

    terms: tuple[Term, ...]
    rate_hz: float
    samples: int
    confidence: float
    least_bit: float
    band_hz: tuple[float, float]
    misfit: float
    left_out: int

    def __getitem__(self, name: str) -> Term:
        for term in self.terms:
            if term.name == name:
                return term
        raise KeyError(name)

    @property
    def density(self) -> tuple[float, float, float]:
        """One-sided density of the white noise, unit/sqrt(Hz), with its interval: sqrt(2) N."""
        white, root = self["white"], math.sqrt(2.0)
        return white.value * root, white.low * root, white.high * root

    def allan(self, tau_s: npt.ArrayLike) -> Float:
        """Return the Allan deviation of all known terms (and rounding) together."""
        tau = np.asarray(tau_s, np.float64)
        known = [term.allan(tau) ** 2 for term in self.terms if term.known]
        rounding = self.least_bit**2 / 12 / self.rate_hz / tau
        deviation: Float = np.sqrt(np.sum([rounding, *known], axis=0))
        return deviation


def fit_noise(
    spectrum: NoiseSpectrum,
    *,
    least_bit: float = 0.0,
    band_hz: tuple[float, float] | None = None,
    confidence: float = 0.95,
) -> NoiseFit:
    """Fit the terms.

    Args:
        spectrum: Of one channel at rest.
        least_bit: Step the readings are rounded to: its noise, step**2 / 12 a sample, is taken off the white noise (it
            is white while the noise exceeds half a step). 0 leaves it in.
        band_hz: Frequencies to fit; None for all, or for those below the sensor's own low-pass filter where the whole
            band shows that there is one: the widest band from 0 that the terms explain, else the best explained.
        confidence: Of the intervals.
    """
    from scipy.stats import chi2

    if not np.any(spectrum.power) and not np.any(spectrum.head):  # readings that never change hide any noise
        nothing = tuple(Term(n, math.nan, 0.0, math.inf, UNITS[n], SLOPES[n], FACTORS[n], False) for n in FACTORS)
        whole = band_hz or (0.0, spectrum.rate_hz / 2)
        return NoiseFit(nothing, spectrum.rate_hz, spectrum.samples, confidence, least_bit, whole, 0.0, 0)
    band, powers, misfit = _band(spectrum, least_bit**2 / 12, band_hz)
    if misfit > 0:
        powers = powers.spread(misfit)
    chosen = select(powers)
    bound = float(chi2.ppf(confidence, 1)) * ALLOWANCE
    doubtful = interchangeable(powers, chosen, bound)
    terms = []
    for name in FACTORS:
        known = name in chosen.terms and name not in doubtful
        value, low, high = profile(powers, chosen, name, bound)
        known = known and low > 0
        if not known:  # what slow noise there is may all be this term
            others = frozenset(chosen.terms - set(SLOW)) | {name}
            value, low, high = math.nan, 0.0, max(high, profile(powers, maximise(powers, others), name, bound)[2])
        terms.append(Term(name, value, low, high, UNITS[name], SLOPES[name], FACTORS[name], known))
    return NoiseFit(
        tuple(terms), spectrum.rate_hz, spectrum.samples, confidence, least_bit, band, misfit, powers.left_out
    )


def _band(
    spectrum: NoiseSpectrum, fixed: float, band_hz: tuple[float, float] | None
) -> tuple[tuple[float, float], Powers, float]:
    """Return the band to fit, its powers and the misfit there."""
    top = spectrum.rate_hz / 2
    band = band_hz or (0.0, top)
    powers = Powers.of(spectrum, fixed, band)
    misfit = dispersion(powers)
    if misfit == 0 or band_hz is not None:
        return band, powers, misfit
    tried = [(band, powers, misfit)]
    for third in range(1, NARROWEST + 1):
        band = (0.0, top * 2 ** (-third / 3))
        powers = Powers.of(spectrum, fixed, band)
        misfit = dispersion(powers)
        if misfit == 0:
            return band, powers, misfit
        tried.append((band, powers, misfit))
    least = min(each[2] for each in tried)
    return next(each for each in tried if each[2] <= max(1.2 * least, NEGLIGIBLE))
