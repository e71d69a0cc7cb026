"""Verbs of the firmware that comes along: `hil firmware list|build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli.common import Json, print_json, print_table, talk

__all__ = ["GROUPS"]

firmware = typer.Typer(help="Real firmware on emulators.", no_args_is_help=True, rich_markup_mode=None)


@firmware.command("list")
def list_(json: Json = False) -> None:
    """List what the firmware can be run on, what each kind proves, and what is missing here."""
    from firmware_bridge.firmware.kinds import can_start, listed

    rows = [
        {
            "port": port, "starts": not can_start(port), "instructions": kind.instructions,
            "peripherals": kind.peripherals, "pacing": kind.pacing, "reason": can_start(port),
        }
        for port, kind in listed()
    ]  # fmt: skip
    if json:
        print_json({"schema": 1, "firmware": rows})
        return
    names = ("port", "instructions", "peripherals", "pacing")
    print_table(
        (*names, "starts here"), [(*(row[key] for key in names), "yes" if row["starts"] else "no") for row in rows]
    )
    for reason in dict.fromkeys(str(row["reason"]) for row in rows if not row["starts"]):
        talk(reason)


@firmware.command("build")
def build(
    ports: Annotated[list[str] | None, typer.Option("--port", help="native, ...; every one by default.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the results.")] = Path("."),
    json: Json = False,
) -> None:
    """Compile the firmware; what cannot be compiled here is said and skipped unless it was named."""
    from firmware_bridge.errors import UsageError
    from firmware_bridge.firmware.build import build as compile_one
    from firmware_bridge.firmware.build import chosen, missing
    from firmware_bridge.firmware.recipes import RECIPES, SHIPPED

    for name in ports or ():
        if name not in SHIPPED:
            raise UsageError(f"there is no port `{name}`", "--port", f"there are: {', '.join(SHIPPED)}")
    made = {}
    for name in ports or SHIPPED:
        if not ports and (reason := missing(name)):
            talk(f"firmware {name}: {reason}; {RECIPES[name].to_install}")
            continue
        made[name] = compile_one(chosen(name), output)
        if not json:
            print(made[name])
    if json:
        print_json({"schema": 1, "built": {name: str(path) for name, path in made.items()}})
    if not made:
        raise typer.Exit(3)


GROUPS = ((firmware, "firmware"),)
