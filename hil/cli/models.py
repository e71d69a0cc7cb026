"""Verbs about models and the bench that runs them: `hil model list`, `hil model load`, `hil model unload`, `stop`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli.common import Json, Quiet, print_json, print_table, talk
from hil.cli.engines import At, Token, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["asked", "list_", "load", "stop", "unload"]


def list_(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER...]", help="Default: this folder and the package's own.")
    ] = None,
    json: Json = False,
) -> None:
    """List the model files of folders, two levels deep, and what each reads and says.

    Example: hil model list models/
    """
    from dataclasses import asdict

    from hil.serving.shelf import models_in, places

    found = models_in(folders or places(Path()))
    if json:
        print_json({"schema": 1, "models": [asdict(one) for one in found]})
        return
    if not found:
        talk("there is no model file here; `hil train CONFIG.toml -o MODEL` makes one")
    print_table(("model", "classes", "rate", "reads", "file"), [
        (one.name, "-", "-", one.trouble.removeprefix(f"{one.path}: ") or f"for boards: {one.network}", one.path)
        if one.trouble or one.network else
        (one.name, len(one.labels), f"{one.rate_hz:g} Hz", " ".join(one.channels), one.path)
        for one in found
    ])  # fmt: skip


def load(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel or .onnx file.")],
    at: At = None,
    token: Token = None,
    board: Annotated[str | None, typer.Option("--board", help="Role of the one board to read; default: all.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a model run on a bench that is running, beside those that run there; capture goes on meanwhile.

    The one engine of yours that runs is found by itself. Example: hil model load exercise.hilmodel
    """
    arguments = {"path": str(model.resolve()), **({} if board is None else {"board": board})}
    _tell(asked(at, token, "load_model", arguments), json, quiet)


def unload(
    model: Annotated[str, typer.Argument(metavar="NAME", help="Name of a model that runs.")],
    at: At = None,
    token: Token = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a model of a running bench go; what it decided stays where it was recorded.

    The one engine of yours that runs is found by itself. Example: hil model unload exercise --at 127.0.0.1:40123
    """
    _tell(asked(at, token, "unload_model", {"model": model}), json, quiet)


def stop(
    on: Annotated[str | None, typer.Option("--on", metavar="PORT", help="Board that nobody else listens to.")] = None,
    at: At = None,
    token: Token = None,
    board: Annotated[str | None, typer.Option("--board", help="Role of the board on the bench.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a board run its network on its own samples no longer; the network stays on it.

    With --on a board that nobody else listens to; else one of a bench that is running, and the one engine of yours is
    found by itself. `hil model deploy MODEL --on PORT --stream` begins it again.

    Example: hil model stop --on /dev/ttyACM0
    """
    from firmware_bridge.errors import UsageError

    if on is None:
        arguments: dict[str, Any] = {"wait": True, **({} if board is None else {"board": board})}
        _tell(asked(at, token, "stop_network", arguments), json, quiet)
        return
    if at is not None or board is not None:
        raise UsageError("a port is one board and no bench", "hil model stop", "give --on PORT alone, or --at")
    from hil.dialogue.onboard import OnBoard

    with OnBoard.open(on) as there:
        there.stop_stream()
        who = f"{there.info.model} {there.info.serial}".strip()
    _tell({"board": who, "sentence": f"{who}'s network runs no longer"}, json, quiet)


def asked(at: str | None, token: str | None, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a running bench says to a command.

    Raises:
        BridgeError: No engine answers, or it refused.
    """
    with joined(at, token) as engine:
        return engine.command(verb, **arguments)


def _tell(said: dict[str, Any], json: bool, quiet: bool) -> None:
    talk(said["sentence"], quiet)
    if json:
        print_json({"schema": 1, **said})
