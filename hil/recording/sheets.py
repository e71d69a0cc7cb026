"""Tables that are to become recordings: CSV text and NPZ arrays, with the columns that hold labels and groups.

Rule of this room: readings are parsed by the same dialects that read a live board. A dialect knows numbers only, so
that words in the columns of labels and groups are first replaced by their number, and put back afterwards.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.streams import Stream
from firmware_bridge.wire.boardfile import BoardFile
from firmware_bridge.wire.explain import Explanation, Table, explain, parse_all
from firmware_bridge.wire.lines import LineDialect

__all__ = ["Sheet", "read_csv", "read_npz"]

_MARKS = {"label": "hil_label", "group": "hil_group"}


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What a file holds.

    Attributes:
        tables: Samples by stream.
        labels: Label of every sample, `(N,)` text, by stream; absent where nobody asked.
        groups: Group of every sample, likewise.
        explanation: Which share of the bytes was explained; None for arrays.
    """

    tables: Mapping[str, Table]
    labels: Mapping[str, npt.NDArray[Any]]
    groups: Mapping[str, npt.NDArray[Any]]
    explanation: Explanation | None = None


def read_csv(path: Path, data: bytes, board: BoardFile | None, label: str | None, group: str | None) -> Sheet:
    """Read lines of numbers.

    Args:
        path: The file, for messages.
        data: Its bytes.
        board: What the columns mean; None: as the header and the numbers show.
        label: Name of the column with labels.
        group: Name of the column with groups.

    Raises:
        UsageError: There is no such column, or its rows cannot be told apart from others.
        FileError: There are no samples.
    """
    wanted = {role: column for role, column in (("label", label), ("group", group)) if column is not None}
    codes: dict[str, list[int]] = {}
    words: dict[str, list[str]] = {}
    if wanted:
        data, codes, words = _numbered(path, data, wanted)
    tables = parse_all(board or LineDialect(whole=True), data)
    if not any(len(table.raw) for table in tables.values()):
        raise FileError("no line of it could be read as samples", str(path), "describe it with `--board-file F`")
    explanation = explain(board or LineDialect(whole=True), data, whole=True)
    found: dict[str, dict[str, npt.NDArray[Any]]] = {"label": {}, "group": {}}
    kept: dict[str, Table] = {}
    for name, table in tables.items():
        for role in wanted:
            channels = list(table.stream.channels)
            if _MARKS[role] in channels:
                place = channels.index(_MARKS[role])
                numbers = table.raw[:, place]
                table = _without(table, place)
            elif len(codes[role]) == len(table.raw):
                numbers = np.array(codes[role], np.float64)
            else:
                raise UsageError(
                    f"{len(codes[role])} rows have a {role} and {len(table.raw)} are samples of {name}", str(path),
                    "leave out the other rows, or import without it",
                )  # fmt: skip
            texts = np.array([*words[role], ""], dtype=object)
            found[role][name] = texts[np.where(np.isfinite(numbers), numbers, len(texts) - 1).astype(np.int64)]
        kept[name] = table
    return Sheet(kept, found["label"], found["group"], explanation)


def read_npz(path: Path, stream: str, unit: str, rate_hz: float, label: str | None, group: str | None) -> Sheet:
    """Read one array `(N, C)` or `(N, H, W)` of an NPZ file as a stream; `label` and `group` name arrays `(N,)`.

    An array `channels` of C words names the channels.

    Raises:
        UsageError: There is no such array, or its length differs.
        FileError: The file is no NPZ file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name in (stream, label, group, "channels")}
            there = ", ".join(file.files)
    except (OSError, ValueError) as error:
        raise FileError(
            f"this is no NPZ file of plain arrays ({error})", str(path), "save it with numpy.savez"
        ) from error
    for name in filter(None, (stream, label, group)):
        if name not in arrays or (name != stream and len(arrays[name]) != len(arrays.get(stream, ()))):
            next_step = f"it has {there}; each needs one row a sample"
            raise UsageError(f"there is no array {name!r} of the right length", str(path), next_step)
    raw = arrays[stream]
    raw = np.ascontiguousarray(raw[:, None] if raw.ndim == 1 else raw)
    if raw.ndim not in (2, 3) or raw.dtype.kind not in "iuf" or not len(raw):
        raise UsageError(
            f"{stream} has shape {raw.shape} of {raw.dtype}", str(path), "give (N, C) or (N, H, W) numbers"
        )
    names = [str(name) for name in arrays.get("channels", np.empty(0))]
    if raw.ndim == 3:
        channels: tuple[str, ...] = (stream,)
    else:
        channels = tuple(names) if len(names) == raw.shape[1] else tuple(f"c{place}" for place in range(raw.shape[1]))
    dtype = raw.dtype.newbyteorder("<")
    made = Stream(stream, channels, (unit,) * len(channels), dtype.str, raw.shape[1:], rate_hz, counted=False,
                  checked=False, tick_hz=None)  # fmt: skip
    table = Table(made, raw.astype(dtype), None, 32, None, 32, np.ones(len(raw), np.bool_))
    texts = {role: {stream: arrays[name].astype(str).astype(object)} if name else {}
             for role, name in (("label", label), ("group", group))}  # fmt: skip
    return Sheet({stream: table}, texts["label"], texts["group"])


def _numbered(
    path: Path, data: bytes, wanted: Mapping[str, str]
) -> tuple[bytes, dict[str, list[int]], dict[str, list[str]]]:
    """Return the text with numbers in the wanted columns, those numbers row by row, and the word of every number."""
    lines = data.decode("utf-8-sig", "replace").splitlines()
    start, separator, header = _header(path, lines, list(wanted.values()))
    places = {role: header.index(column) for role, column in wanted.items()}
    codes: dict[str, list[int]] = {role: [] for role in wanted}
    words: dict[str, dict[str, int]] = {role: {} for role in wanted}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    out.write("".join(line + "\n" for line in lines[:start]))
    for role, place in places.items():
        header[place] = _MARKS[role]
    writer.writerow(header)
    for row in csv.reader(lines[start + 1 :], delimiter=separator):
        if len(row) == len(header):
            for role, place in places.items():
                code = words[role].setdefault(row[place].strip(), len(words[role]))
                codes[role].append(code)
                row[place] = str(code)
        writer.writerow(row)
    return out.getvalue().encode(), codes, {role: list(known) for role, known in words.items()}


def _header(path: Path, lines: Sequence[str], columns: Sequence[str]) -> tuple[int, str, list[str]]:
    for number, line in enumerate(lines[:200]):
        for separator in ",;\t":
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
            if all(column in cells for column in columns):
                return number, separator, cells
    raise UsageError(f"no header line names {' and '.join(columns)}", str(path), "name columns as the header does")


def _without(table: Table, place: int) -> Table:
    keep = [at for at in range(len(table.stream.channels)) if at != place]

    def rest(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(values[at] for at in keep) if len(values) == len(keep) + 1 else tuple(values)

    old = table.stream
    stream = replace(old, channels=rest(old.channels), units=rest(old.units), shape=(len(keep),), scale=rest(old.scale),
                     offset=rest(old.offset))  # fmt: skip
    return replace(table, stream=stream, raw=np.ascontiguousarray(table.raw[:, keep]))
