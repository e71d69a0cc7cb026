"""`hil bench`: the benchmark table, every figure a ratio measured side by side in one run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_bridge.errors import MissingPart, UsageError
from hil.cli.common import Json, Quiet, print_json, print_table, talk

if TYPE_CHECKING:
    from hil.bench.row import Row

__all__ = ["VERBS", "bench"]

TABLES = (
    "startup",
    "decode",
    "transport",
    "recording",
    "live_tick",
    "continual",
    "drift",
    "screen",
    "engine",
    "allan",
    "judging",
)
"""Modules of `hil.bench`, each with `run(quick) -> list[Row]`."""


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE]...", help=f"Some of {', '.join(TABLES)}.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds: a look, not a measurement.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print the benchmark table: ratios against peers, measured side by side."""
    if unknown := set(names or ()) - set(TABLES):
        raise UsageError(f"no benchmark is called {', '.join(sorted(unknown))}", "", f"choose from {', '.join(TABLES)}")
    rows = []
    for name in names or TABLES:
        talk(f"measuring {name} ...", quiet)
        try:
            rows += importlib.import_module(f"hil.bench.{name}").run(quick=quick)
        except MissingPart as missing:
            talk(f"{name} was not measured: {missing}")
    if json:
        print_json({"schema": 1, "rows": [row.as_dict() for row in rows]})
    else:
        headers = ("figure", "value", "unit", "against", "ratio", "95 % interval", "bar", "verdict")
        print_table(headers, [_cells(row) for row in rows])
    if not all(row.ok for row in rows):
        raise typer.Exit(1)


def _cells(row: Row) -> tuple[object, ...]:
    ratio = "-" if row.ratio is None else f"{row.ratio:.3g}"
    between = f"{row.low:.3g} .. {row.high:.3g}"
    return (
        row.name,
        f"{row.value:.4g}",
        row.unit,
        row.against,
        ratio,
        between,
        f"{row.bar:g}",
        "ok" if row.ok else "MISSED",
    )


VERBS = (bench,)
