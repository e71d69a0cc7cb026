"""Smaller models side by side: what each costs, what it loses on people whom neither it nor its parent has met.

Rule of this room: parent and child decide about the same people, and the same people are drawn for both (paired
bootstrap). What costs least and is right most often is said by deterministic figures; times are of this machine and
busy neighbours, so that they are shown and never decide. Nobody's score picks a point: what a bar is held against is,
of each way to get narrower, the least shrunk point that is small enough.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.models.contract import Metric
from hil.models.cost import cost_of
from hil.models.datasets import Dataset, Series
from hil.models.evaluate import Decisions, judge, with_card
from hil.models.package import Package, write_package
from hil.models.shrink.integers import judge_integers
from hil.models.shrink.points import Plan, Point, Shrinking
from hil.validation.spread import RESAMPLES, Sums, draws_of, figure_draws, interval, sums_of
from hil.validation.trials import strangers
from hil.validation.versus import paired

__all__ = ["BARS", "Bar", "decisions_of", "front", "held_against", "judged", "row_of", "shrunk"]

_HOPS = 200
"""Timed for a latency."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a smaller model has to keep.

    Attributes:
        figure: `smaller` (times fewer bytes) or `fewer` (times fewer multiplications).
        times: How many times.
        allowed: Macro-F1 that it may lose, 0 to 1.
    """

    figure: str
    times: float
    allowed: float


BARS = (Bar("smaller", 4.0, 0.01), Bar("fewer", 10.0, 0.03))


def shrunk(
    parent: Package, dataset: Dataset, plan: Plan, folder: Path | None = None,
    told: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Shrink a model and judge every point on the people whom it has not met; return plain JSON values.

    Args:
        parent: The model.
        dataset: Labelled readings, of people it has met and of others.
        plan: What is asked for.
        folder: Where every point goes as `NAME.hilmodel` as soon as it is judged; None: nowhere.
        told: Called with the share that is done, and a line for people.

    Raises:
        UsageError: The model cannot be shrunk, or the data have only people whom it has met, or only others.
        FileError: A file cannot be written.
    """
    people = strangers(parent, dataset)
    work = Shrinking(parent, dataset, plan)
    rows: list[dict[str, Any]] = []

    def tell(share: float, line: str) -> None:
        if told is not None:
            told(min(1.0, (max(len(rows) - 1, 0) + share) / work.count), line)

    for row in judged(parent, work.points(lambda share, name: tell(share, "")), dataset, people, plan.seed, folder):
        rows.append(row)
        tell(0.0, f"{row['name']}: macro-F1 {row['macro_f1']['value']:.3f}, {row['bytes']} bytes")
    for row in rows:
        row["front"] = row["name"] in front(rows)
    return {
        "schema": 1, "model": {"name": parent.contract.name, "version": parent.contract.version,
                               "sha256": parent.sha256},
        "people": list(people), "learnt_from": list(work.learnt), "seed": plan.seed, "resamples": RESAMPLES,
        "plan": asdict(plan) | {"epochs": work.epochs}, "points": rows, "bars": held_against(rows),
        "left_out": dict(work.left_out),
    }  # fmt: skip


def judged(
    parent: Package, points: Iterable[Point], dataset: Dataset, people: Sequence[str], seed: int,
    folder: Path | None = None,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Give a row for the parent, and one for every point as soon as it is made, each against the parent."""
    series, classes = dataset.of(people), len(dataset.labels)
    decided = judge(parent, series)
    whole = [sums_of(decided, people, classes)]
    first = row_of(None, parent, decided, whole, whole, seed)
    yield first | {"file": None, "sha256": parent.sha256, "smaller": 1.0, "fewer": 1.0}
    for point in points:
        decided = decisions_of(point, series)
        sums = [sums_of(decided, people, classes)]
        row = row_of(point, parent, decided, whole, sums, seed)
        package = _with_figures(point, row, people)
        if folder is not None:
            package = write_package(folder / f"{point.name}.hilmodel", package.contract, dict(package.weights))
        yield row | {
            "file": None if folder is None else str(folder / f"{point.name}.hilmodel"), "sha256": package.sha256,
            "smaller": first["bytes"] / row["bytes"], "fewer": first["macs"] / max(row["macs"], 1),
        }  # fmt: skip


def front(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the names of the points that no other one beats: none is as good in all figures and better in one."""

    def figures(row: dict[str, Any]) -> tuple[float, float, float]:
        return -row["macro_f1"]["value"], row["bytes"], row["macs"]

    def beaten(row: dict[str, Any]) -> bool:
        mine = figures(row)
        others = (figures(other) for other in rows if other is not row)
        return any(one != mine and all(a <= b for a, b in zip(one, mine, strict=True)) for one in others)

    return [row["name"] for row in rows if not beaten(row)]


def held_against(rows: Sequence[dict[str, Any]], bars: Sequence[Bar] = BARS) -> list[dict[str, Any]]:
    """Return what the least shrunk point that is small enough loses, a row for each bar and way to get narrower.

    `way` and `point` are None where nothing is that small.
    """
    found = []
    for bar in bars:
        enough = [row for row in rows if row[bar.figure] >= bar.times]
        for way in dict.fromkeys(row["way"] for row in enough) or (None,):
            some = [row for row in enough if row["way"] == way]
            # Of two alike in cost, the one that was trained the way it is run.
            best = max(some, key=lambda row: (row["macs"], row["bytes"], row["trained_rounded"]), default=None)
            change = None if best is None else best["change"]
            found.append(asdict(bar) | {
                "way": way, "point": None if best is None else best["name"], "change": change,
                "reached": None if best is None else best[bar.figure],
                "within": None if change is None else change["value"] >= -bar.allowed,
                "surely": None if change is None or change["low"] is None else change["low"] >= -bar.allowed,
            })  # fmt: skip
    return found


def decisions_of(point: Point, series: Sequence[Series]) -> Decisions:
    """Let a point decide in its own arithmetic."""
    if point.integers is None:
        return judge(point.package, series)
    return judge_integers(point.package.contract, point.integers, series)


def row_of(
    point: Point | None, parent: Package, decided: Decisions, whole: Sequence[Sums], sums: Sequence[Sums], seed: int
) -> dict[str, Any]:
    """Return what a point costs and loses.

    Args:
        point: None: the parent itself.
        parent: Its parent.
        decided: What it decided.
        whole: Sums of what the parent decided about the same groups.
        sums: Of what it decided.
        seed: Of the draws.
    """
    package, integers = (parent, None) if point is None else (point.package, point.integers)
    name, way, method, times = (
        ("parent", "whole", "as it was trained", 1.0)
        if point is None else (point.name, point.way, point.method, point.times)
    )  # fmt: skip
    contract, cost = package.contract, cost_of(package, _HOPS)
    score = decided.score(len(contract.labels))
    groups = len(score.people)
    value, low, high = interval(figure_draws(sums, draws_of(groups, seed), "macro_f1"))
    change = next(one for one in paired(whole, sums, groups, seed) if one["name"] == "macro_f1")
    alone = groups < 2  # one person says nothing of others
    board = None if integers is None else {
        "flash_bytes": integers.flash, "ram_bytes": integers.ram, "macs": integers.macs
    }  # fmt: skip
    return {
        "name": name, "way": way, "method": method, "asked": times,
        "arithmetic": "float32" if integers is None else "int8",
        "trained_rounded": contract.int8 is not None and contract.int8.trained,
        "macro_f1": {"value": value, "low": None if alone else low, "high": None if alone else high},
        "change": {"value": change["effect"], "low": None if alone else change["low"],
                   "high": None if alone else change["high"]},
        "accuracy": score.accuracy, "ece": score.ece, "people": score.people, "decisions": score.decisions,
        # What has to be kept to run it: its weights, or the op list; not the contract around them.
        "bytes": 4 * cost["parameters"] if integers is None else integers.flash,
        "macs": cost["macs_per_hop"], "parameters": cost["parameters"], "p50_ms": cost["latency_ms"]["p50"],
        "board": board,
    }  # fmt: skip


def _with_figures(point: Point, row: dict[str, Any], people: Sequence[str]) -> Package:
    """The model with its figures on its card."""
    form = "streaming form" if point.integers is None else "in 8-bit integers as boards compute them"
    how = f"people {', '.join(people)}, whom neither it nor its parent has met; {form}, {row['decisions']} decisions"
    card = point.package.contract.card
    figures = (
        Metric(name="macro_f1", value=row["macro_f1"]["value"], how=how),
        Metric(name="accuracy", value=row["accuracy"], how=how),
        Metric(name="macro_f1_change", value=row["change"]["value"], how=f"against its parent; {how}"),
    )
    return with_card(point.package, card.model_copy(update={"metrics": figures}))
