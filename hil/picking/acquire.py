"""What is worth a label: disagreement (BALD), a small margin, distance to what is known, and batches made of these.

Rule of this room: pure NumPy. A batch is made one stretch at a time, and each that is taken pushes its likes away, so
that no batch holds near-duplicates while there is anything else. The same seed makes the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["STRATEGIES", "apart", "bald", "choose", "entropy", "margin", "whitened"]

Float = npt.NDArray[np.float64]

STRATEGIES = {
    "random": "any stretch, with equal chance: what the others are measured against",
    "margin": "the two most probable labels are nearly equally probable",
    "bald": "members of the ensemble are each sure, and say different things (mutual information)",
    "coreset": "the farthest from all that is labelled or taken (greedy k-centre)",
    "mixed": "far from all that is labelled or taken, times how small the margin is",
}
"""Strategies by name, and what each looks for. Without members, all but `random` are `coreset`: nothing doubts yet."""

_TINY = 1e-12


def entropy(probabilities: Float) -> Float:
    """Return the entropy in nats over the last axis."""
    found: Float = -(probabilities * np.log(probabilities + _TINY)).sum(axis=-1)
    return found


def bald(members: Float) -> Float:
    """Return what a label would tell about the model: entropy of the mean less mean entropy, in nats.

    Args:
        members: Probabilities `(M, N, classes)` of M draws or members.

    Returns:
        `(N,)`, from 0 (all say the same) to ln(classes).
    """
    found: Float = np.maximum(entropy(members.mean(axis=0)) - entropy(members).mean(axis=0), 0.0)
    return found


def margin(members: Float) -> Float:
    """Return how close the two most probable labels are, `(N,)`: 1 where they are equal, 0 where one is sure."""
    ordered = np.sort(members.mean(axis=0), axis=-1)
    found: Float = 1.0 - (ordered[:, -1] - ordered[:, -2])
    return found


def whitened(values: Float, most: int = 20) -> Float:
    """Return the leading directions of a pool, each with spread 1: distances count no direction twice.

    Args:
        values: `(N, F)`.
        most: Directions kept.

    Returns:
        `(N, at most most)`; directions that carry less than a millionth of the greatest spread are left out.
    """
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    left, size, _ = np.linalg.svd(scaled, full_matrices=False)
    keep = int(min(most, (size > 1e-6 * size[0]).sum())) if len(size) and size[0] > 0 else 0
    # The sign of a direction is free; distances do not depend on it.
    found: Float = left[:, :keep] * np.sqrt(len(values))
    return found


def apart(space: Float) -> float:
    """Return the distance below which two stretches are near-duplicates: half the median to the nearest other one.

    Args:
        space: `(N, D)`.
    """
    if len(space) < 3:
        return 0.0
    nearest = np.full(len(space), np.inf)
    for start in range(0, len(space), 256):
        rows = slice(start, start + 256)
        distances = _squared(space[rows], space)
        distances[np.arange(len(distances)), np.arange(start, start + len(distances))] = np.inf
        nearest[rows] = distances.min(axis=1)
    return 0.5 * float(np.sqrt(np.median(nearest)))


def choose(
    strategy: str, space: Float, labelled: Sequence[int], members: Float | None, count: int,
    seed: int | Sequence[int], likes: float | None = None,
) -> list[int]:  # fmt: skip
    """Return the rows to label next, the most wanted first.

    Args:
        strategy: A key of `STRATEGIES`.
        space: `(N, D)`, where near means alike; see `whitened`.
        labelled: Rows that have a label.
        members: Probabilities `(M, N, classes)`; None: no model yet.
        count: How many; fewer come back where fewer are left.
        seed: Of the order at random, and of where a core-set begins when nothing is labelled.
        likes: Distance below which two are near-duplicates; None: see `apart`.

    Raises:
        KeyError: There is no such strategy.
    """
    if strategy not in STRATEGIES:
        raise KeyError(strategy)
    chance = np.random.default_rng(seed)
    free = np.ones(len(space), np.bool_)
    free[list(labelled)] = False
    count = min(count, int(free.sum()))
    if strategy == "random":
        return [int(row) for row in chance.permutation(np.flatnonzero(free))[:count]]
    doubt = np.ones(len(space))
    if members is not None and strategy != "coreset":
        doubt = bald(members) if strategy == "bald" else margin(members)
    spreads = members is None or strategy in ("coreset", "mixed")
    known = np.full(len(space), np.inf)
    if len(labelled):
        known = _squared(space[list(labelled)], space).min(axis=0)
    taken = np.full(len(space), np.inf)
    near = (apart(space) if likes is None else likes) ** 2
    found: list[int] = []
    for _ in range(count):
        wanted = doubt.copy()
        if spreads:
            distance = np.sqrt(np.minimum(known, taken))
            # Nothing is known or taken: begin anywhere, so that seeds differ.
            wanted = chance.random(len(space)) if np.isinf(distance).any() else distance * doubt
        wanted[~free] = -np.inf
        other = free & (taken >= near)
        if other.any():
            wanted[~other] = -np.inf
        row = int(wanted.argmax())
        found.append(row)
        free[row] = False
        taken = np.minimum(taken, _from(space, row))
    return found


def _from(space: Float, row: int) -> Float:
    found: Float = ((space - space[row]) ** 2).sum(axis=1)
    return found


def _squared(rows: Float, space: Float) -> Float:
    found: Float = (rows**2).sum(axis=1)[:, None] + (space**2).sum(axis=1) - 2 * rows @ space.T
    return np.maximum(found, 0.0)
