"""Verbs of one model: `hil model deploy`, `hil model tune`; those of `hil.cli.models` join them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.common import For, Json, Quiet, Seed, print_json, print_table, talk
from hil.cli.engines import Token
from hil.cli.models import list_, load, stop, unload
from hil.cli.tune import tune

if TYPE_CHECKING:
    from hil.models.int8.agreement import Agreement
    from hil.models.int8.deploy import Deployment

__all__ = ["GROUPS"]

model = typer.Typer(
    help="Find models, put one on a board or a running bench, choose how it runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@model.callback()
def _group() -> None:
    """Find models, put one on a board or a running bench, choose how it runs."""


for verb in (list_, load, unload, stop, tune):
    model.command(verb.__name__.rstrip("_"))(verb)


@model.command("deploy")
def deploy(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A .hilmodel or .onnx file, or an op list that -o wrote (.hiln).")
    ],
    on: Annotated[
        str | None, typer.Option("--on", metavar="PORT", help="Board to put it on; `firmware`: one that is emulated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take, and write files.")] = False,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Recording of the board to calibrate on; may be given several times."),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option("--check", help="Recording to compare integers with floating point on; several times."),
    ] = None,
    board: Annotated[
        str | None, typer.Option("--board", help="Role of the board in the recordings, or with --at on the bench.")
    ] = None,
    percentile: Annotated[
        float | None, typer.Option("--percentile", min=50.0, max=100.0, help="Values inside a range; default 99.99.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Blob to write; never overwritten.")] = None,
    c_table: Annotated[
        Path | None, typer.Option("--c-table", help="C source to write, for an image with the model inside.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Then let it run on the board's own samples; with --for so long.")
    ] = False,
    hop: Annotated[
        int | None, typer.Option("--hop", min=1, max=65535, help="Samples between two of its decisions.")
    ] = None,
    seconds: For = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="HOST:PORT", help="A bench that is running, to whose board it goes.")
    ] = None,
    token: Token = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn a model into an op list in 8-bit integers, and put it on a board.

    Says what it does, what it needs and how near it comes; with --on also what the board holds then, and whether one
    window comes out of it bit for bit (exit 1 where it does not). With --at a bench that is running puts it on a board
    that it goes on listening to, and has it run on the board's own samples; a model is calibrated there on what that
    board sent in the last seconds, or on --data.

    Example: hil model deploy exercise.hilmodel --at 127.0.0.1:40123 --board watch
    """
    from firmware_bridge.errors import UsageError
    from hil.cli.deploy_at import deploy_at
    from hil.cli.deploy_on import Streamed, deploy_blob, deploy_made, opened_board
    from hil.models.int8.deploy import PERCENTILE, preview
    from hil.models.int8.deploy import deploy as made
    from hil.models.int8.placed import meant
    from hil.models.model import load_model
    from hil.models.windows import joined, windows_of
    from hil.recording.reader import Recording

    bare = model.suffix == ".hiln"
    if at is not None:
        if on or dry_run or check or output or c_table or stream or seconds:
            raise UsageError("a running bench puts networks on its own boards, and nothing else is asked of it", "--at",
                             "`hil model deploy MODEL --dry-run --data FILE -o FILE.hiln` writes it")  # fmt: skip
        if bare and (data or percentile is not None):
            raise UsageError("an op list is finished: nothing is calibrated", str(model), "leave --data out")
        deploy_at(model, at, token, board, hop, data or (), percentile, json=json, quiet=quiet)
        return
    if (on is None) != dry_run:
        what = "no board was named" if on is None else "a dry run needs no board"
        raise UsageError(what, "hil model deploy", "give --on PORT, or --dry-run to see what the model needs")
    if ((hop or seconds) and not stream) or (stream and on is None):
        raise UsageError("nothing runs on a board's own samples", "hil model deploy", "give --on PORT and --stream")
    if bare and (on is None or data or check or output or c_table):
        raise UsageError("an op list is finished and only goes onto boards", str(model), "give --on PORT alone")
    if (output or c_table or check or on) and not data and not bare:
        raise UsageError(
            "the ranges of an op list come from readings, and none were given", "hil model deploy",
            "give a recording of the board with --data",
        )  # fmt: skip
    for path in (output, c_table):
        if path is not None and path.exists():
            raise UsageError("the file exists and is never overwritten", str(path), "choose another name")
    streamed = Streamed(hop, seconds, seed) if stream else None
    if bare:
        deploy_blob(model, on or "", seed, streamed, json=json, quiet=quiet)
        return
    opened = load_model(model)
    if percentile is not None and opened.contract.int8 is not None:
        raise UsageError("the model was judged with ranges of its own and brings them along", str(model),
                         "leave --percentile out")  # fmt: skip
    with ExitStack() as stack:
        there = None if on is None else stack.enter_context(opened_board(on, seed, quiet))
        windows = None
        if data:
            parts = []
            for file in data:
                with Recording(file) as recording:
                    parts.append(windows_of(recording, opened.contract, board))
            windows = joined(parts, str(data[-1]))
            onto = None if there is None else meant(opened.contract, there.info)
            found = made(opened, windows, percentile or PERCENTILE, onto)
        else:
            found = preview(opened)
            talk("sizes only: give --data RECORDING for ranges and weights that mean something", quiet)
        agreement = None
        if check:
            from hil.models.int8.agreement import compare

            agreement = compare(opened, found.oplist, [str(file) for file in check], board)
        _write(found, output, c_table, model.stem, quiet)
        if not json:
            _print(found, agreement)
        plain = found.as_dict() | ({"agreement": agreement.as_dict()} if agreement is not None else {})
        if there is not None and windows is not None:
            deploy_made(there, found, windows, streamed, plain if json else None, quiet)
        elif json:
            print_json(plain)


def _write(found: Deployment, output: Path | None, c_table: Path | None, name: str, quiet: bool) -> None:
    from firmware_bridge.errors import FileError
    from firmware_bridge.oplist.cheader import c_table as as_c

    texts = ((output, found.blob), (c_table, as_c(found.blob, f"{name}_model").encode() if c_table else b""))
    for path, content in texts:
        if path is not None:
            try:
                with path.open("xb") as file:
                    file.write(content)
            except OSError as error:
                raise FileError(f"it cannot be written ({error.strerror})", str(path), "choose another name") from None
            talk(f"{path}: {len(content)} bytes", quiet)


def _print(found: Deployment, agreement: Agreement | None) -> None:
    plain = found.as_dict()
    rows = [
        (
            row["layer"], row["operator"], f"{row['output'][0]} x {row['output'][1]}", row["kernel"], row["stride"],
            row["dilation"], row["groups"], row["ram_bytes"], row["flash_bytes"], row["macs"],
        )
        for row in plain["layers"]
    ]  # fmt: skip
    print_table(
        ("layer", "operator", "output", "kernel", "stride", "dilation", "groups", "bytes", "flash", "macs"), rows
    )
    print()
    calibrated = f"{found.calibrated_on} windows, {found.percentile:g} % inside" if found.calibrated_on else "nothing"
    totals = [
        ("flash", f"{found.flash} bytes", "op list and weights; RAM too where they come over the wire"),
        ("ram", f"{found.ram} bytes", "tensors, in the arena"),
        ("window", f"{plain['window']} x {plain['columns']} {plain['raw']}", "raw readings that one decision takes"),
        ("macs", f"{found.macs}", "multiplications in a window"),
        ("calibrated", calibrated, "where the ranges of the tensors come from"),
    ]
    if agreement is not None:
        totals.append(
            (
                "agreement", f"{100 * agreement.share:.2f} %",
                f"{agreement.same} of {agreement.windows} windows as in floating point, 95 % interval "
                f"{100 * agreement.low:.2f} to {100 * agreement.high:.2f} % as if independent",
            )
        )  # fmt: skip
        if agreement.macro_f1_float is not None and agreement.macro_f1_int8 is not None:
            change = f"{agreement.macro_f1_float:.4f} in floating point, {agreement.labelled} labelled windows"
            totals.append(("macro_f1", f"{agreement.macro_f1_int8:.4f}", change))
    print_table(("what", "value", "of"), totals)


GROUPS = ((model, "model"),)
