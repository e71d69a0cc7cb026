"""Reading a TOML document that says what to learn or from whom: mistakes name file and key, what was found, what to do.

Rule of this room: no torch, and nothing about any one document.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from firmware_bridge.errors import UsageError
from firmware_bridge.missing import unread

__all__ = ["checked", "plain_of"]

_Model = TypeVar("_Model", bound=BaseModel)


def plain_of(path: str | os.PathLike[str], otherwise: str = "correct the file") -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: The file.
        otherwise: What to do where it is no TOML.

    Raises:
        FileError: It cannot be read.
        UsageError: It is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise unread(error, path, "check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"it is no TOML ({error})", str(path), otherwise) from None


def checked(kind: type[_Model], plain: Any, where: str, *table: str) -> _Model:
    """Return what a document means.

    Args:
        kind: What it has to be.
        plain: The document, or the table of it.
        where: The file, for people.
        table: Keys that lead to the table.

    Raises:
        UsageError: A key is wrong.
    """
    try:
        return kind.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join((*table, *map(str, first["loc"]))) or "the file"
        found = f", found {first['input']!r:.60}" if not isinstance(first.get("input"), dict) else ""
        raise UsageError(f"{key}: {first['msg']}{found}", where, "correct the key") from None
