"""Why a random split flatters: how near the nearest other reading is, in the same group and in others.

Rule of this room: features of all channels on one scale; the nearest one of a group is any other window of it, as a
random split would have it on the other side.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.validation.trials import Baseline, forest

__all__ = ["nearest", "random_split"]

Float = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ASKED = 2000
"""Windows whose neighbours are looked for, at most."""


def nearest(values: Float, truth: Ints, people: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Return how far the nearest neighbour is within the group and outside, and whether it has the same label.

    Args:
        values: `(N, F)` features.
        truth: `(N,)` label indices.
        people: Group of each.
        seed: Of which windows are asked.

    Returns:
        `within` and `between`: quartiles of the distance (in standard deviations, root mean square over the features),
        and the share of neighbours with the same label; `ratio` of the medians; and how many were asked.
    """
    from scipy.spatial import cKDTree

    spread = values.std(axis=0)
    scaled = values[:, spread > 0] / spread[spread > 0] / np.sqrt(max(1, int((spread > 0).sum())))
    who = np.array(people)
    asked = np.sort(np.random.default_rng(seed).permutation(len(values))[:_ASKED])
    found: dict[str, list[tuple[float, bool]]] = {"within": [], "between": []}
    for name in dict.fromkeys(who[asked].tolist()):
        mine = asked[who[asked] == name]
        for side, pool in (("within", np.flatnonzero(who == name)), ("between", np.flatnonzero(who != name))):
            skip = 1 if side == "within" else 0
            if len(pool) <= skip:
                continue
            # Of equal readings the window itself may come second: the first that is not it counts.
            distance, place = cKDTree(scaled[pool]).query(scaled[mine], k=1 + skip)
            distance, place = np.reshape(distance, (len(mine), -1)), np.reshape(place, (len(mine), -1))
            own = pool[place] == mine[:, None]
            pick = np.where(own[:, 0], skip, 0)
            rows = np.arange(len(mine))
            same = truth[pool[place[rows, pick]]] == truth[mine]
            found[side] += list(zip(distance[rows, pick].tolist(), same.tolist(), strict=True))
    told: dict[str, Any] = {"asked": len(asked)}
    for side, pairs in found.items():
        if not pairs:
            told[side] = None
            continue
        low, middle, high = np.quantile([one for one, _ in pairs], [0.25, 0.5, 0.75])
        told[side] = {"low": float(low), "median": float(middle), "high": float(high),
                      "same_label": float(np.mean([same for _, same in pairs]))}  # fmt: skip
    if told["within"] and told["between"]:
        told["ratio"] = told["between"]["median"] / max(told["within"]["median"], 1e-12)
    return told


def random_split(baseline: Baseline, values: Float, truth: Ints, seed: int = 0, folds: int = 5) -> dict[str, Any]:
    """Return what a baseline would claim on a random split: to show the gap, never to judge by.

    Args:
        baseline: Which.
        values: `(N, F)` features.
        truth: `(N,)` label indices.
        seed: Of the split and the forest.
        folds: Parts of it.
    """
    from hil.models.score import macro_f1

    place = np.random.default_rng(seed).permutation(len(truth)) % folds
    said = np.empty_like(truth)
    for fold in range(folds):
        away = place == fold
        said[away] = forest(baseline, seed).fit(values[~away], truth[~away]).predict(values[away])
    return {
        "baseline": baseline.about, "folds": folds, "seed": seed, "accuracy": float((said == truth).mean()),
        "macro_f1": macro_f1(truth, said, int(truth.max()) + 1),
    }  # fmt: skip
