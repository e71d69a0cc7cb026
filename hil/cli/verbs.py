"""All verbs as one command line, each made ready when it is called.

Rule of this room: a verb that is named imports its own family and no other. A listing imports them all and reads what
they say first: to make every option of every verb for it would nearly double what it costs.
"""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

__all__ = ["FAMILY_OF", "app", "declared"]

FAMILY_OF = {
    "demo": "live", "ui": "live", "engines": "engines", "attach": "engines", "ports": "attached", "send": "attached",
    "doctor": "doctor",
    "capture": "record", "collect": "record", "decode": "record", "import": "record",
    "info": "files", "replay": "files", "verify": "files", "recover": "files", "export": "files", "mark": "files",
    "measure": "judge", "compare": "judge", "train": "learn", "predict": "learn", "enrol": "enrol", "kshot": "enrol",
    "validate": "validate", "drift": "drift", "explain": "explain", "orient": "orient", "pick": "pick",
    "shrink": "shrink", "parity": "parity", "bench": "bench", "run": "scenarios", "metrics": "scenarios",
    "history": "runs", "worker": "cluster", "dut": "dut",
    "scenario": "scenarios", "faults": "faults", "cluster": "cluster", "model": "deploy", "firmware": "firmware",
    "data": "data", "generate": "generate",
}  # fmt: skip
"""Every verb and every group of verbs, in the order in which they are listed, and the module it stands in."""


def declared(family: str) -> dict[str, Callable[..., None] | typer.Typer]:
    """Return the verbs and groups of one family by name."""
    home = importlib.import_module(f"hil.cli.{family}")
    verbs = {verb.__name__.rstrip("_"): verb for verb in getattr(home, "VERBS", ())}
    return verbs | {name: group for group, name in getattr(home, "GROUPS", ())}


@cache
def _ready(name: str) -> Any:
    """A verb or a group with all its options, as typer makes them."""
    found, alone = declared(FAMILY_OF[name])[name], typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return get_group(alone).commands[name]


def _named(name: str) -> TyperCommand:
    """A verb or a group as a listing shows it: its name and what it says about itself."""
    found = declared(FAMILY_OF[name])[name]
    return TyperCommand(name, help=str(found.info.help) if isinstance(found, typer.Typer) else found.__doc__)


class _Verbs(TyperGroup):
    """The verbs, of which `commands` holds the names alone: somebody who mistyped one is told those near it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name) for name in FAMILY_OF}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _ready(cmd_name) if cmd_name in FAMILY_OF else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        TyperGroup(commands=[*map(_named, FAMILY_OF)]).format_commands(ctx, formatter)


app = typer.Typer(
    name="hil",
    help="Hardware-in-the-loop sensor testbench. Start with: hil demo",
    cls=_Verbs,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _hil() -> None:
    """Do nothing before a verb: typer asks for a callback where it is shown no verbs."""
