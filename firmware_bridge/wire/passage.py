"""Samples of many reads on their way into one batch, while the clock that dates them is still learning.

Rule of this room: they are known to go on where their stream stands (see `Follower.is_plain`). What does not depend on
when it is done is done once; numbers and times go on part by part, since every answered ping changes the line.
"""

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.times import DatePlain
from firmware_bridge.wire.track import Track

__all__ = ["Passage"]

Int64 = npt.NDArray[np.int64]


class Passage:
    """Samples of one stream that are taken part by part.

    Args:
        track: Their stream.
        plain: Their ticks without wraps, int64 `(N,)`, and what dates parts of them.
        raw: `(N, ...)`, the samples.
        came_ns: int64 `(N,)`, UTC of the read that brought each.
    """

    def __init__(
        self, track: Track, plain: tuple[Int64, DatePlain], raw: npt.NDArray[np.generic], came_ns: Int64
    ) -> None:
        self._track, self._raw, self._came_ns = track, raw, came_ns
        self._ticks, self._date = plain
        self._t_ns = np.empty_like(came_ns)
        self._first = 0

    def take(self, start: int, stop: int) -> None:
        """Take the next samples, `start` to `stop`."""
        numbering, part = self._track.numbering, slice(start, stop)
        assert numbering is not None
        assert numbering.next is not None
        if not start:
            self._first = numbering.next
        numbering.follow(stop - start)
        self._t_ns[part] = self._date(self._ticks[part], self._came_ns[part])

    def end(self) -> None:
        """All were taken: they are counted and delivered."""
        track, n = self._track, len(self._raw)
        track.arrived_ns = int(self._came_ns[-1])
        track.count.received += n
        track.count.expected += n
        track.count.delivered += n
        track.add(self._first, self._ticks, self._t_ns, self._raw)
