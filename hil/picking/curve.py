"""What picking saves, measured: labels are bought stretch by stretch from some people, and others judge the result.

Rule of this room: nobody who judges is in the pool, and which strategy counts as ours is chosen anew in every fold, on
people of its pool alone (an experiment inside the experiment). All strategies meet the same learner, pool and seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.data.features import window_ends
from hil.models.datasets import NONE, Dataset, ordered, window_truth
from hil.picking.acquire import STRATEGIES, apart, choose, whitened
from hil.picking.learner import Heads, learn
from hil.picking.needed import Traces, summary_of
from hil.picking.statistics import statistics

__all__ = ["CHOSEN", "CurvePlan", "Rows", "measure_curve", "rows_of"]

Float = npt.NDArray[np.float64]
Progress = Callable[[float, str], None]

CHOSEN = "chosen"
"""Name of the curve whose strategy was chosen in each fold on its pool alone."""


@dataclass(frozen=True, slots=True)
class CurvePlan:
    """What is asked for.

    Attributes:
        window: Samples of a stretch: what one label is given to.
        hop: Samples between the windows of those who judge.
        folds: Folds of people; everyone judges once.
        inner: Folds inside a pool, to choose a strategy.
        seeds: Runs of each fold.
        seed: The first seed.
        batch: Labels bought at once.
        most: Labels bought in all.
        share: Of the full pool's macro-F1 that is to be reached.
        resamples: Draws of the intervals.
    """

    window: int = 200
    hop: int = 50
    folds: int = 5
    inner: int = 4
    seeds: int = 5
    seed: int = 0
    batch: int = 10
    most: int = 200
    share: float = 0.95
    resamples: int = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Stretches as numbers: statistics `(N, F)`, truth `(N,)` and person `(N,)` (index into `people`)."""

    values: Float
    truth: npt.NDArray[np.int64]
    who: npt.NDArray[np.int64]

    def of(self, people: Sequence[int]) -> Rows:
        """Return the rows of some people."""
        mine = np.isin(self.who, people)
        return Rows(self.values[mine], self.truth[mine], self.who[mine])


def rows_of(dataset: Dataset, people: Sequence[str], window: int, hop: int) -> Rows:
    """Return the labelled windows of a dataset, one every `hop` samples.

    Raises:
        UsageError: No window has a label.
    """
    values, truth, who = [], [], []
    for series in dataset.series:
        ends = window_ends(len(series.values), window, hop)
        said = window_truth(series.labels, ends, window, len(dataset.labels))
        ends, said = ends[said != NONE], said[said != NONE]
        if len(ends):
            seen = np.lib.stride_tricks.sliding_window_view(series.values, window, axis=0)[ends - window]
            values.append(statistics(np.moveaxis(seen, -1, 1)))
            truth.append(said)
            who.append(np.full(len(said), people.index(series.person), np.int64))
    if not values:
        raise UsageError(f"no {window} samples of one label lie together", "the data", "label them, or use --stretch")
    return Rows(np.concatenate(values), np.concatenate(truth), np.concatenate(who))


def measure_curve(dataset: Dataset, plan: CurvePlan, progress: Progress | None = None) -> dict[str, Any]:
    """Buy labels by every strategy in every fold and seed; return curves, labels needed and ratios as JSON values.

    Args:
        dataset: Labelled readings, grouped by what is held out.
        plan: What is asked for.
        progress: Told the share that is done, and a line.

    Raises:
        UsageError: There are too few people, or a pool is smaller than what is to be bought.
    """
    began = time.process_time()
    people, classes = ordered(dataset.people), len(dataset.labels)
    if len(people) < 4 or plan.folds < 2:
        raise UsageError(f"{len(people)} people in {plan.folds} folds cannot be pool, choice and judges", "the data",
                         "give data of at least four people, and two folds")  # fmt: skip
    pool, judges = (rows_of(dataset, people, plan.window, hop) for hop in (plan.window, plan.hop))
    folds = _folds(len(people), plan.folds)
    budgets = tuple(range(plan.batch, plan.most + 1, plan.batch))
    tell = _counted(progress, plan, len(folds))
    shape = (plan.seeds, len(budgets), len(people), classes, classes + 1)
    found = {name: np.zeros(shape) for name in (*STRATEGIES, CHOSEN)}
    full = np.zeros((plan.seeds, len(people), classes, classes + 1))
    choices = []
    for away in folds:
        rest = [one for one in range(len(people)) if one not in away]
        choice, inner = _choose_strategy(pool, judges, rest, plan, budgets, classes, tell)
        choices.append({"judges": [people[one] for one in away], "strategy": choice, "needed_inside": inner})
        setting = _Setting(pool.of(rest), judges.of(away), classes, budgets)
        for at in range(plan.seeds):
            full[at] += _confusion(setting, setting.full(plan.seed + at), len(people))
            for name in STRATEGIES:
                for step, heads in enumerate(setting.run(name, plan.seed + at)):
                    found[name][at, step] += _confusion(setting, heads, len(people))
                tell(f"judges {', '.join(people[one] for one in away)}; seed {plan.seed + at}; {name}")
            found[CHOSEN][at][:, away] = found[choice][at][:, away]
    told = summary_of(Traces(budgets, found, full), plan.share, plan.seed, plan.resamples)
    return {
        "schema": 1, "plan": asdict(plan), "people": people, "labels": list(dataset.labels),
        "pool_stretches": len(pool.truth), "stretch_s": plan.window / dataset.rate_hz,
        "about": dict(STRATEGIES), "choices": choices, **told, "cpu_s": time.process_time() - began,
    }  # fmt: skip


class _Setting:
    """A pool, its judges, and a learner that begins with no label."""

    def __init__(self, pool: Rows, judges: Rows, classes: int, budgets: Sequence[int]) -> None:
        if len(pool.truth) < budgets[-1]:
            raise UsageError(f"a pool has {len(pool.truth)} stretches and {budgets[-1]} are to be labelled", "--most",
                             "buy fewer, or give more data")  # fmt: skip
        self.pool, self.judges, self.classes, self.budgets = pool, judges, classes, budgets
        self.space = whitened(pool.values)
        self.likes = apart(self.space)

    def full(self, seed: int) -> Heads:
        """Return what is learnt from all labels of the pool."""
        return learn(self.pool.values, np.arange(len(self.pool.truth)), self.pool.truth, self.classes, seed=seed)

    def run(self, strategy: str, seed: int) -> Iterator[Heads]:
        """Yield what is learnt after each batch of labels."""
        bought: list[int] = []
        members: Float | None = None
        for budget in self.budgets:
            batch = budget - len(bought)
            bought += choose(strategy, self.space, bought, members, batch, [seed, len(bought)], self.likes)
            rows = np.array(bought, np.int64)
            heads = learn(self.pool.values, rows, self.pool.truth[rows], self.classes, seed=seed)
            members = heads.members(self.pool.values)
            yield heads


def _choose_strategy(
    pool: Rows, judges: Rows, people: Sequence[int], plan: CurvePlan, budgets: tuple[int, ...], classes: int,
    tell: Callable[[str], None],
) -> tuple[str, dict[str, float | None]]:  # fmt: skip
    """Return the strategy that needs the fewest labels among the people of a pool, and what each needed there."""
    names = [name for name in STRATEGIES if name != "random"]
    folds = [[people[one] for one in fold] for fold in _folds(len(people), min(plan.inner, len(people)))]
    size = max(people) + 1
    found = {name: np.zeros((1, len(budgets), size, classes, classes + 1)) for name in ("random", *names)}
    full = np.zeros((1, size, classes, classes + 1))
    for away in folds:
        setting = _Setting(pool.of([one for one in people if one not in away]), judges.of(away), classes, budgets)
        full[0] += _confusion(setting, setting.full(plan.seed), size)
        for name in names:
            for step, heads in enumerate(setting.run(name, plan.seed)):
                found[name][0, step] += _confusion(setting, heads, size)
            tell(f"choosing among people {', '.join(str(one) for one in people)}; {name}")
    told = summary_of(Traces(budgets, found, full), plan.share, plan.seed, resamples=1)["strategies"]
    needed = {name: told[name]["needed"]["value"] or float("inf") for name in names}
    best = min(names, key=lambda name: (needed[name], -told[name]["area"]))
    return best, {name: one if np.isfinite(one) else None for name, one in needed.items()}


def _confusion(setting: _Setting, heads: Heads, people: int) -> Float:
    found = np.zeros((people, setting.classes, setting.classes + 1))
    judges = setting.judges
    np.add.at(found, (judges.who, judges.truth, heads.decide(judges.values)), 1.0)
    return found


def _folds(people: int, folds: int) -> list[list[int]]:
    """Return people in folds, neighbours together."""
    return [part.tolist() for part in np.array_split(np.arange(people), min(folds, people))]


def _counted(progress: Progress | None, plan: CurvePlan, folds: int) -> Callable[[str], None]:
    due = folds * (plan.seeds * len(STRATEGIES) + plan.inner * (len(STRATEGIES) - 1))
    done = 0

    def tell(line: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(1.0, done / due), line)

    return tell
