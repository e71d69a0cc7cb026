"""Labelled readings of known people: what a model learns from and is judged on.

Rule: a series is continuous readings of one person with a label for every sample (`NONE` where nobody said), and says
its day and device where they are known. Readings come from recordings or from an NPZ file opened without pickle; the
digest covers values, labels and people, so that a contract can say what a model was trained on.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, UsageError

if TYPE_CHECKING:
    from hil.models.data_config import DataConfig, NpzLayout
    from hil.models.spool import Spool

__all__ = [
    "GROUPS", "NONE", "PIECE", "Dataset", "Series", "digest", "load_dataset", "load_npz", "ordered", "window_truth",
]  # fmt: skip

GROUPS = ("person", "day", "device")
"""What readings are split by: whatever is the same in training and test flatters a model."""

PIECE = 65_536
"""Samples that are looked at together where all of them are needed: a series may be larger than memory."""

NONE = -1
"""Label of a sample that nobody labelled."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Continuous readings of one person.

    Attributes:
        person: Who; groups are split by this.
        values: float32 `(N, C)` in the dataset's units; of frames `(N, H * W)`, row by row.
        labels: int64 `(N,)`, indices into the dataset's labels or `NONE`.
        source: Where it comes from.
        day: When, as far as days go; empty where nobody said.
        device: Which board; empty where nobody said.
    """

    person: str
    values: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    source: str
    day: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Series that share channels, units, rate and labels; `frame` is the size of frames, None of channels.

    Attributes:
        left_out: Readings that are not in it, by cause, such as `invalid` for those whose checksum failed.
    """

    series: tuple[Series, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    labels: tuple[str, ...]
    frame: tuple[int, int] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone in it, in order of first appearance."""
        return tuple(dict.fromkeys(series.person for series in self.series))

    def of(self, people: Iterable[str]) -> tuple[Series, ...]:
        """The series of some people."""
        wanted = set(people)
        return tuple(series for series in self.series if series.person in wanted)

    def others(self, people: Iterable[str]) -> list[str]:
        """The people who are not among these."""
        left_out = set(people)
        return [person for person in self.people if person not in left_out]

    def by(self, key: str) -> Dataset:
        """Return the same readings grouped by another key: what was `day` or `device` stands where people stood.

        Everything that holds out people then holds out days or devices.

        Raises:
            UsageError: There is no such key, or a series does not say.
        """
        if key not in GROUPS:
            raise UsageError(f"there is no group {key!r}", "by", f"use {', '.join(GROUPS)}")
        silent = next((series.source for series in self.series if not getattr(series, key)), None)
        if silent is not None:
            raise UsageError(f"nobody said its {key}", silent, f"give {key} in the data table, or `--meta {key}=...`")
        return replace(self, series=tuple(replace(series, person=getattr(series, key)) for series in self.series))


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
    try:
        with np.load(path, allow_pickle=False) as archive:
            found: dict[str, Any] = {}
            for key in ("readings", "length", "label", "person", "labels", "channels", "scale", "day", "device"):
                name = getattr(layout, key)
                if name and name not in archive:
                    raise FileError(
                        f"it has no array {name!r} (it has {', '.join(archive.files)})", path, f"set data.npz.{key}"
                    )
                found[key] = archive[name] if name else None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"it cannot be read ({error.strerror or error})", path, "check the path") from None
    except (ValueError, zipfile.BadZipFile) as error:
        raise FileError(f"it is no NPZ file of plain arrays ({error})", path, "write it with numpy.savez") from None
    readings, length = found["readings"], found["length"]
    channels = tuple(str(name) for name in found["channels"])
    columns = 1 if readings.ndim == 3 else readings.shape[-1]
    if readings.ndim not in (2, 3) or len(channels) != columns or len(layout.units) != columns:
        raise UsageError(
            f"{layout.readings} has shape {list(readings.shape)}, with {len(channels)} channel names and "
            f"{len(layout.units)} units",
            path,
            "give one name and one unit for each column",
        )
    if length.sum() != len(readings) or not len(length) == len(found["label"]) == len(found["person"]):
        raise UsageError(
            f"{layout.length} sums to {int(length.sum())} for {len(readings)} readings, or series and labels differ "
            "in number",
            path,
            "correct the arrays",
        )
    values = readings if found["scale"] is None else readings.astype(np.float64) * found["scale"]
    values = np.ascontiguousarray(values, dtype=np.float32).reshape(len(values), -1)
    frame = (readings.shape[1], readings.shape[2]) if readings.ndim == 3 else None
    if spool is not None:
        values = spool.keep(values)
    edges = np.concatenate(([0], np.cumsum(length)))
    series = tuple(
        Series(
            str(found["person"][i]),
            values[edges[i] : edges[i + 1]],
            np.full(int(length[i]), int(found["label"][i]), np.int64),
            f"{os.path.basename(layout.file)}[{i}]",
            *("" if found[key] is None else str(found[key][i]) for key in ("day", "device")),
        )
        for i in range(len(length))
    )
    return Dataset(series, channels, layout.units, layout.rate_hz, tuple(str(name) for name in found["labels"]), frame)


def load_dataset(config: DataConfig, folder: str | os.PathLike[str] = ".", spool: Spool | None = None) -> Dataset:
    """Read what the `[data]` table of a training configuration names: an NPZ file, or recordings with labels.

    Args:
        config: The table.
        folder: What relative file names are relative to.
        spool: Where readings are kept, one recording after the other; None: in memory, all of them.

    Raises:
        FileError: A file cannot be read.
        UsageError: Files do not fit each other, or say not whose they are.
    """
    if config.npz is not None:
        dataset = load_npz(config.npz, folder, spool)
    else:
        from hil.models.labelled import load_recordings

        dataset = load_recordings(config, folder, spool)
    return dataset if config.by == "person" else dataset.by(config.by)


def ordered(names: Iterable[str]) -> list[str]:
    """Return names in order of the number that each is, words after them."""
    return sorted(names, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))


def digest(series: Sequence[Series]) -> str:
    """SHA-256 of readings, labels and people, whatever the order of the series."""
    return hashlib.sha256(b"".join(sorted(_digest(item) for item in series))).hexdigest()


def _digest(item: Series) -> bytes:
    found = hashlib.sha256(item.person.encode() + b"\0")
    for array, kind in ((item.values, "<f4"), (item.labels, "<i8")):
        for low in range(0, len(array), PIECE):
            found.update(array[low : low + PIECE].astype(kind).tobytes())
    return found.digest()


def window_truth(
    labels: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], window: int, classes: int
) -> npt.NDArray[np.int64]:
    """Truth of windows: the label that covers at least half of each, else `NONE`.

    Args:
        labels: `(N,)` label of every sample.
        ends: `(W,)` index after the last sample of each window; a window reaches `window` samples back.
        window: Samples in a window.
        classes: Number of labels.

    Returns:
        int64 `(W,)`. Two labels of exactly half each: the later one.
    """
    found = np.full(len(ends), NONE, np.int64)
    held = np.full(len(ends), -1, np.int64)
    for index in range(classes):
        counts = np.concatenate(([0], np.cumsum(labels == index)))
        inside = counts[ends] - counts[np.maximum(ends - window, 0)]
        last_seen = np.concatenate(([-1], np.maximum.accumulate(np.where(labels == index, np.arange(len(labels)), -1))))
        better = (2 * inside >= window) & (last_seen[ends] > held)
        found[better] = index
        held[better] = last_seen[ends][better]
    return found
