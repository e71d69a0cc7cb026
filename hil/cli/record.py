"""Verbs that make recordings: `hil capture`, `hil collect`, `hil decode`, `hil import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import (
    BoardFile,
    For,
    Json,
    ModelFile,
    Output,
    Ports,
    Quiet,
    Wait,
    print_json,
    size_mb,
    talk,
    worked,
)
from hil.cli.live import engine_config, finish, waits_named
from hil.counted import counted

__all__ = ["VERBS", "capture", "collect", "decode", "import_"]

Person = Annotated[str, typer.Option("--person", help="Who wears or holds the board.")]
Label = Annotated[str, typer.Option("--label", help="What is recorded, such as a class.")]
NewRecording = Annotated[Path, typer.Option("-o", "--output", help="Recording to write; never overwritten.")]
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
            help="Keep only glitches: so long before a trigger; space (or a line of a pipe) triggers, m marks.",
        ),
    ] = 0.0,
    post_trigger: Annotated[
        float, typer.Option("--post-trigger", metavar="SECONDS", help="And so long after it.")
    ] = 5.0,
    on_mark: Annotated[bool, typer.Option("--on-mark", help="A mark or label of person or board triggers.")] = False,
    on_anomaly: Annotated[
        bool, typer.Option("--on-anomaly", help="A gap, damage, stall, reboot or disconnection triggers.")
    ] = False,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", metavar="STREAM.CHANNEL>VALUE", help="Passing it triggers; `~BACK` arms it again."),
    ] = None,
    confidence: Annotated[
        list[str] | None, typer.Option("--confidence", metavar="MODEL<VALUE", help="An unsure model triggers.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many glitches.")] = None,
    wait: Wait = 0.0,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE.toml", help="What is to go wrong: [[fault]] tables.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the faults; default: as the file says.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Record boards into one file that is never overwritten; Ctrl-C ends it in order.

    With --pre-trigger nothing is recorded but glitches: the seconds before and after each trigger become a recording,
    with a scenario beside it that asserts what was expected; -o names a folder or the first of them.
    """
    from hil.capture import capture as run
    from hil.cli.glitch import capture_glitches, glitch_config
    from hil.config import RecordConfig
    from hil.plain import Plain

    config = engine_config(ports, model, board_file, dialect, wait=wait)
    if config.replay is not None:
        raise UsageError("a recording is recorded already", ports[0], "name a port, such as virtual://replay?file=...")
    about = {"person": person, "label": label, "note": note}
    glitch = glitch_config(
        pre_trigger, post_trigger, threshold, confidence, on_mark, on_anomaly, count, output, about | _pairs(meta),
        model is not None,
    )  # fmt: skip
    config = config.model_copy(update={"glitch": glitch, **_faults(faults, seed)})
    plain = Plain()
    if not pre_trigger:
        record = RecordConfig(path=None if output is None else str(output), meta=_pairs(meta), split=split, **about)
        config = config.model_copy(update={"record": record})
        with waits_named(ports):
            summary = run(
                config, seconds=seconds, on_snapshot=lambda now: _tell(plain.lines(now), quiet),
                say=lambda line: talk(line, quiet),
            )  # fmt: skip
        finish(summary, as_json=json)
        return
    if split:
        raise UsageError("a glitch is one file", "--split", "leave it out")
    talk(f"keeping the last {pre_trigger:g} s; space saves a glitch, m sets a mark, Ctrl-C ends", quiet)
    with waits_named(ports):
        summary = capture_glitches(config, seconds, lambda now: _tell(plain.lines(now), quiet))
    if not summary.glitches:
        talk("no glitch was saved: nothing triggered")
    finish(summary, as_json=json)


def _tell(lines: list[str], quiet: bool) -> None:
    for line in lines:
        talk(line, quiet)


def _faults(file: Path | None, seed: int | None) -> dict[str, Any]:
    """Return what an engine is told about faults."""
    if file is None:
        if seed is not None:
            raise UsageError("a seed without faults means nothing", "--seed", "give --faults FILE.toml")
        return {}
    from firmware_bridge.faults.schedule import read_schedule

    schedule = read_schedule(file, seed).as_dict()
    return {"faults": tuple(schedule["faults"]), "fault_seed": schedule["seed"]}


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


def decode(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording, or bytes as they came from a port.")],
    output: Output = None,
    board_file: BoardFile = None,
    dialect: Annotated[str | None, typer.Option("--dialect", help="native, lines or a plug-in, in its place.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="The one board to decode anew.")] = None,
    describe: Annotated[bool, typer.Option("--describe", help="Print a board file to start from instead.")] = False,
    json: Json = False,
) -> None:
    """Decode bytes that were captured before anyone described the board."""
    if describe:
        from hil.recording.sketch import sketch

        print(sketch(file, role))
        return
    if output is None:
        raise UsageError("a new recording needs a name", str(file), "give -o FILE")
    from firmware_bridge.wire.dialect import DialectSpec
    from hil.recording.decode import decode as run

    spec = None if dialect is None else DialectSpec(dialect)
    with worked("MB", size_mb(file)) as told:
        made = run(file, output, board_file=board_file, dialect=spec, role=role, progress=told)
    if json:
        print_json({"schema": 1, **made.as_dict()})
        return
    for board in made.boards:
        share = "unknown" if board.share_explained is None else f"{board.share_explained:.2%}"
        first = board.first_unexplained_offset
        where = "" if first is None else f"; the first byte that is not stands at offset {first}"
        print(f"{board.board}: {share} of {board.bytes:,} bytes explained{where}")
        print("  " + ", ".join(f"{name} {count:,}" for name, count in board.buckets.items() if count))
        print("\n".join(f"  {name}: {count:,} samples" for name, count in board.samples.items()) or "  no samples")
    print(made.path)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or NPZ.")],
    output: NewRecording,
    board_file: BoardFile = None,
    stream: Annotated[str | None, typer.Option("--stream", help="Name of the stream, without a board file.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", metavar="HZ", help="Samples a second.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of channels whose header names none.")] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="Label of every row.")] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="COLUMN", help="Group of every row.")] = None,
    role: Annotated[str, typer.Option("--role", help="What to call the board.")] = "import",
    person: Person = "",
    note: Note = "",
    json: Json = False,
) -> None:
    """Make a recording of a CSV or NPZ file."""
    from hil.recording.importer import import_file

    about = {key: value for key, value in (("person", person), ("note", note)) if value}
    with worked("MB", size_mb(file)) as told:
        made = import_file(
            file, output, board_file=board_file, stream=stream, rate_hz=rate, unit=unit, label=label, group=group,
            role=role, about=about, progress=told,
        )  # fmt: skip
    if json:
        print_json({"schema": 1, **made.as_dict()})
        return
    print("\n".join(f"{name}: {counted(count, 'sample')}" for name, count in made.samples.items()))
    print(f"{counted(made.labels, 'label')}, {counted(len(made.groups), 'group')}")
    print(made.path)


VERBS = (capture, collect, decode, import_)
