"""The verb that examines this computer, a cable and an adapter: `hil doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from hil.cli.common import Json, Seed, print_json, talk

__all__ = ["VERBS", "doctor"]


def doctor(
    port: Annotated[
        str | None, typer.Argument(metavar="[PORT]", help="A port to listen to; default: the computer alone.")
    ] = None,
    seconds: Annotated[float, typer.Option("--for", metavar="SECONDS", min=0.2, help="How long to listen.")] = 4.0,
    loopback: Annotated[
        bool, typer.Option("--loopback", help="No board: TX is joined to RX, and bytes go around.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Measure this computer, a cable and an adapter, and say for every finding what to do.

    Round trip, jitter, block size, latency timer, rate, damage, clock, load, who may open the port, the terminal; then
    how well the time of a sample is known and which rates are safe. For example: hil doctor /dev/ttyUSB0 --for 10.
    Exit 3 where something is in trouble.
    """
    from firmware_bridge.errors import UsageError
    from hil.doctor.examine import examine
    from hil.doctor.finding import TROUBLE

    if loopback and port is None:
        raise UsageError("--loopback needs a port", "doctor", "give the port whose TX is joined to its RX")
    if port is not None and not json:
        talk(f"{port}: listening for {seconds:g} s")
    found = examine(port, seconds, loopback=loopback, seed=seed)
    if json:
        print_json(found.as_dict())
    else:
        print("\n".join(found.lines()))
    if found.worst == TROUBLE:
        raise typer.Exit(3)


VERBS = (doctor,)
