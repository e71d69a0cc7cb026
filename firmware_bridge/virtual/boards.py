"""Which virtual boards there are: the built-in ones by name, and those that other packages bring.

An entry point of the group `firmware_bridge.virtual_boards` names a factory that takes the text parameters and returns
a board; it is loaded when a port asks for it.
"""

import difflib
import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from urllib.parse import parse_qsl, urlsplit

from firmware_bridge.errors import UsageError
from firmware_bridge.virtual.board import VirtualBoard

__all__ = ["BUILT_IN", "GROUP", "Factory", "board_names", "make_board", "parse_port"]

GROUP = "firmware_bridge.virtual_boards"
Factory = Callable[[Mapping[str, str]], VirtualBoard]

BUILT_IN = {
    "imu": "firmware_bridge.virtual.imu:make",
    "watch": "firmware_bridge.virtual.watch:make",
    "ppg": "firmware_bridge.virtual.ppg:make",
    "thermal": "firmware_bridge.virtual.thermal:make",
    "text": "firmware_bridge.virtual.text:make",
}


def board_names() -> list[str]:
    """Return the names of all boards, built in and brought."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def make_board(name: str, params: Mapping[str, str] | None = None) -> VirtualBoard:
    """Make a board.

    Args:
        name: Such as `watch`.
        params: Its parameters as text.

    Raises:
        UsageError: No such board or parameter, or a value that is not allowed.
        FileError: A file it plays cannot be read.
    """
    factory: Factory
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        factory = getattr(importlib.import_module(module), attribute)
    else:
        for point in entry_points(group=GROUP, name=name):
            factory = point.load()
            break
        else:
            names = board_names()
            near = difflib.get_close_matches(name, names, 1, 0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                "there is no such virtual board", f"virtual://{name}", f"{hint}there are: {', '.join(names)}"
            )
    from firmware_bridge.virtual.damage import take_faults, with_faults

    rest, schedule = take_faults(params or {}, name)
    board = factory(rest)
    return with_faults(board, schedule, rest.get("role", "")) if schedule else board


def parse_port(port: str) -> tuple[str, dict[str, str]]:
    """Return (name, parameters) of `virtual://NAME?a=1&b=2` or of `NAME?a=1&b=2`.

    Raises:
        UsageError: A parameter is named twice or without a value, or a path follows the name.
    """
    # What people paste are names of files: `+` and `#` stand for themselves, and other signs may be written as %HH.
    parts = urlsplit(port if "://" in port else f"virtual://{port}", allow_fragments=False)
    name = parts.netloc or parts.path.strip("/")
    if parts.netloc and parts.path.strip("/"):
        raise UsageError("a path follows the board's name", port, "write virtual://NAME?parameter=value")
    try:
        pairs = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise UsageError("a parameter has no value", port, "write ?parameter=value&other=value") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise UsageError("a parameter is given twice", port, "give each once")
    return name, given
