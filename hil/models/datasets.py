"""Labelled readings of known people: what a model learns from and is judged on.

Rule: a series is continuous readings of one person with a label for every sample (`NONE` where nobody said), and says
its day and device where they are known. A reading that is no number ends a series as a gap does, and is counted. The
digest covers values, labels and people, so that a contract can say what a model was trained on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError

if TYPE_CHECKING:
    from hil.models.data_config import DataConfig
    from hil.models.spool import Spool

__all__ = [
    "GROUPS", "NONE", "PIECE", "Dataset", "Series", "digest", "load_dataset", "ordered", "unseen_labels", "whole",
    "window_truth",
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
        from hil.models.npz_data import load_npz

        dataset = load_npz(config.npz, folder, spool)
    else:
        from hil.models.labelled import load_recordings

        dataset = load_recordings(config, folder, spool)
    dataset = whole(dataset)
    return dataset if config.by == "person" else dataset.by(config.by)


def whole(dataset: Dataset) -> Dataset:
    """Return a dataset without the samples that have a reading which is no number; they are counted in `left_out`.

    What is before and after such samples becomes a series each, as around a gap: a live board's windows with one in
    them get no decision either.

    Raises:
        UsageError: Every sample has one.
    """
    kept: list[Series] = []
    holes = 0
    for item in dataset.series:
        for low, high, good in _runs(item.values):
            if not good:
                holes += high - low
            elif high - low == len(item.values):
                kept.append(item)
            else:
                kept.append(replace(item, values=item.values[low:high], labels=item.labels[low:high],
                                    source=f"{item.source}[{low}]"))  # fmt: skip
    if not holes:
        return dataset
    if not kept:
        raise UsageError(
            f"each of its {holes} samples has a reading that is no number", dataset.series[0].source,
            "leave out the channel: `hil data check` names it",
        )  # fmt: skip
    return replace(dataset, series=tuple(kept), left_out={**dataset.left_out, "not a number": holes})


def _runs(values: npt.NDArray[np.float32]) -> Iterator[tuple[int, int, bool]]:
    """Yield begin, end and whether all readings are numbers, of runs of samples; looked at piece by piece."""
    edges, states = [0], list[bool]()
    for low in range(0, len(values), PIECE):
        good = np.asarray(np.isfinite(values[low : low + PIECE]).all(axis=1))
        for start in [0, *(np.flatnonzero(good[1:] != good[:-1]) + 1).tolist()]:
            state = bool(good[start])
            if not states:
                states.append(state)
            elif state != states[-1]:
                edges.append(low + start)
                states.append(state)
    yield from zip(edges, [*edges[1:], len(values)], states, strict=False)


def unseen_labels(dataset: Dataset, held_out: Iterable[str]) -> list[str]:
    """Return the labels that nobody shows who is not held out: a model learns nothing of them."""
    seen: set[int] = set()
    for item in dataset.of(dataset.others(held_out)):
        seen.update(np.unique(item.labels).tolist())
    return [label for at, label in enumerate(dataset.labels) if at not in seen]


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
