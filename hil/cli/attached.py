"""Verbs about what is attached: `hil ports`, `hil send`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from firmware_bridge.errors import NoAnswer
from hil.cli.common import BoardFile, Json, Quiet, print_json, print_table, talk
from hil.counted import counted

__all__ = ["VERBS", "ports", "send"]


def ports(
    virtual: Annotated[bool, typer.Option("--virtual/--attached", help="List virtual and emulated boards too.")] = True,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="BENCH.toml",
            help="Add the attached boards to a file; with --identify those that answer.",
        ),
    ] = None,
    identify: Annotated[bool, typer.Option("--identify", help="Ask every attached board who it is.")] = False,
    json: Json = False,
) -> None:
    """List the ports that can be opened, what is likely there, and who holds them."""
    from firmware_bridge.ports import list_ports
    from hil.dialogue.identify import identify as ask

    found = list_ports(virtual=virtual and write is None)
    known, told = ask(found) if identify else ({}, [])
    added: list[str] = []
    if write is not None:
        from hil.scenario.benchwrite import entries, write_bench

        new = entries(found, known if identify else None)
        if identify and not new and found:
            raise NoAnswer("no board said who it is, so none is added", str(write), "; ".join(told))
        added, left_out = write_bench(write, new)
        told += left_out
        if identify and (silent := [info.port for info in found if info.port not in known]):
            told.append(f"{write}: left out, for nobody answered there: {', '.join(silent)}")
    for sentence in told:
        talk(sentence)
    if json:
        listed = [{**info.as_dict(), "who": who.as_dict() if (who := known.get(info.port)) else None} for info in found]
        print_json({"schema": 1, "ports": listed, **({} if write is None else {"file": str(write), "added": added})})
        return
    if write is not None:
        print("\n".join(added))
        talk(f"{write}: boards added: {len(added)}")
        return
    if not any(info.board not in ("virtual", "firmware") for info in found):
        talk("no serial board is attached; virtual boards need no hardware: hil ui virtual://watch")
    rows = []
    for info in found:
        who = known.get(info.port)
        board = info.board or "?" if who is None else f"{who.model} {who.serial}".strip()
        rows.append((info.port, board, info.serial or "-", info.held_by or "-", info.description or "-"))
    print_table(("port", "board", "serial", "held by", "description"), rows)


def send(
    port: Annotated[str, typer.Argument(metavar="PORT", help="Where the board is.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A line, or a native message such as 'PING token=7'.")],
    seconds: Annotated[float, typer.Option("--for", metavar="SECONDS", help="How long to listen for answers.")] = 1.0,
    board_file: BoardFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send a line or a native message to a board and print what it says."""
    from dataclasses import replace

    from firmware_bridge.roles import parse_spec
    from hil.dialogue.converse import converse

    spec = replace(parse_spec(port), board_file=None if board_file is None else str(board_file))
    said = []
    for line in converse(spec, text, seconds):
        said.append(line)
        if not json:
            print(line, flush=True)
    if json:
        print_json({"schema": 1, "port": spec.port, "sent": text, "lines": said})
    talk(f"{counted(len(said), 'line')} came back", quiet)


VERBS = (ports, send)
