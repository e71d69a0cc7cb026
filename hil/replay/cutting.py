"""A stretch of a recording as a recording of its own, whose samples follow from its own bytes.

As one that begins in the middle of a conversation (`hil.replay.midway`): the first words of every connection come with
it, a `begin` stands where the stretch begins, and what is written is decoded again from exactly that. Decisions of
models are left out: they would rest on samples that are not in the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Mark
from hil.recording.header import BoardSetup
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter
from hil.replay.midway import Midway, Openings
from hil.replay.places import checked_range
from hil.replay.redecode import Redecoder

__all__ = ["cut"]


def cut(
    path: str | Path, output: str | Path, from_s: float | None, to_s: float | None,
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:  # fmt: skip
    """Write a stretch of a recording into a new one.

    Args:
        path: The recording.
        output: A file that does not exist.
        from_s: Where it begins, in seconds since the first sample; None: at the beginning.
        to_s: Where it ends.
        about: Metadata records that it gets besides, by their names.

    Returns:
        The new recording.

    Raises:
        FileError: The one cannot be read, or the other not be made.
        UsageError: The stretch holds nothing.
    """
    with Recording(path) as recording:
        begin, end = checked_range(recording, from_s, to_s)
        low = recording.start_ns + round(begin * 1e9)
        high = recording.start_ns + round(min(end, recording.duration_s + 1.0) * 1e9)
        origin = {"cut": {"file": str(path), "from_s": begin, "to_s": min(end, recording.duration_s)}}
        header = replace(
            recording.header, created_ns=low, models={}, part=1, extra={**recording.header.extra, **origin}
        )  # fmt: skip
        setups = {board.role: board for board in header.boards}
        writer = RecordingWriter(output, header)
        try:
            again = Midway(lambda role: _spoken(setups.get(role)), lambda _: None)
            for arrival in again(list(_arrivals(recording, low if begin else None, high))):
                writer.write(arrival)
            for mark in _marks(recording, low, high):
                writer.mark(mark)
            for name, values in (about or {}).items():
                writer.metadata(name, values)
        finally:
            writer.close()
        return writer.path


def _spoken(setup: BoardSetup | None) -> BoardSetup | None:
    return None if setup is None or setup.dialect is None else setup


def _arrivals(recording: Recording, low: int | None, high: int) -> Iterator[Arrival]:
    """Yield what belongs into the new file: the openings, then the stretch."""
    openings = Openings()
    decoder = Redecoder(recording)
    joined = low is None
    while (arrival := decoder.next()) is not None and arrival.t_ns < high:
        if not joined and low is not None:
            if arrival.t_ns < low:
                openings.accept([arrival])
                continue
            yield from openings.first(low, 0)
            joined = True
        if arrival.kind == "note":
            arrival = replace(arrival, items=tuple(_kept(arrival, low, high)))
        yield arrival


def _kept(arrival: Arrival, low: int | None, high: int) -> Iterator[Batch]:
    """Yield the imported samples of a note that lie within; marks are written by themselves, decisions not at all."""
    for item in arrival.items:
        if isinstance(item, Batch):
            start, stop = (int(at) for at in item.t_ns.searchsorted((low or 0, high)))
            if start < stop:
                yield item.part(start, stop)


def _marks(recording: Recording, low: int, high: int) -> Iterator[Mark]:
    """Yield the marks of the stretch; a label that runs when it begins starts with it."""
    for label in recording.labels:
        if label.start_ns < low and (label.stop_ns is None or label.stop_ns > low):
            yield Mark(label.board, low, label.text, "start", label.author)
    for mark in recording.marks:
        if low <= mark.t_ns < high:
            yield mark
