"""Dialects by name: the built-in ones, and plug-ins under the entry point `firmware_bridge.dialects`.

A `DialectSpec` is stored in every recording, so that the same dialect can be made again for replay and `verify`: its
arguments are plain JSON values and the text of a board file travels in them.
"""

import importlib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.wire.detect import DetectDialect
from firmware_bridge.wire.dialect import API_VERSION, Dialect, DialectSpec
from firmware_bridge.wire.lines import LineDialect
from firmware_bridge.wire.native import NativeDialect

__all__ = ["GROUP", "dialect_names", "make_dialect"]

GROUP = "firmware_bridge.dialects"


def _auto(board_files: tuple[str, ...] = ()) -> Dialect:
    if not board_files:
        return DetectDialect()
    from firmware_bridge.wire.boardfile import parse_board_file

    return DetectDialect([partial(parse_board_file(text).dialect, whole=False) for text in board_files])


def _board_file(text: str, file: str = "board file", whole: bool = False) -> Dialect:
    from firmware_bridge.wire.boardfile import parse_board_file

    return parse_board_file(text, file).dialect(whole=whole)


def _faulty(**arguments: Any) -> Dialect:
    # Named and not imported: it stands above this room and wraps any dialect that this room makes.
    made: Dialect = importlib.import_module("firmware_bridge.faults.dialect").make(**arguments)
    return made


BUILT_IN: Mapping[str, Callable[..., Dialect]] = {
    "auto": _auto,
    "native": NativeDialect,
    "lines": LineDialect,
    "boardfile": _board_file,
    "faulty": _faulty,
}


def dialect_names() -> list[str]:
    """Return the names of all dialects that can be made here."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def make_dialect(spec: DialectSpec | str) -> Dialect:
    """Make a dialect.

    Args:
        spec: Its name and arguments, or only its name. `auto` takes `board_files` (texts); `lines` takes `format`,
            `separator`, `whole`, `model`; `boardfile` takes `text`, and `file` (its name, for messages), `whole`.

    Raises:
        UsageError: There is no such dialect, or it does not take these arguments.
        BoardFileError: A board file is wrong.
        MissingPart: A plug-in cannot be loaded, or was written for another version.
    """
    if isinstance(spec, str):
        spec = DialectSpec(spec)
    factory: Callable[..., Any] | None = BUILT_IN.get(spec.name)
    if factory is None:
        points = [point for point in entry_points(group=GROUP) if point.name == spec.name]
        if not points:
            near = get_close_matches(spec.name, dialect_names(), 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(dialect_names())}"
            raise UsageError(f"there is no dialect {spec.name!r}", "dialect", hint)
        try:
            factory = points[0].load()
        except Exception as error:
            raise MissingPart(
                f"the plug-in for dialect {spec.name} cannot be loaded ({error})", points[0].value,
                "reinstall the package that brings it",
            ) from error  # fmt: skip
    try:
        dialect = factory(**spec.arguments)
    except TypeError as error:
        given = ", ".join(spec.arguments) or "none"
        raise UsageError(
            f"dialect {spec.name} does not take these arguments: {given}", "dialect", str(error)
        ) from error
    if getattr(dialect, "api_version", None) != API_VERSION:
        raise MissingPart(
            f"dialect {spec.name} was written for version {getattr(dialect, 'api_version', 'unknown')} of the "
            f"dialect protocol, here is {API_VERSION}", spec.name, "install a version of the plug-in that fits",
        )  # fmt: skip
    made: Dialect = dialect
    return made
