"""What is pushed into a board: recorded readings of one board, in the order in which they were taken.

Rule of this room: what was not recorded is not made up. Readings follow each other without the gaps that stood between
them, and how many gaps there were is told. Labels are kept by reading, because a board takes readings in its own time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Int64
from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.recording.arrays import StreamArrays
from hil.recording.marks import Label
from hil.recording.reader import Recording

__all__ = ["Readings", "labels_on", "read_readings"]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Recorded readings of one stream.

    Attributes:
        stream: As it was recorded, with the rate at which it was taken.
        raw: `(N, *shape)` in its dtype.
        t_ns: int64 `(N,)`, UTC at which each was taken.
        gaps: Places between them where readings are missing.
        labels: Labelled stretches of their board, in recorded time.
        person: Who wore it.
    """

    stream: Stream
    raw: npt.NDArray[Any]
    t_ns: Int64
    gaps: int = 0
    labels: tuple[Label, ...] = ()
    person: str = ""

    @property
    def rate_hz(self) -> float:
        """Readings a second; 1 where neither a rate was told nor time passed."""
        if self.stream.rate_hz:
            return self.stream.rate_hz
        steps = np.diff(self.t_ns)
        middle = float(np.median(steps)) if len(steps) else 0.0
        return 1e9 / middle if middle > 0 else 1.0


def read_readings(
    path: str | Path, board: str | None = None, from_s: float | None = None, to_s: float | None = None
) -> tuple[Readings, ...]:
    """Return the readings of one board of a recording, a stream each, in the order in which the streams appear.

    Args:
        path: The recording.
        board: Its role in it; None: its only board.
        from_s: From this time on, in seconds since the recording's first sample.
        to_s: Before this time.

    Raises:
        UsageError: No such board, or several and none was named, or nothing of it lies there.
        FileError: The recording cannot be read.
    """
    with Recording(path) as recording:
        roles = list(dict.fromkeys(known.board for known in recording.streams()))
        if board is None and len(roles) == 1:
            board = roles[0]
        if board not in roles:
            what = "it has several boards" if board is None else f"board {board!r} has no readings in it"
            raise UsageError(what, str(path), f"name one of: {', '.join(roles) or 'no board'}")
        labels = tuple(label for label in recording.labels if label.board in ("", board))
        person = recording.header.about.get("person", "")
        names = dict.fromkeys(known.stream.name for known in recording.streams() if known.board == board)
        arrays = [recording.read(board, name, from_s, to_s) for name in names]
    found = tuple(_readings(one, labels, person) for one in arrays if len(one))
    if not found:
        raise UsageError(f"{board} has no readings there", str(path), "choose other seconds")
    return found


def _readings(arrays: StreamArrays, labels: tuple[Label, ...], person: str) -> Readings:
    return Readings(arrays.stream, arrays.raw, arrays.t_ns, len(arrays.segments) - 1, labels, person)


def labels_on(readings: Readings, came_ns: Int64, board: str) -> Sequence[Label]:
    """Return the recorded labels on the readings as they came back.

    Args:
        readings: What was pushed.
        came_ns: int64 `(N,)`, UTC at which the board took each reading; 0 where it did not come back.
        board: Role of the board.
    """
    back = np.flatnonzero(came_ns)
    if not len(back):
        return ()
    placed = []
    for label in readings.labels:
        first = int(np.searchsorted(readings.t_ns, label.start_ns))
        last = len(readings.t_ns) if label.stop_ns is None else int(np.searchsorted(readings.t_ns, label.stop_ns))
        low, high = (int(at) for at in np.searchsorted(back, (first, last)))
        if low >= high:
            continue  # nothing of it was pushed, or nothing came back
        # The last sample still belongs to it: a stop is a time before which samples lie.
        stop = int(came_ns[back[high]]) if high < len(back) else int(came_ns[back[-1]]) + 1
        placed.append(Label(label.text, int(came_ns[back[low]]), stop, board, label.author))
    return placed
