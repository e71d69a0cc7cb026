"""What prototypes are held against: a nearest neighbour on raw windows, and a linear head fine-tuned on the examples.

Rule of this room: every method sees the same examples and answers the same questions; none has settings that were
chosen on them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hil.models.kshot.metric import Float, unit
from hil.models.kshot.protocol import Episode

__all__ = ["RIVALS", "balanced", "by_head", "by_neighbour", "by_prototype"]

Answers = npt.NDArray[np.int64]

_STEPS, _RATE, _DECAY, _SCALE = 150, 1.0, 1e-3, 10.0


def by_prototype(embedded: Float, episode: Episode) -> Answers:
    """Answer by the nearest prototype: ours."""
    points = unit(embedded[episode.examples].sum(axis=1))
    found: Answers = (embedded[episode.questions] @ points.T).argmax(axis=1)
    return found


def by_neighbour(raw: npt.NDArray[np.float32], episode: Episode) -> Answers:
    """Answer by the nearest example, by the distance of normalised readings."""
    shown, asked = raw[episode.examples.ravel()], raw[episode.questions]
    distance = (shown * shown).sum(axis=1) - 2.0 * asked @ shown.T
    found: Answers = distance.argmin(axis=1) // episode.examples.shape[1]
    return found


def by_head(values: Float, episode: Episode) -> Answers:
    """Answer by a linear head: softmax regression with weight decay, from nothing, by gradient descent.

    Args:
        values: Points on the sphere, `(N, D)`.
        episode: The task.
    """
    ways, shots = episode.examples.shape
    x = _SCALE * values[episode.examples.ravel()]
    x = np.hstack((x, np.ones((len(x), 1))))
    truth = np.repeat(np.eye(ways), shots, axis=0)
    weight = np.zeros((x.shape[1], ways))
    # The step is as long as the curvature allows, so that descent is sure: half the largest eigenvalue bounds it.
    rate = _RATE / (0.5 * float(np.linalg.eigvalsh(x @ x.T)[-1]) / len(x) + _DECAY)
    for _ in range(_STEPS):
        logits = x @ weight
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        weight -= rate * (x.T @ (share - truth) / len(x) + _DECAY * weight)
    asked = _SCALE * values[episode.questions]
    found: Answers = (asked @ weight[:-1] + weight[-1]).argmax(axis=1)
    return found


def balanced(answers: Answers, episode: Episode) -> float:
    """Return the mean over the classes of the share of right answers."""
    ways = len(episode.examples)
    return float(np.mean([(answers[episode.truth == way] == way).mean() for way in range(ways)]))


RIVALS: dict[str, Callable[[npt.NDArray[np.float32], Float, Episode], Answers]] = {
    "neighbour": lambda raw, embedded, episode: by_neighbour(raw, episode),
    "head": lambda raw, embedded, episode: by_head(embedded, episode),
}
"""Methods by name; each is given raw windows and points."""
