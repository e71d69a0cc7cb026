"""One stream of one board while it is followed: numbers, times, and the batches under way.

Pieces that continue each other are merged, so that a chunk of bytes gives one batch a stream; whatever breaks the
series (gap, reboot, rate) flushes first. Times never decrease within a stream.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.ledger import Count
from firmware_bridge.streams import Stream
from firmware_bridge.wire.counting import Numbering

__all__ = ["Piece", "Track"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive samples on their way into a batch."""

    first: int
    ticks: Int64
    t_ns: Int64
    raw: npt.NDArray[Any]


class Track:
    """State of one stream in one boot.

    Args:
        stream: What is followed.
        numbering: Its sample numbers; None where the board sends none (samples are then counted by arrival).
        count: Its books.
    """

    def __init__(self, stream: Stream, numbering: Numbering | None, count: Count) -> None:
        self.stream = stream
        self.numbering = numbering
        self.count = count
        self.next = 0
        self.t_ns = -(2**62)
        self.arrived_ns: int | None = None
        self.tick: int | None = None
        self.broken = ""
        """Why the next missing samples, if any, will be missing (`disconnected`, `stalled`)."""
        self.stalled = 0
        """Unattributed samples that vanished after the host had stopped reading."""
        self.dropped: int | None = None
        """What the board's STATUS said last that it had dropped; None: not told since the stream was joined."""
        self.owed = 0
        """Samples the board dropped and that were not seen to be missing yet."""
        self.unsure = 0
        """Unattributed samples that nobody can attribute: missing before the board's first STATUS on a run joined."""
        self.claimed = 0
        """Samples the board says it has made."""
        self._open: list[Piece] = []

    def add(self, first: int, ticks: Int64, t_ns: Int64, raw: npt.NDArray[Any]) -> None:
        """Add samples that continue what is open, or start anew."""
        if len(t_ns) > 1 or int(t_ns[0]) < self.t_ns:
            t_ns = np.maximum.accumulate(np.maximum(t_ns, self.t_ns))
        self.t_ns = int(t_ns[-1])
        self._open.append(Piece(first, ticks, t_ns, raw))

    def flush(self, board: str, boot: int) -> Batch | None:
        """Return what is open as one batch and begin anew; None where nothing is open."""
        pieces = self._open
        if not pieces:
            return None
        self._open = []
        if len(pieces) == 1:
            only = pieces[0]
            return _batch(board, self.stream, boot, only.first, only.ticks, only.t_ns, only.raw)
        ticks, t_ns, raw = (
            np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("ticks", "t_ns", "raw")
        )
        return _batch(board, self.stream, boot, pieces[0].first, ticks, t_ns, raw)


def _batch(
    board: str, stream: Stream, boot: int, first: int, ticks: Int64, t_ns: Int64, raw: npt.NDArray[Any]
) -> Batch:
    for array in (ticks, t_ns, raw):
        array.flags.writeable = False
    return Batch(board, stream, boot, first, ticks, t_ns, raw)
