"""What enrolling does to the rest: the old classes before and after, and what is told of a class nobody enrolled.

Rule of this room: the model's own rows and threshold decide, over all classes that it has; a known window that is
called unknown is an error, and so is an unknown one that is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hil.models.datasets import ordered
from hil.models.kshot.base import Base
from hil.models.kshot.metric import Float, prototype
from hil.models.kshot.openset import area_under_roc
from hil.models.kshot.protocol import pools
from hil.models.kshot.statistics import Statistics

__all__ = ["FIGURES", "after_enrolment"]

FIGURES = {
    "old_before": "share of the windows of old classes decided right before anything was enrolled",
    "old_after": "the same after two classes were enrolled",
    "taken": "share of the windows of old classes that the two new ones took",
    "new_right": "share of the windows of the new classes decided right, among all classes and unknown",
    "false_reject": "share of the windows of old and new classes called unknown",
    "false_accept": "share of the windows of a class that nobody enrolled called known",
    "auroc": "how well likeness tells known from unknown",
}
"""Name and meaning of each figure."""


def after_enrolment(
    base: Base, old: Sequence[int], triple: Sequence[int], unseen: Statistics, embedded: Float, shots: int,
    chance: np.random.Generator,
) -> Iterator[tuple[str, int, dict[str, float]]]:  # fmt: skip
    """Enrol two of three classes from other people, the third stays unknown; yield a person, the third, and figures.

    Args:
        base: A model that has met neither these people nor the three classes.
        old: Its classes.
        triple: The three.
        unseen: Windows of the people, of all classes.
        embedded: Their points.
        shots: Examples of each.
        chance: Source of all chance.
    """
    threshold = base.open_set.threshold
    for person in ordered(np.unique(unseen.people).tolist()):
        his = unseen.people == person
        labels, points = unseen.labels[his], embedded[his]
        mine, before = np.isin(labels, old), points @ base.points.T
        for stranger in triple:
            new = [one for one in triple if one != stranger]
            shown, _ = pools(unseen, "others", person, new, chance)
            other = labels == stranger
            if min(map(len, shown)) < shots or not mine.any() or not other.any() or not np.isin(labels, new).any():
                continue
            rows = [prototype(embedded[chance.choice(one, shots, replace=False)]) for one in shown]
            after = np.hstack((before, points @ np.stack(rows).T))
            names = np.array([*old, *new])
            nearest, said = after.max(axis=1), names[after.argmax(axis=1)]
            rejected = nearest < threshold
            right = (said == labels) & ~rejected
            first = (np.array(old)[before.argmax(axis=1)] == labels) & (before.max(axis=1) >= threshold)
            fresh = np.isin(labels, new)
            yield (
                person,
                stranger,
                {
                    "old_before": float(first[mine].mean()),
                    "old_after": float(right[mine].mean()),
                    "taken": float((np.isin(said, new) & ~rejected)[mine].mean()),
                    "new_right": float(right[fresh].mean()),
                    "false_reject": float(rejected[mine | fresh].mean()),
                    "false_accept": float((~rejected)[other].mean()),
                    "auroc": area_under_roc(nearest[mine | fresh], nearest[other]),
                },
            )
