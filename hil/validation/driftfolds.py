"""Who does what when the drift watch is judged: people who teach, strangers whose scores set limits, and the judged.

Rule of this room: people are kept strictly apart. In every fold two people are judged; those of the folds that follow,
three or more, are strangers to the network and set the limits of its scores; all others teach it. Statistics and limits
of readings need no network and are those of everybody who is not judged. What is told of a fold is read from what was
learnt, not from what was planned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from firmware_bridge.errors import UsageError
from hil.drift.learn import LEAST_PEOPLE
from hil.drift.scores import SHOWN_ONLY
from hil.models.datasets import ordered
from hil.models.evaluate import folds_of
from hil.validation.driftshown import Taught

__all__ = ["APART", "Parts", "rotation", "told"]

APART = (
    "two people are judged in turn; the scores of the people of the following folds, three or more, whom the network "
    "has not met, set the limits of scores; all others train the network; readings of everybody who is not judged set "
    "the limits of readings"
)
"""How people are kept apart."""

_LEAST_TAUGHT = 2
"""A network of one person's movements would know no other's."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that people have in one fold; nobody has two.

    Attributes:
        judged: On whom the watch is judged.
        strangers: Whose scores set the limits of scores; empty where no scores are watched.
        taught: Who trains the network.
    """

    judged: tuple[str, ...]
    strangers: tuple[str, ...]
    taught: tuple[str, ...]

    @property
    def unmet(self) -> tuple[str, ...]:
        """Whom the network must not meet."""
        return (*self.judged, *self.strangers)


def rotation(people: Iterable[str], scores: bool) -> list[Parts]:
    """Return the parts of every fold, so that everybody is judged once.

    Args:
        people: Everybody.
        scores: Whether scores are watched.

    Raises:
        UsageError: They are too few for all parts.
    """
    folds = folds_of(people)
    everybody = [person for fold in folds for person in fold]
    found = []
    for at, judged in enumerate(folds):
        strangers: tuple[str, ...] = ()
        for following in (*folds[at + 1 :], *folds[:at]):
            if scores and len(strangers) < LEAST_PEOPLE:
                strangers += following
        taught = tuple(one for one in everybody if one not in judged and one not in strangers)
        found.append(Parts(judged, strangers, taught))
    least = _LEAST_TAUGHT if scores else LEAST_PEOPLE
    if not found or any(len(one.taught) < least for one in found):
        needs = "its scores looked at on three or four and its network trained on two" if scores else "learnt on three"
        raise UsageError(
            f"there are {len(everybody)} people; a drift watch is judged on two, {needs} or more", "drift",
            "give more people, or judge readings alone with --no-scores" if scores else "give more people",
        )  # fmt: skip
    return found


def told(taught: Taught) -> dict[str, Any]:
    """Return who stands behind what was learnt, as plain JSON values; `scores_judged`: whether scores raise alarms."""
    scores = taught.reference.scores
    met = [] if taught.package is None else [str(one) for one in taught.package.contract.lineage.get("trained_on", [])]
    return {
        "trained_on": ordered(met), "readings_of": ordered(taught.reference.people),
        "scores_of": [] if scores is None else ordered(scores.people),
        "scores_judged": scores is not None and min(scores.limits) < SHOWN_ONLY,
    }  # fmt: skip
