"""Limits that the session of one person more stays below, as far as a few people can tell.

Rule of this room: people are few, so what they say is taken with its uncertainty. Of each left-out person we keep how
high a sum rose in a session, and a limit is the upper prediction bound (Student's, of logarithms) for one person more:
the fewer and the more different they are, the higher. That nobody of eight had an alarm would say little by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp

import numpy as np
import numpy.typing as npt
from scipy import stats

from hil.drift.leftout import peaks
from hil.drift.rules import LEAST_RISING, rising_rules

__all__ = ["bound", "least", "log_spread", "quiet", "rising_limits", "shapes_of"]

Float = npt.NDArray[np.float64]

_FACTORS = tuple(float(one) for one in np.geomspace(0.5, 8.0, 33))
"""Factors that are tried: 9 % from one to the next."""

_UNLIMITED = 1e9
_LEAST_PEAK = 1e-3


def quiet(per_hour: float, hours: float) -> float:
    """Return the probability that a session of so many hours has no alarm."""
    return exp(-per_hour * hours)


def bound(highest: Float, chance: float, spread: tuple[float, int] | None = None) -> float:
    """Return below what the peak of one person more stays with a probability.

    Args:
        highest: Peaks of people's sessions `(people, orders)`.
        chance: The probability.
        spread: Spread of their logarithms and its degrees of freedom, where more people than these tell it; the own
            spread is taken where it is larger.
    """
    sd, freedom = log_spread(highest)
    if spread is not None:
        sd, freedom = max(sd, spread[0]), max(freedom, spread[1])
    middle = float(np.log(np.maximum(highest, _LEAST_PEAK)).mean())
    return exp(middle + float(stats.t.ppf(chance, max(freedom, 1))) * sd * (1 + 1 / len(highest)) ** 0.5)


def log_spread(highest: Float) -> tuple[float, int]:
    """Return how far the logarithms of peaks `(people, orders)` lie apart, over people and orders, and its freedom."""
    logs = np.log(np.maximum(highest, _LEAST_PEAK))
    freedom = len(logs) - 1
    between = float(logs.mean(axis=1).var(ddof=1)) if freedom else 0.0
    return float(np.sqrt(between + logs.var(axis=1).mean())), freedom


def least(fits: Callable[[float], bool], factors: Sequence[float] = _FACTORS) -> float:
    """Return the least of ascending factors that fits, by bisection; the last where none does."""
    low, high = 0, len(factors) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(factors[middle]) else (middle + 1, high)
    return factors[low]


def shapes_of(
    shares: Callable[[Float], Sequence[Float]], orders: int, kinds: Sequence[int], floor: float
) -> tuple[Float, Float]:
    """Return how limits lie to each other, from the 0.99 quantile of what sums are where nothing limits them.

    People are few and numbers many, and each person is odd in a few of them; so a number's own quantile counts half
    (geometrically) and that of all numbers of its kind half.

    Args:
        shares: Gives shares of limits `(L, H)` of sessions under limits `(H,)`, those of a person side by side.
        orders: Sessions of a person.
        kinds: Of each number its kind `(H,)`.
        floor: Least limit.

    Returns:
        Of everybody `(H,)`, and for each session by the other people, as an unseen person meets them `(sessions, H)`.
    """
    of = np.array(kinds)
    sums = [one * _UNLIMITED for one in shares(np.full(len(of), _UNLIMITED))]

    def shape(some: Sequence[Float]) -> Float:
        every = np.concatenate(some)
        own = np.maximum(np.quantile(every, 0.99, axis=0), floor)
        for kind in np.unique(of):
            own[of == kind] = np.sqrt(own[of == kind] * max(float(np.quantile(every[:, of == kind], 0.99)), floor))
        return own

    whole = shape(sums)
    if len(sums) <= 2 * orders:
        return whole, np.tile(whole, (len(sums), 1))
    others = [shape(sums[:at] + sums[at + orders :]) for at in range(0, len(sums), orders)]
    return whole, np.repeat(others, orders, axis=0)


def rising_limits(
    within: Float, between: Float, numbers: Sequence[Sequence[Float]], chance: float,
    spread: tuple[float, int] | None = None,
) -> tuple[Float, Float]:  # fmt: skip
    """Return limits of figures that can only be too great, and the peaks under them `(people, orders)`.

    Args:
        within: Spread of each figure within one person, by the others of each `(people, H)`.
        between: Of people's means `(people, H)`.
        numbers: Of each person figures `(L, H)` of looks, in several orders.
        chance: Probability that a session of an unseen person has no alarm.
        spread: See `bound`.
    """
    orders = len(numbers[0])
    every = [one for some in numbers for one in some]
    own, apart = (np.repeat(one, orders, axis=0) for one in (within, between))
    rules = rising_rules(own, apart, np.ones(within.shape[1]))

    def shares(limits: Float) -> list[Float]:
        return peaks(replace(rules, limits=np.broadcast_to(limits, rules.within.shape)), every)

    def highest(limits: Float) -> Float:
        # No limit is below the least, so how far below it a calm person stays says nothing of how high another goes.
        calm = (LEAST_RISING / limits).max(axis=1)
        found: Float = np.maximum([one.max() for one in shares(limits)], calm).reshape(-1, orders)
        return found

    shape, others = shapes_of(shares, orders, range(within.shape[1]), LEAST_RISING)
    factor = least(lambda one: bound(highest(np.maximum(one * others, LEAST_RISING)), chance, spread) <= 1)
    return np.maximum(factor * shape, LEAST_RISING), highest(np.maximum(factor * others, LEAST_RISING))
