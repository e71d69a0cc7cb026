"""A quick model for the loop of labelling: an ensemble of linear heads on statistics of stretches.

Rule of this room: NumPy, chance only by its seed, and learnt in well under a second, so that it can be learnt anew
after every few labels. Each member weighs the labels differently (Bayesian bootstrap): where they disagree, a label
decides something.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Heads", "learn", "softmax"]

Float = npt.NDArray[np.float64]

_FIRST_EVEN = 0
"""The member that weighs every label alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Linear heads.

    Attributes:
        weights: `(M, F + 1, classes)`, the constant last.
        mean: `(F,)`, of the pool.
        spread: `(F,)`, of the pool.
    """

    weights: Float
    mean: Float
    spread: Float

    def members(self, values: Float) -> Float:
        """Return the probabilities `(M, N, classes)` of stretches `(N, F)`."""
        return softmax(_given(values, self.mean, self.spread) @ self.weights)

    def decide(self, values: Float) -> npt.NDArray[np.int64]:
        """Return the most probable label by the mean of the members, `(N,)`."""
        said: npt.NDArray[np.int64] = self.members(values).mean(axis=0).argmax(axis=-1).astype(np.int64)
        return said


def softmax(logits: Float) -> Float:
    """Return probabilities over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Float = raised / raised.sum(axis=-1, keepdims=True)
    return found


def learn(
    pool: Float, rows: npt.NDArray[np.int64], truth: npt.NDArray[np.int64], classes: int, *, seed: int,
    members: int = 8, decay: float = 0.01, steps: int = 80,
) -> Heads:  # fmt: skip
    """Learn heads from some labelled rows of a pool; the others say how readings are spread.

    Args:
        pool: `(N, F)`, labelled and not.
        rows: Those that have a label.
        truth: `(len(rows),)`, of each.
        classes: How many labels there are.
        seed: Of the members' weights.
        members: Heads.
        decay: Pull of the weights to zero.
        steps: Of accelerated gradient descent.
    """
    spread = pool.std(axis=0)
    mean, spread = pool.mean(axis=0), np.where(spread > 0, spread, 1.0)
    given = _given(pool[rows], mean, spread)
    weigh = np.random.default_rng([seed, len(rows)]).exponential(1.0, (members, len(rows)))
    weigh[_FIRST_EVEN] = 1.0
    weigh /= weigh.sum(axis=1, keepdims=True)
    target = np.eye(classes)[truth]
    pull = np.full((given.shape[1], 1), decay)
    pull[-1] = 1e-4  # the constant is hardly held
    # An upper bound of the curvature: half the greatest eigenvalue of the weighed second moments.
    size = [np.linalg.norm(given * np.sqrt(one)[:, None], 2) ** 2 for one in weigh]
    # Side by side, so that one product serves all members.
    now = ahead = np.zeros((given.shape[1], members * classes))
    rate = np.repeat(1.0 / (0.5 * np.array(size) + decay), classes)
    shape = (len(rows), members, classes)
    target, weigh = target[:, None], weigh.T[:, :, None]
    momentum = 1.0
    for _ in range(steps):
        off = (softmax((given @ ahead).reshape(shape)) - target) * weigh
        after = ahead - rate * (given.T @ off.reshape(len(rows), -1) + pull * ahead)
        grown = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = after + (momentum - 1.0) / grown * (after - now)
        now, momentum = after, grown
    return Heads(np.stack(np.split(now, members, axis=1)), mean, spread)


def _given(values: Float, mean: Float, spread: Float) -> Float:
    """Return values in spreads of the pool, and a constant behind them."""
    return np.concatenate(((values - mean) / spread, np.ones((len(values), 1))), axis=1)
