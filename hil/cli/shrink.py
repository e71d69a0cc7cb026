"""`hil shrink`: smaller models from one, and what each costs and loses."""

from __future__ import annotations

import json as writer
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import FileError, MissingPart, UsageError
from hil.cli.common import Json, Quiet, Seed, print_json, print_table, talk, worked
from hil.cli.validate import Base, DataOption, Page, dataset_for, make_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.models.shrink.points import Plan

    Work = Callable[[Callable[[float, str], None]], dict[str, Any]]

__all__ = ["VERBS", "shrink"]


def shrink(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL|CONFIG", help="A .hilmodel of `hil train`; with --folds its CONFIG.toml.")
    ],
    source: DataOption = None,
    base: Base = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="New folder; default: MODEL-shrunk.")
    ] = None,
    times: Annotated[
        list[float] | None,
        typer.Option("--times", min=1.0, help="So many times fewer multiplications; several times. Default: 2, 4, 10."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="prune, student (distilled from nothing), or both on one front.")
    ] = "both",
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Of all that learns; default: MODEL's own. 1: a quick look.")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8/--no-int8", help="Also in 8-bit integers, as boards run it.")] = True,
    streams: Annotated[list[str] | None, typer.Option("--stream", help="Stream to read of recordings.")] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=2, help="Train CONFIG anew for each fold of people, and shrink that.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Of the parents of the folds: not trained twice.")
    ] = None,
    seed: Seed = 0,
    page: Page = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make smaller models of one and say what each costs and loses on people whom none of them has met.

    Channels are pruned, what is left learns from labels and parent, and everything is also judged in 8 bits by the
    arithmetic of boards, quantised afterwards (int8) and trained under that rounding (qat). Learnt from are the people
    of DATA whom the model has met, judged on are the others. Every point is a model file; shrunk.json and shrunk.html
    tell all of it. With --folds everybody is judged once, by parents and children that never met them; no files.

    Example: hil shrink exercise.hilmodel --data exercise.toml --base FOLDER

    Example: hil shrink exercise.toml --data FOLDER --folds 5 --keep parents -o what-it-loses
    """
    try:
        import hil.models.shrink.points as ways
    except ImportError as error:
        if (error.name or "torch").split(".")[0] != "torch":
            raise
        raise MissingPart("torch is not installed", "hil shrink", "run: pip install 'torch==2.13.*'") from None
    if method not in ways.METHODS:
        raise UsageError(f"{method!r} is no choice", "--method", f"use {', '.join(ways.METHODS)}")
    if (model.suffix == ".toml") != (folds is not None):
        raise UsageError("a configuration is shrunk across folds, and a model as it is", str(model),
                         "give CONFIG.toml with --folds, or MODEL without")  # fmt: skip
    if source is None:
        raise UsageError("a model is shrunk and judged on data", str(model), "give --data DATA.toml, or --data FOLDER")
    folder = output or Path(f"{model.stem}-shrunk")
    shown = page or folder / "shrunk.html"
    for path in (folder, shown):
        if path.exists():
            raise UsageError("it exists and is never overwritten", str(path), "choose another name")
    plotted = _can_plot(needed=page is not None, quiet=quiet)
    plan = ways.Plan(tuple(times or ways.Plan().times), method, epochs, int8, seed)
    work = _of_model(model, source, base, streams, plan, folder) if folds is None else (
        _of_config(model, source, plan, folds, keep)
    )  # fmt: skip
    try:
        folder.mkdir()
    except OSError as error:
        raise FileError(f"the folder cannot be made ({error.strerror})", str(folder), "choose another one") from None
    try:
        with worked("points") as share:

            def tell(done: float, line: str) -> None:
                share(done)
                if line:
                    talk(line, quiet)

            found = work(tell)
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()  # nothing was made: the same command works once what was wrong is put right
        raise
    (folder / "shrunk.json").write_text(writer.dumps(found, indent=1) + "\n", encoding="utf-8")
    if plotted:
        from hil.report.shrinkpage import shrink_page

        shown.write_text(shrink_page(found), encoding="utf-8")
        talk(f"page: {shown}", quiet)
    if json:
        print_json(found)
    else:
        _show(found, folder)


def _of_model(
    model: Path, source: Path, base: Path | None, streams: list[str] | None, plan: Plan, folder: Path
) -> Work:
    from hil.models.model import load_model
    from hil.validation.front import shrunk

    package = load_model(model).package
    dataset = dataset_for(source, base, streams, package.contract)
    return lambda tell: shrunk(package, dataset, plan, folder, tell)


def _of_config(model: Path, source: Path, plan: Plan, folds: int, keep: Path | None) -> Work:
    from hil.models.datasets import load_dataset
    from hil.models.training_config import load_config
    from hil.validation.shrinkfolds import shrunk_across

    config = load_config(model)
    if plan.epochs is not None:
        training = config.training.model_copy(update={"epochs": plan.epochs})
        config = config.model_copy(update={"training": training})
    dataset = load_dataset(config.data, source)
    if keep is not None:
        make_folder(keep)
    return lambda tell: shrunk_across(config, dataset, plan, folds, keep, tell, model.parent)


def _can_plot(needed: bool, quiet: bool) -> bool:
    from hil.report.svg import needs_matplotlib

    try:
        needs_matplotlib()
    except MissingPart as error:
        if needed:
            raise
        talk(f"no page: {error}", quiet)
        return False
    return True


def _show(found: dict[str, Any], folder: Path) -> None:
    from hil.report.shrinkpage import against, bar_sentence, share

    people = found["people"]
    count = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    print(f"{found['model']['name']} on {count} whom no point has met: {', '.join(people)}")
    heads = ("point", "front", "macro-F1", "change", "low", "high", "bytes", "smaller", "MACs a hop", "fewer",
             "parameters", "p50 ms")  # fmt: skip
    print_table(heads, [
        (row["name"], "*" if row["front"] else "", share(row["macro_f1"]["value"]), against(row["change"]["value"]),
         against(row["change"]["low"]), against(row["change"]["high"]), row["bytes"], f"{row['smaller']:.1f}x",
         row["macs"], f"{row['fewer']:.1f}x", row["parameters"], f"{row['p50_ms']:.3f}")
        for row in found["points"]
    ])  # fmt: skip
    for bar in found["bars"]:
        print(bar_sentence(bar))
    for way, why in found["left_out"].items():
        print(f"left out: {way}: {why}")
    print(folder)


VERBS = (shrink,)
