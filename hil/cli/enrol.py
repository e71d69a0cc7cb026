"""Verbs of few-shot learning: `hil enrol` and `hil kshot`."""

from __future__ import annotations

import json as writer
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import MissingPart
from hil.cli.common import Json, Output, Quiet, fresh, print_json, print_table, talk, worked

if TYPE_CHECKING:
    from hil.models.kshot.evaluate import Plan

__all__ = ["VERBS", "enrol", "kshot"]


def enrol(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel of architecture shots.")],
    label: Annotated[str, typer.Option("--class", metavar="NAME", help="Name of the new class.")],
    examples: Annotated[
        list[str],
        typer.Option(
            "--example", metavar="FILE@FROM-TO", help="A stretch of a recording, in seconds; repeat for more."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write; never overwritten.")],
    board: Annotated[str | None, typer.Option("--board", help="Role of the one board to read.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Teach a model a new class from a few examples; the old classes stay as they were.

    Example: hil enrol shots.hilmodel --class circle --example a.mcap@12.0-14.5 --example b.mcap@3-7 -o circle.hilmodel
    """
    from hil.models.kshot.examples import distinct, parse_spot, read_example
    from hil.models.model import load_model
    from hil.models.package import write_package

    fresh(output, suffix=".hilmodel")
    package = load_model(model).package
    try:
        from hil.models.kshot.enrol import check_can_enrol
        from hil.models.kshot.enrol import enrol as learn
    except ImportError as error:
        _needs_torch(error, "hil enrol")
        raise
    check_can_enrol(package.contract, label)
    shown = [read_example(package.contract, parse_spot(one), board) for one in examples]
    distinct(shown)
    made = learn(package, label, shown)
    written = write_package(output, made.package.contract, dict(made.package.weights))
    if made.likeness >= made.threshold:
        talk(f"{label} resembles {made.nearest} ({made.likeness:.2f}): they may be taken for each other", quiet)
    if json:
        print_json({
            "schema": 1, "file": str(output), "class": label, "labels": list(written.contract.labels),
            "examples": made.examples, "windows": made.windows, "nearest": made.nearest, "likeness": made.likeness,
            "threshold": made.threshold, "recognised": made.recognised, "parent": package.sha256,
            "sha256": written.sha256,
        })  # fmt: skip
        return
    print_table(("figure", "value", "of"), [
        ("examples", made.examples, f"{made.windows} windows of {package.contract.window} samples"),
        ("likeness", f"{made.likeness:.3f}", f"to {made.nearest}, the nearest old class"),
        ("threshold", f"{made.threshold:.3f}", "likeness below which a window is unknown"),
        ("recognised", "NA" if made.recognised is None else f"{made.recognised:.3f}",
         "of the examples, by those of the others"),
    ])  # fmt: skip
    print(f"{output}")


def kshot(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="A training configuration of shots.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the data files; default: beside CONFIG.")
    ] = None,
    shots: Annotated[list[int] | None, typer.Option("--shots", min=1, help="Examples; default: 1, 5 and 10.")] = None,
    triples: Annotated[
        int | None, typer.Option("--triples", min=1, help="Triples of classes to leave out, drawn; default: all.")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Episodes of each triple and person.")] = 4,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of all chance; default: CONFIG's.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Two triples, one fold: seconds, for a look.")] = False,
    output: Output = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure how well classes are learnt from k examples: classes and people that the model has never met.

    Example: hil kshot scenarios/models/shots.toml --data FOLDER -o kshot.json
    """
    from hil.models.datasets import load_dataset
    from hil.models.training_config import load_config

    try:
        from hil.models.kshot.evaluate import Plan, evaluate
    except ImportError as error:
        _needs_torch(error, "hil kshot")
        raise
    fresh(output)
    chosen = load_config(config)
    if seed is not None:
        chosen = chosen.model_copy(update={"seed": seed})
    plan = Plan(shots=tuple(shots or (1, 5, 10)), triples=triples, repeats=repeats)
    if quick:
        plan = Plan(shots=tuple(shots or (1, 5)), triples=triples or 2, repeats=min(repeats, 2), folds=1)
    dataset = load_dataset(chosen.data, data or config.parent)
    with worked("triples") as told:

        def tell(share: float, line: str) -> None:
            told(share)
            talk(line, quiet)

        found = evaluate(chosen, dataset, plan, tell)
    if output is not None:
        output.write_text(writer.dumps(found, indent=1) + "\n", encoding="utf-8")
    if json:
        print_json(found)
    else:
        _show(found, plan)


def _show(found: dict[str, Any], plan: Plan) -> None:
    print(f"{found['name']}: {found['protocol']}")
    print_table(("k", "protocol", "ours", "low", "high", "worst", *found["rivals"]), [
        (row["shots"], row["protocol"], f"{row['accuracy']:.3f}", f"{row['low']:.3f}", f"{row['high']:.3f}",
         f"{row['worst_triple']:.3f}", *(f"{row['rivals'][name]:.3f}" for name in found["rivals"]))
        for row in found["rows"]
    ])  # fmt: skip
    print()
    print_table(("k", "figure", "value", "low", "high"), [
        (row["shots"], row["name"].replace("_", " "), *(f"{row[key]:.3f}" for key in ("value", "low", "high")))
        for row in found["open_set"]
    ])  # fmt: skip
    print()
    print_table(("k", "stranger", "called known", "low", "high"), [
        (row["shots"], row["label"], *(f"{row[key]:.3f}" for key in ("value", "low", "high")))
        for row in found["strangers"]
    ])  # fmt: skip


def _needs_torch(error: ImportError, where: str) -> None:
    if (error.name or "torch").split(".")[0] == "torch":
        raise MissingPart("torch is not installed", where, "run: pip install 'torch==2.13.*'") from None


VERBS = (enrol, kshot)
"""Verbs of this family."""
