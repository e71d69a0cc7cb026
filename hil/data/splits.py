"""Who is held out with whom: folds of people, days or devices, as a small file.

Rule of this room: the folds follow from the names alone, in order, so that no result can have chosen them. Nothing is
ever split at random over windows: neighbours of one stretch on both sides would be recognised, not understood.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.missing import unread
from hil.models.datasets import GROUPS, ordered
from hil.models.evaluate import folds_of

__all__ = ["SCHEMA", "Split", "make_split", "read_split", "write_split"]

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Split:
    """Folds.

    Attributes:
        by: `person`, `day` or `device`.
        folds: Groups held out together.
    """

    by: str
    folds: tuple[tuple[str, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"schema": SCHEMA, "by": self.by, "folds": [{"held_out": list(fold)} for fold in self.folds]}


def make_split(groups: Sequence[str], by: str, folds: int | None = None) -> Split:
    """Return folds of neighbours in order of their names.

    Args:
        groups: Everyone, in any order.
        by: What they are.
        folds: How many; None: one for each (leave one out).

    Raises:
        UsageError: `by` is no group, a group has no name, or there are fewer groups than folds, or fewer than two.
    """
    if by == "random":
        raise UsageError(
            "windows are not split at random: neighbours on both sides are recognised, not understood", "--by",
            f"split by {', '.join(GROUPS)}; `hil validate --random-gap` shows what a random split would claim",
        )  # fmt: skip
    if by not in GROUPS:
        raise UsageError(f"there is no group {by!r}", "--by", f"use {', '.join(GROUPS)}")
    names = ordered(set(groups))
    if "" in names or "?" in names:
        raise UsageError(f"some readings do not say their {by}", "split", f"give {by} in the data table")
    if len(names) < 2:
        raise UsageError(f"there is one {by} only ({', '.join(names)}): nobody is left to learn from or to judge", by,
                         f"record another {by}")  # fmt: skip
    count = len(names) if folds is None else folds
    if not 2 <= count <= len(names):
        raise UsageError(
            f"{len(names)} {by} groups ({', '.join(names)}) do not make {count} folds", "--folds",
            "record more, or ask for fewer",
        )  # fmt: skip
    return Split(by, tuple(folds_of(names, count)))


def write_split(split: Split, path: str | os.PathLike[str]) -> None:
    """Write a split to a file that does not exist.

    Raises:
        FileError: It exists, or cannot be written.
    """
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            json.dump(split.as_dict(), file, indent=1)
            file.write("\n")
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(path), "choose another name") from None


def read_split(path: str | os.PathLike[str]) -> Split:
    """Read a split.

    Raises:
        FileError: It cannot be read, or is no split.
    """
    where = str(path)
    try:
        plain = json.loads(Path(path).read_text(encoding="utf-8"))
        if plain["schema"] > SCHEMA:
            raise FileError(f"its schema is {plain['schema']} and this version reads {SCHEMA}", where, "update")
        if plain["by"] not in GROUPS:
            raise FileError(f"it splits by {plain['by']!r}", where, f"use {', '.join(GROUPS)}")
        return Split(plain["by"], tuple(tuple(map(str, fold["held_out"])) for fold in plain["folds"]))
    except FileError:
        raise
    except OSError as error:
        raise unread(error, where, "check the path") from None
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"it is no split ({error!r})", where, "write one with `hil data split`") from None
