"""Everything a dataset holds, as it is: recordings, or the series of an NPZ file, each for itself.

Rule of this room: nothing is held against anything else here, so that a check can say what does not fit; a recording
that cannot be read is a finding. All readings of the dataset are in memory.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_bridge.errors import BridgeError, UsageError
from hil.data.finding import ERROR, Finding
from hil.models.data_config import DataConfig
from hil.models.datasets import NONE
from hil.models.labelled import Part, Stretch, read_part
from hil.models.npz_data import load_npz

__all__ = ["Whole", "group_of", "labels_in", "read_whole"]


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A dataset.

    Attributes:
        parts: Recordings or series, in order.
        findings: Those that could not be read.
    """

    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]


def read_whole(config: DataConfig, folder: str | os.PathLike[str] = ".") -> Whole:
    """Read a dataset.

    Raises:
        FileError: The NPZ file or the folder cannot be read.
        UsageError: None of the recordings can be used.
    """
    if config.npz is not None:
        dataset = load_npz(config.npz, folder)
        parts = []
        for one in dataset.series:
            texts = [None if label == NONE else dataset.labels[label] for label in one.labels.tolist()]
            groups = {"person": one.person, "day": one.day, "device": one.device}
            stretch = Stretch(one.values, texts, one.source, 0.0)
            part = Part(one.source, groups, dataset.channels, dataset.units, dataset.rate_hz, None, (stretch,))
            parts.append(part)
        return Whole(tuple(parts), ())
    parts, findings = [], []
    for entry in config.entries(folder):
        try:
            parts.append(read_part(config, entry, folder))
        except BridgeError as error:
            told = error.as_dict()
            findings.append(Finding(ERROR, "unreadable", entry.file, str(told["what"]), str(told["next"])))
    if not parts:
        raise UsageError(f"none of its {len(findings)} recordings can be used: {findings[0].what}", findings[0].where,
                         findings[0].next)  # fmt: skip
    return Whole(tuple(parts), tuple(findings))


def group_of(part: Part, by: str) -> str:
    """Return the group of a recording, `?` where nobody said."""
    return part.groups[by] or "?"


def labels_in(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return all labels by name."""
    return tuple(sorted({text for part in parts for one in part.stretches for text in set(one.texts) - {None} if text}))


def codes(stretch: Stretch, labels: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the label of every sample as an index, `NONE` where there is none."""
    place = {name: at for at, name in enumerate(labels)}
    return np.array([NONE if text is None else place.get(text, NONE) for text in stretch.texts], np.int64)
