"""What shrinking loses on everybody: parents and children made anew for every fold, all decisions scored together.

Rule of this room: whoever is held out is touched by nothing, neither by the parent nor by what is made of it, and
nothing is chosen on the folds: every fold makes the same points by the same plan. Costs are those of the first fold;
they depend on shapes alone.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firmware_bridge.errors import UsageError
from hil.models.datasets import Dataset, ordered
from hil.models.evaluate import Decisions, cross_validate, folds_of
from hil.models.package import Package
from hil.models.shrink.points import Plan, Point, Shrinking
from hil.models.training_config import TrainConfig
from hil.validation.front import decisions_of, front, held_against, row_of
from hil.validation.spread import RESAMPLES, sums_of

__all__ = ["shrunk_across"]


def shrunk_across(
    config: TrainConfig, dataset: Dataset, plan: Plan, folds: int, keep: Path | None = None,
    told: Callable[[float, str], None] | None = None, folder: Path = Path(),
) -> dict[str, Any]:  # fmt: skip
    """Train a parent for every fold, shrink it, and judge parent and children on the fold; return plain JSON values.

    Args:
        config: Of the parents.
        dataset: Labelled readings.
        plan: How each is shrunk.
        folds: Of people.
        keep: Folder of the parents, which are not trained again where they are there; None: nowhere.
        told: Called with the share that is done, and a line for people.
        folder: Where the configuration lies, for a network of the user's own.

    Returns:
        As `hil.validation.front.shrunk`, without files, and the `folds`.

    Raises:
        UsageError: The network cannot be shrunk, there are too few people, or a model in `keep` is another's.
    """
    people, parts = ordered(dataset.people), folds_of(dataset.people, folds)
    if len(parts) < 2:
        raise UsageError(f"{len(people)} people make {len(parts)} fold", config.name, "give readings of more people")
    seeded = config.model_copy(update={"seed": plan.seed})
    decided: dict[str, list[Decisions]] = {}
    first: dict[str, tuple[Point | None, Package]] = {}
    left_out, epochs = dict[str, str](), 0
    for at, fold in enumerate(cross_validate(seeded, dataset, [plan.seed], parts, folder=folder, keep=keep)):
        work = Shrinking(fold.package, dataset, plan)
        left_out, epochs, series = work.left_out, work.epochs, dataset.of(fold.held_out)
        whole = fold.decisions.score(len(dataset.labels)).macro_f1
        decided.setdefault("parent", []).append(fold.decisions)
        first.setdefault("parent", (None, fold.package))
        for done, point in enumerate(work.points(lambda share, name: None), 1):
            said = decisions_of(point, series)
            decided.setdefault(point.name, []).append(said)
            first.setdefault(point.name, (point, fold.package))
            if told is not None:
                reached = said.score(len(dataset.labels)).macro_f1
                line = f"{', '.join(fold.held_out)}: {point.name}: macro-F1 {reached:.3f}, parent {whole:.3f}"
                told((at + done / work.count) / len(parts), line)
    sums = {name: [sums_of(Decisions.joined(some), people, len(dataset.labels))] for name, some in decided.items()}
    rows = [
        row_of(*first[name], Decisions.joined(some), sums["parent"], sums[name], plan.seed)
        | {"file": None, "sha256": None}
        for name, some in decided.items()
    ]
    for row in rows:
        row |= {"smaller": rows[0]["bytes"] / row["bytes"], "fewer": rows[0]["macs"] / max(row["macs"], 1)}
    for row in rows:
        row["front"] = row["name"] in front(rows)
    return {
        "schema": 1, "model": {"name": config.name, "version": config.version, "sha256": None}, "people": people,
        "learnt_from": people, "folds": [list(one) for one in parts], "seed": plan.seed, "resamples": RESAMPLES,
        "plan": asdict(plan) | {"epochs": epochs}, "points": rows, "bars": held_against(rows), "left_out": left_out,
    }  # fmt: skip
