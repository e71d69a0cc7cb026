"""The verb that says what to label next: `hil pick`; what picking saves (`--curve`) is printed by its neighbour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from firmware_bridge.errors import FileError, UsageError
from hil.cli.common import Json, Output, Quiet, Seed, print_json, print_table, talk, worked

__all__ = ["VERBS", "pick"]

_MODELS = (".hilmodel", ".onnx")


def pick(
    given: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL...] [REC...]", help="Models that doubt; recordings, or folders of them."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="REC...", help="Recordings or folders; with --curve a labelled DATA.toml."),
    ] = None,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Stretches to pick.")] = 20,
    strategy: Annotated[str, typer.Option("--strategy", help="mixed, coreset, margin, bald or random.")] = "mixed",
    stretch: Annotated[
        float | None, typer.Option("--stretch", metavar="SECONDS", help="Length of what gets one label.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=2, help="Times that one model is asked.")] = 16,
    stream: Annotated[str, typer.Option("--stream", help="Stream to read where there is no model.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write no suggestion beside the recordings.")] = False,
    curve: Annotated[bool, typer.Option("--curve", help="Measure what picking saves on labelled data.")] = False,
    base: Annotated[Path | None, typer.Option("--folder", help="With --curve: folder of the data files.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="With --curve: runs of each fold.")] = 5,
    folds: Annotated[int, typer.Option("--folds", min=2, help="With --curve: folds of people who judge.")] = 5,
    batch: Annotated[int, typer.Option("--batch", min=1, help="With --curve: labels bought at once.")] = 10,
    most: Annotated[int, typer.Option("--most", min=1, help="With --curve: labels bought in all.")] = 200,
    output: Output = None,
    page: Annotated[Path | None, typer.Option("--html", help="With --curve: write one self-contained page.")] = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Rank the stretches of recordings that are most worth a label, and suggest them to whoever labels.

    A model doubts by dropping part of its features (BALD, margin); several models by what each says; without one, heads
    are learnt on the labels that are there. Suggestions stand in NAME.marks.jsonl beside each recording.

    Example: hil pick exercise.hilmodel --data recordings/ --budget 20, then hil data label FILE ROW --pick next
    """
    models = [one for one in given or () if one.suffix in _MODELS]
    sources = [*(data or ()), *(one for one in given or () if one.suffix not in _MODELS)]
    if curve:
        from hil.cli.pickcurve import curve_of

        if models or len(sources) != 1:
            raise UsageError("a curve needs one labelled dataset and no model: it learns its own", "pick --curve",
                             "give --data DATA.toml, or a folder of labelled recordings")  # fmt: skip
        sizes = {"seeds": seeds, "seed": seed, "folds": folds, "batch": batch, "most": most}
        curve_of(sources[0], base, 4.0 if stretch is None else stretch, sizes, output, page, json, quiet)
        return
    if output is not None or page is not None:
        raise UsageError("-o and --html belong to --curve", "pick", "add --curve, or use --json")
    from hil.models.model import load_model
    from hil.picking import pick as rooms
    from hil.picking.stretches import fitting

    files, folders = _files(sources)
    opened = [load_model(one) for one in models]
    others = fitting(sorted(folders), [one.contract for one in opened], stream)[1]
    if others and len(others) == len(files):
        raise others[files[0]]
    files = [one for one in files if one not in others]
    with worked("recordings", len(files)) as told:
        found = rooms.pick(files, opened, budget=budget, strategy=strategy, seconds=stretch, draws=draws, seed=seed,
                           stream=stream, progress=told)  # fmt: skip
    written = gone = 0
    if not dry_run:
        from firmware_bridge.clock import SystemClock
        from hil.engine.desk import user_name

        written, gone = rooms.write(found, files, SystemClock().now_ns(), user_name())
    if json:
        print_json(
            {
                "schema": 1,
                **found.as_dict(),
                "written": written,
                "withdrawn": gone,
                "passed_over": [{"file": str(one), "why": str(why)} for one, why in others.items()],
            }
        )
        return
    print_table(("rank", "from_s", "to_s", "file", "guess", "bald", "margin", "distance"), [
        (one.rank, f"{one.piece.from_s:.2f}", f"{one.piece.to_s:.2f}", one.piece.file, one.guess or "?",
         *("?" if value is None else f"{value:.3f}" for value in (one.bald, one.margin, one.distance)))
        for one in found.picked
    ])  # fmt: skip
    talk(f"{found.counts['unlabelled']} unlabelled and {found.counts['labelled']} labelled stretches of "
         f"{found.seconds:g} s; doubted: {found.doubts}", quiet)  # fmt: skip
    for why in others.values():
        talk(f"passed over: {why}", quiet)
    for cause, lost in found.left_out.items():
        if lost > 0:
            talk(f"left out: {lost:.1f} s ({cause})", quiet)
    if len(found.picked) < budget:
        talk(f"{len(found.picked)} of {budget}: nothing else is without a label", quiet)
    talk("nothing was written (--dry-run)" if dry_run else f"{written} suggestions written, {gone} open ones replaced",
         quiet)  # fmt: skip


def _files(sources: list[Path]) -> tuple[list[Path], set[Path]]:
    """Return the recordings that are meant, those of folders in order of their names, each once; and those of folders.

    Who names a recording means it; who names a folder means what fits of it.
    """
    found: list[Path] = []
    folders: set[Path] = set()
    for source in sources:
        if source.is_dir():
            inside = sorted(source.rglob("*.mcap"))
            if not inside:
                raise FileError("no recording (.mcap) is in it", str(source), "record, or `hil import` what you have")
            found += inside
            folders |= set(inside)
        elif source.suffix == ".toml":
            raise UsageError("suggestions are written beside recordings, not beside a data table", str(source),
                             "give recordings or a folder, or add --curve")  # fmt: skip
        else:
            found.append(source)
    return list(dict.fromkeys(found)), folders - {one for one in sources if not one.is_dir()}


VERBS = (pick,)
