"""Recordings as labelled series: what a configuration names, read one after the other.

Rule of this room: what was not received is not there, and what a check threw out is counted. A stretch between two
gaps is a series of its own, and units, axes and rate are conditioned by the code that conditions a live board.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, groupby, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Gap
from hil.models.conditioning import Conditioned, source_of
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.datasets import NONE, Dataset, Series
from hil.models.place import place_in, streams_of
from hil.models.recorded import labelled_twice, labels_of_samples, unbroken

if TYPE_CHECKING:
    from hil.models.spool import Spool
    from hil.recording.arrays import StreamArrays
    from hil.recording.reader import Recording

__all__ = ["TWICE", "Part", "Stretch", "load_recordings", "read_part", "read_parts", "series_of"]

TWICE = "labelled twice"
"""Why the label of a reading is left out: two stretches that overlap name it."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Readings without a gap: float32 `(N, C)`, the label of each (None: nobody said), and the time of the first.

    `t_s` is the time of each in seconds of the recording, float64 `(N,)`; None where only the rate is known.
    """

    values: npt.NDArray[np.float32]
    texts: Iterable[str | None]
    source: str
    start_s: float
    t_s: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One recording as it is, before it is held against the others.

    Attributes:
        path: The recording.
        groups: `person`, `day` and `device`, empty where nobody said.
        channels: Names; of a frame one a pixel.
        units: One a channel.
        rate_hz: As the board says it.
        measured_hz: Rate of most samples and of all, by the board's clock; None where there is none.
        stretches: Readings between gaps.
        left_out: Readings that are not there, by cause.
        frame: Rows and columns, where the one stream that is read sends frames.
    """

    path: str
    groups: dict[str, str]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    measured_hz: tuple[float, float] | None
    stretches: tuple[Stretch, ...]
    left_out: Counter[str] = field(default_factory=Counter)
    frame: tuple[int, int] | None = None


def read_parts(config: DataConfig, folder: str | os.PathLike[str] = ".") -> Iterator[Part]:
    """Yield the recordings of a configuration, each as it is.

    Raises:
        FileError: One cannot be read.
        UsageError: One lacks a channel, or does not fit the first and is not conditioned to.
    """
    for entry in config.entries(folder):
        yield read_part(config, entry, folder)


def read_part(config: DataConfig, entry: RecordingEntry, folder: str | os.PathLike[str] = ".") -> Part:
    """Read one recording; see `read_parts`."""
    from hil.recording.reader import Recording

    path = os.path.join(folder, entry.file)
    with Recording(path) as recording:
        role, streams = streams_of(recording, entry, config)
        info = recording.boards.get(role)
        about = recording.header.about
        groups = {
            "person": entry.person or about.get("person") or "",
            "day": entry.day or about.get("day") or "",
            "device": entry.device or about.get("device") or (info.serial if info is not None else "") or "",
        }
        arrays = [recording.read(role, stream.name) for stream in streams]
        label = entry.label or about.get("label")
        left_out = _left_out(recording, role, streams[0].name)
        if twice := labelled_twice(arrays[0], recording.labels, role):
            left_out[TWICE] += twice
        measured = _measured(arrays[0])
        if config.conditioning is not None:
            place = place_in(recording, role, streams[0], config)
            intake = place.intake()
            assert intake is not None
            found = _conditioned(recording, arrays[0], intake, label, role, entry.file)
            units = tuple(unit for _, unit in place.wanted)
            return Part(path, groups, config.channels, units, place.rate_hz, measured, tuple(found), left_out)
        names, units, values, first = _side_by_side(arrays, config.channels)
        texts = labels_of_samples(first, recording.labels, label, role)
        stretches = tuple(
            Stretch(np.ascontiguousarray(values[piece]), texts[piece], f"{entry.file}[{piece.start}]",
                    float(first.t_s[piece.start]), first.t_s[piece])
            for piece in unbroken(recording, first, role, first.stream.name)
        )  # fmt: skip
    frame = streams[0].shape if len(streams) == 1 and streams[0].is_image else None
    return Part(path, groups, names, units, float(streams[0].rate_hz or 0.0), measured, stretches, left_out,
                None if frame is None else (frame[0], frame[1]))  # fmt: skip


def load_recordings(config: DataConfig, folder: str | os.PathLike[str] = ".", spool: Spool | None = None) -> Dataset:
    """Read labelled recordings, one after the other.

    Args:
        config: Recordings, channels and labels.
        folder: What relative file names are relative to.
        spool: Where the readings of each are kept; None: in memory.

    Raises:
        FileError: A recording cannot be read.
        UsageError: A recording names no person or no label, or units or rates differ.
    """
    parts: list[Part] = []
    left_out: Counter[str] = Counter()
    for part in read_parts(config, folder):
        if not part.groups["person"]:
            raise UsageError("nobody said whose recording it is", part.path, "give person in data.recordings")
        if parts and (part.channels, part.units, part.rate_hz) != (parts[0].channels, parts[0].units, parts[0].rate_hz):
            raise UsageError(
                f"it has units and rate {(part.units, part.rate_hz)} where the recordings before it have "
                f"{(parts[0].units, parts[0].rate_hz)}",
                part.path,
                "train on recordings of one kind of board, or give data.conditioning",
            )
        parts.append(part if spool is None else _spooled(part, spool))
        left_out += part.left_out
    said = {text for part in parts for one in part.stretches for text in one.texts if text is not None}
    names = config.labels or tuple(sorted(said))
    if len(names) < 2:
        raise UsageError(
            f"the recordings have {len(names)} labels ({', '.join(names)})", str(folder), "label at least two classes"
        )
    first = parts[0]
    series = tuple(one for part in parts for one in series_of(part, names, spool))
    # All pixels of a frame have one name and one unit, as in a contract.
    channels = first.channels if first.frame is None else (first.channels[0].partition(".")[0],)
    units = first.units if first.frame is None else first.units[:1]
    return Dataset(series, channels, units, first.rate_hz, names, first.frame, dict(left_out))


def series_of(part: Part, labels: Sequence[str], spool: Spool | None = None) -> Iterator[Series]:
    """Yield the stretches of a recording as series."""
    place: dict[str | None, int] = {name: index for index, name in enumerate(labels)}
    for one in part.stretches:
        known = np.fromiter((place.get(text, NONE) for text in one.texts), np.int64, len(one.values))
        known = known if spool is None else spool.keep(known)
        yield Series(part.groups["person"], one.values, known, one.source, part.groups["day"], part.groups["device"])


class _Runs:
    """Texts of samples, kept as how often each comes in turn."""

    def __init__(self, texts: Iterable[str | None]) -> None:
        self._runs = [(text, sum(1 for _ in run)) for text, run in groupby(texts)]

    def __iter__(self) -> Iterator[str | None]:
        return chain.from_iterable(repeat(text, count) for text, count in self._runs)


def _spooled(part: Part, spool: Spool) -> Part:
    kept = (replace(one, values=spool.keep(one.values), texts=_Runs(one.texts)) for one in part.stretches)
    return replace(part, stretches=tuple(kept))


def _side_by_side(
    arrays: Sequence[StreamArrays], channels: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], npt.NDArray[np.float32], StreamArrays]:
    """Return names, units, values `(N, C)` and keys of the samples that all streams have; a pixel is a channel."""
    first = arrays[0]
    key = [one.boot.astype(np.int64) << 44 | one.numbers for one in arrays]
    common = key[0]
    for other in key[1:]:
        common = common[np.isin(common, other)]
    names: list[str] = []
    units: list[str] = []
    columns: list[npt.NDArray[Any]] = []
    for one, mine in zip(arrays, key, strict=True):
        rows = np.flatnonzero(np.isin(mine, common))
        values = one.values[rows].reshape(len(rows), -1)
        if one.stream.is_image:
            named = [f"{one.stream.channels[0]}.{r}.{c}" for r, c in np.ndindex(*one.stream.shape)]
            said = list(one.stream.units) * len(named)
        else:
            named, said = list(one.stream.channels), list(one.stream.units)
        names, units = names + named, units + said
        columns.append(values)
    values = np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0]
    if len(common) != len(first):
        keep = np.flatnonzero(np.isin(key[0], common))
        first = replace(
            first, numbers=first.numbers[keep], boot=first.boot[keep], ticks=first.ticks[keep], t_ns=first.t_ns[keep],
            raw=first.raw[keep],
        )  # fmt: skip
    if not channels:
        return tuple(names), tuple(units), values, first
    picked = [names.index(name) for name in channels]
    return tuple(channels), tuple(units[at] for at in picked), values[:, picked], first


def _conditioned(
    recording: Recording, arrays: StreamArrays, intake: Conditioned, label: str | None, role: str, file: str
) -> Iterator[Stretch]:
    """Yield the stretches of a stream as the intake of a live board would give them."""
    texts = labels_of_samples(arrays, recording.labels, label, role)
    for piece in unbroken(recording, arrays, role, arrays.stream.name):
        part = arrays.part(piece)
        intake.cut()
        for batch in part.batches():
            made = intake.batch(batch)
            if made is None:
                continue
            ratio = intake.ratio or Fraction(1)
            at = np.array([source_of(number, ratio) for number in range(made.first, made.end)]) - batch.first
            told = [texts[piece.start + int(one)] for one in at]
            times = part.t_s[at]
            yield Stretch(made.stream.values(made.raw), told, f"{file}[{piece.start}]", float(times[0]), times)


def _left_out(recording: Recording, board: str, stream: str) -> Counter[str]:
    """Count the readings that are missing, by cause; gaps of unknown length are counted as `gaps of unknown length`."""
    found: Counter[str] = Counter()
    for event in recording.events(board):
        if isinstance(event, Gap) and event.stream == stream:
            if event.count is None:
                found["gaps of unknown length"] += 1
            else:
                found[event.cause] += event.count
    return found


def _measured(arrays: StreamArrays) -> tuple[float, float] | None:
    """Return the rate of most samples and of all, by their times in the longest segment; None below 20 samples."""
    longest = max(arrays.segments, key=lambda piece: piece.stop - piece.start, default=slice(0, 0))
    steps = np.diff(arrays.ticks[longest]) / (arrays.stream.tick_hz or 1e9)
    if len(steps) < 20 or not steps.min() >= 0 or not np.median(steps) > 0:
        return None
    return 1.0 / float(np.median(steps)), len(steps) / float(steps.sum())
