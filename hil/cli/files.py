"""Verbs that read recordings: `hil info`, `hil replay`, `hil recover`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import File, For, From, Json, ModelFile, Quiet, To, print_json, size_mb, talk, tell_lost, worked
from hil.cli.live import finish, speed_of

__all__ = ["VERBS", "export", "info", "mark", "recover", "replay", "verify"]

Models = Annotated[list[Path] | None, typer.Option("--model", help="A model that ran, where the recording lacks it.")]


def info(
    file: File,
    check: Annotated[bool, typer.Option("--check", help="Read every byte and test every checksum.")] = False,
    json: Json = False,
) -> None:
    """Say what is in a recording: boards, streams, losses, labels, and what a kill cost."""
    from hil.recording.info import info as look

    found = look(file, check)
    if json:
        print_json(found.as_dict())
    else:
        print("\n".join(found.lines()))


def replay(
    file: File,
    speed: Annotated[str, typer.Option("--speed", help="0.1 to 1000, or max.")] = "1",
    begin: From = None,
    end: To = None,
    loop: Annotated[bool, typer.Option("--loop", help="Again and again, until Ctrl-C or --for.")] = False,
    seconds: For = None,
    model: ModelFile = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="PORT", help="Push the readings into this board and match what comes.")
    ] = None,
    board: Annotated[str | None, typer.Option("--board", help="With --on: the recorded board, of several.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="With --on: record what passes; never overwritten.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Play a recording through the code that met the boards, or with --on into a board itself."""
    if on is not None:
        from hil.cli.onboard import replay_on

        if loop or seconds is not None or model is not None:
            raise UsageError("--loop, --for and --model have no meaning with --on", on, "use --from and --to")
        replay_on(
            file, on, speed=speed, begin=begin, end=end, board=board, output=output, json=json, quiet=quiet
        )  # fmt: skip
        return
    if board is not None or output is not None:
        raise UsageError("--board and -o have a meaning with --on only", str(file), "give --on PORT")
    from hil.capture import capture as run
    from hil.config import EngineConfig, ModelConfig, ReplayConfig
    from hil.plain import Plain
    from hil.views.snapshot import Snapshot

    plan = ReplayConfig(path=str(file), speed=speed_of(speed), begin=begin, end=end, loop=loop, hold=False)
    config = EngineConfig(replay=plan, models=() if model is None else (ModelConfig(path=str(model)),))
    plain = Plain()

    def tell(snapshot: Snapshot) -> None:
        for line in plain.lines(snapshot):
            if json:
                talk(line, quiet)
            elif not quiet:
                print(line, flush=True)

    finish(run(config, seconds=seconds, on_snapshot=tell), as_json=json)


def recover(
    file: File,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write; never overwritten.")],
    json: Json = False,
) -> None:
    """Make a whole recording of a torn or damaged one, and say what is gone."""
    from hil.recording.recover import recover as mend

    with worked("MB", size_mb(file)) as told:
        mended = mend(file, output, told)
    if json:
        print_json({"schema": 1, **mended.as_dict()})
    else:
        kept = f"{mended.path}: {mended.samples:,} samples in {mended.chunks} chunks were kept"
        missing = [*filter(None, [mended.lost]), *mended.left_out]
        print("\n".join([kept, *(missing or ["nothing is missing"])]))


def verify(file: File, models: Models = None, json: Json = False) -> None:
    """Derive everything in a recording again from its raw bytes, and say where it first differs."""
    from hil.models.verify import verify as derive

    with worked("MB", size_mb(file)) as told:
        found = derive(file, models or (), told)
    if json:
        print_json({"schema": 1, **found.as_dict()})
    else:
        print("\n".join([f"{found.verdict}: {found.sentence}", *found.remarks]))
    if found.verdict != "reproduced":
        raise typer.Exit(1)


def export(
    file: File,
    output: Annotated[Path, typer.Option("-o", "--output", help="File, or folder for several; never overwritten.")],
    form: Annotated[
        str | None, typer.Option("--format", help="csv, npz, parquet, wav, mcap; default: by name.")
    ] = None,
    streams: Annotated[list[str] | None, typer.Option("--stream", help="BOARD/STREAM or STREAM; default: all.")] = None,
    begin: From = None,
    end: To = None,
    json: Json = False,
) -> None:
    """Write a recording, or a part of it, in another format."""
    import hil
    from hil.recording.export import export as write
    from hil.replay.replay import mark_time

    with hil.open(file) as recording:
        start_s, end_s = (None if place is None else mark_time(recording, place) for place in (begin, end))
        tell_lost(recording)
    with worked("MB", size_mb(file)) as told:
        made = write(file, output, form, streams, start_s, end_s, told)
    if json:
        print_json({"schema": 1, "files": [str(path) for path in made]})
    else:
        print("\n".join(map(str, made)))


def mark(
    file: File,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write there, such as a class.")],
    begin: Annotated[str, typer.Option("--from", metavar="S|MARK", help="Where: seconds, or the name of a mark.")],
    end: To = None,
    board: Annotated[str, typer.Option("--board", help="Role of the board it is about; default: all.")] = "",
    note: Annotated[str, typer.Option("--note", help="Anything worth keeping.")] = "",
    json: Json = False,
) -> None:
    """Set a mark, or with --to a label, in the file beside a recording; the recording itself never changes."""
    import hil
    from firmware_bridge.clock import SystemClock
    from hil.engine.desk import user_name
    from hil.recording.marks import set_marks
    from hil.replay.replay import mark_time

    with hil.open(file) as recording:
        times = [recording.start_ns + round(mark_time(recording, at) * 1e9) for at in (begin, end) if at is not None]
    beside = set_marks(file, text, times, SystemClock().now_ns(), author=user_name(), board=board, note=note)
    if json:
        print_json({"schema": 1, "file": str(beside), "text": text, "t_ns": times})
    else:
        print(beside)


VERBS = (info, replay, verify, recover, export, mark)
