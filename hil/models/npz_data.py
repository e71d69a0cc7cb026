"""Labelled readings in an NPZ file whose series lie end to end.

Rule of this room: opened without pickle, and every array is held against the others before anything is cut from it, so
that a mistake is one sentence about the array that has it.
"""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.missing import unread
from hil.models.datasets import NONE, Dataset, Series

if TYPE_CHECKING:
    from hil.models.data_config import NpzLayout
    from hil.models.spool import Spool

__all__ = ["load_npz"]

_ARRAYS = ("readings", "length", "label", "person", "labels", "channels", "scale", "day", "device")
_OF_SERIES = ("label", "person", "day", "device")


def load_npz(layout: NpzLayout, folder: str | os.PathLike[str] = ".", spool: Spool | None = None) -> Dataset:
    """Read a dataset from an NPZ file.

    Args:
        layout: Where things are in it.
        folder: What a relative file name is relative to.
        spool: Where readings are kept once the file is unpacked; None: in memory.

    Raises:
        FileError: It cannot be read or lacks an array.
        UsageError: Arrays do not fit each other.
    """
    path = os.path.join(folder, layout.file)
    found = _arrays(layout, path)
    readings, channels = found["readings"], tuple(str(name) for name in np.atleast_1d(found["channels"]))
    columns = 1 if readings.ndim == 3 else readings.shape[-1] if readings.ndim else 0
    if readings.ndim not in (2, 3) or len(channels) != columns or len(layout.units) != columns:
        raise UsageError(
            f"{layout.readings} has shape {list(readings.shape)}, with {len(channels)} channel names and "
            f"{len(layout.units)} units",
            path,
            "give one name and one unit for each column",
        )
    if readings.dtype.kind not in "fiub":
        raise UsageError(f"{layout.readings} holds {readings.dtype} and no numbers", path, "write it as numbers")
    labels = tuple(str(name) for name in np.atleast_1d(found["labels"]))
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise UsageError(f"{layout.labels} names {', '.join(labels) or 'nothing'}", path, "name two labels, each once")
    lengths = _lengths(found["length"], layout, path, len(readings))
    for key in _OF_SERIES:
        if found[key] is not None and found[key].shape != lengths.shape:
            name = getattr(layout, key)
            raise UsageError(f"{name} has shape {list(found[key].shape)} for {len(lengths)} series", path,
                             f"give one value of {name} for each series")  # fmt: skip
    known = _indices(found["label"], labels, layout, path)
    values = readings
    if found["scale"] is not None:
        if found["scale"].shape not in ((), (columns,)) or found["scale"].dtype.kind not in "fiu":
            raise UsageError(f"{layout.scale} has shape {list(found['scale'].shape)} for {columns} columns", path,
                             "give one factor for each column")  # fmt: skip
        values = readings.astype(np.float64) * found["scale"]
    values = np.ascontiguousarray(values, dtype=np.float32).reshape(len(values), int(np.prod(values.shape[1:])))
    frame = (readings.shape[1], readings.shape[2]) if readings.ndim == 3 else None
    if spool is not None:
        values = spool.keep(values)
    edges = np.concatenate(([0], np.cumsum(lengths)))
    series = tuple(
        Series(
            str(found["person"][i]),
            values[edges[i] : edges[i + 1]],
            np.full(int(lengths[i]), known[i], np.int64),
            f"{os.path.basename(layout.file)}[{i}]",
            *("" if found[key] is None else str(found[key][i]) for key in ("day", "device")),
        )
        for i in range(len(lengths))
    )
    return Dataset(series, channels, layout.units, layout.rate_hz, labels, frame)


def _arrays(layout: NpzLayout, path: str) -> dict[str, Any]:
    """Return the arrays of a file by what they mean; None where the layout names none."""
    found: dict[str, Any] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not hasattr(archive, "files"):
                raise FileError("it is one array and no NPZ file", path, "write it with numpy.savez")
            for key in _ARRAYS:
                name = getattr(layout, key)
                if name and name not in archive:
                    raise FileError(
                        f"it has no array {name!r} (it has {', '.join(archive.files)})", path, f"set data.npz.{key}"
                    )
                found[key] = archive[name] if name else None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise unread(error, path, "check the path") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(f"it is no NPZ file of plain arrays ({error})", path, "write it with numpy.savez") from None
    return found


def _lengths(given: npt.NDArray[Any], layout: NpzLayout, path: str, readings: int) -> npt.NDArray[np.int64]:
    """Return the samples of each series, which are whole, at least one each, and all that there are."""
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "fiu":
        raise UsageError(f"{layout.length} has shape {list(given.shape)} of {given.dtype}", path,
                         "give the number of samples of each series; there is at least one")  # fmt: skip
    lengths = given.astype(np.int64)
    if (lengths != given).any() or lengths.min() < 1 or lengths.sum() != readings:
        raise UsageError(
            f"{layout.length} sums to {given.sum():g} for {readings} readings, the shortest of {given.min():g}", path,
            "give whole numbers of samples above 0 that sum to all readings",
        )  # fmt: skip
    return lengths


def _indices(given: npt.NDArray[Any], labels: tuple[str, ...], layout: NpzLayout, path: str) -> list[int]:
    """Return the index of each series' label: the file holds indices (-1: nobody said), or the names themselves."""
    if given.dtype.kind == "U":
        place = {name: at for at, name in enumerate(labels)}
        strange = sorted({str(name) for name in given} - set(labels))
        if strange:
            raise UsageError(f"{layout.label} says {', '.join(strange)}, which {layout.labels} does not name", path,
                             f"use {', '.join(labels)}")  # fmt: skip
        return [place[str(name)] for name in given]
    if (
        given.dtype.kind not in "fiub"
        or ((given != given.astype(np.int64)) | (given < NONE) | (given >= len(labels))).any()
    ):
        raise UsageError(
            f"{layout.label} holds {', '.join(sorted({str(one) for one in given})[:9])} for {len(labels)} labels", path,
            f"give an index from 0 to {len(labels) - 1} for each series, -1 where nobody said, or the label itself",
        )  # fmt: skip
    return [int(one) for one in given]
