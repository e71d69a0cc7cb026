"""Verbs that make recordings: `hil capture`, `hil collect`, `hil decode`, `hil import`."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import BoardFile, For, Json, ModelFile, Output, Ports, Quiet, talk
from hil.cli.live import engine_config, finish

__all__ = ["VERBS", "capture", "collect"]

Person = Annotated[str, typer.Option("--person", help="Who wears or holds the board.")]
Label = Annotated[str, typer.Option("--label", help="What is recorded, such as a class.")]
Note = Annotated[str, typer.Option("--note", help="Anything worth keeping.")]


def capture(
    ports: Ports,
    output: Output = None,
    seconds: For = None,
    board_file: BoardFile = None,
    dialect: Annotated[str | None, typer.Option("--dialect", help="How the boards talk; default: found out.")] = None,
    model: ModelFile = None,
    person: Person = "",
    label: Label = "",
    note: Note = "",
    meta: Annotated[list[str] | None, typer.Option("--meta", metavar="KEY=VALUE", help="Any other fact.")] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="1h|1GB", help="Go on in a new file after so much.")
    ] = None,
    pre_trigger: Annotated[
        float,
        typer.Option(
            "--pre-trigger",
            metavar="SECONDS",
            help="Keep a ring of so long; Enter begins the recording, with what is in it.",
        ),
    ] = 0.0,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for a port that somebody holds.")] = 0.0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Record boards into one file that is never overwritten; Ctrl-C ends it in order."""
    from hil.capture import capture as run
    from hil.config import RecordConfig
    from hil.plain import Plain
    from hil.snapshot import Snapshot

    about = RecordConfig(
        path=None if output is None else str(output),
        person=person,
        label=label,
        note=note,
        meta=_pairs(meta),
        split=split,
    )
    config = engine_config(ports, model, board_file, dialect, wait=wait)
    if config.replay is not None:
        raise UsageError("a recording is recorded already", ports[0], "name a port, such as virtual://replay?file=...")
    config = config.model_copy(update={"record": about, "pre_trigger_s": pre_trigger})
    trigger = threading.Event() if pre_trigger else None
    if trigger is not None:
        talk(f"keeping the last {pre_trigger:g} s; Enter begins the recording", quiet)
        threading.Thread(target=_enter, args=(trigger,), daemon=True).start()
    plain = Plain()

    def tell(snapshot: Snapshot) -> None:
        for line in plain.lines(snapshot):
            talk(line, quiet)

    summary = run(config, seconds=seconds, on_snapshot=tell, trigger=trigger)
    if summary.recording is None and trigger is not None:
        talk("nothing was recorded: Enter was not pressed")
    finish(summary, as_json=json)


def _enter(trigger: threading.Event) -> None:
    if sys.stdin.readline():
        trigger.set()


def _pairs(texts: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(f"{text!r} is no KEY=VALUE", "--meta", "write for example --meta strap=left")
        pairs[key] = value
    return pairs


def collect(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.toml", help="Boards, classes, repetitions, seconds and rest.")],
    output: Output = None,
    person: Annotated[str | None, typer.Option("--person", help="Who it is; default: as the plan says.")] = None,
    json: Json = False,
) -> None:
    """Lead a person through classes and repetitions, and label the recording as it goes."""
    from hil.collect import collect as run
    from hil.collect import load_plan

    loaded = load_plan(plan)
    summary = run(loaded, _ask, _wait, output=None if output is None else str(output), person=person)
    finish(summary, as_json=json)


def _ask(text: str) -> str | None:
    print(text, end="", file=sys.stderr, flush=True)
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        return None
    return line.rstrip("\n") if line else None


def _wait(text: str, seconds: float) -> bool:
    import time

    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            if sys.stderr.isatty():
                print(f"\r{text}: {left:4.0f} s ", end="", file=sys.stderr, flush=True)
            time.sleep(min(left, 0.5))
    except KeyboardInterrupt:
        return False
    finally:
        print(file=sys.stderr)
    return True


VERBS = (capture, collect)
