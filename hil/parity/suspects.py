"""What a board may have done to its readings before its network saw them: mistakes that are made, as functions.

Rule of this room: pure. A suspect is a change of the right windows and a sentence; whether it explains a board's
scores is for `explain` to say, by the distance that it leaves. One that leaves hardly less than another is no better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt

from hil.models.contract import Contract

__all__ = ["SHIFTS", "Suspect", "refined", "suspects"]

Windows = npt.NDArray[np.float32]

SHIFTS = (-3, -2, -1, 1, 2, 3)
"""Samples by which a board's window may end early or late."""

FACTORS = (1 / 1000, 1 / 57.2958, 1 / 16, 1 / 9.80665, 1 / 8, 1 / 4, 1 / 2, 2.0, 4.0, 8.0, 9.80665, 16.0, 57.2958,
           1000.0)  # fmt: skip
"""Mistakes of scale: powers of two of a range that was set otherwise, and units (m/s^2 and g, degrees and radians)."""

_ROUNDS, _STEPS = 4, 7
"""How a factor is refined: each round looks at so many within the last round's step, to 1 % in the end."""

_ALL_ORDERS = 4
"""Channels of one unit of which every order is tried; of more, every exchange of two."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One mistake.

    Attributes:
        why: A clause for people.
        change: Right windows `(M, samples, inputs)` to what the board's network saw.
        shift: Samples that the board's window ends late.
        channels: Inputs that are larger, where it is a mistake of scale.
        factor: How many times.
    """

    why: str
    change: Callable[[Windows], Windows]
    shift: int = 0
    channels: tuple[int, ...] = ()
    factor: float = 1.0


def suspects(contract: Contract, shifts: Sequence[int] = SHIFTS, gains: Sequence[float] = ()) -> Iterator[Suspect]:
    """Yield every mistake to be tried.

    Args:
        contract: The model's contract.
        shifts: Samples by which windows may end late; none where time cannot tell them.
        gains: One raw count of every input in its unit: a board may have forgotten to apply it.
    """
    names = [item.channel for item in contract.inputs]
    for shift in shifts:
        count = "1 sample" if abs(shift) == 1 else f"{abs(shift)} samples"
        yield Suspect(f"the board's window ends {count} {'late' if shift > 0 else 'early'}", _same, shift)
    groups = _groups(contract)
    for order in _orders(len(names), groups):
        told = ", ".join(names[column] for column in order)
        yield Suspect(f"the board reads its channels in the order {told}", _ordered(order))
    for group in (*([index] for index in range(len(names))), *(group for group in groups if len(group) > 1)):
        yield Suspect(f"the board reads {_told(names, group)} with the opposite sign", _scaled(group, -1.0, len(names)))
    for group in (list(range(len(names))), *groups) if len(groups) > 1 else groups:
        for factor in FACTORS:
            yield _scale(names, group, factor)
    if len(gains) and any(gain != 1.0 for gain in gains):
        raw = np.array([1.0 / gain for gain in gains], np.float32)
        yield Suspect("the board's network reads raw counts, not units", lambda windows: windows * raw)
    mean = np.array([item.mean for item in contract.inputs], np.float32)
    std = np.array([item.std for item in contract.inputs], np.float32)
    yield Suspect("the board does not normalise its readings", lambda windows: windows * std + mean)
    yield Suspect("the board does not take the mean off its readings", lambda windows: windows + mean)
    yield Suspect("the board's window runs backwards in time", lambda windows: np.ascontiguousarray(windows[:, ::-1]))


def refined(suspect: Suspect, contract: Contract, left: Callable[[Sequence[Suspect]], list[float]]) -> Suspect:
    """Return a mistake of scale with the factor that leaves the least distance; any other as it is.

    Args:
        suspect: What was found among the usual factors.
        contract: The model's contract.
        left: The distance that each of some suspects leaves.
    """
    if not suspect.channels:
        return suspect
    names = [item.channel for item in contract.inputs]
    best, reach = suspect, np.log(2.0)
    for _ in range(_ROUNDS):
        near = [
            _scale(names, suspect.channels, best.factor * float(np.exp(away)))
            for away in np.linspace(-reach, reach, _STEPS)
        ]
        best = near[int(np.argmin(left(near)))]
        reach /= (_STEPS - 1) / 2
    return best


def _same(windows: Windows) -> Windows:
    return windows


def _ordered(order: Sequence[int]) -> Callable[[Windows], Windows]:
    return lambda windows: np.ascontiguousarray(windows[..., list(order)])


def _scaled(group: Sequence[int], factor: float, count: int) -> Callable[[Windows], Windows]:
    by = np.ones(count, np.float32)
    by[list(group)] = factor
    return lambda windows: windows * by


def _scale(names: Sequence[str], group: Sequence[int], factor: float) -> Suspect:
    told = f"the board's readings are {factor:.3g} times as large in {_told(names, group)}"
    return Suspect(told, _scaled(group, factor, len(names)), 0, tuple(group), factor)


def _told(names: Sequence[str], group: Sequence[int]) -> str:
    return ", ".join(names[index] for index in group)


def _groups(contract: Contract) -> list[list[int]]:
    """Inputs of the same unit."""
    units = list(dict.fromkeys(item.unit for item in contract.inputs))
    return [[index for index, item in enumerate(contract.inputs) if item.unit == unit] for unit in units]


def _orders(count: int, groups: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """Orders of channels that mistakes make: within units, the same in each, exchanges of two, units exchanged."""
    right = tuple(range(count))
    seen = {right}

    def new(order: Sequence[int]) -> Iterator[tuple[int, ...]]:
        if tuple(order) not in seen:
            seen.add(tuple(order))
            yield tuple(order)

    for group in groups:
        if len(group) <= _ALL_ORDERS:
            for turned in permutations(group):
                order = list(right)
                for place, column in zip(group, turned, strict=True):
                    order[place] = column
                yield from new(order)
    sizes = {len(group) for group in groups}
    if len(groups) > 1 and len(sizes) == 1 and max(sizes) <= _ALL_ORDERS:
        for turned in permutations(range(sizes.pop())):
            order = list(right)
            for group in groups:
                for place, index in zip(group, turned, strict=True):
                    order[place] = group[index]
            yield from new(order)
        yield from new([column for group in reversed(groups) for column in group])
    for one, other in combinations(right, 2):
        order = list(right)
        order[one], order[other] = other, one
        yield from new(order)
