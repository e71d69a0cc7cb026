"""Verbs of scenarios: `hil scenario schema`, `hil scenario check`."""

from pathlib import Path
from typing import Annotated

import typer

from hil.cli.common import print_json, talk

__all__ = ["GROUPS", "VERBS"]

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Scenario files, or folders of them.")]

scenario = typer.Typer(help="Write and check scenario files.", no_args_is_help=True, rich_markup_mode=None)


@scenario.command("schema")
def schema() -> None:
    """Print the JSON schema of a scenario, for editors."""
    from hil.scenario.load import json_schema

    print_json(json_schema())


@scenario.command("check")
def check(paths: Paths) -> None:
    """Read scenario files and tell every mistake in them, without running them."""
    from hil.scenario.load import load_all

    loaded = load_all(paths)
    for one in loaded:
        print(f"{one.path}: {one.scenario.name}")
    talk(f"{len(loaded)} scenarios are well formed")


VERBS = ()
GROUPS = ((scenario, "scenario"),)
