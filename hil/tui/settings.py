"""What a user wants of the screen: moved keys, a theme, less motion; read from a small file of theirs.

`$HIL_SCREEN`, or `hil/screen.toml` in the folder of configurations (`$XDG_CONFIG_HOME`, `~/.config`), for example

    theme = "hil-contrast"
    reduced_motion = true
    [keys]
    "record.toggle" = "f9"

Rule of this room: a mistake in the file is told in a sentence and never passed over.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError, UsageError

__all__ = ["Settings", "read_settings", "settings_path"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says.

    Attributes:
        keys: Key names by the id of a key.
        theme: Name of a theme; empty: the first.
        reduced_motion: Whether to draw seldom and to animate nothing.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    reduced_motion: bool = False


def settings_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the file is, or would be."""
    if told := environment.get("HIL_SCREEN"):
        return Path(told)
    base = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "hil" / "screen.toml"


def read_settings(path: Path) -> Settings:
    """Return what the file says; the defaults where there is none.

    Raises:
        UsageError: It is no TOML, or says something that cannot be meant.
        FileError: It cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"the settings of the screen cannot be read ({error})", str(path), "correct it") from error
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"it is no TOML ({error})", str(path), "correct it") from None
    return _checked(plain, str(path))


def _checked(plain: Mapping[str, Any], where: str) -> Settings:
    from hil.tui.keys import checked

    if unknown := sorted(plain.keys() - Settings.__dataclass_fields__.keys()):
        raise UsageError(f"there is no setting {unknown[0]!r}", where, "use keys, theme or reduced_motion")
    keys = plain.get("keys", {})
    if not isinstance(keys, dict) or not all(isinstance(value, str) and value for value in keys.values()):
        raise UsageError("[keys] names keys by the id of what they do", where, 'write "record.toggle" = "f9"')
    theme = plain.get("theme", "")
    if not isinstance(theme, str):
        raise UsageError("theme is the name of a theme", where, 'write theme = "hil-dark"')
    reduced = plain.get("reduced_motion", False)
    if not isinstance(reduced, bool):
        raise UsageError("reduced_motion is true or false", where, "write reduced_motion = true")
    return Settings(checked(keys, where), theme, reduced)
