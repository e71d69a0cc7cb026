"""Where alarms of a sensor and of the model begin, found on people, and on movements, that were left out.

Rule of this room: a clean unseen person alarms no oftener than was asked for, the sensor's verdict and the model's each
by itself; and of movements that nobody showed no more than `STRANGE` are called a sensor's fault. Movements are told by
the classes of the dataset; where it has none, one suspicion must explain `EXPLAINED[0]` of what stands out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from hil.drift.bounds import bound, least, log_spread, quiet, rising_limits, shapes_of
from hil.drift.change import CALM, CAP, Rules
from hil.drift.leftout import Course, Session, Stretch, courses, peaks, sessions
from hil.drift.looks import Layout
from hil.drift.rules import LEAST_RATIO, suspicion_rules
from hil.drift.suspicions import KINDS

__all__ = ["EXPLAINED", "ORDERS", "STRANGE", "Limits", "limits_of"]

Float = npt.NDArray[np.float64]

ORDERS = 4
"""Orders in which each person's stretches are put."""

STRANGE = 0.1
"""Share of movements nobody showed that may be called a sensor's fault."""

EXPLAINED = (0.4, 0.45, 0.5, 0.55, 0.6)
"""Shares of what stands out that one suspicion may have to explain: the least that serves is taken."""

_CLASSES = 8
"""So many classes are left out in turn, the most seen: more would say little that is new."""

_FACTORS = tuple(float(one) for one in np.geomspace(1.0, 8.0, 25))
"""Factors that are tried: a limit below what one clean look in a hundred reaches would be none."""

_LEAST = 2.0
"""Least limit of a channel's suspicion: a few people's hours say little of what is rare."""

_OPEN = 4.0
"""Limits that sums may rise to while it is found where what nobody explains is the model's."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Where alarms begin, and what the left-out people did under it.

    Attributes:
        suspicions: Limits of the suspicions `(H,)`.
        odd: Of the oddness of the signal.
        explained: Share that one suspicion must explain to be believed.
        unexplained: Of the suspicions' limits, how many are the model's fault where no suspicion explains it.
        spread: How far logarithms of the peaks of oddness lie apart, and its degrees of freedom.
        sensor: Share of clean sessions with an alarm of a sensor.
        model: Of the model.
        movements: Left-out movements of left-out people.
        strange: Share of them that are called a sensor's fault; None of none.
    """

    suspicions: Float
    odd: float
    explained: float
    unexplained: float
    spread: tuple[float, int]
    sensor: float
    model: float
    movements: int
    strange: float | None


def limits_of(
    layout: Layout, people: Mapping[str, Sequence[Stretch]], look_hours: float, seed: int, *, sensor_per_hour: float,
    model_per_hour: float,
) -> Limits:  # fmt: skip
    """Find limits on people each of whom is left out in turn.

    Args:
        layout: Of the looks.
        people: Stretches of each, three people or more.
        look_hours: How long a look lasts.
        seed: Of the orders of stretches.
        sensor_per_hour: False alarms of a sensor that are allowed.
        model_per_hour: Of the model, by what readings say alone.
    """
    clean = sessions(layout, people, ORDERS, seed)
    hours = sum(len(one.standard) for one in clean) / len(clean) * look_hours
    rules, channels = _rules(clean, len(layout.channels)), len(layout.channels)
    numbers = [one.numbers[:, :-1] for one in clean]
    width = rules.within.shape[1]
    kinds = [min(at // channels, len(KINDS)) for at in range(width)]
    shape, others = shapes_of(lambda some: peaks(_limited(rules, some), numbers), ORDERS, kinds, _LEAST)
    of = {one.person: shape for one, shape in zip(clean, others, strict=True)}
    lowest = np.zeros(len(shape))
    lowest[3 * channels :] = LEAST_RATIO
    strangers = [(_rules(some, channels), some) for some in _left_out(layout, people, seed)]
    movements = sum(len(some) for _, some in strangers)

    @cache
    def usual(factor: float) -> list[Course]:
        return courses(_limited(rules, np.maximum(factor * others, lowest)), clean)

    @cache
    def strange(factor: float) -> list[tuple[Session, Course]]:
        return [
            pair for own, some in strangers
            for pair in zip(some, courses(_limited(own, np.maximum(
                factor * np.array([of[one.person] for one in some]), lowest)), some), strict=True)
        ]  # fmt: skip

    def rare(explained: float, factor: float) -> bool:
        return bound(_highest(usual(factor), explained), quiet(sensor_per_hour, hours)) <= 1

    for explained in EXPLAINED:
        factor = least(partial(rare, explained), _FACTORS)
        called = sum(_named(course, explained)[one.strange :].max() >= 1 for one, course in strange(factor))
        if called <= STRANGE * movements:
            break
    found = np.maximum(factor * shape, lowest)
    chance = quiet(model_per_hour, hours)
    opened = courses(
        replace(_limited(rules, np.maximum(factor * others, lowest)), cap=np.full(rules.within.shape, _OPEN)), clean
    )
    alone = _highest(opened, explained, named=False)
    limit, odd = rising_limits(
        np.array([one.within[-1:] for one in clean[::ORDERS]]), np.array([one.between[-1:] for one in clean[::ORDERS]]),
        [[one.numbers[:, -1:] for one in clean[at : at + ORDERS]] for at in range(0, len(clean), ORDERS)], chance,
    )  # fmt: skip
    most = max(bound(alone, chance), 1.0)
    both = max(bound(np.maximum(alone / most, odd), chance), 1.0)  # either is an alarm of the model
    return Limits(
        found, float(limit[0]) * both, explained, most * both, log_spread(odd),
        sensor=float((_highest(usual(factor), explained) >= 1).mean()),
        model=float((np.maximum(alone / most, odd) >= both).mean()),
        movements=movements, strange=called / movements if movements else None,
    )  # fmt: skip


def _rules(some: Sequence[Session], channels: int) -> Rules:
    within, between = (np.array([getattr(one, name)[:-1] for one in some]) for name in ("within", "between"))
    return suspicion_rules(within, between, np.ones(within.shape[1]), channels, CAP)


def _limited(rules: Rules, limits: Float) -> Rules:
    return replace(rules, limits=np.broadcast_to(limits, rules.within.shape))


def _left_out(layout: Layout, people: Mapping[str, Sequence[Stretch]], seed: int) -> list[list[Session]]:
    """Return, for each class in turn, sessions in which that class comes last and nobody has shown it."""
    seen: Counter[int] = Counter()
    for parts in people.values():
        seen.update(np.concatenate([one.classes for one in parts]).tolist())
    del seen[-1]
    chosen = [label for label, _ in seen.most_common(_CLASSES)] if len(seen) > 2 else []
    return [some for label in sorted(chosen) if len(some := sessions(layout, people, 1, seed, without=label))]


def _named(course: Course, explained: float) -> Float:
    """Return the sensor's share where one suspicion is believed; elsewhere no more than calm is."""
    return np.where(course.explained >= explained, course.sensor, np.minimum(course.sensor, CALM))


def _highest(some: Sequence[Course], explained: float, named: bool = True) -> Float:
    """Return peaks `(people, orders)` of what a suspicion explains, or of what none does."""
    found = [
        _named(one, explained) if named else np.where(one.explained < explained, one.sensor,
                                                      np.minimum(one.sensor, CALM)) for one in some
    ]  # fmt: skip
    return np.array([one.max() for one in found]).reshape(-1, ORDERS)
