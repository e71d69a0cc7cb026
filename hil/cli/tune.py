"""The verb that chooses how a model runs: `hil model tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli.common import Json, Quiet, fresh, print_json, print_table, talk

__all__ = ["tune"]


def tune(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write; never overwritten.")],
    slots: Annotated[int, typer.Option("--slots", min=1, max=4096, help="Boards in one call.")] = 8,
    calls: Annotated[int, typer.Option("--calls", min=100, help="How often each way is timed.")] = 2000,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure the ways to run a model here and write the fastest that agrees into a new model file.

    Example: hil model tune hil/models/exercise.hilmodel -o tuned.hilmodel
    """
    from dataclasses import asdict

    from hil.models.model import load_model
    from hil.models.package import write_package
    from hil.models.tune import tune as tuned

    fresh(output, suffix=".hilmodel")
    opened = load_model(model)
    talk(f"{opened.contract.name}: {slots} boards in a call, hop {opened.contract.hop}, {calls} calls each way", quiet)
    found = tuned(opened, slots=slots, calls=calls)
    package = found.model.package
    write_package(output, package.contract, dict(package.weights), package.step)
    if json:
        ways = [asdict(way) for way in found.ways]
        print_json({"schema": 1, "file": str(output), "backend": package.contract.backend, "ways": ways})
        return
    rows = [
        (way.backend, f"{way.p50_us:.1f}", f"{way.p99_us:.1f}", f"{way.p999_us:.1f}", f"{way.difference:.1e}",
         way.refused or ("chosen" if way is found.ways[0] else "slower"))
        for way in found.ways
    ]  # fmt: skip
    print_table(("backend", "p50 us", "p99 us", "p99.9 us", "difference", ""), rows)
    print(f"{output}")
