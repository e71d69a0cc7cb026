"""What a recording says about itself: boards and dialects, people and notes, software, numbers, seeds.

Rule of this room: everything that is needed to derive the samples again from the raw bytes is written down here, as
JSON inside MCAP metadata, under `schema = 1`; a newer schema is refused in a sentence, an older one is read for ever.
"""

import json
import platform
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from firmware_bridge.errors import FileError
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.dialect import DialectSpec

__all__ = ["SCHEMA", "BoardSetup", "Header", "environment", "seal_holds", "sealed", "versions"]

SCHEMA = 1
"""Version of the metadata, channels and messages that this code writes."""

NAME = "hil"
"""Name of the metadata record that holds the header."""

BOARD = "hil/board"
"""Name of the metadata records that hold one board each; the last of a role counts."""

_SEAL = "crc32"

_KINDS: Mapping[str, type] = {
    "created_ns": int, "origin": str, "about": dict, "models": dict, "seeds": dict, "versions": dict,
    "environment": dict, "extra": dict, "part": int, "schema": int,
}  # fmt: skip

_SOFTWARE = ("hil-testbench", "numpy", "scipy", "torch", "onnxruntime", "pyserial", "cobs", "zstandard", "mcap")


@dataclass(frozen=True, slots=True)
class BoardSetup:
    """One board of a recording and how it was listened to.

    Attributes:
        role: Its name in the recording.
        port: Where it was; empty for imported readings.
        dialect: How to make its dialect again; None where there are no raw bytes to decode.
        nonce: Nonce of the session that listened (it derives identical items on replay).
        info: Who it is, as far as known.
        expect_model: Model that was asked for; a board of another one was refused. Empty: any.
        expect_serial: Serial number that was asked for, likewise.
    """

    role: str
    port: str = ""
    dialect: DialectSpec | None = None
    nonce: int = 0
    info: BoardInfo | None = None
    expect_model: str = ""
    expect_serial: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "role": self.role, "port": self.port, "nonce": self.nonce,
            "dialect": self.dialect and {"name": self.dialect.name, "arguments": dict(self.dialect.arguments)},
            "info": self.info and self.info.as_dict(), "expect_model": self.expect_model,
            "expect_serial": self.expect_serial,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "BoardSetup":
        """Build it from what `as_dict` gave."""
        dialect, info = plain.get("dialect"), plain.get("info")
        return cls(
            plain["role"],
            plain.get("port", ""),
            DialectSpec(dialect["name"], dialect["arguments"]) if dialect else None,
            plain.get("nonce", 0),
            BoardInfo.from_dict(info) if info else None,
            plain.get("expect_model", ""),
            plain.get("expect_serial", ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What is known when a recording starts.

    Attributes:
        created_ns: When it was started, UTC.
        boards: Boards known by then; more may join.
        origin: `capture`, `import`, `decode`, `recover`, `export`, `virtual` or `generated`.
        about: What people said: `person`, `label`, `note` and free keys.
        models: How every model ran: file, hash, backend, slots, slot of every board.
        seeds: Every seed by what it is for.
        versions: Versions of the software.
        environment: What the last bits of numbers depend on.
        extra: Anything else, plain JSON values (fault schedule, source files).
        part: Number of this part of a split recording, from 1.
        schema: Version of the format.
    """

    created_ns: int
    boards: tuple[BoardSetup, ...] = ()
    origin: str = "capture"
    about: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=lambda: versions())
    environment: Mapping[str, Any] = field(default_factory=lambda: environment())
    extra: Mapping[str, Any] = field(default_factory=dict)
    part: int = 1
    schema: int = SCHEMA

    def board(self, role: str) -> BoardSetup | None:
        """Return the board of a role, or None."""
        return next((board for board in self.boards if board.role == role), None)

    def with_board(self, board: BoardSetup) -> "Header":
        """Return the header with `board` in place of any other of its role."""
        if self.board(board.role) is None:
            return replace(self, boards=(*self.boards, board))
        return replace(self, boards=tuple(board if old.role == board.role else old for old in self.boards))

    def as_metadata(self) -> dict[str, str]:
        """Return the values of the metadata record, one JSON text each; boards have records of their own."""
        plain = {
            "schema": self.schema, "created_ns": self.created_ns, "origin": self.origin, "about": dict(self.about),
            "models": {name: dict(model) for name, model in self.models.items()}, "seeds": dict(self.seeds),
            "versions": dict(self.versions), "environment": dict(self.environment), "extra": dict(self.extra),
            "part": self.part,
        }  # fmt: skip
        return {key: json.dumps(value) for key, value in plain.items()}

    @classmethod
    def from_metadata(cls, values: Mapping[str, str], where: str) -> "Header":
        """Build the header from its metadata record.

        Raises:
            FileError: The recording is of a newer schema.
            ValueError: The record is damaged.
        """
        schema = json.loads(values.get("schema", "1"))
        if schema > SCHEMA:
            raise FileError(
                f"the recording has schema {schema} and this version reads up to {SCHEMA}", where,
                "update with `pip install -U hil-testbench`",
            )  # fmt: skip
        known = {key: json.loads(values[key]) for key in cls.__dataclass_fields__ if key in values and key != "boards"}
        for key, value in known.items():
            if not isinstance(value, _KINDS[key]):
                raise ValueError(f"{key} is damaged")
        known.setdefault("created_ns", 0)
        known.setdefault("versions", {})
        known.setdefault("environment", {})
        return cls(**known)


def sealed(values: Mapping[str, str]) -> dict[str, str]:
    """Return values with their checksum beside them: a chunk has one, what stands between chunks would not."""
    return {**values, _SEAL: _seal(values)}


def seal_holds(values: Mapping[str, str]) -> bool:
    """Whether values are what was sealed (or never were)."""
    return _SEAL not in values or values[_SEAL] == _seal(values)


def _seal(values: Mapping[str, str]) -> str:
    plain = json.dumps(sorted((key, value) for key, value in values.items() if key != _SEAL))
    return f"{zlib.crc32(plain.encode()):08x}"


def versions() -> dict[str, str]:
    """Return the versions of the software that made a recording, without importing any of it."""
    found = {"python": platform.python_version()}
    for name in _SOFTWARE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def environment() -> dict[str, Any]:
    """Return what the last bits of floating-point results depend on: machine, byte order, instruction sets."""
    flags: list[str] = []
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        for line in cpu.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("flags", "Features"):
                wanted = ("sse", "avx", "fma", "amx", "asimd", "sve", "bf16", "f16")
                flags = sorted(flag for flag in value.split() if flag.startswith(wanted))
                break
    return {
        "system": platform.system(), "machine": platform.machine(), "byteorder": sys.byteorder,
        "numpy": np.__version__, "cpu": flags,
    }  # fmt: skip
