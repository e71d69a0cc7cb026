"""Where the windows of recordings lie: found in one pass, chunk by chunk, and kept without a reading.

Rule of this room: no torch here, and never more than one chunk of readings at a time. Windows end at multiples of the
hop, none reaches over a gap, and each has the label that covers at least half of it; those without one are counted.
Numbers are those of the stream that a model reads: after conditioning, where there is any.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.conditioning import Conditioned, source_of
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.datasets import NONE, window_truth
from hil.models.place import Place, place_of
from hil.models.recorded import gaps_of, labels_of_samples

if TYPE_CHECKING:
    from hil.recording.arrays import StreamArrays

__all__ = ["Chunk", "Index", "index_of"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples that lie together in a file: UTC of the first and the last, and how many there are."""

    start_ns: int
    end_ns: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The windows of one recording.

    Attributes:
        path: The recording.
        place: Board, stream and how it is conditioned.
        chunks: In the order of the file.
        ends: `(W,)`, number of each window's last sample plus one, as the model counts.
        boots: `(W,)`, boot it lies in.
        chunk: `(W,)`, the chunk in which its last sample lies.
        truth: `(W,)`, index of its label.
        unlabelled: Windows that no label covers by half: they are not among these.
    """

    path: str
    place: Place
    chunks: tuple[Chunk, ...]
    ends: Ints
    boots: Ints
    chunk: Ints
    truth: Ints
    unlabelled: int

    def __len__(self) -> int:
        return len(self.ends)


class _Run:
    """Samples that follow each other: their labels so far, and the chunk of each."""

    def __init__(self, boot: int, first: int) -> None:
        self.boot, self.first = boot, first
        self.labels: list[npt.NDArray[np.int16]] = []
        self.chunks: list[tuple[int, int]] = []

    def windows(self, window: int, hop: int, classes: int) -> tuple[Ints, Ints, Ints]:
        """Return end, chunk and truth of the windows in it."""
        labels = np.concatenate(self.labels).astype(np.int64)
        begin = -(-(self.first + window) // hop) * hop
        ends = np.arange(begin, self.first + len(labels) + 1, hop, dtype=np.int64)
        chunk = np.repeat([at for at, _ in self.chunks], [count for _, count in self.chunks])
        truth = window_truth(labels, ends - self.first, window, classes)
        return ends, chunk[ends - self.first - 1].astype(np.int64), truth


def index_of(
    config: DataConfig, entry: RecordingEntry, folder: str | os.PathLike[str], window: int, hop: int,
    labels: tuple[str, ...],
) -> Index:  # fmt: skip
    """Find the windows of one recording.

    Args:
        config: Channels, labels and conditioning.
        entry: The recording.
        folder: What its name is relative to.
        window: Samples in a window.
        hop: Samples between windows.
        labels: Names, in the order of the truth's indices.

    Raises:
        FileError: It cannot be read.
        UsageError: No stream fits, or several are asked for.
    """
    from hil.recording.reader import Recording

    if len(config.streams) > 1:
        raise UsageError("windows are read from one stream", str(config.streams), "name one, or load them whole")
    path = os.path.join(folder, entry.file)
    found: list[tuple[int, Ints, Ints, Ints]] = []
    chunks: list[Chunk] = []
    with Recording(path) as recording:
        place = place_of(recording, entry, config)
        cuts = [(gap.boot, gap.first) for gap in gaps_of(recording, place.board, place.stream) if gap.count is None]
        known = {name: at for at, name in enumerate(labels)}
        whole = entry.label or recording.header.about.get("label")
        intake = place.intake()
        run: _Run | None = None
        for arrays in recording.chunks(place.board, place.stream):
            texts = labels_of_samples(arrays, recording.labels, whole, place.board)
            marks = np.array([NONE if text is None else known.get(text, NONE) for text in texts], np.int16)
            for first, boot, told in _pieces(arrays, marks, cuts, intake):
                follows = run is not None and boot == run.boot and first == run.first + sum(map(len, run.labels))
                if run is not None and not (follows and (boot, first) not in cuts):
                    found.append((run.boot, *run.windows(window, hop, len(labels))))
                    run = None
                if run is None:
                    run = _Run(boot, first)
                run.labels.append(told)
                run.chunks.append((len(chunks), len(told)))
            chunks.append(Chunk(int(arrays.t_ns[0]), int(arrays.t_ns[-1]), len(arrays)))
        if run is not None:
            found.append((run.boot, *run.windows(window, hop, len(labels))))
    nothing = np.zeros(0, np.int64)
    ends, chunk, truth = (np.concatenate([nothing, *(one[at] for one in found)]) for at in (1, 2, 3))
    boots = np.concatenate([nothing, *(np.full(len(one[1]), one[0], np.int64) for one in found)])
    kept = truth != NONE
    return Index(path, place, tuple(chunks), ends[kept], boots[kept], chunk[kept], truth[kept], int((~kept).sum()))


def _pieces(
    arrays: StreamArrays, marks: npt.NDArray[np.int16], cuts: list[tuple[int, int]], intake: Conditioned | None
) -> Iterator[tuple[int, int, npt.NDArray[np.int16]]]:
    """Yield first number, boot and labels of the stretches of a chunk, as the model counts."""
    for segment in arrays.segments:
        boot, first = int(arrays.boot[segment.start]), int(arrays.numbers[segment.start])
        count = segment.stop - segment.start
        inside = sorted(number - first for where, number in cuts if where == boot and first < number < first + count)
        edges = [0, *inside, count]
        for low, high in pairwise(edges):
            told = marks[segment.start + low : segment.start + high]
            if intake is None:
                yield first + low, boot, told
                continue
            part = arrays.part(slice(segment.start + low, segment.start + high))
            if (boot, first + low) in cuts:
                intake.cut()
            for batch in part.batches():
                made = intake.batch(batch)
                if made is not None and intake.ratio is not None:
                    at = [source_of(number, intake.ratio) - batch.first for number in range(made.first, made.end)]
                    yield made.first, boot, told[at]
                elif made is not None:
                    yield made.first, boot, told
