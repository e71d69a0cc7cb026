"""Samples as tables: CSV, Parquet and NPZ.

Rule of this room: one row a received sample, numbers as text in the fewest digits that give them back, and the label
of the moment in a column of its own where the recording has labels.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, MissingPart, UsageError
from hil.recording.arrays import StreamArrays
from hil.recording.files import NewFile, explain
from hil.recording.marks import Label
from hil.recording.reader import Recording

__all__ = ["columns_of", "label_column", "write_csv", "write_npz", "write_parquet"]


def columns_of(arrays: StreamArrays, labels: tuple[Label, ...]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a table: time, number, boot, tick, channels with units, and the label if there is one."""
    flat = arrays.values.reshape(len(arrays), -1)
    names, units = list(arrays.stream.channels), list(arrays.stream.units)
    if len(names) != flat.shape[1]:
        names = [f"{names[0] if names else 'value'}_{place}" for place in range(flat.shape[1])]
    if len(units) != flat.shape[1]:
        units = [units[0] if units else "?"] * flat.shape[1]
    columns: dict[str, npt.NDArray[Any]] = {
        "t_s": arrays.t_s, "t_ns": arrays.t_ns, "number": arrays.numbers, "boot": arrays.boot, "tick": arrays.ticks,
    }  # fmt: skip
    for place, (name, unit) in enumerate(zip(names, units, strict=True)):
        key = f"{name} [{unit}]" if unit else name
        columns[key if key not in columns else f"{key} ({place})"] = flat[:, place]
    if labels:
        columns["label"] = label_column(arrays, labels)
    return columns


def label_column(arrays: StreamArrays, labels: tuple[Label, ...]) -> npt.NDArray[Any]:
    """Return the label of every sample, `(N,)` text: the one that began last; empty where there is none."""
    column = np.full(len(arrays), "", dtype=object)
    for label in labels:
        if label.board in ("", arrays.board):
            stop = np.iinfo(np.int64).max if label.stop_ns is None else label.stop_ns
            column[(arrays.t_ns >= label.start_ns) & (arrays.t_ns < stop)] = label.text
    return column


def write_csv(recording: Recording, pieces: Iterator[StreamArrays], target: Path) -> list[Path]:
    """Write pieces of a stream as one CSV file; return it."""
    labels = recording.labels
    sink = NewFile(target)
    try:
        header: list[str] = []
        for piece in pieces:
            columns = columns_of(piece, labels)
            if list(columns) != header:
                if header:
                    raise UsageError(
                        "the definition of the stream changed", str(target), "export parts with --from/--to"
                    )
                header = list(columns)
                sink.write((",".join(map(_quoted, header)) + "\r\n").encode())
            cells = [[_quoted(cell) for cell in column] if column.dtype == object else column.astype(str).tolist()
                     for column in columns.values()]  # fmt: skip
            sink.write("".join(",".join(row) + "\r\n" for row in zip(*cells, strict=True)).encode())
    except OSError as error:
        raise error if isinstance(error, FileError) else explain(error, target) from error
    finally:
        sink.close()
    return [target]


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(letter in cell for letter in ',"\r\n') else cell


def write_parquet(recording: Recording, pieces: Iterator[StreamArrays], target: Path) -> list[Path]:
    """Write pieces of a stream as one Parquet file, a row group each; return it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingPart("Parquet needs pyarrow", "--format parquet", "`pip install pyarrow`, or use csv") from error
    NewFile(target).close()
    labels = recording.labels
    writer = None
    for piece in pieces:
        columns = columns_of(piece, labels)
        about = {b"hil": json.dumps({"board": piece.board, "stream": piece.stream.as_dict()}).encode()}
        table = pyarrow.table({name: pyarrow.array(column) for name, column in columns.items()}, metadata=about)
        writer = writer or pyarrow.parquet.ParquetWriter(target, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return [target]


def write_npz(
    recording: Recording, names: list[tuple[str, str]], target: Path, start_s: float | None, end_s: float | None,
    progress: Callable[[float], None] | None,
) -> Path:  # fmt: skip
    """Write streams as arrays `board/stream/NAME`, and what they are as JSON under `about`; return the file."""
    sink = NewFile(target)
    sink.close()
    arrays: dict[str, npt.NDArray[Any]] = {}
    about: dict[str, Any] = {"start_ns": recording.start_ns, "about": dict(recording.header.about), "streams": {}}
    for done, (board, stream) in enumerate(names, 1):
        read = recording.read(board, stream, start_s, end_s)
        key = f"{board}/{stream}"
        for name in ("numbers", "boot", "ticks", "t_ns", "t_s", "raw", "values"):
            arrays[f"{key}/{name}"] = getattr(read, name)
        if recording.labels:
            arrays[f"{key}/label"] = label_column(read, recording.labels).astype(str)
        about["streams"][key] = read.stream.as_dict()
        if progress is not None:
            progress(done / len(names))
    try:
        with target.open("wb") as file:
            np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise explain(error, target) from error
    return target
