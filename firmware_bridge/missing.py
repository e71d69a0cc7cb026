"""The sentence for a file that cannot be opened; where none has the name, the nearest that is there is told.

Rule of this room: it looks at the names in one folder and opens nothing.
"""

import os
from difflib import get_close_matches
from pathlib import Path

from firmware_bridge.errors import FileError, FileMissing

__all__ = ["missing", "unread"]


def missing(path: str | os.PathLike[str], what: str = "no such file", otherwise: str = "check the name") -> FileMissing:
    """Return the error for a name that nothing has.

    Args:
        path: As the user wrote it.
        what: What happened.
        otherwise: What to do where no name in that folder is near.
    """
    meant = Path(path)
    try:
        names = sorted(entry.name for entry in os.scandir(meant.parent))
    except OSError:
        names = []
    near = _nearest(meant, names)
    return FileMissing(what, str(path), f"did you mean `{meant.parent / near}`?" if near else otherwise)


def _nearest(meant: Path, names: list[str]) -> str:
    """Return the name that is hardly misspelt: alike before the same suffix, or with another one; empty for none."""
    alike = {name.removesuffix(meant.suffix): name for name in names if Path(name).suffix == meant.suffix}
    if close := get_close_matches(meant.stem, alike, 1, 0.7):
        return alike[close[0]]
    others = get_close_matches(meant.name, [name for name in names if name not in alike.values()], 1, 0.8)
    return others[0] if others else ""


def unread(error: Exception, path: str | os.PathLike[str], next_step: str, what: str = "it") -> FileError:
    """Return the error for a file that the system did not let us open.

    Args:
        error: The system's, or that of a text which is none; one of ours, an `OSError`, too, comes back as it is.
        path: As the user wrote it.
        next_step: What to do.
        what: What it is to be.
    """
    if isinstance(error, FileError):
        return error
    if isinstance(error, FileNotFoundError):
        return missing(path, f"{what} cannot be read (no such file)", next_step)
    reason = getattr(error, "strerror", None) or error
    return FileError(f"{what} cannot be read ({reason})", str(path), next_step)
