"""Which port each board of this bench has: a file of the bench, so that no scenario names a port.

    [board.imu-revb]
    port = "usb://A50285BI"

A scenario asks for such a board with `needs = ["board:imu-revb"]`, and takes its port with `port = "bench"`. Mistakes
are told as those of a scenario: file, line, key, what was found, what is allowed.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from firmware_bridge.address import parse_port
from firmware_bridge.errors import BridgeError
from firmware_bridge.missing import unread
from hil.scenario.grammar.grammar import Role, Text
from hil.scenario.grammar.load import BENCH, meant, plain_of
from hil.scenario.grammar.mistakes import Mistake, ScenarioError

__all__ = ["ENVIRONMENT", "BenchFile", "find_bench", "parse_bench", "read_bench", "text_of"]

ENVIRONMENT = "HIL_BENCH"
"""Variable that names the file of the bench where nobody gives one."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BoardEntry(_Table):
    """`[board.ROLE]`: where a board is; `note` is for people."""

    port: Text
    note: str = ""


class BenchFile(_Table):
    """The file of a bench."""

    board: Annotated[dict[Role, BoardEntry], Field(min_length=1)]


def find_bench(given: str | Path | None, environment: Mapping[str, str] | None = None) -> tuple[Path, str] | None:
    """Return the file of the bench and who named it: an option, `HIL_BENCH`, or `bench.toml` of this folder.

    Args:
        given: By the option; None: not given.
        environment: Variables; those of this process by default.
    """
    named = (os.environ if environment is None else environment).get(ENVIRONMENT, "")
    if given is not None:
        return Path(given), "--bench"
    if named:
        return Path(named), ENVIRONMENT
    return (Path(BENCH), "this folder") if Path(BENCH).is_file() else None


def read_bench(path: str | Path) -> tuple[tuple[str, str], ...]:
    """Return the role and the port of each board.

    Raises:
        FileError: The file cannot be read.
        ScenarioError: It has mistakes; all are told.
    """
    text = text_of(path)
    return tuple((role, entry.port) for role, entry in parse_bench(text, str(path)).board.items())


def text_of(path: str | Path) -> str:
    """Return the text of a bench file; see `read_bench`."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = f"{path}:1: byte {error.start} is no UTF-8; save the file as UTF-8 text"
        raise ScenarioError([sentence], str(path)) from None
    except OSError as error:
        raise unread(error, path, "check the path") from None


def parse_bench(text: str, file: str) -> BenchFile:
    """Read the text of a bench file.

    Raises:
        ScenarioError: It has mistakes: of syntax the first is told, of meaning all.
    """
    plain = plain_of(text, file)
    return meant(BenchFile, plain, _meaning(plain), text, file)


def _meaning(plain: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield ports that are none, and ports that two boards share."""
    boards = plain.get("board")
    seen: dict[str, str] = {}
    for role, table in boards.items() if isinstance(boards, dict) else ():
        port = table.get("port") if isinstance(table, dict) else None
        if not isinstance(port, str) or not port:
            continue
        try:
            parse_port(port)
        except BridgeError as error:
            yield Mistake(("board", role, "port"), f"{error.what}; {error.next_step}")
        if port in seen and not port.startswith("virtual://"):
            yield Mistake(("board", role, "port"), f"{port!r} is the port of {seen[port]} too; one board has one port")
        seen.setdefault(port, role)
