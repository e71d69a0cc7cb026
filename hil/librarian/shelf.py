"""What lies in a folder of recordings, and what one of them looks like from afar: facts and envelopes, never samples.

Rule of this room: files are only read. Opening one reads its index; an envelope goes through it chunk by chunk, in
bounded memory, and keeps the least and the greatest reading of every column, so that no spike is lost at any zoom.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_bridge.errors import BridgeError
from hil.recording.arrays import StreamArrays
from hil.recording.reader import Recording
from hil.views.snapshot import StreamView

__all__ = ["THUMB_BYTES", "Entry", "envelopes", "look", "matches", "on_shelf", "thumbnail"]

THUMB_BYTES = 50_000_000
"""Size of the largest recording that is read for a thumbnail."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording as a line of a list.

    Attributes:
        path: The file.
        size: Bytes.
        start_ns: UTC of the first sample; 0 where it cannot be read.
        duration_s: From the first sample to the last.
        streams: `board/stream` of each.
        about: What people said about it: `key: value`.
        labels: Names of its labels in order of their first start, each once.
        labelled_s: Seconds that labels cover together, each board for itself.
        marks: How many marks that are not labels.
        trouble: Why it cannot be read or what is missing, one sentence; empty is good.
        being_written: Whether somebody who lives still writes it.
    """

    path: str
    size: int = 0
    start_ns: int = 0
    duration_s: float = 0.0
    streams: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labelled_s: float = 0.0
    marks: int = 0
    trouble: str = ""
    being_written: bool = False


def on_shelf(folder: Path) -> list[Path]:
    """Return the recordings of a folder and those in it, the newest first; empty where there is no such folder."""
    found = [path for path in folder.rglob("*.mcap") if path.is_file()]
    return sorted(found, key=lambda path: (-path.stat().st_mtime_ns, str(path)))


def look(path: Path) -> Entry:
    """Return what is in a recording; one that cannot be read says why."""
    try:
        size = path.stat().st_size
        with Recording(path, skip_damaged=True) as recording:
            end_ns = recording.start_ns + round(recording.duration_s * 1e9)
            stretches = [(one.start_ns, end_ns if one.stop_ns is None else one.stop_ns) for one in recording.labels]
            names = dict.fromkeys(f"{known.board}/{known.stream.name}" for known in recording.streams())
            return Entry(
                str(path), size, recording.start_ns, recording.duration_s, tuple(names),
                tuple(f"{key}: {value}" for key, value in recording.header.about.items()),
                tuple(dict.fromkeys(label.text for label in recording.labels)),
                sum(stop - start for start, stop in stretches) / 1e9,
                sum(mark.kind == "mark" for mark in recording.marks), recording.lost or "",
                recording.being_written,
            )  # fmt: skip
    except (BridgeError, OSError) as error:
        return Entry(str(path), trouble=str(error))


def matches(entry: Entry, words: str) -> bool:
    """Whether every word stands somewhere in name, streams, labels or what was said about it; case does not matter."""
    whole = " ".join((entry.path, *entry.streams, *entry.about, *entry.labels)).casefold()
    return all(word in whole for word in words.casefold().split())


def envelopes(
    path: Path, columns: int, from_s: float = 0.0, to_s: float | None = None, most: int | None = None
) -> list[StreamView]:
    """Return the streams of a recording, or of a part of it, as a screen draws them.

    Args:
        path: The recording.
        columns: How many columns, at least 1.
        from_s: Left edge, seconds from the first sample.
        to_s: Right edge, a sample there included; None: the end.
        most: How many streams, the first ones; None: all.

    Raises:
        FileError: It cannot be read.
    """
    with Recording(path, skip_damaged=True) as recording:
        end_s = recording.duration_s if to_s is None else to_s
        end_s = max(end_s, from_s + 1e-3)
        names = list(dict.fromkeys((known.board, known.stream.name) for known in recording.streams()))
        return [_view(recording, board, name, columns, from_s, end_s) for board, name in names[:most]]


def thumbnail(path: Path, columns: int) -> tuple[float | None, ...]:
    """Return how much the first stream of a recording moves over its time, 0 to 1; None where nothing is.

    Args:
        path: The recording.
        columns: Into how many parts its time is cut.

    Raises:
        FileError: It cannot be read.
    """
    streams = envelopes(path, columns, most=1)
    if not streams:
        return ()
    low, high = streams[0].low.astype(np.float64), streams[0].high.astype(np.float64)
    there = np.asarray(np.isfinite(low).all(axis=0))
    if not there.any():
        return (None,) * columns
    whole = high[:, there].max(axis=1) - low[:, there].min(axis=1)
    moves = ((high - low) / np.where(whole > 0, whole, 1.0)[:, None]).mean(axis=0)
    shares = moves / (moves[there].max() or 1.0)
    return tuple(one if known else None for one, known in zip(shares.tolist(), there.tolist(), strict=True))


def _view(recording: Recording, board: str, name: str, columns: int, from_s: float, to_s: float) -> StreamView:
    stream = recording.stream(board, name).stream
    image = len(stream.shape) > 1
    channels = 1 if image else len(stream.channels)
    low, high = (np.full((channels, columns), end, np.float32) for end in (np.inf, -np.inf))
    gaps = np.zeros(columns, np.bool_)
    latest = np.full(channels, np.nan, np.float32)
    frame: StreamArrays | None = None
    count, before = 0, None
    for part in recording.chunks(board, name, from_s, to_s + 1e-9):
        if not len(part):
            continue
        place = np.clip((part.t_s - from_s) / (to_s - from_s) * columns, 0, columns - 1).astype(np.int64)
        values = part.values.reshape(len(part), -1)
        least, greatest = values, values
        if image:
            least, greatest = (end.reduce(values, axis=1, keepdims=True) for end in (np.fmin, np.fmax))
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        spots = place[starts]
        low[:, spots] = np.fmin(low[:, spots], np.fmin.reduceat(least, starts, axis=0).T)
        high[:, spots] = np.fmax(high[:, spots], np.fmax.reduceat(greatest, starts, axis=0).T)
        for at in np.flatnonzero((np.diff(part.numbers) != 1) | (np.diff(part.boot) != 0)).tolist():
            gaps[place[at] : place[at + 1] + 1] = True
        if before is not None and (before[0] + 1, before[1]) != (part.numbers[0], part.boot[0]):
            gaps[before[2] : place[0] + 1] = True
        before = (int(part.numbers[-1]), int(part.boot[-1]), int(place[-1]))
        latest, frame, count = greatest[-1].astype(np.float32), part, count + len(part)
    empty = low > high
    low[empty] = high[empty] = np.nan
    start, stop = (recording.start_ns + round(end * 1e9) for end in (from_s, to_s))
    names, units = (stream.channels[:1], stream.units[:1]) if image else (stream.channels, stream.units)
    return StreamView(
        board, name, tuple(names), tuple(units), stream.rate_hz, None, stream.rate_inferred, count, start, stop, low,
        high, gaps, latest, image, None if frame is None or not image else frame.values[-1],
        stop if image and frame is not None else 0,
    )  # fmt: skip
