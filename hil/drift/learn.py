"""A reference from people: what their looks are like, how they differ from each other, and where an alarm begins.

Rule of this room: what a reference says of looks is of everybody it is given; where alarms begin is found on people
each of whom was left out of it (`hil.drift.limits`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hil.drift.bounds import quiet, rising_limits
from hil.drift.leftout import Stretch, middles, ordered, sessions, spreads
from hil.drift.limits import ORDERS, limits_of
from hil.drift.looks import Layout, features, longest_run
from hil.drift.reference import LEVELS, LeftOut, Reference, rounded

__all__ = ["LEAST_PEOPLE", "learn", "learn_rising"]

Float = npt.NDArray[np.float64]

LEAST_PEOPLE = 3
"""With fewer nobody can say how people differ."""


def learn(
    layout: Layout, stretches: Mapping[str, Sequence[npt.NDArray[np.floating]]], samples: int, rate_hz: float, *,
    classes: Mapping[str, Sequence[npt.NDArray[np.int64]]] | None = None, scored: bool = False, per_hour: float = 1.0,
    seed: int = 0,
) -> Reference | None:  # fmt: skip
    """Return a reference; None where there are fewer than `LEAST_PEOPLE` with a look.

    Args:
        layout: Of the looks; its scales are those of the readings.
        stretches: Of each person, unbroken readings `(N, C)` in the units of the layout.
        samples: Of a look.
        rate_hz: Of the readings.
        classes: Of each reading the class `(N,)`, -1 where unknown; None: there are none.
        scored: Whether scores are watched beside it: then they get half of the model's false alarms.
        per_hour: False alarms an hour that are allowed, of a sensor and of the model each.
        seed: Of the orders of stretches.
    """
    people: dict[str, list[Stretch]] = {}
    for who, parts in stretches.items():
        known = [np.full(len(one), -1, np.int64) for one in parts] if classes is None else classes[who]
        cut = [_cut(one, said, layout, samples) for one, said in zip(parts, known, strict=True)]
        if some := [one for one in cut if len(one.looks)]:
            people[who] = some
    if len(people) < LEAST_PEOPLE:
        return None
    readings = np.concatenate([np.asarray(one, np.float64) for parts in stretches.values() for one in parts])
    look_hours = samples / rate_hz / 3600.0
    found = limits_of(layout, people, look_hours, seed, sensor_per_hour=per_hour,
                      model_per_hour=per_hour / 2 if scored else per_hour)  # fmt: skip
    one_each = sessions(layout, people, 1, seed)
    shifts = 3 * len(layout.channels)
    within, between = spreads([one.numbers[:, :-1] for one in one_each], shifts)
    every = np.concatenate([one.looks for parts in people.values() for one in parts])
    centre, spread, precision = middles(every)
    odd = [one.numbers[:, -1:] + one.middle for one in one_each]
    odd_within, odd_between = spreads(odd, 1)
    return Reference(
        channels=layout.channels, units=layout.units, scales=rounded(layout.scales), samples=samples,
        quantiles=tuple(rounded(np.quantile(readings[:, at], LEVELS)) for at in range(len(layout.channels))),
        longest_run=tuple(
            int(max(longest_run(one)[at] for parts in stretches.values() for one in parts if len(one) > 1))
            for at in range(len(layout.channels))
        ),
        centre=rounded(centre), spread=rounded(spread), precision=rounded(precision[np.tril_indices(layout.size)]),
        within=rounded(within), between=rounded(between), limits=rounded(found.suspicions),
        oddness=_four(float(np.concatenate(odd).mean()), odd_within[0], odd_between[0], found.odd),
        explained=found.explained, unexplained=rounded(found.unexplained)[0],
        left_out=LeftOut(
            sessions=len(people) * ORDERS, spread=rounded(found.spread[0])[0], sensor=found.sensor, model=found.model,
            movements=found.movements, strange=found.strange,
        ),
        people=tuple(sorted(people)), hours=len(every) * look_hours, per_hour=per_hour, seed=seed,
    )  # fmt: skip


def learn_rising(
    seen: Mapping[str, Sequence[Float]], per_hour: float, look_hours: float, seed: int,
    spread: tuple[float, int] | None = None,
) -> tuple[Float, Float, Float, Float]:  # fmt: skip
    """Return mean, spread within and between people, and limits, of figures `(L, H)` of people's looks.

    Args:
        seen: Of each person figures of looks, by stretch.
        per_hour: False alarms an hour that are allowed.
        look_hours: How long a look lasts.
        seed: Of the orders of stretches.
        spread: How people's peaks lie apart, and degrees of freedom, where more people tell it.
    """
    whole = {who: np.concatenate(parts) for who, parts in seen.items()}
    every = np.concatenate(list(whole.values()))
    middle, width = every.mean(axis=0), every.shape[1]
    within, between = spreads(list(whole.values()), width)
    own: list[tuple[Float, Float]] = []
    numbers = []
    for who, parts in seen.items():
        others = [one for other, one in whole.items() if other != who]
        own.append(spreads(others, width) if len(others) > 1 else (within, between))
        away = np.concatenate(others).mean(axis=0) if others else middle
        numbers.append([np.concatenate(ordered(parts, seed, turn)) - away for turn in range(ORDERS)])
    chance = quiet(per_hour, len(every) / len(whole) * look_hours)
    limits, _ = rising_limits(np.array([one for one, _ in own]), np.array([one for _, one in own]), numbers, chance,
                              spread)  # fmt: skip
    return middle, within, between, limits


def _four(*values: float) -> tuple[float, float, float, float]:
    first, second, third, fourth = rounded(values)
    return first, second, third, fourth


def _cut(
    readings: npt.NDArray[np.floating], classes: npt.NDArray[np.int64], layout: Layout, samples: int
) -> Stretch:  # fmt: skip
    """Return the looks of a stretch; the class of a look is the one that at least half of it has."""
    count = len(readings) // samples
    if not count:
        return Stretch(np.zeros((0, layout.size)), np.zeros(0, np.int64))
    of = classes[: count * samples].reshape(count, samples)
    middle = np.sort(of, axis=1)[:, samples // 2]
    said = np.where((of == middle[:, None]).sum(axis=1) * 2 >= samples, middle, -1)
    return Stretch(features(readings[: count * samples].reshape(count, samples, -1), layout), said)
