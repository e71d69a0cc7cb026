"""Verbs of faults: `hil faults list|matrix|minimise`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from hil.cli.common import Json, Output, Quiet, Seed, print_json, print_table, talk, worked

__all__ = ["GROUPS"]

File = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (.toml).")]
On = Annotated[str | None, typer.Option("--on", metavar="TARGET", help="recording or virtual; default: as it says.")]

faults = typer.Typer(help="What faults do to a scenario.", no_args_is_help=True, rich_markup_mode=None)


@faults.command("list")
def list_(json: Json = False) -> None:
    """List every kind of fault: what happens, its parameters with unit and range, where it applies."""
    from firmware_bridge.faults.listing import as_dicts, rows

    if json:
        print_json({"schema": 1, "kinds": as_dicts()})
        return
    print_table(("kind", "parameter", "unit", "default", "range", "meaning"), rows())


@faults.command("matrix")
def matrix(
    scenario: File,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
    levels: Annotated[
        list[str] | None, typer.Option("--level", help="Only this level: byte, link, frame, sensor, clock.")
    ] = None,
    strengths: Annotated[
        str, typer.Option("--strengths", metavar="LIST", help="Of weak, medium, strong (or 0, 1, 2).")
    ] = "weak,medium,strong",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds of each, from --seed on.")] = 3,
    seed: Seed = 0,
    on: On = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Local processes.")] = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a scenario under every kind of fault and say what was detected, tolerated or silently wrong.

    Exit 1 where a byte, link or frame fault is silent although every stream has checksum and counter, 3 where a run
    failed by the bench's fault or Ctrl-C ended it early.
    """
    from hil.scenario.faults.asked import kinds_asked, strengths_asked
    from hil.scenario.faults.matrix import fault_matrix
    from hil.scenario.faults.table import matrix_lines, matrix_rows, matrix_sentence
    from hil.scenario.grammar.load import load_scenario

    names, places = kinds_asked(kinds or (), levels or ()), strengths_asked(strengths)
    loaded = load_scenario(scenario)
    began = time.monotonic()
    with worked("runs", len(names) * len(places) * seeds) as told:
        found = fault_matrix(loaded, names, places, range(seed, seed + seeds), on, jobs, told)
    sentence = matrix_sentence(found, time.monotonic() - began)
    if json:
        print_json(found.as_dict())
        talk(sentence, quiet)
    else:
        print_table(*matrix_rows(found))
        print("\n".join(["", *matrix_lines(found), sentence]))
    raise typer.Exit(found.exit_code)


@faults.command("minimise")
def minimise(
    scenario: File,
    seed: Seed = 0,
    on: On = None,
    output: Output = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the smallest faults under which a scenario still fails, and write them as a scenario (default: to stdout).

    Faults are taken out (delta debugging), then their times, strengths and parameters are shrunk by bisection; every
    try is a run of the scenario. Ctrl-C ends it with the smallest that was found so far.
    """
    from firmware_bridge.errors import FileError
    from hil.scenario.faults.smallest import smallest
    from hil.scenario.grammar.load import load_scenario
    from hil.scenario.skeleton import write_new

    if output is not None and output.exists():
        raise FileError("it is there already", str(output), "choose another name")
    loaded = load_scenario(scenario)
    found = smallest(loaded, seed, on, lambda line: talk(line, quiet))
    text = found.text(loaded, output)
    if output is not None:
        write_new(output, text)
        talk(f"{output}: run it with `hil run {output}`", quiet)
    if json:
        print_json(found.as_dict() | {"file": None if output is None else str(output)})
    elif output is None:
        print(text, end="")


GROUPS = ((faults, "faults"),)
