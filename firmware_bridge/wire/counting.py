"""Sample numbers of one stream: unwrapped to 64 bits, gaps found, what came twice or late told apart.

Rules. The next number of a counter of 17 bits or more is the nearest one, ahead or behind; narrower counters lean ahead
(three quarters of the circle), since losses are commoner than steps back. A gap, once told, is never taken back: a
sample that fills it later is `late`; any other number seen before is a `duplicate`. A jump further ahead than time
allows is not believed until the following samples go on from there (a checksum misses one damaged frame in 65,536,
and one such number must not make everything after it late); the samples that jumped count as late.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Numbering", "Run", "Taken"]

Int64 = npt.NDArray[np.int64]

_REMEMBERED = 4096
"""Gaps kept; a number below all of them counts as late."""
_WIDEST = 62
_BACK = 64
"""A step back beyond this, or to 0, is a board that started anew (where restarts can be told by numbers alone)."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Consecutive new samples: `which` of those that came, numbered from `first`, after `missing` that did not."""

    which: slice | Int64
    first: int
    missing: int


@dataclass(slots=True, eq=False)
class Taken:
    """What numbers meant. `restart`: index from which the board counts anew (the rest was not looked at)."""

    runs: list[Run] = field(default_factory=list)
    duplicate: int = 0
    late: int = 0
    restart: int | None = None


class Numbering:
    """Follows the sample numbers of one stream during one boot.

    Args:
        bits: Width at which the numbers wrap.
        start: Number of the first sample to expect; None: the first that comes.
    """

    def __init__(self, bits: int, start: int | None = None) -> None:
        self.bits = min(bits, _WIDEST)
        self.first = start
        self.next = start
        self._suspect: int | None = None
        self._starts: list[int] = []
        self._ends: list[int] = []

    @property
    def following(self) -> int:
        """The number that would follow, as it would be sent; -1 before the first."""
        return -1 if self.next is None else self.next & ((1 << self.bits) - 1)

    def take(self, number: npt.NDArray[np.uint64], most_ahead: float, restarts: bool, reopened: bool = False) -> Taken:
        """Take the numbers of samples in order of arrival.

        Args:
            number: uint64 `(N,)`, as sent, N at least 1.
            most_ahead: How many samples can have been missed since the last that came.
            restarts: Whether a step back may mean that the board started anew.
            reopened: They are the first of a new connection, over which no old bytes come: where restarts can be told
                at all, any step back of a counter that is wide enough to tell is one.
        """
        n = len(number)
        begin = int(number[0])
        if self.next is not None and begin == self.next & ((1 << self.bits) - 1):
            ordered = n == 1 or (int(number[-1]) - begin == n - 1 and bool((number[1:] - number[:-1] == 1).all()))
            if ordered:
                first = self.next
                self.next = first + n
                self._suspect = None
                return Taken([Run(slice(0, n), first, 0)])
        unwrapped = self._unwrap(number)
        assert self.next is not None
        if restarts and reopened and self.bits > 16 and int(unwrapped[0]) < self.next:
            return Taken(restart=0)
        return self._sort(unwrapped, most_ahead, restarts)

    def follow(self, count: int) -> None:
        """Take samples whose numbers are known to go on from the last one, as `take` would."""
        assert self.next is not None
        self.next += count
        self._suspect = None

    def _unwrap(self, number: npt.NDArray[np.uint64]) -> Int64:
        raw = number.astype(np.int64) & ((1 << self.bits) - 1)
        if self.next is None:
            self.first = self.next = int(raw[0])
        circle = 1 << self.bits
        back = circle // 2 if self.bits > 16 else circle // 4
        steps = np.empty_like(raw)
        steps[0] = (int(raw[0]) - self.next) % circle
        np.subtract(raw[1:], raw[:-1], out=steps[1:])
        steps[1:] &= circle - 1
        steps[steps >= circle - back] -= circle
        steps[0] += self.next
        return np.cumsum(steps)

    def _sort(self, number: Int64, most_ahead: float, restarts: bool) -> Taken:
        assert self.next is not None
        taken = Taken()
        keep = np.arange(len(number))
        seen = np.maximum.accumulate(np.concatenate(([self.next - 1], number)))
        if restarts:
            back = (number < seen[:-1]) & ((seen[:-1] - number > _BACK) | (number & ((1 << self.bits) - 1) == 0))
            if back.any():
                taken.restart = int(back.argmax())
                number, keep = number[: taken.restart], keep[: taken.restart]
        # in float64, so that a jump of half the circle cannot overflow
        far = number.astype(np.float64) - self.next > most_ahead
        if far.any() and int(number[0]) != self._suspect:
            self._suspect = int(number[far][-1]) + 1
            taken.late += int(far.sum())
            number, keep = number[~far], keep[~far]
        elif len(number):
            self._suspect = None
        if not len(number):
            return taken
        seen = np.maximum.accumulate(np.concatenate(([self.next - 1], number)))
        new = number > seen[:-1]
        fresh, keep = number[new], keep[new]
        if len(fresh):
            steps = np.diff(fresh, prepend=self.next - 1)
            cuts = [0, *(np.flatnonzero(steps[1:] > 1) + 1).tolist(), len(fresh)]
            for start, stop in pairwise(cuts):
                missing = int(steps[start]) - 1
                first = int(fresh[start])
                if missing:
                    self._remember(first - missing, first)
                taken.runs.append(Run(keep[start:stop], first, missing))
            self.next = int(fresh[-1]) + 1
        for old in number[~new].tolist():
            if self._is_missing(old):
                taken.late += 1
            else:
                taken.duplicate += 1
        return taken

    def skip(self, count: int) -> None:
        """Samples `next` to `next + count - 1` will not come: the board said that it had made them."""
        assert self.next is not None
        self._remember(self.next, self.next + count)
        self.next += count

    def _remember(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(end)
        if len(self._starts) > 2 * _REMEMBERED:
            del self._starts[:-_REMEMBERED], self._ends[:-_REMEMBERED]

    def _is_missing(self, number: int) -> bool:
        if self.first is not None and number < self.first:
            return True
        place = bisect_right(self._starts, number) - 1
        if place < 0:
            return len(self._starts) >= _REMEMBERED
        return number < self._ends[place]
