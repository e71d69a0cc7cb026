"""What a pane shows, as a table that leaves the screen: CSV, NPZ, or words for a clipboard.

Rule of this room: pure. Columns keep their units in their names; what is unknown is an empty cell and never 0 (NaN in
arrays). Nothing is pickled.
"""

import csv
import io
import math
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError

__all__ = ["MOST_COPIED", "Sheet", "csv_of", "npz_of", "rows_of", "table", "tabs_of"]

MOST_COPIED = 74_000
"""Bytes that a terminal takes into its clipboard by OSC 52 (xterm takes 74,994 after they are encoded)."""

Column = Sequence[Any] | npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table.

    Attributes:
        name: What it is, a word or two that may stand in a file's name.
        columns: By name, all of one length: numbers, words, or None for what is unknown.
        command: The command line that makes the same again.
        file: The file behind it, where there is one.
    """

    name: str
    columns: Mapping[str, Column]
    command: str
    file: str = ""

    def __len__(self) -> int:
        """Return the number of rows."""
        return max((len(column) for column in self.columns.values()), default=0)


def table(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], command: str, file: str = "") -> Sheet:
    """Return a sheet of rows."""
    listed = [tuple(row) for row in rows]
    columns = {head: [row[at] for row in listed] for at, head in enumerate(heads)}
    return Sheet(name, columns, command, file)


def rows_of(sheet: Sheet) -> Iterable[tuple[str, ...]]:
    """Yield names, then rows, all as words."""
    yield tuple(sheet.columns)
    yield from zip(*(list(map(_word, _plain(column))) for column in sheet.columns.values()), strict=True)


def csv_of(sheet: Sheet) -> str:
    """Return it as CSV."""
    return _written(sheet, ",")


def tabs_of(sheet: Sheet) -> str:
    """Return it for a clipboard, with tabs, as spreadsheets take it.

    Raises:
        UsageError: It is longer than terminals take.
    """
    words = _written(sheet, "\t")
    if len(words.encode()) * 4 // 3 > MOST_COPIED:
        what = f"{len(sheet)} rows are {len(words.encode()) / 1000:.0f} kB, and a clipboard takes about 55 kB"
        raise UsageError(what, "", "keep it as CSV")
    return words


def npz_of(sheet: Sheet) -> bytes:
    """Return it as NPZ: one array a column, and the command as `command`; open it with `allow_pickle=False`."""
    held = io.BytesIO()
    # Not by `numpy.savez`, for which some names of columns are arguments of its own.
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, column in {**sheet.columns, "command": np.array(sheet.command)}.items():
            with packed.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, _array(column), allow_pickle=False)
    return held.getvalue()


def _written(sheet: Sheet, between: str) -> str:
    held = io.StringIO(newline="")
    csv.writer(held, delimiter=between, lineterminator="\n").writerows(rows_of(sheet))
    return held.getvalue()


def _plain(column: Column) -> Iterable[Any]:
    if isinstance(column, np.ndarray) and column.dtype == np.float32:
        return (float(f"{value:.9g}") for value in column.tolist())  # what is told apart in 32 bits, and no more
    return column.tolist() if isinstance(column, np.ndarray) else column


def _word(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _array(column: Column) -> npt.NDArray[Any]:
    if isinstance(column, np.ndarray):
        return column
    if any(isinstance(value, str) for value in column):
        return np.array(["" if value is None else str(value) for value in column], np.str_)
    if any(value is None or isinstance(value, float) for value in column):
        return np.array([math.nan if value is None else value for value in column], np.float64)
    return np.array(list(column), np.bool_ if all(isinstance(value, bool) for value in column) else np.int64)
