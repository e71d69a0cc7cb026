"""Who shows and who is asked: the episodes of an evaluation, drawn once and the same for every method.

Rule of this room: examples and questions never overlap. `others` and `another` ask about a person of whom no example
is; `same` asks about the person who showed, about the second half of readings whose first half was shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.models.datasets import ordered
from hil.models.kshot.statistics import Statistics

__all__ = ["PROTOCOLS", "Episode", "episodes_of", "pools"]

PROTOCOLS = {
    "others": "examples from other people",
    "another": "examples from one other person",
    "same": "examples from the person who is asked about, before the questions",
}
"""Name and meaning of who shows."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """One task: numbers of windows.

    Attributes:
        protocol: Who shows.
        person: Who is asked about.
        examples: `(ways, shots)`.
        questions: `(Q,)`.
        truth: `(Q,)`: way of each question.
    """

    protocol: str
    person: str
    examples: Rows
    questions: Rows
    truth: npt.NDArray[Any]


def pools(
    unseen: Statistics, protocol: str, person: str, classes: Sequence[int], chance: np.random.Generator
) -> tuple[list[Rows], list[Rows]]:
    """Return what may be shown of each class, and what may be asked."""
    his = unseen.people == person
    before, after = unseen.place[:, 1] <= 0.5, unseen.place[:, 0] >= 0.5
    if protocol == "same":
        shown, asked = his & before, his & after
    elif protocol == "others":
        shown, asked = ~his, his
    else:
        others = [one for one in ordered(np.unique(unseen.people).tolist()) if one != person]
        shown, asked = unseen.people == others[int(chance.integers(len(others)))], his
    return (
        [np.flatnonzero(shown & (unseen.labels == one)) for one in classes],
        [np.flatnonzero(asked & (unseen.labels == one)) for one in classes],
    )


def episodes_of(
    unseen: Statistics, classes: Sequence[int], shots: int, repeats: int, chance: np.random.Generator
) -> Iterator[Episode | None]:
    """Yield the episodes of some classes; None where there are not enough windows for one.

    Args:
        unseen: Windows of people and classes that the encoder has not met.
        classes: To be told apart.
        shots: Examples of each.
        repeats: Episodes of each person and protocol.
        chance: Source of all chance.
    """
    for person in ordered(np.unique(unseen.people).tolist()):
        for protocol in PROTOCOLS:
            for _ in range(repeats):
                shown, asked = pools(unseen, protocol, person, classes, chance)
                if min(map(len, shown)) < shots or not min(map(len, asked)):
                    yield None
                    continue
                examples = np.stack([chance.choice(one, shots, replace=False) for one in shown])
                truth = np.repeat(np.arange(len(classes)), [len(one) for one in asked])
                yield Episode(protocol, person, examples, np.concatenate(asked), truth)
