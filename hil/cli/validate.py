"""Verbs that judge models: `hil validate`, and what `hil compare` does with two models."""

from __future__ import annotations

import json as writer
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import FileError, UsageError
from hil.cli.common import Json, Output, Quiet, fresh, print_json, print_table, talk, worked
from hil.cli.data import By

if TYPE_CHECKING:
    from hil.models.datasets import Dataset

__all__ = [
    "VERBS", "Base", "DataOption", "Page", "compare_models", "dataset_for", "is_model", "make_folder", "validate",
]  # fmt: skip

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DATA", help="TOML with a [data] table, or a folder: of recordings, or of data files."
    ),
]
Base = Annotated[Path | None, typer.Option("--base", metavar="FOLDER", help="What file names in DATA are relative to.")]
Page = Annotated[Path | None, typer.Option("--html", help="Write one self-contained page with plots.")]
STRENGTHS = {"none": (), "quick": (1,), "full": (0, 1, 2)}


def is_model(path: str) -> bool:
    """Return whether a name is that of a model file."""
    return path.endswith((".hilmodel", ".onnx"))


def validate(
    what: Annotated[
        str,
        typer.Argument(metavar="MODEL|CONFIG|DATA", help="A model, a training configuration, or data (--baseline)."),
    ],
    source: DataOption = None,
    base: Base = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="extra-trees (raw samples) or forest (features of windows).")
    ] = None,
    by: By = "person",
    folds: Annotated[int | None, typer.Option("--folds", min=2, help="How many; default: leave one out.")] = None,
    split_file: Annotated[
        Path | None, typer.Option("--split", metavar="FILE", help="Folds, of `hil data split`.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each fold.")] = 1,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the first; default: CONFIG's.")] = None,
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.999, help="Promise of conformal sets.")] = 0.9,
    nested: Annotated[
        bool, typer.Option("--nested", help="Calibrate on groups that no model involved has met; twice the training.")
    ] = False,
    faults: Annotated[str, typer.Option("--faults", help="Robustness: none, quick or full.")] = "full",
    random_gap: Annotated[
        bool, typer.Option("--random-gap", help="Say what a random split would claim, and why.")
    ] = False,
    against: Annotated[
        str | None, typer.Option("--against", help="Hold it against a baseline: extra-trees or forest.")
    ] = None,
    window: Annotated[int, typer.Option("--window", min=1, help="Samples of a baseline's window.")] = 1,
    hop: Annotated[int, typer.Option("--hop", min=1, help="Samples between a baseline's windows.")] = 1,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of CONFIG's: a quick look.")] = None,
    streams: Annotated[list[str] | None, typer.Option("--stream", help="Stream to read of recordings.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="FOLDER", help="Of the models of every fold: a killed run goes on there."),
    ] = None,
    output: Output = None,
    page: Page = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a model, a training or a baseline on people (days, devices) it has not met, with intervals.

    A configuration is trained anew for every fold; a model is judged on whom it has not met. Calibration, conformal
    sets, faults, cost: one page (--html) and one JSON (-o, --json).

    Example: hil validate hil/models/exercise.hilmodel --data scenarios/recordings --html page.html

    Example: hil validate scenarios/models/exercise.toml --data FOLDER --folds 5 --epochs 1 --faults none
    """
    from hil.data.splits import read_split
    from hil.validation.validate import Plan
    from hil.validation.validate import validate as judge

    if faults not in STRENGTHS:
        raise UsageError(f"{faults!r} is no choice", "--faults", f"use {', '.join(STRENGTHS)}")
    fresh(output, page)
    given, dataset = _given(what, source, base, baseline, seed, epochs, streams)
    if keep is not None:
        make_folder(keep)
    plan = Plan(by, folds, seeds, level, nested, STRENGTHS[faults], random_gap, window, hop, against)
    split = None if split_file is None else read_split(split_file)
    with worked("validation") as told:

        def tell(share: float, line: str) -> None:
            told(share)
            if line:
                talk(line, quiet)

        found = judge(given, dataset, plan, split, tell, folder=Path(what).parent, keep=keep)
    if output is not None:
        output.write_text(writer.dumps(found, indent=1) + "\n", encoding="utf-8")
    if page is not None:
        from hil.report.validationpage import validation_page

        page.write_text(validation_page(found), encoding="utf-8")
        talk(f"page: {page}", quiet)
    if json:
        print_json(found)
    else:
        _show(found)


def make_folder(folder: Path) -> None:
    """Make a folder, or say in a sentence why it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"the folder cannot be made ({error.strerror})", str(folder), "choose another one") from None


def compare_models(
    a: str, b: str, source: Path | None, base: Path | None, streams: list[str] | None, seed: int, json: bool
) -> None:
    """Compare two models on the people of a dataset whom neither has met."""
    from hil.models.model import load_model
    from hil.validation.versus import compare_models as judge

    if source is None:
        raise UsageError("models are compared on data", "compare", "give --data DATA.toml, or --data FOLDER")
    packages = [load_model(path).package for path in (a, b)]
    dataset = dataset_for(source, base, streams, packages[0].contract)
    found = judge(packages[0], packages[1], dataset, seed)
    if json:
        print_json({"schema": 1, **found})
        return
    print(f"B against A on {len(found['people'])} people whom neither has met: {', '.join(found['people'])}")
    print_table(("figure", "verdict", "A", "B", "B less A", "low", "high", "p"), [
        (row["name"].replace("_", " "), row["verdict"], f"{row['a']:.3f}", f"{row['b']:.3f}", f"{row['effect']:+.3f}",
         f"{row['low']:+.3f}", f"{row['high']:+.3f}", f"{row['p_adjusted']:.3f}") for row in found["rows"]
    ])  # fmt: skip


def _given(
    what: str, source: Path | None, base: Path | None, baseline: str | None, seed: int | None, epochs: int | None,
    streams: list[str] | None,
) -> tuple[Any, Dataset]:  # fmt: skip
    """Return what is to be judged, and the data."""
    if baseline is not None:
        return baseline, dataset_for(Path(what), base or source, streams)
    if is_model(what):
        from hil.models.model import load_model

        if source is None:
            raise UsageError("a model is judged on data", what, "give --data DATA.toml, or --data FOLDER")
        package = load_model(what).package
        return package, dataset_for(source, base, streams, package.contract)
    from hil.models.datasets import load_dataset
    from hil.models.training_config import load_config

    config = load_config(what)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    if epochs is not None:
        config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
    return config, load_dataset(config.data, base or source or Path(what).parent)


def dataset_for(source: Path, base: Path | None, streams: list[str] | None, contract: Any = None) -> Dataset:
    """Return a dataset; of a folder of recordings, what a model reads of them."""
    from hil.cli.data import config_of
    from hil.models.datasets import load_dataset

    config, folder = config_of(source, base, streams)
    if contract is not None and source.is_dir():
        units = tuple(item.unit for item in contract.inputs) if contract.conditioning is not None else ()
        config = config.model_copy(update={
            "channels": tuple(item.channel for item in contract.inputs), "labels": contract.labels, "units": units,
            "rate_hz": contract.rate_hz, "conditioning": contract.conditioning,
        })  # fmt: skip
    return load_dataset(config, folder)


def _show(found: dict[str, Any]) -> None:
    from hil.report.validationpage import share

    print(f"{found['name']}: {found['protocol']}; {found['decisions']} decisions")
    print_table(("figure", "value", "low", "high"), [
        (name.replace("_", " "), *(share(one[key]) for key in ("value", "low", "high")))
        for name, one in found["figures"].items()
    ])  # fmt: skip
    folds = found["folds"]
    print(f"over folds: macro-F1 {share(folds['macro_f1']['mean'])}, accuracy {share(folds['accuracy']['mean'])}; "
          f"worst {found['plan']['by']}: {found['worst_group']}")  # fmt: skip
    for words, one in (
        ("as it is", found["calibration"]["before"]),
        ("at the temperature", found["calibration"]["after"]),
    ):
        if one is not None:
            print(
                f"calibration {words}: "
                + ", ".join(f"{name.replace('_', ' ')} {share(value)}" for name, value in one.items())
            )
    for one in found["conformal"]:
        print(f"sets by {one['method']} at {one['level']:g}: hold the truth in {share(one['coverage'])}, "
              f"{share(one['mean_size'])} labels")  # fmt: skip
    print(f"area under risk-coverage {share(found['selective']['aurc'])}")
    if found["against"]:
        print(f"against {found['against']['baseline']}: accuracy over folds {share(found['against']['accuracy'])}")
        print_table(("figure", "verdict", "baseline", "this", "this less baseline", "low", "high"), [
            (row["name"].replace("_", " "), row["verdict"], share(row["a"]), share(row["b"]),
             *(f"{row[key]:+.3f}" for key in ("effect", "low", "high"))) for row in found["against"]["rows"]
        ])  # fmt: skip
    near, claimed = found["neighbours"], found["random_split"]
    if near and near.get("ratio"):
        print(f"nearest other window: {near['ratio']:.1f} times nearer in the same {found['plan']['by']}")
    if claimed:
        print(
            f"a random split would claim: accuracy {share(claimed['accuracy'])}, macro-F1 {share(claimed['macro_f1'])}"
        )
    for cause, count in found["left_out"].items():
        print(f"left out: {count} readings ({cause})")


VERBS = (validate,)
