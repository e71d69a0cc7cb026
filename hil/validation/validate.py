"""One validation from beginning to end: `hil validate`.

Rule of this room: it only calls. What was asked for is written into what comes out, so that a figure can be made again.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from firmware_bridge.errors import UsageError
from hil.data.splits import Split, make_split
from hil.models.datasets import Dataset
from hil.models.package import Package
from hil.models.training_config import TrainConfig
from hil.validation.neighbours import nearest, random_split
from hil.validation.robustness import FAULTS, robustness
from hil.validation.summary import summarise
from hil.validation.trials import BASELINES, Trial, baseline_rows, of_baseline, of_config, of_model, strangers

__all__ = ["Plan", "validate"]

_NEAREST = BASELINES["forest"]
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    Attributes:
        by: What is held out: `person`, `day` or `device`.
        folds: How many; None: leave one out.
        seeds: Trainings of each fold.
        level: Promised coverage of conformal sets.
        nested: Calibrate on groups that the calibrating model has not met either.
        strengths: Which of the three strengths of every fault; empty: no faults.
        random_gap: Say what a random split would claim.
        window: Samples of a baseline's window, where no configuration says it.
        hop: Samples between its windows.
    """

    by: str = "person"
    folds: int | None = None
    seeds: int = 1
    level: float = 0.9
    nested: bool = False
    strengths: tuple[int, ...] = (0, 1, 2)
    random_gap: bool = False
    window: int = 1
    hop: int = 1


def validate(
    what: TrainConfig | Package | str, dataset: Dataset, plan: Plan, split: Split | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Judge what is asked for on groups that it has not met; return all figures as plain JSON values.

    Args:
        what: A training configuration (trained anew for every fold), a finished model, or the name of a baseline.
        dataset: Labelled readings.
        plan: What is asked for.
        split: Folds; None: made as the plan says.
        progress: Told the share that is done, and a line.

    Raises:
        UsageError: Groups or folds cannot be meant, or a model has met everyone.
        MissingPart: A library is not installed.
    """
    by = split.by if split is not None else plan.by
    grouped = dataset.by(by)
    seed = what.seed if isinstance(what, TrainConfig) else 0
    seeds = range(seed, seed + plan.seeds)
    if isinstance(what, Package):
        if by != "person":
            raise UsageError(f"a finished model knows which people it has met and no {by}", "--by", "split by person")
        people = strangers(what, grouped)
        trials = list(of_model(what, grouped, people))
        protocol = f"{len(people)} people whom the model has not met: {', '.join(people)}"
    else:
        made = split or make_split(grouped.people, by, plan.folds)
        trials = list(_trained(what, grouped, made, seeds, plan, progress))
        sizes = {len(fold) for fold in made.folds}
        kind = f"leave one {by} out" if sizes == {1} else f"{len(made.folds)} folds of {by} groups"
        protocol = f"{kind}, {plan.seeds} seed{'s' if plan.seeds > 1 else ''}"
    found = {
        "schema": 1, "kind": _kind(what), "name": _name(what), "protocol": protocol, "plan": asdict(plan) | {"by": by},
        **summarise(trials, dataset.labels, level=plan.level, seed=seed), "left_out": dict(dataset.left_out),
        "series": len(dataset.series), "rate_hz": dataset.rate_hz, "channels": list(dataset.channels),
    }  # fmt: skip
    return found | _more(what, trials, grouped, plan, seed, progress)


def _trained(
    what: TrainConfig | str, grouped: Dataset, split: Split, seeds: Sequence[int], plan: Plan, progress: Progress | None
) -> list[Trial]:
    if isinstance(what, TrainConfig):
        return list(of_config(what, grouped, split.folds, seeds, plan.nested, progress))
    if what not in BASELINES:
        raise UsageError(f"there is no baseline {what!r}", "--baseline", f"use {' or '.join(BASELINES)}")
    return list(of_baseline(BASELINES[what], grouped, split.folds, seeds, plan.window, plan.hop, progress))


def _more(
    what: TrainConfig | Package | str, trials: Sequence[Trial], grouped: Dataset, plan: Plan, seed: int,
    progress: Progress | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what is not made of the decisions: faults, cost, and why a random split flatters."""
    found: dict[str, Any] = {"robustness": [], "cost": None, "neighbours": None, "random_split": None}
    first = [trial for trial in trials if trial.seed == trials[0].seed]
    if trials[0].package is not None:
        from hil.models.cost import cost_of

        found["cost"] = cost_of(trials[0].package)
        if plan.strengths:
            told = None if progress is None else lambda share: progress(share, "")
            found["robustness"] = robustness(
                first, grouped, kinds=tuple(FAULTS), strengths=plan.strengths, seed=seed, progress=told
            )
    baseline = BASELINES[what] if isinstance(what, str) else _NEAREST
    window, hop = plan.window, plan.hop
    if not isinstance(what, str):
        source = what.contract if isinstance(what, Package) else what
        window, hop = source.window, source.hop
    values, truth, people = baseline_rows(baseline, grouped, window, hop)
    if len(truth):
        found["neighbours"] = nearest(values, truth, people, seed)
        if plan.random_gap:
            found["random_split"] = random_split(baseline, values, truth, seed)
    return found


def _kind(what: TrainConfig | Package | str) -> str:
    return "model" if isinstance(what, Package) else "training" if isinstance(what, TrainConfig) else "baseline"


def _name(what: TrainConfig | Package | str) -> str:
    if isinstance(what, str):
        return BASELINES[what].about
    return what.contract.name if isinstance(what, Package) else what.name
