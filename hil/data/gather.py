"""Many logged files become a folder of recordings, with what their names say written down: `hil data gather`.

Rule of this room: a name is read by a pattern, and a file whose name does not fit is told and left, never guessed at.
Each file becomes one recording, as `hil import` makes it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError, UsageError
from hil.recording.importer import Imported, import_file

__all__ = ["Gathered", "facts_in", "gather"]

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of files.

    Attributes:
        made: What was imported, in order.
        left: Files whose name does not fit, or that could not be read, and why.
    """

    made: tuple[Imported, ...]
    left: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"made": [one.as_dict() for one in self.made], "left": [{"file": f, "why": why} for f, why in self.left]}


def facts_in(pattern: str, name: str) -> dict[str, str] | None:
    """Return what a file's name (without its extension) says, None where it does not fit.

    Args:
        pattern: Such as `{place}-Day{day}-{person}-{label}`; a field is as short as it can be and holds no separator of
            the pattern behind it.
        name: The name.

    Raises:
        UsageError: The pattern has no field, or one twice.
    """
    fields = _FIELD.findall(pattern)
    if not fields or len(set(fields)) != len(fields):
        raise UsageError(f"{pattern!r} names no field, or one twice", "--name", "write {person}-{day}-{label} or alike")
    text = "".join(
        re.escape(piece) if at % 2 == 0 else f"(?P<{piece}>.+?)" for at, piece in enumerate(_FIELD.split(pattern))
    )
    found = re.fullmatch(text, name)
    if found is None:
        return None
    return found.groupdict()


def gather(
    files: Sequence[Path], output: Path, pattern: str, *, board_file: Path, only: Sequence[tuple[str, str]] = (),
    start_ns: int | None = None, progress: Callable[[float], None] | None = None,
) -> Gathered:  # fmt: skip
    """Import files into a folder.

    Args:
        files: CSV or NPZ.
        output: The folder; made where it is not there.
        pattern: See `facts_in`; the facts are what the recordings say about themselves.
        board_file: What the columns mean.
        only: Facts that a file must have, as (name, regular expression of the whole value).
        start_ns: UTC of the first sample of each; None: the date of the file.
        progress: Told the share that is done.

    Raises:
        FileError: The folder cannot be made, or holds a recording of the same name.
        UsageError: No file fits.
    """
    made: list[Imported] = []
    left: list[tuple[str, str]] = []
    facts_in(pattern, "")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"the folder cannot be made ({error.strerror})", str(output), "choose another") from None
    for done, file in enumerate(files, 1):
        facts = facts_in(pattern, file.stem)
        if facts is None:
            left.append((str(file), "its name does not fit"))
        elif odd := next((key for key, wanted in only if not re.fullmatch(wanted, facts.get(key, ""))), None):
            left.append((str(file), f"{odd} is {facts.get(odd, '')!r}"))
        else:
            try:
                target = output / f"{file.stem}.mcap"
                made.append(import_file(file, target, board_file=board_file, about=facts, start_ns=start_ns))
            except FileError as error:
                if (output / f"{file.stem}.mcap").exists():
                    raise
                left.append((str(file), error.what))
        if progress is not None:
            progress(done / len(files))
    if not made:
        raise UsageError(f"none of {len(files)} files fits", pattern, left[0][1] if left else "name files")
    return Gathered(tuple(made), tuple(left))
