"""The likelihood of a noise spectrum under a sum of named terms: best fit, profile, choice of terms.

A bin of n coefficients with mean square P and expected variance v adds n (log v + P / v) to twice the negative log
likelihood. v is linear in the squared coefficients, so the best ones are found by reweighted non-negative least
squares; a ramp shifts the mean of the lowest coefficients and is found with them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hil.dsp.noisespectrum import NoiseSpectrum

__all__ = ["NAMES", "SLOW", "Best", "Powers", "dispersion", "interchangeable", "maximise", "profile", "select"]

Float = npt.NDArray[np.float64]
NAMES = ("quantisation", "white", "bias_instability", "rate_random_walk", "rate_ramp")
RANDOM = NAMES[:4]
SLOW = NAMES[2:]
ENOUGH = 9.0
"""Rise of twice the log likelihood that takes a term in: three standard deviations."""
LINE = 1e-7
"""Chance below which a bin that stands out of its neighbours is a line, not noise."""
NEAR = 15
"""Bins that a bin is compared with."""


@dataclass(frozen=True, slots=True)
class Powers:
    """What is fitted.

    Attributes:
        shapes: float64[B, 4], variance in each bin for a coefficient of 1 of each random term.
        fixed: Variance known beforehand.
        power: float64[B], mean squares; bins first, then the lowest coefficients.
        count: float64[B], coefficients (fewer where the model is known to be crude).
        coarse: int64[B], which third of an octave a bin belongs to.
        heads: Number of lowest coefficients at the end.
        head: float64[H], these coefficients.
        ramp: float64[H], what a unit ramp has there.
        left_out: Bins left out as lines.
    """

    shapes: Float
    fixed: float
    power: Float
    count: Float
    coarse: npt.NDArray[np.int64]
    heads: int
    head: Float
    ramp: Float
    left_out: int

    @classmethod
    def of(cls, spectrum: NoiseSpectrum, fixed: float, band_hz: tuple[float, float] | None) -> "Powers":
        """Take a spectrum, without lines and what is outside the band."""
        low, high = band_hz or (0.0, math.inf)
        hertz = spectrum.rate_hz / (2 * math.pi)
        used = (spectrum.count > 0) & (spectrum.theta * hertz >= low) & (spectrum.theta * hertz <= high)
        theta, power, count = spectrum.theta[used], spectrum.power[used], spectrum.count[used]
        lines = _lines(power, count)
        theta, power, count = theta[~lines], power[~lines], count[~lines]
        inside = spectrum.head_theta * hertz >= low
        head, angle = spectrum.head[inside], spectrum.head_theta[inside]
        all_theta = np.concatenate([theta, angle])
        octave = np.floor(np.log2(all_theta / math.pi) * 3).astype(np.int64)
        return cls(
            _shapes(all_theta, spectrum.rate_hz), fixed, np.concatenate([power, head**2]),
            np.concatenate([count, np.ones(len(head))]), octave, len(head), head, spectrum.ramp[inside],
            int(lines.sum()),
        )  # fmt: skip

    def spread(self, misfit: float) -> "Powers":
        """Return the same with counts that allow for a relative model error common to each third of an octave."""
        total = np.zeros(len(self.count))
        for group in np.unique(self.coarse):
            own = self.coarse == group
            total[own] = self.count[own].sum()
        return replace(self, count=self.count / (1 + total * misfit**2 / 2))


@dataclass(frozen=True, slots=True)
class Best:
    """A best fit.

    Attributes:
        terms: Names of the terms in it.
        squares: float64[4], squared coefficients of the random terms.
        ramp: Coefficient of the ramp.
        loss: Twice the negative log likelihood.
        variance: float64[B], expected variance.
    """

    terms: frozenset[str]
    squares: Float
    ramp: float
    loss: float
    variance: Float


def _shapes(theta: Float, rate_hz: float) -> Float:
    sine = 2 * np.sin(theta / 2)
    return np.stack([rate_hz**2 * sine**2, np.full_like(sine, rate_hz), 1 / sine, 1 / (rate_hz * sine**2)], axis=1)


def _lines(power: Float, count: Float) -> npt.NDArray[np.bool_]:
    """Return which bins stand out of their neighbours more than noise can."""
    from scipy.ndimage import median_filter
    from scipy.stats import chi2, f

    if len(power) < NEAR + 1:
        return np.zeros(len(power), bool)
    middle = median_filter(power / chi2.ppf(0.5, count) * count, size=NEAR, mode="nearest")
    ratio = power / np.where(middle > 0, middle, np.inf) / 1.1  # the slope inside the neighbourhood
    lines: npt.NDArray[np.bool_] = f.sf(ratio, count, NEAR * count * 2 / math.pi) < LINE  # a median tells 2/pi as much
    return lines


def maximise(powers: Powers, terms: frozenset[str], held: Mapping[str, float] | None = None) -> Best:
    """Return the best fit of these terms, with some coefficients held.

    Args:
        powers: What is fitted.
        terms: Terms that are free (or held).
        held: Coefficients (not squared) that stay as they are.
    """
    from scipy.optimize import nnls

    held = held or {}
    free = [index for index, name in enumerate(RANDOM) if name in terms and name not in held]
    ground = np.full(len(powers.power), powers.fixed)
    for index, name in enumerate(RANDOM):
        if name in held:
            ground = ground + held[name] ** 2 * powers.shapes[:, index]
    shapes = powers.shapes[:, free]
    floor = 1e-9 * float(np.median(powers.power)) + 1e-300
    squares, ramp = np.zeros(4), held.get("rate_ramp", 0.0)
    previous = np.zeros(len(free))
    power = powers.power
    variance = np.maximum(power, floor)
    if powers.heads:  # single coefficients are no guide to their own variance
        variance[-powers.heads :] = np.maximum(np.median(variance[-powers.heads :]), floor)
    loss = math.inf
    for _ in range(60):
        if powers.heads and ("rate_ramp" in terms or ramp):
            weight = 1 / variance[-powers.heads :] * powers.count[-powers.heads :]
            if "rate_ramp" not in held:
                ramp = float(np.sum(powers.ramp * powers.head * weight) / np.sum(powers.ramp**2 * weight))
            power = np.concatenate([powers.power[: -powers.heads], (powers.head - ramp * powers.ramp) ** 2])
        if free:
            root = np.sqrt(powers.count) / variance
            scaled = shapes * root[:, None]
            size = np.sqrt(np.einsum("bk,bk->k", scaled, scaled))
            found = nnls(scaled / size, (power - ground) * root)[0] / size
        else:
            found = np.empty(0)
        target = np.maximum(ground + shapes @ found, floor)
        if not math.isfinite(loss):
            new, value = target, _loss(power, powers.count, target)
        else:
            part = 1.0
            while True:  # a full step may overshoot far from the answer
                new = variance + part * (target - variance)
                value = _loss(power, powers.count, new)
                if value <= loss + 1e-9 or part < 0.02:
                    break
                part /= 2
            found = previous + part * (found - previous)
        done = abs(loss - value) < 1e-7
        variance, loss, previous = new, value, found
        if done:
            break
    squares[free] = previous
    for index, name in enumerate(RANDOM):
        if name in held:
            squares[index] = held[name] ** 2
    return Best(terms, squares, ramp, loss, variance)


def _loss(power: Float, count: Float, variance: Float) -> float:
    return float(np.sum(count * (np.log(variance) + power / variance)))


def dispersion(powers: Powers) -> float:
    """Return how far the spectrum is from all terms together beyond chance, relative; 0 when it fits."""
    from scipy.stats import chi2

    current, misfit = powers, 0.0
    for _ in range(4):
        best = maximise(current, frozenset(NAMES))
        power = powers.power.copy()
        if powers.heads:
            power[-powers.heads :] = (powers.head - best.ramp * powers.ramp) ** 2
        ratios, counts = [], []
        for group in np.unique(powers.coarse):
            own = powers.coarse == group
            n = float(powers.count[own].sum())
            if n >= 8:
                ratios.append(float(np.sum(powers.count[own] * power[own] / best.variance[own]) / n))
                counts.append(n)
        ratio, number = np.maximum(np.array(ratios), 1e-12), np.array(counts)
        # the deviance of a mean of squares, chi-square of one degree even where there are few: a low bin is no judge
        deviance = number * (ratio - 1 - np.log(ratio))
        freedom = len(ratio) - 4
        if freedom < 1 or (misfit == 0 and chi2.sf(float(deviance.sum()), freedom) > 1e-3):
            return 0.0
        low, high = 0.0, 4.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if np.sum(deviance / (1 + number * middle / 2)) > freedom else (low, middle)
        misfit = math.sqrt(high)
        current = powers.spread(misfit)
    return misfit


def select(powers: Powers) -> Best:
    """Return the best fit of the terms that matter: white noise always, others when they explain more than chance."""
    best = maximise(powers, frozenset({"white"}))
    while True:
        tries = [maximise(powers, best.terms | {name}) for name in NAMES if name not in best.terms]
        better = min(tries, key=lambda each: each.loss, default=None)
        if better is None or better.loss > best.loss - ENOUGH:
            break
        best = better
        for name in sorted(best.terms - {"white"}):  # a term that a later one replaces goes
            less = maximise(powers, best.terms - {name})
            if less.loss < best.loss + ENOUGH / 2:
                best = less
    return best


def interchangeable(powers: Powers, best: Best, bound: float) -> frozenset[str]:
    """Return the slow terms of a fit that another slow term explains as well: which one it is cannot be told.

    Args:
        powers: What was fitted.
        best: The fit.
        bound: How much worse, in twice the log likelihood, still counts as well.
    """
    found = set()
    for name in sorted(best.terms & set(SLOW)):
        for other in sorted(set(SLOW) - best.terms):
            # a walk wanders off like a ramp all too often: only strong evidence makes it one
            needed = ENOUGH if (name, other) == ("rate_ramp", "rate_random_walk") else bound
            if maximise(powers, best.terms - {name} | {other}).loss < best.loss + needed:
                found.add(name)
    return frozenset(found)


def profile(powers: Powers, best: Best, name: str, bound: float) -> tuple[float, float, float]:
    """Return (value, low, high) of one coefficient: where twice the log likelihood falls by less than `bound`.

    Args:
        powers: What is fitted.
        best: The fit; a term not in it is added to it.
        name: Of the term.
        bound: Of the fall.
    """
    with_it = best if name in best.terms else maximise(powers, best.terms | {name})
    value = abs(with_it.ramp) if name == "rate_ramp" else math.sqrt(with_it.squares[NAMES.index(name)])
    sign = -1.0 if name == "rate_ramp" and with_it.ramp < 0 else 1.0

    @lru_cache(maxsize=64)
    def fall(at: float) -> float:
        return maximise(powers, with_it.terms, {name: sign * at}).loss - with_it.loss

    scale = value if value > 0 else _scale(powers, with_it, name)
    low = 0.0 if value == 0 or fall(0.0) <= bound else _cross(fall, value, bound, up=False, scale=scale)
    high = _cross(fall, value, bound, up=True, scale=scale)
    return value, low, high


def _scale(powers: Powers, best: Best, name: str) -> float:
    """Return a coefficient that would be seen: a tenth of the standard error's worth where it is zero."""
    if name == "rate_ramp":
        return float(1 / math.sqrt(np.sum(powers.ramp**2 / best.variance[-powers.heads :]))) if powers.heads else 1.0
    shape = powers.shapes[:, NAMES.index(name)]
    return float(np.sum(powers.count / 2 * (shape / best.variance) ** 2) ** -0.25)


def _cross(fall: Callable[[float], float], value: float, bound: float, *, up: bool, scale: float) -> float:
    """Return where the profile crosses the bound: bracket, then regula falsi on its square root (nearly a line)."""
    target = math.sqrt(bound)

    def height(at: float) -> float:
        return math.sqrt(max(0.0, fall(at))) - target

    inner, inner_height = value, -target
    if up:
        step = 0.05 * scale
        outer = value + step
        while (outer_height := height(outer)) < 0:
            inner, inner_height = outer, outer_height
            step *= 2.5
            outer = value + step
            if step > 1e6 * scale:
                return math.inf
    else:
        step = 0.05 * scale
        outer = max(0.0, value - step)
        while (outer_height := height(outer)) < 0:
            inner, inner_height = outer, outer_height
            step *= 2.5
            outer = max(0.0, value - step)
    for _ in range(30):
        middle = inner + (outer - inner) * min(0.95, max(0.05, -inner_height / (outer_height - inner_height)))
        middle_height = height(middle)
        if abs(middle_height) < 1e-3 * target:
            return middle
        if middle_height < 0:
            inner, inner_height = middle, middle_height
        else:
            outer, outer_height = middle, middle_height
    return middle
