"""Ticks as host time by the lines fitted so far: a new line holds for ticks beyond all that were converted before.

Rule of this room: what was told is never corrected afterwards, and times never run back; earlier ticks (a slower stream
of the same board) keep the line they belong to.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Dating"]

Int64 = npt.NDArray[np.int64]

_LINES = 64
"""Lines kept for streams that lag behind."""
_NEVER = -(2**62)


@dataclass(frozen=True, slots=True)
class _Mapping:
    """A line that holds for ticks beyond `after`, never below `floor_ns`."""

    after: int
    floor_ns: int
    tick: int
    t_ns: int
    ns_per_tick: float

    def __call__(self, ticks: Int64) -> Int64:
        made: Int64 = np.rint((ticks - self.tick) * self.ns_per_tick).astype(np.int64)
        made += self.t_ns
        np.maximum(made, self.floor_ns, out=made)
        return made

    def of(self, tick: int) -> int:
        """Return UTC of one tick, with the same bits."""
        return max(self.t_ns + round((tick - self.tick) * self.ns_per_tick), self.floor_ns)


class Dating:
    """The lines of one clock, oldest first."""

    def __init__(self) -> None:
        self._mappings: list[_Mapping] = []
        self._seen = _NEVER

    def __bool__(self) -> bool:
        return bool(self._mappings)

    def __call__(self, ticks: Int64) -> Int64:
        """Return UTC of ticks, int64 `(N,)`, N at least 1, never decreasing; there must be a line."""
        newest = self._mappings[-1]
        if int(ticks[0]) > newest.after or len(self._mappings) == 1:
            return newest(ticks)
        made = np.empty(len(ticks), np.int64)
        end = len(ticks)
        for mapping in reversed(self._mappings):
            start = int(np.searchsorted(ticks[:end], mapping.after, side="right"))
            made[start:end] = mapping(ticks[start:end])
            end = start
        oldest = self._mappings[0]
        made[:end] = np.minimum(replace(oldest, floor_ns=_NEVER)(ticks[:end]), oldest.floor_ns)
        return made

    def saw(self, tick: int) -> None:
        """Ticks up to this one were converted, and what was told of them stays."""
        self._seen = max(self._seen, tick)

    def hold(self, tick: int, t_ns: int, ns_per_tick: float) -> None:
        """Use a new line for all ticks beyond those that were converted."""
        floor = _NEVER
        if self._mappings:
            newest = self._mappings[-1]
            unused = newest.after == self._seen
            floor = self._mappings.pop().floor_ns if unused else newest.of(self._seen)
        self._mappings.append(_Mapping(self._seen, floor, tick, t_ns, ns_per_tick))
        del self._mappings[:-_LINES]

    def begin_anew(self, tick: int, t_ns: int, ns_per_tick: float) -> None:
        """Forget all lines, since the clock was set; times go on from the last one given."""
        floor = self._mappings[-1].of(self._seen) if self._mappings else _NEVER
        self._seen = _NEVER
        self._mappings = [_Mapping(self._seen, floor, tick, t_ns, ns_per_tick)]
