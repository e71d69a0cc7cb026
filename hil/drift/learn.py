"""A reference from people: what their looks are like, how they differ from each other, and where an alarm begins.

Rule of this room: limits are found on people whom the statistics do not contain: each person is looked at with a
reference of all others, as an unseen wearer will be. The stretches of each are put in several seeded orders, so that a
limit does not hang on one of them; it is the least at which alarms come no more often than was asked for.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hil.drift.change import ALLOWANCE, CALM, Rules, Sums
from hil.drift.looks import Layout, features, longest_run
from hil.drift.reference import LEVELS, Reference, rounded
from hil.drift.suspicions import KINDS, MOST, Suspicions

__all__ = ["LEAST_PEOPLE", "alarms", "learn", "learn_rising", "rising_rules", "suspicion_rules"]

Float = npt.NDArray[np.float64]

LEAST_PEOPLE = 3
"""With fewer nobody can say how people differ."""

_SHRUNK = 0.05
"""How far correlations of looks are drawn to none: there are few people."""

_ORDERS = 3

_LEAST_RATIO = 8.0
"""A log ratio of 8 is 3000 to 1: no wrong mounting is believed below it."""

_PASSING, _LEAST_RISING = 3.0, 6.0
"""What one look adds at most to a figure that rises, and its least limit: two odd looks are a change of movement."""


def learn(
    layout: Layout, stretches: Mapping[str, Sequence[npt.NDArray[np.floating]]], samples: int, rate_hz: float, *,
    per_hour: float = 1.0, seed: int = 0,
) -> Reference | None:  # fmt: skip
    """Return a reference; None where there are fewer than `LEAST_PEOPLE` with a look.

    Args:
        layout: Of the looks; its scales are those of the readings.
        stretches: Of each person, unbroken readings `(N, C)` in the units of the layout.
        samples: Of a look.
        rate_hz: Of the readings.
        per_hour: False alarms an hour that are allowed.
        seed: Of the orders of stretches.
    """
    looks = {who: [cut for one in parts if len(cut := _cut(one, layout, samples))] for who, parts in stretches.items()}
    looks = {who: parts for who, parts in looks.items() if parts}
    if len(looks) < LEAST_PEOPLE:
        return None
    every = [np.concatenate([np.asarray(one, np.float64) for one in parts]) for parts in stretches.values()]
    readings = np.concatenate(every)
    seen: dict[str, list[Float]] = {}
    odd: dict[str, list[Float]] = {}
    for who, parts in looks.items():
        others = np.concatenate([one for other, some in looks.items() if other != who for one in some])
        suspected = Suspicions.of(layout, *_round(others))
        standard = [suspected.standard(part) for part in parts]
        seen[who] = [np.stack([suspected.of_standard(look) for look in part]) for part in standard]
        odd[who] = [np.log(suspected.oddness(part)) for part in standard]
    within, between = _spreads(seen, 3 * len(layout.channels))
    look_hours = samples / rate_hz / 3600.0
    hours = sum(len(one) for parts in seen.values() for one in parts) * look_hours
    limits = _limits(
        seen, lambda some: suspicion_rules(within, between, some, len(layout.channels)), per_hour, look_hours, seed,
        3 * len(layout.channels),
    )  # fmt: skip
    column = {who: [one[:, None] for one in parts] for who, parts in odd.items()}
    middle, inside, outside, odd_limit = learn_rising(column, per_hour, look_hours, seed)
    centre, spread, precision = _round(np.concatenate([one for parts in looks.values() for one in parts]))
    return Reference(
        channels=layout.channels, units=layout.units, scales=rounded(layout.scales), samples=samples,
        quantiles=tuple(rounded(np.quantile(readings[:, at], LEVELS)) for at in range(len(layout.channels))),
        longest_run=tuple(
            int(max(longest_run(one)[at] for parts in stretches.values() for one in parts if len(one) > 1))
            for at in range(len(layout.channels))
        ),
        centre=rounded(centre), spread=rounded(spread), precision=rounded(precision[np.tril_indices(layout.size)]),
        within=rounded(within), between=rounded(between), limits=rounded(limits),
        oddness=_four(middle[0], inside[0], outside[0], odd_limit[0]),
        people=tuple(sorted(looks)), hours=hours, per_hour=per_hour, seed=seed,
    )  # fmt: skip


def suspicion_rules(within: Float, between: Float, limits: Float, channels: int) -> Rules:
    """Return how a reference's suspicions are watched."""
    count = len(within)
    falling = np.zeros(count, np.bool_)
    falling[: 2 * channels] = True  # levels and gains; less noise is no fault
    allowance = np.full(count, ALLOWANCE)
    allowance[len(KINDS) * channels :] = 0.0  # a log ratio of what is not so falls by itself
    return Rules(within, between, limits, falling, allowance, np.full(count, MOST))


def rising_rules(within: Float, between: Float, limits: Float) -> Rules:
    """Return how figures are watched that can only be too great; passing from one movement to the next is no change."""
    count = len(limits)
    return Rules(
        within, between, limits, np.zeros(count, np.bool_), np.full(count, ALLOWANCE), np.full(count, _PASSING)
    )


def learn_rising(
    seen: Mapping[str, Sequence[Float]], per_hour: float, look_hours: float, seed: int
) -> tuple[Float, Float, Float, Float]:
    """Return mean, spread within and between people, and limits, of figures `(L, H)` of people's looks."""
    middle = np.concatenate([one for parts in seen.values() for one in parts]).mean(axis=0)
    away = {who: [one - middle for one in parts] for who, parts in seen.items()}
    within, between = _spreads(away, len(middle))
    limits = _limits(away, lambda some: rising_rules(within, between, some), per_hour, look_hours, seed,
                     floor=_LEAST_RISING)  # fmt: skip
    return middle, within, between, limits


def _limits(
    seen: Mapping[str, Sequence[Float]], make: Callable[[Float], Rules], per_hour: float, look_hours: float, seed: int,
    ratios_from: int | None = None, floor: float = 2.0,
) -> Float:  # fmt: skip
    """Return limits at which alarms come at most so often, all numbers together.

    Args:
        seen: Of each person numbers `(L, H)` of looks, by stretch.
        make: Makes rules with limits.
        per_hour: Alarms an hour.
        look_hours: How long a look lasts.
        seed: Of the orders of stretches.
        ratios_from: First of the numbers that are log ratios; None: none is.
        floor: Least limit: a few people's hours say little of what is rare.
    """
    orders = [_ordered(parts, seed, turn) for parts in seen.values() for turn in range(_ORDERS)]
    width = orders[0].shape[1]
    unlimited = np.full(width, 1e9)
    peaks = []
    for numbers in orders:
        sums = Sums(make(unlimited))
        peaks.append(np.stack([sums.take(row) * unlimited for row in numbers]))
    shape = np.maximum(np.quantile(np.concatenate(peaks), 0.99, axis=0), floor)
    lowest = np.full(width, floor)
    lowest[width if ratios_from is None else ratios_from :] = _LEAST_RATIO
    hours = sum(len(one) for one in orders) * look_hours
    low, high = 0.25, 16.0
    for _ in range(9):
        factor = float(np.sqrt(low * high))
        if (
            sum(alarms(numbers, Sums(make(np.maximum(factor * shape, lowest)))) for numbers in orders) / hours
            > per_hour
        ):
            low = factor
        else:
            high = factor
    found: Float = np.maximum(high * shape, lowest)
    return found


def alarms(numbers: Float, sums: Sums) -> int:
    """Return how often an alarm begins in looks `(L, H)`; one is over when all is calm again."""
    count, on = 0, False
    for row in numbers:
        most = float(sums.take(row).max())
        if not on and most >= 1.0:
            count, on = count + 1, True
        elif on and most < CALM:
            on = False
    return count


def _four(*values: float) -> tuple[float, float, float, float]:
    first, second, third, fourth = rounded(values)
    return first, second, third, fourth


def _ordered(parts: Sequence[Float], seed: int, turn: int) -> Float:
    order = np.random.default_rng([seed, turn]).permutation(len(parts)) if turn else np.arange(len(parts))
    return np.concatenate([parts[at] for at in order])


def _cut(readings: npt.NDArray[np.floating], layout: Layout, samples: int) -> Float:
    count = len(readings) // samples
    if not count:
        return np.zeros((0, layout.size))
    return features(readings[: count * samples].reshape(count, samples, -1), layout)


def _round(looks: Float) -> tuple[Float, Float, Float]:
    """Return centre, spread and precision of looks: in them looks are round."""
    centre, spread = looks.mean(axis=0), looks.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    standard = (looks - centre) / spread
    mixed = (1 - _SHRUNK) * (standard.T @ standard) / len(looks) + _SHRUNK * np.eye(looks.shape[1])
    return centre, spread, np.linalg.inv(mixed)


def _spreads(seen: Mapping[str, Sequence[Float]], shifts: int) -> tuple[Float, Float]:
    """Return the spread of every suspicion within and between people; of log ratios 1 and 0."""
    whole = [np.concatenate(parts) for parts in seen.values()]
    within = np.sqrt(np.mean([one.var(axis=0) for one in whole], axis=0))
    between = np.std([one.mean(axis=0) for one in whole], axis=0)
    within[shifts:], between[shifts:] = 1.0, 0.0
    return np.maximum(within, 1e-3), between
