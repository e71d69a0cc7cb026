"""Recordings as a model sees them: items in order for running, labelled series for training.

Rule: what was not received is not there. A stretch between two gaps is a series of its own; a label is what marks,
their sidecar or the recording itself say at the time of each sample, and `NONE` elsewhere or where two labels overlap.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Gap, Item
from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.datasets import NONE, Dataset, Series
from hil.models.matching import has_channels, match
from hil.models.training_config import DataConfig, RecordingEntry

if TYPE_CHECKING:
    from hil.recording.arrays import StreamArrays
    from hil.recording.marks import Label
    from hil.recording.reader import Recording

__all__ = ["items_of", "labels_of_samples", "load_recordings", "unbroken"]


def items_of(recording: Recording, contract: Contract, board: str | None = None) -> Iterator[Item]:
    """Yield what a model reads from a recording, stream by stream, in bounded memory.

    Args:
        recording: The recording.
        contract: The model's contract.
        board: Role of the one board to read; None: every board with a stream that fits.

    Raises:
        UsageError: No stream fits.
    """
    where = str(recording.path)
    offered = [known for known in recording.streams() if board is None or known.board == board]
    meant = {
        (known.board, known.stream.name): known.stream for known in offered if has_channels(contract, known.stream)
    }
    if not meant:
        wanted = ", ".join(item.channel for item in contract.inputs)
        names = "; ".join(f"{known.board}/{known.stream.name}: {', '.join(known.stream.channels)}" for known in offered)
        whose = f"board {board}" if board is not None else "it"
        raise UsageError(
            f"{whose} has no stream with {wanted}, which model {contract.name} reads ({names or 'no streams'})",
            where,
            "name another board or recording",
        )
    fitting = []
    for (role, name), stream in meant.items():
        try:
            match(contract, stream, f"{role}/{name}")
        except UsageError:
            if board is not None or len(meant) == 1:
                raise
        else:
            fitting.append((role, name))
    if not fitting:
        (role, name), stream = next(iter(meant.items()))
        match(contract, stream, f"{role}/{name}")
    for role, name in fitting:
        yield from _stream_items(recording, role, name)


def load_recordings(config: DataConfig, folder: str | os.PathLike[str] = ".") -> Dataset:
    """Read labelled recordings.

    Args:
        config: Recordings, channels and labels.
        folder: What relative file names are relative to.

    Raises:
        FileError: A recording cannot be read.
        UsageError: A recording names no person or no label, or units or rates differ.
    """
    from hil.recording.reader import Recording

    series: list[tuple[str, npt.NDArray[np.float32], list[str | None], str]] = []
    common: tuple[tuple[str, ...], float] | None = None
    for entry in config.recordings:
        path = os.path.join(folder, entry.file)
        with Recording(path) as recording:
            person = entry.person or recording.header.about.get("person")
            if not person:
                raise UsageError("nobody said whose recording it is", path, "give person in data.recordings")
            role, stream = _training_stream(recording, entry, config.channels)
            columns = [stream.channels.index(name) for name in config.channels]
            found = tuple(stream.units[column] for column in columns), float(stream.rate_hz or 0.0)
            if common is not None and found != common:
                raise UsageError(
                    f"{role}/{stream.name} has units and rate {found} where the recordings before it have {common}",
                    path,
                    "train on recordings of one kind of board",
                )
            common = found
            arrays = recording.read(role, stream.name)
            texts = labels_of_samples(
                arrays, recording.labels, entry.label or recording.header.about.get("label"), role
            )
            series += [
                (person, arrays.values[piece][:, columns], texts[piece], f"{entry.file}[{piece.start}]")
                for piece in unbroken(recording, arrays, role, stream.name)
            ]
    assert common is not None  # the configuration has at least one recording
    names = config.labels or tuple(sorted({text for *_, texts, _ in series for text in texts if text is not None}))
    if len(names) < 2:
        raise UsageError(
            f"the recordings have {len(names)} labels ({', '.join(names)})", str(folder), "label at least two classes"
        )
    place = {name: index for index, name in enumerate(names)}
    return Dataset(
        tuple(
            Series(
                person,
                np.ascontiguousarray(values),
                np.array([NONE if text is None else place.get(text, NONE) for text in texts], np.int64),
                source,
            )
            for person, values, texts, source in series
        ),
        config.channels,
        common[0],
        common[1],
        names,
    )


def _stream_items(recording: Recording, board: str, stream: str) -> Iterator[Item]:
    """Batches of a stream, with its gaps between them: where nobody counts, the numbers alone do not show one."""
    gaps = _gaps(recording, board, stream)
    for arrays in recording.chunks(board, stream):
        for batch in arrays.batches():
            rest: Batch = batch
            while gaps and (gaps[0].boot, gaps[0].first) < (rest.boot, rest.end):
                gap = gaps.pop(0)
                cut = gap.first - rest.first if gap.boot == rest.boot else 0
                if cut > 0:
                    yield rest.part(0, cut)
                    rest = rest.part(cut, len(rest))
                yield gap
            yield rest


def _gaps(recording: Recording, board: str, stream: str) -> list[Gap]:
    found = [event for event in recording.events(board) if isinstance(event, Gap) and event.stream == stream]
    return sorted(found, key=lambda gap: (gap.boot, gap.first))


def unbroken(recording: Recording, arrays: StreamArrays, board: str, stream: str) -> list[slice]:
    """Stretches without a gap, counted or not."""
    pieces = list(arrays.segments)
    for gap in _gaps(recording, board, stream):
        at = np.flatnonzero((arrays.boot == gap.boot) & (arrays.numbers >= gap.first))
        where = int(at[0]) if len(at) else len(arrays)
        pieces = [
            part
            for piece in pieces
            for part in (slice(piece.start, min(piece.stop, where)), slice(max(piece.start, where), piece.stop))
            if part.start < part.stop
        ]
    return pieces


def _training_stream(recording: Recording, entry: RecordingEntry, channels: Sequence[str]) -> tuple[str, Stream]:
    for known in recording.streams():
        if entry.board in (None, known.board) and set(channels) <= set(known.stream.channels):
            if known.stream.rate_hz is None:
                raise UsageError(
                    f"the rate of {known.board}/{known.stream.name} is unknown", str(recording.path),
                    "give rate_hz in a board file",
                )  # fmt: skip
            return known.board, known.stream
    whose = "it" if entry.board is None else f"board {entry.board}"
    raise UsageError(f"{whose} has no stream with {', '.join(channels)}", str(recording.path), "name its channels")


def labels_of_samples(arrays: StreamArrays, labels: Sequence[Label], whole: str | None, board: str) -> list[str | None]:
    """The label of every sample: marked stretches first, else the label of the whole recording, else None."""
    spans = [label for label in labels if label.board in ("", board)]
    if not spans:
        return [whole] * len(arrays)
    found: list[str | None] = [None] * len(arrays)
    taken = np.zeros(len(arrays), np.int64)
    for label in spans:
        low = int(np.searchsorted(arrays.t_ns, label.start_ns))
        high = len(arrays) if label.stop_ns is None else int(np.searchsorted(arrays.t_ns, label.stop_ns))
        taken[low:high] += 1
        found[low:high] = [label.text] * (high - low)
    for index in np.flatnonzero(taken > 1).tolist():
        found[index] = None
    return found
