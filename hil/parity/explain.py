"""Which mistake of its readings explains what a board said, and after which lag its scores come.

Rule of this room: a mistake explains scores only where it leaves what bits or printing explain, and where it does
better than the right readings in more windows than chance allows (a sign test, corrected for all that were tried).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from hil.models.contract import Contract
from hil.parity.joining import Joined, by_time
from hil.parity.printed import Printed
from hil.parity.readings import Readings
from hil.parity.said import Said
from hil.parity.suspects import SHIFTS, Suspect, refined, suspects

__all__ = ["Ask", "Explanation", "explained", "lagging"]

Ints = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Ask = Callable[[Sequence[tuple[Ints, "Suspect | None"]]], list[Float64]]
"""Asks the model: for each pair of window ends `(M,)` and mistake, probabilities `(M, labels)`."""

CHANCE = 1e-3
"""Of taking any mistake for an explanation where there is none."""

_SCREENED = 8
"""Windows on which everything is tried; what is best there is tried on more, and the best of that on all."""
_LOOKED_AT = 4
"""Mistakes that are tried on more."""
_REFINED = 3
"""Mistakes of scale whose factor is refined."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A mistake that explains what a board said.

    Attributes:
        suspect: The mistake.
        windows: Windows that were compared.
        same: Those with the same label once it is made.
        distance: What is left.
        before: What there was without it.
        others: Other mistakes that leave nothing to explain, on the windows on which all were tried.
    """

    suspect: Suspect
    windows: int
    same: int
    distance: float
    before: float
    others: int


def lagging(contract: Contract, readings: Readings, printed: Printed, ask: Ask) -> Joined:
    """Join scores and windows by time, at the lag at which the model is nearest to the board.

    Args:
        contract: The model's contract.
        readings: What the board sampled.
        printed: What it said.
        ask: Asks the model.
    """
    memory = contract.memory_samples
    lags = range(-SHIFTS[-1], contract.hop + SHIFTS[-1] + 1)
    tried = [by_time(readings, printed, memory, lag) for lag in lags]
    whole = [joined for joined in tried if len(joined.rows)]
    if not whole:
        return tried[SHIFTS[-1]]
    parts = [_spread(len(joined.rows), 2 * _SCREENED) for joined in whole]
    answers = ask([(joined.ends[part], None) for joined, part in zip(whole, parts, strict=True)])
    distances = [
        Said(printed, joined.rows[part]).distance(answer)
        for joined, part, answer in zip(whole, parts, answers, strict=True)
    ]
    return whole[int(np.argmin(distances))]


def explained(
    contract: Contract, readings: Readings, joined: Joined, said: Said, expected: Float64, ask: Ask
) -> tuple[Explanation | None, int]:
    """Return the mistake that explains a board's scores, or None; and how many were tried.

    Args:
        contract: The model's contract.
        readings: What the board sampled.
        joined: Which windows are judged.
        said: What it said about them.
        expected: What the model says, `(M, labels)`.
        ask: Asks the model.
    """
    memory, reach = contract.memory_samples, max(SHIFTS)
    inside = np.flatnonzero(readings.whole(joined.ends - reach, memory) & readings.whole(joined.ends + reach, memory))
    # By time, a shift cannot be told from the lag that was estimated.
    shifts = SHIFTS if joined.rule == "sample number" and len(inside) else ()
    usable = inside if shifts else np.arange(len(said))
    scale = np.broadcast_to(np.asarray(readings.stream.scale, np.float64), len(readings.stream.channels))
    tried = list(suspects(contract, shifts, [float(scale[column]) for column in readings.picked]))

    def left(of: Sequence[Suspect], most: int = _SCREENED) -> list[float]:
        few = usable[_spread(len(usable), most)]
        return [said.some(few).distance(answer) for answer in ask([(joined.ends[few], suspect) for suspect in of])]

    first = left(tried)
    ranked = [tried[index] for index in np.argsort(first, kind="stable")]
    scales = [one for one in ranked if one.channels][:_REFINED] if not said.fits(expected) else []
    candidates = [*ranked[:_LOOKED_AT], *(refined(one, contract, left) for one in scales)]
    distances = left(candidates, 3 * _SCREENED)
    # Where several leave nothing to explain, the plain mistake before the factor that was fitted, the small before the
    # great.
    enough = max(min(distances), said.exact)
    fitting = [one for one, distance in zip(candidates, distances, strict=True) if distance <= enough]
    best = min(fitting, key=lambda one: abs(math.log(abs(one.factor))))
    others = sum(distance <= said.exact for one, distance in zip(tried, first, strict=True) if one is not best)
    (answer,) = ask([(joined.ends[usable], best)])
    part = said.some(usable)
    before, after = part.off(expected[usable]), part.off(answer)
    better, worse = int((after < before).sum()), int((after > before).sum())
    count = better + worse
    sure = count > 0 and stats.binomtest(better, count, 0.5, "greater").pvalue * len(tried) < CHANCE
    if not sure or not part.fits(answer):
        return None, len(tried)
    same = int((answer.argmax(axis=1) == part.labels).sum())
    found = Explanation(best, len(part), same, part.distance(answer), part.distance(expected[usable]), others)
    return found, len(tried)


def _spread(count: int, most: int) -> Ints:
    """Some of so many, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
