"""Episodes: small tasks of a few classes, examples from some people and questions about another (Snell et al., 2017).

Rule of this room: what is learnt is a change of a fitted metric, and it is kept only where classes and people that had
no part in learning it are told apart better than without it. All chance comes from one seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from hil.models.kshot.metric import Float, fit_metric, unit
from hil.models.kshot.statistics import Statistics
from hil.models.step import one_thread

__all__ = ["Drawn", "Refined", "accuracy_of", "draw", "refined"]

WAYS, SHOTS, QUESTIONS = 3, 5, 5
_SIDE_BY_SIDE = 16
_SHARPNESS = 10.0
_RATE, _DECAY = 5e-4, 1.0
_SPLITS = 4
_JUDGED = 200


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Episodes: numbers of windows.

    Attributes:
        examples: `(episodes, ways, shots)`.
        questions: `(episodes, ways, questions)`; way `w` of the questions has the class of way `w` of the examples.
    """

    examples: npt.NDArray[np.int64]
    questions: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What episodes made of a metric.

    Attributes:
        change: See `fit_metric`; None where it is not kept.
        before: Accuracy on people and classes set apart, with the metric as it was fitted.
        after: The same after the episodes.
    """

    change: Float | None
    before: float
    after: float


def draw(known: Statistics, count: int, ways: int, chance: np.random.Generator) -> Drawn:
    """Draw episodes: each asks about one person, and its examples are windows of the others.

    Args:
        known: Windows of at least `ways` classes and two people.
        count: Episodes.
        ways: Classes in each.
        chance: Source of all chance.
    """
    people = np.unique(known.people).tolist()
    mine: dict[str, dict[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]] = {}
    for person in people:
        his = known.people == person
        both = {
            one: (np.flatnonzero(~his & (known.labels == one)), np.flatnonzero(his & (known.labels == one)))
            for one in known.classes
        }
        mine[person] = {one: pair for one, pair in both.items() if len(pair[0]) and len(pair[1])}
    able = [person for person in people if len(mine[person]) >= ways]
    examples = np.zeros((count, ways, SHOTS), np.int64)
    questions = np.zeros((count, ways, QUESTIONS), np.int64)
    for at in range(count):
        his_own = mine[able[int(chance.integers(len(able)))]]
        for way, one in enumerate(chance.permutation(list(his_own))[:ways].tolist()):
            others, own = his_own[one]
            examples[at, way] = others[chance.integers(len(others), size=SHOTS)]
            questions[at, way] = own[chance.integers(len(own), size=QUESTIONS)]
    return Drawn(examples, questions)


def accuracy_of(embedded: Float, drawn: Drawn) -> float:
    """Return the share of questions whose nearest prototype is that of their class."""
    points = unit(embedded[drawn.examples].sum(axis=2))
    likeness = np.einsum("ewqd,evd->ewqv", embedded[drawn.questions], points)
    return float((likeness.argmax(axis=3) == np.arange(points.shape[1])[None, :, None]).mean())


def refined(known: Statistics, shrinkage: float, episodes: int, seed: int) -> Refined:
    """Refine a metric by episodes, and say whether that serves people and classes that took no part.

    Half of the splits' classes and a third of the people are set apart in turn; four splits decide together.

    Args:
        known: Windows to learn from.
        shrinkage: Of the metric.
        episodes: How many; 0: none.
        seed: Of all chance.
    """
    people, classes = np.unique(known.people).tolist(), list(known.classes)
    if not episodes or len(classes) < 4 or len(people) < 4:
        return Refined(None, float("nan"), float("nan"))
    before: list[float] = []
    after: list[float] = []
    for split in range(_SPLITS):
        chance = np.random.default_rng([seed, 31, split])
        away = chance.choice(people, max(len(people) // 3, 2), replace=False)
        new = chance.choice(classes, len(classes) // 2, replace=False)
        theirs, fresh = np.isin(known.people, away), np.isin(known.labels, new)
        inside, apart = known.where(~theirs & ~fresh), known.where(theirs & fresh)
        change = _learnt(inside, shrinkage, episodes, chance)
        asked = draw(apart, _JUDGED, min(WAYS, len(new)), chance)
        for found, one in ((before, None), (after, change)):
            metric = fit_metric(inside.values, inside.labels, shrinkage, one)
            found.append(accuracy_of(metric.embed(apart.values), asked))
    gained = float(np.mean(after)) > float(np.mean(before))
    kept = _learnt(known, shrinkage, episodes, np.random.default_rng([seed, 32])) if gained else None
    return Refined(kept, float(np.mean(before)), float(np.mean(after)))


def _learnt(known: Statistics, shrinkage: float, episodes: int, chance: np.random.Generator) -> Float:
    """Learn the change of a metric that makes prototypes of some people right about another."""
    fitted = fit_metric(known.values, known.labels, shrinkage)
    size = known.values.shape[1]
    white = torch.from_numpy((known.values @ fitted.weight.T + fitted.bias).astype(np.float32))
    drawn = draw(known, episodes, min(WAYS, len(known.classes)), chance)
    change = torch.zeros(size, size, requires_grad=True)
    optimizer = torch.optim.AdamW([change], lr=_RATE, weight_decay=_DECAY)
    ways = drawn.examples.shape[1]
    truth = torch.arange(ways).repeat_interleave(QUESTIONS)
    with one_thread():
        for start in range(0, episodes, _SIDE_BY_SIDE):
            rows = slice(start, start + _SIDE_BY_SIDE)
            points, asked = (
                functional.normalize(
                    torch.cat((x[..., :size] + x[..., :size] @ change.T, x[..., size:]), -1), dim=-1
                )
                for x in (white[drawn.examples[rows]], white[drawn.questions[rows]])
            )  # fmt: skip
            prototypes = functional.normalize(points.sum(2), dim=-1)
            likeness = torch.einsum("ewqd,evd->ewqv", asked, prototypes).flatten(1, 2)
            loss = functional.cross_entropy(
                (_SHARPNESS * likeness).flatten(0, 1), truth.repeat(len(likeness)), label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    found: Float = change.detach().numpy().astype(np.float64)
    return found
