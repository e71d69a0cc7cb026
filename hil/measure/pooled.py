"""Several recordings of one kind of board taken together: random effects, so that their own differences count as noise.

Rule of this room: a set is a sample. Its mean is weighted after DerSimonian and Laird; its error is Hartung and Knapp's
with n - 1 degrees of freedom, never smaller than what the members' own intervals give, for two members may agree by
chance.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from hil.measure.effect import Estimate, estimate_of, on_ratio, student
from hil.measure.figure import Figure

__all__ = ["pool", "pooled"]


def pool(members: Sequence[Estimate]) -> Estimate:
    """Return one estimate of what two or more members have in common."""
    values = [member.value for member in members]
    squares = [max(member.below, member.above) ** 2 for member in members]
    n = len(members)
    if not all(squares):
        mean = math.fsum(values) / n
        between = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
        error = math.sqrt(between / n)
        return Estimate(mean, error, error, n - 1)
    fixed = [1 / square for square in squares]
    centre = _mean(values, fixed)
    excess = math.fsum(w * (value - centre) ** 2 for w, value in zip(fixed, values, strict=True)) - (n - 1)
    total = math.fsum(fixed)
    spread = max(0.0, excess / (total - math.fsum(w * w for w in fixed) / total))
    weights = [1 / (square + spread) for square in squares]
    mean = _mean(values, weights)
    knapp = math.fsum(w * (value - mean) ** 2 for w, value in zip(weights, values, strict=True)) / (n - 1)
    error = math.sqrt(max(1.0, knapp) / math.fsum(weights))
    return Estimate(mean, error, error, n - 1)


def pooled(figures: Sequence[Figure]) -> Figure:
    """Return a figure that stands for a set, with the interval of its mean; unknown where a member is."""
    first = figures[0]
    unknown = [figure for figure in figures if not figure.known]
    if unknown:
        return replace(unknown[0], condition=f"{unknown[0].condition} (in {len(unknown)} of {len(figures)} recordings)")
    ratio = on_ratio(*figures)
    estimates = [estimate_of(figure, ratio) for figure in figures]
    known = [estimate for estimate in estimates if estimate is not None]
    told = f"mean of {len(figures)} recordings"
    if len(known) < len(figures):
        mean = math.fsum(figure.value or 0.0 for figure in figures) / len(figures)
        return replace(first, value=mean, low=None, high=None, condition=told, n=len(figures))
    centre = pool(known)
    half = student(centre.freedom) * centre.above
    ends = [centre.value, centre.value - half, centre.value + half]
    value, low, high = (math.exp(min(end, 700.0)) for end in ends) if ratio else ends
    return replace(first, value=value, low=low, high=high, condition=told, n=len(figures), method="random effects")


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return math.fsum(w * value for w, value in zip(weights, values, strict=True)) / math.fsum(weights)
