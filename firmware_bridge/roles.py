"""Which boards a bench has and what they are called: the values with which a bridge is asked for, and answers.

Pure. A role is given (`watch=PORT`) or follows from what the board is (`hil-watch-0007`), never from the order of
plugging.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_bridge.address import parse_port
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.inject import Downlink

__all__ = ["BoardState", "Expect", "PortSpec", "parse_spec", "role_of", "slug"]

_ROLE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(?=.)")


@dataclass(frozen=True, slots=True)
class Expect:
    """Which board must answer; empty fields allow any."""

    model: str = ""
    serial: str = ""

    def judge(self, info: BoardInfo) -> str | None:
        """Return a sentence where `info` is another board."""
        if self.serial and info.serial != self.serial:
            return self._sentence(info, "serial number", self.serial, info.serial)
        if self.model and info.model != self.model:
            return self._sentence(info, "model", self.model, info.model)
        return None

    def _sentence(self, info: BoardInfo, what: str, wanted: str, found: str) -> str:
        return (
            f"the wrong board answered: {what} {wanted} was asked for and {found or 'none'} "
            f"({info.model} {info.serial}) is there; plug in the right one, or ask for this one"
        )


@dataclass(frozen=True, slots=True)
class PortSpec:
    """One board to connect.

    Attributes:
        port: Where it is.
        role: What to call it; None: by model and serial number.
        dialect: How it talks; None: detected, or what `board_file` says.
        board_file: Path of a TOML board file, or its text.
        expect: Which board must answer.
        faults: What is to go wrong with it.
        injected: Names the stream that is to take its samples from the host, from who the board says it is.
    """

    port: str
    role: str | None = None
    dialect: DialectSpec | None = None
    board_file: str | None = None
    expect: Expect | None = None
    faults: Schedule | None = None
    injected: Callable[[BoardInfo], str] | None = None


@dataclass(frozen=True, slots=True)
class BoardState:
    """How one board stands.

    Attributes:
        role: Its name; empty while it has none.
        port: Where it is.
        state: `opening`, `waiting` (never there yet), `identifying`, `live`, `lost`, `wrong` or `closed`.
        reason: One sentence where something is to be said.
        since_ns: Since when it is in this state, UTC.
        info: Who it is, once it said so.
        boot: How often it has started since the bridge was opened.
        books: Its frozen ledger (`ledger.Books`).
        clock: Its clock fit (`timebase.ClockFit`), None where there is none.
        dialect: How it talks, for the recording.
        nonce: The session's nonce, for the recording.
        retry_ns: When a lost port is opened again, None where it is not.
        tries: Openings since bytes last came.
        downlink: What can be pushed into it; None while unknown, and where nothing can.
    """

    role: str
    port: str
    state: str
    reason: str
    since_ns: int
    info: BoardInfo | None
    boot: int
    books: Any
    clock: Any
    dialect: DialectSpec
    nonce: int
    retry_ns: int | None = None
    tries: int = 0
    downlink: Downlink | None = None


def slug(text: str) -> str:
    """Return `text` as a role: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "board"


def parse_spec(text: str) -> PortSpec:
    """Return what `ROLE=PORT` or `PORT` means."""
    named = _ROLE.match(text)
    return PortSpec(text[named.end() :], named[1]) if named else PortSpec(text)


def role_of(port: str, info: BoardInfo | None, usb_serial: str = "") -> str:
    """Return the role of a board that was given none: `slug(model)-last4(serial)`, else from the port."""
    serial = (info.serial if info else "") or usb_serial
    model = info.model if info and info.model != "unknown" else ""
    if model or serial:
        return slug(model or "board") + (f"-{slug(serial)[-4:].strip('-')}" if serial else "")
    address = parse_port(port)
    if address.scheme == "exec":
        return slug(Path(address.target.split()[0]).stem)
    plain = address.target.partition("?")[0].partition("://")
    return slug((plain[2] or plain[0]).removeprefix("/dev/"))
