"""When the samples of one stream and boot were taken, in compact form, and which sample was next at a time.

Rule of this room: nothing is rounded. Times are kept in packed blocks (a day at 100 Hz takes some megabytes), and one
block at a time is unpacked to find a place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import zstandard

__all__ = ["Course"]

Int64 = npt.NDArray[np.int64]

BLOCK = 65536


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    """A block: sample numbers and times of its first sample, and the steps to the others."""

    size: int
    number: int
    t_ns: int
    steps: bytes

    def unpack(self) -> tuple[Int64, Int64]:
        """Return numbers and times, int64 `(size,)` each."""
        steps = np.frombuffer(zstandard.decompress(self.steps), np.int64).reshape(2, -1)
        return self.number + np.cumsum(steps[0]), self.t_ns + np.cumsum(steps[1])


class Course:
    """Numbers and times of samples, in order."""

    def __init__(self) -> None:
        self._blocks: list[_Packed] = []
        self._open: list[tuple[int, Int64]] = []
        self._waiting = 0

    def add(self, first: int, t_ns: Int64) -> None:
        """Add samples `first` and following, taken at `t_ns`, int64 `(N,)`, N at least 1."""
        self._open.append((first, t_ns))
        self._waiting += len(t_ns)
        if self._waiting >= BLOCK:
            self._pack()

    @property
    def first(self) -> int:
        """Number of the first sample."""
        return self._blocks[0].number if self._blocks else self._open[0][0]

    @property
    def end(self) -> int:
        """Number after the last sample."""
        if self._open:
            return self._open[-1][0] + len(self._open[-1][1])
        return int(self._blocks[-1].unpack()[0][-1]) + 1

    def blocks(self) -> Iterator[tuple[Int64, Int64]]:
        """Yield numbers and times block by block, int64 `(N,)` each."""
        for block in self._blocks:
            yield block.unpack()
        if self._open:
            yield self._joined()

    def numbers_at(self, times: Sequence[int]) -> list[int]:
        """Return, for each time, the number of the first sample taken then or later; the end where there is none.

        What did not arrive has a place in time all the same: between its neighbours.
        """
        found = [self.end] * len(times)
        left = set(range(len(times)))
        before: tuple[int, int] | None = None
        base: int | None = None
        for numbers, t_ns in self.blocks():
            base = int(t_ns[0]) if base is None else base
            for which in [one for one in left if int(t_ns[-1]) >= times[one]]:
                at = int(np.searchsorted(t_ns, times[which]))
                known = before if at == 0 else (int(numbers[at - 1]), int(t_ns[at - 1]))
                found[which] = _between(known, (int(numbers[at]), int(t_ns[at])), times[which], base)
                left.discard(which)
            before = int(numbers[-1]), int(t_ns[-1])
        return found

    def _pack(self) -> None:
        numbers, t_ns = self._joined()
        steps = np.stack([np.diff(numbers, prepend=numbers[:1]), np.diff(t_ns, prepend=t_ns[:1])])
        packed = zstandard.ZstdCompressor(level=1).compress(steps.tobytes())
        kept = bytes(memoryview(packed))  # what the compressor returns keeps room for steps that do not compress
        self._blocks.append(_Packed(len(numbers), int(numbers[0]), int(t_ns[0]), kept))
        self._open, self._waiting = [], 0

    def _joined(self) -> tuple[Int64, Int64]:
        numbers = np.concatenate([np.arange(first, first + len(t_ns)) for first, t_ns in self._open])
        return numbers, np.concatenate([t_ns for _, t_ns in self._open])


def _between(before: tuple[int, int] | None, after: tuple[int, int], time: int, base: int) -> int:
    """Return the first number after `before` up to `after` whose time is not before `time`."""
    if before is None or after[0] - before[0] < 2:
        return after[0]
    missing = np.arange(before[0] + 1, after[0])
    knots = np.array([before[1] - base, after[1] - base], np.float64)
    when = np.interp(missing, [before[0], after[0]], knots)
    return int(before[0] + 1 + np.searchsorted(when, time - base))
