"""Verbs about benches that run already: `hil engines`, `hil attach`.

Rule of this room: an engine is found by this user's own files (`hil.door.running`), and its token is never shown.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli.common import Json, print_json, print_table, talk
from hil.cli.live import RECORDINGS, SCENARIOS, Fps, Recordings, Scenarios

if TYPE_CHECKING:
    from hil.door.attach import Client

__all__ = ["VERBS", "At", "Token", "attach", "engines", "joined"]

At = Annotated[
    str | None,
    typer.Option("--at", metavar="HOST:PORT", envvar="HIL_ENGINE",
                 help="Which engine, where several run: `hil engines` lists yours."),
]  # fmt: skip
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="HIL_TOKEN", show_envvar=True,
                 help="Only for an engine of another user or computer; others see it in the list of processes."),
]  # fmt: skip


def joined(at: str | None, token: str | None) -> Client:
    """Return a client of the engine that is meant.

    Raises:
        UsageError: It is not clear which one.
        NoAnswer: It does not answer.
    """
    from hil.door.attach import attach
    from hil.door.running import chosen

    return attach(*chosen(at, token))


def engines(json: Json = False) -> None:
    """List your engines that run on this computer: where, since when, and what each listens to or replays.

    Example: hil engines --json
    """
    from hil.door.running import running

    found = running()
    if json:
        print_json({"schema": 1, "engines": [one.as_dict() for one in found]})
        return
    if not found:
        talk("no engine of yours runs on this computer; `hil ui PORT` starts one")
    print_table(("address", "pid", "since", "bench"), [
        (one.address, one.pid, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.since_s)), " ".join(one.doing))
        for one in found
    ])  # fmt: skip


def attach(
    at: At = None,
    token: Token = None,
    fps: Fps = 10.0,
    recordings: Recordings = RECORDINGS,
    scenarios: Scenarios = SCENARIOS,
) -> None:
    """Show a bench that runs already on another screen; leaving this screen ends neither the engine nor a recording.

    The one engine of yours that runs is found by itself. Example: hil attach --at 127.0.0.1:40123
    """
    from hil.tui.start import needs_terminal, run_tui

    if sentence := needs_terminal():
        talk(sentence.replace("hil ui needs", "hil attach needs").partition(";")[0])
        raise typer.Exit(2)
    with joined(at, token) as client:
        status = run_tui(client, fps, False, folder=Path(recordings), scenarios=Path(scenarios))
    if status:
        raise typer.Exit(status)


VERBS = (engines, attach)
