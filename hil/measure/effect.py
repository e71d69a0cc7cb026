"""How much two figures differ and how sure that is, and how long one must record to see a given difference.

Rule of this room: pure numbers, no recording and no text. A figure that cannot be negative is compared by its ratio
(on a logarithmic axis), any other by its difference. The interval of each side is taken as it stands: the error of the
difference joins the two halves that face each other (method of variance estimates recovery), so that lopsided intervals
stay lopsided. Errors fall with the square root of the length; what does not follow that is said to be unknown.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from hil.measure.figure import Figure

__all__ = [
    "ALPHA", "POWER", "Difference", "Estimate", "difference", "estimate_of", "holm", "length_needed", "on_ratio",
    "student", "visible",
]  # fmt: skip

ALPHA = 0.05
"""Chance of any false verdict in a whole comparison, at most (Holm)."""
POWER = 0.9
"""Chance that a difference is seen at the length that was said to be needed."""

_NORMAL = NormalDist()
_FACTOR = 1.959963984540054
"""Half the width of a 95 % interval in standard errors."""

SIGNED = frozenset({
    "drift", "bias", "warm_up", "temperature_coefficient", "scale_error", "heading_drift", "delay", "offset",
    "misalignment", "beat_delay",
})  # fmt: skip
"""Metrics of which the size counts and the sign does not."""

FIXED = frozenset({"dB"})
"""Units that are ratios already: compared by their difference."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard errors towards both sides, on the axis on which it is compared.

    Attributes:
        value: The estimate.
        below: Standard error towards smaller values.
        above: Standard error towards larger values.
        freedom: Degrees of freedom of the errors; infinite for a single recording's own interval.
    """

    value: float
    below: float
    above: float
    freedom: float = math.inf


@dataclass(frozen=True, slots=True)
class Difference:
    """B less A on the axis of comparison.

    Attributes:
        value: The difference.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Chance of a difference at least so large where there is none.
        error: Standard error of the difference.
    """

    value: float
    low: float
    high: float
    p: float
    error: float


def on_ratio(*figures: Figure) -> bool:
    """Whether these figures are compared by their ratio: all of them, with their intervals, are above 0."""
    return all(
        figure.metric not in SIGNED and figure.unit not in FIXED and figure.better != "none"
        and min(end for end in (figure.value, figure.low, figure.high) if end is not None) > 0
        for figure in figures
    )  # fmt: skip


def estimate_of(figure: Figure, ratio: bool) -> Estimate | None:
    """Return a figure on the axis of comparison; None where it is unknown or has no interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    value, low, high = figure.value, figure.low, figure.high
    if not (math.isfinite(value) and math.isfinite(low) and math.isfinite(high)):
        return None
    low, high = min(low, value), max(high, value)
    if figure.metric in SIGNED and figure.better != "none":
        ends = sorted((abs(low), abs(high)))
        value, low, high = abs(value), 0.0 if low <= 0 <= high else ends[0], ends[1]
    if ratio:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return Estimate(value, (value - low) / _FACTOR, (high - value) / _FACTOR)


def difference(a: Estimate, b: Estimate) -> Difference:
    """Return how much B is above A."""
    apart = b.value - a.value
    down, up = math.hypot(b.below, a.above), math.hypot(b.above, a.below)
    facing = down if apart > 0 else up
    freedom = _welch((b.below, a.above) if apart > 0 else (b.above, a.below), (b.freedom, a.freedom))
    if facing == 0:
        return Difference(apart, apart - down, apart + up, 1.0 if apart == 0 else 0.0, 0.0)
    factor = student(freedom)
    p = 2 * _above(abs(apart) / facing, freedom)
    return Difference(apart, apart - factor * down, apart + factor * up, p, facing)


def holm(chances: list[float]) -> list[float]:
    """Return chances adjusted after Holm, in the given order.

    Judging by `adjusted <= ALPHA` keeps the chance of any false verdict among all of them at ALPHA, whatever their
    dependence.
    """
    order = sorted(range(len(chances)), key=chances.__getitem__)
    adjusted = [1.0] * len(chances)
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - place) * chances[index]))
        adjusted[index] = highest
    return adjusted


def length_needed(
    figure: Figure, difference: float, duration_s: float, tests: int = 1, power: float = POWER
) -> float | None:
    """Return for how many seconds A and B must each be recorded for a difference to be seen.

    Args:
        figure: The figure as measured once.
        difference: The difference that matters, as a share of the figure: 0.1 is 10 %.
        duration_s: How long it was measured to get that interval, seconds.
        tests: How many figures are judged together; each then has to be the surer (Bonferroni's bound of Holm).
        power: Chance of seeing it.

    Returns:
        Seconds; None where it cannot be told: the figure is unknown, has no interval, or is 0.
    """
    ratio = on_ratio(figure)
    estimate = estimate_of(figure, ratio)
    if estimate is None or not estimate.value or difference <= 0 or duration_s <= 0:
        return None
    step = math.log1p(difference) if ratio else difference * abs(estimate.value)
    error = math.sqrt(2) * max(estimate.below, estimate.above)
    return duration_s * (_reach(tests, power) * error / step) ** 2


def visible(error: float, ratio: bool, tests: int = 1, power: float = POWER) -> float:
    """Return the smallest difference that would have been seen: a share on the ratio axis, else in the unit.

    Args:
        error: Standard error of the difference.
        ratio: Whether figures are compared by their ratio.
        tests: How many figures are judged together.
        power: Chance of seeing it.
    """
    reach = _reach(tests, power) * error
    return math.expm1(min(reach, 700.0)) if ratio else reach


def _reach(tests: int, power: float) -> float:
    """Return how many standard errors a difference must have."""
    return _NORMAL.inv_cdf(1 - ALPHA / (2 * max(1, tests))) + _NORMAL.inv_cdf(power)


def _welch(errors: tuple[float, float], freedoms: tuple[float, float]) -> float:
    squares = [error**2 for error in errors]
    share = sum(square**2 / freedom for square, freedom in zip(squares, freedoms, strict=True))
    return sum(squares) ** 2 / share if share > 0 else math.inf


def student(freedom: float) -> float:
    """Return half the width of a 95 % interval in standard errors of so many degrees of freedom."""
    if math.isinf(freedom) or freedom > 1e6:
        return _FACTOR
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _above(errors: float, freedom: float) -> float:
    if math.isinf(freedom) or freedom > 1e6:
        return 0.5 * math.erfc(errors / math.sqrt(2))
    from scipy.special import stdtr

    return float(stdtr(freedom, -errors))
