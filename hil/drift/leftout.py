"""What the watch sees of people whom its statistics do not contain: the sessions on which limits are found.

Rule of this room: each person is looked at with a reference of all others, as an unseen wearer will be: filters, middle
and spreads are the others'. The stretches of each come in several seeded orders, so that nothing hangs on one of them;
a class can be left out too, of everybody, and then comes last in each session, as a movement that nobody showed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from hil.drift.blame import KEPT, USUAL, blamed
from hil.drift.change import CALM, Rules, Sums
from hil.drift.looks import Layout
from hil.drift.suspicions import Suspicions

__all__ = ["Course", "Session", "Stretch", "courses", "middles", "ordered", "peaks", "sessions", "spreads"]

Float = npt.NDArray[np.float64]
Part = TypeVar("Part")

_SHRUNK = 0.05
"""How far correlations of looks are drawn to none: there are few people."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Looks `(L, d)` of an unbroken stretch, and the class of each `(L,)`; -1: unknown."""

    looks: Float
    classes: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """One person's looks in one order.

    Attributes:
        person: Who.
        suspected: What is suspected, by all others.
        standard: Looks in their standard deviations `(L, d)`.
        numbers: Suspicions, and at the end the logarithm of the oddness less the others' mean of it `(L, H)`.
        within: Of each number the others' spread within one person `(H,)`.
        between: Of the others' means `(H,)`.
        strange: First look of the class that was left out.
        middle: The others' mean of the logarithm of the oddness.
    """

    person: str
    suspected: Suspicions
    standard: Float
    numbers: Float
    within: Float
    between: Float
    strange: int
    middle: float


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What became of a session: of each look the sensor's greatest share of its limit, and how much is explained.

    `explained` is 0 where the share is below `CALM`: nothing is asked there.
    """

    sensor: Float
    explained: Float


def middles(looks: Float) -> tuple[Float, Float, Float]:
    """Return centre, spread and precision of looks `(L, d)`: in them looks are round."""
    centre, spread = looks.mean(axis=0), looks.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    standard = (looks - centre) / spread
    mixed = (1 - _SHRUNK) * (standard.T @ standard) / len(looks) + _SHRUNK * np.eye(looks.shape[1])
    return centre, spread, np.linalg.inv(mixed)


def spreads(people: Sequence[Float], shifts: int) -> tuple[Float, Float]:
    """Return the spread within and between people of numbers `(L, H)` of each; from `shifts` on they are 1 and 0."""
    within = np.sqrt(np.mean([one.var(axis=0) for one in people], axis=0))
    between = np.std([one.mean(axis=0) for one in people], axis=0)
    within[shifts:], between[shifts:] = 1.0, 0.0
    return np.maximum(within, 1e-3), between


def sessions(
    layout: Layout, people: Mapping[str, Sequence[Stretch]], orders: int, seed: int, without: int | None = None
) -> list[Session]:
    """Return the sessions of everybody, those of a person side by side.

    Args:
        layout: Of the looks.
        people: Stretches of each.
        orders: How many of each.
        seed: Of the orders.
        without: Class that nobody has shown and that comes last; only those are returned who have some of it.
    """
    parts = {who: [(one.looks, one.classes != without) for one in stretches] for who, stretches in people.items()}
    known = {who: np.concatenate([looks[usual] for looks, usual in some]) for who, some in parts.items()}
    known = {who: looks for who, looks in known.items() if len(looks)}
    suspected: dict[str, Suspicions] = {}
    shown: dict[str, Float] = {}
    for who in known:
        suspected[who] = Suspicions.of(layout, *middles(np.concatenate([one for p, one in known.items() if p != who])))
        shown[who] = _numbers(suspected[who], suspected[who].standard(known[who]))
    shifts = 3 * len(layout.channels)
    found = []
    for who in known:
        others = [one for p, one in shown.items() if p != who]
        within, between = spreads(others, shifts)
        middle = float(np.concatenate([one[:, -1] for one in others]).mean())
        odd_within, odd_between = spreads([one[:, -1:] for one in others], 1)
        within[-1:], between[-1:] = odd_within, odd_between
        for turn in range(orders):
            some = ordered(parts[who], seed, turn)
            usual = np.concatenate([looks[those] for looks, those in some])
            strange = np.concatenate([looks[~those] for looks, those in some])
            if without is not None and not len(strange):
                continue
            standard = suspected[who].standard(np.concatenate((usual, strange)))
            numbers = _numbers(suspected[who], standard)
            numbers[:, -1] -= middle
            found.append(Session(who, suspected[who], standard, numbers, within, between, len(usual), middle))
    return found


def ordered(parts: Sequence[Part], seed: int, turn: int) -> list[Part]:
    """Return parts in the order of a turn: as they are at first."""
    order = np.random.default_rng([seed, turn]).permutation(len(parts)) if turn else np.arange(len(parts))
    return [parts[at] for at in order.tolist()]


def peaks(rules: Rules, numbers: Sequence[Float]) -> list[Float]:
    """Return the share of its limit that each number had at each look, session by session `(L, H)`.

    Args:
        rules: Every field `(sessions, H)` or `(H,)`.
        numbers: Of each session `(L, H)`.
    """
    shares, _ = _run(rules, numbers)
    return shares


def courses(rules: Rules, some: Sequence[Session]) -> list[Course]:
    """Return what becomes of sessions.

    Args:
        rules: How suspicions are watched; every field `(sessions, H)`.
        some: The sessions.
    """
    shares, ages = _run(rules, [one.numbers[:, :-1] for one in some])
    return [_course(one, share.max(axis=1), age) for one, share, age in zip(some, shares, ages, strict=True)]


def _course(session: Session, sensor: Float, ages: npt.NDArray[np.int64]) -> Course:
    calm = sensor < CALM
    explained = np.zeros(len(sensor))
    at = np.flatnonzero(~calm)
    if len(at):
        usual = np.cumsum(session.standard * calm[:, None], axis=0)[at] / (np.cumsum(calm)[at] + USUAL)[:, None]
        _, ratios, odd = session.suspected.parts(session.standard)
        seen = np.concatenate((session.standard, ratios, odd[:, None]), axis=1)
        sums = np.concatenate((np.zeros((1, seen.shape[1])), np.cumsum(seen, axis=0)))
        age = np.minimum(np.maximum(ages[at], 1), np.minimum(at + 1, KEPT))
        stood = (sums[at + 1] - sums[at + 1 - age]) / age[:, None]
        explained[at] = [one.share for one in blamed(session.suspected, stood, usual)]
    return Course(sensor, explained)


def _run(rules: Rules, numbers: Sequence[Float]) -> tuple[list[Float], list[npt.NDArray[np.int64]]]:
    """Return shares `(L, H)` of every session, and at each look how old the greatest is: all sessions step by step."""
    count, longest, width = len(numbers), max(map(len, numbers)), numbers[0].shape[1]
    padded = np.zeros((longest, count, width))
    for row, one in enumerate(numbers):
        padded[: len(one), row] = one
    sums = Sums(rules, count)
    shares, ages = np.empty_like(padded), np.empty((longest, count), np.int64)
    rows = np.arange(count)
    for at in range(longest):
        shares[at] = sums.take_of(slice(None), padded[at])
        most = shares[at].argmax(axis=1)
        ages[at] = sums.ages[rows, sums.sums[rows, :, most].argmax(axis=1), most]
    lengths = [len(one) for one in numbers]
    return [shares[:n, row] for row, n in enumerate(lengths)], [ages[:n, row] for row, n in enumerate(lengths)]


def _numbers(suspected: Suspicions, standard: Float) -> Float:
    found, odd = suspected.of_looks(standard)
    return np.concatenate((found, np.log(odd)[:, None]), axis=1)
