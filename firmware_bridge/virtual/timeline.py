"""When a stream of a virtual board samples: the tick and the number of every sample, on a grid or as recorded.

Both answer by index alone, in whole ticks of the board's counter, so that what is due never depends on when somebody
asked.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from firmware_bridge.virtual.noise import exponential

__all__ = ["Grid", "Played", "Timeline"]

Int64 = npt.NDArray[np.int64]


class Timeline(Protocol):
    """The tick of every sample."""

    def tick(self, index: int) -> int:
        """Return the unwrapped tick at which sample `index` is taken."""

    def ticks(self, first: int, n: int) -> Int64:
        """Return the ticks of `n` samples, int64 `(n,)`."""

    def due(self, tick: int) -> int:
        """Return how many samples (the index of the first that is not) are due once the clock reads `tick`."""

    def run(self, first: int, n: int) -> int:
        """Return how many of the `n` samples from `first` on are numbered without a gap; 0 past the end."""

    def number(self, index: int) -> int:
        """Return the number under which sample `index` is sent."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Samples at a steady rate, each taken a little late when `jitter_ticks` is set.

    Attributes:
        base: Index of the sample that is taken at `base_tick`.
        base_tick: Its tick.
        rate_mhz: Samples a second, times 1000.
        hz: Ticks a second.
        jitter_ticks: Mean of the one-sided exponential lateness of a sample, cut at 0.8 of a period.
        seed: Of the lateness.
    """

    base: int
    base_tick: int
    rate_mhz: int
    hz: int = 1_000_000
    jitter_ticks: float = 0.0
    seed: int = 0

    def tick(self, index: int) -> int:
        """Return the tick of sample `index`."""
        return self._plain(index) if not self.jitter_ticks else int(self.ticks(index, 1)[0])

    def _plain(self, index: int) -> int:
        return self.base_tick + (index - self.base) * self.hz * 1000 // self.rate_mhz

    def ticks(self, first: int, n: int) -> Int64:
        """Return the ticks of `n` samples."""
        steps = np.arange(first - self.base, first - self.base + n, dtype=np.int64)
        ticks: Int64 = self.base_tick + steps * (self.hz * 1000) // self.rate_mhz
        if self.jitter_ticks:
            late = exponential(self.seed, "jitter", first, n)[:, 0] * self.jitter_ticks
            ticks = ticks + np.minimum(late, 0.8e3 * self.hz / self.rate_mhz).astype(np.int64)
        return ticks

    def due(self, tick: int) -> int:
        """Return the index of the first sample that is not due."""
        past = tick - self.base_tick
        if past < 0:
            return self.base
        end = self.base + (past + 1) * self.rate_mhz // (self.hz * 1000)
        while self._plain(end) <= tick:
            end += 1
        if self.jitter_ticks and end > self.base and self.tick(end - 1) > tick:
            end -= 1
        return end

    def run(self, first: int, n: int) -> int:
        """Return `n`: a grid has neither gaps nor an end."""
        return n

    def number(self, index: int) -> int:
        """Return `index`."""
        return index


class Played:
    """Samples at recorded ticks under recorded numbers, once through or over and over.

    Args:
        ticks: int64 `(N,)`, ticks of the samples, never decreasing.
        numbers: int64 `(N,)`, increasing; a step above 1 is a gap that is played as a gap. None: no gaps.
        shift: Added to every tick.
        period: Ticks from one beginning to the next; 0: once through.
    """

    def __init__(self, ticks: Int64, numbers: Int64 | None = None, shift: int = 0, period: int = 0) -> None:
        self._ticks = ticks + shift
        self._numbers = np.arange(len(ticks), dtype=np.int64) if numbers is None else numbers
        self._period = period
        breaks = np.flatnonzero(np.diff(self._numbers) != 1) + 1
        self._ends = np.append(breaks, len(ticks))

    def _lap(self, index: int) -> tuple[int, int]:
        return divmod(index, len(self._ticks)) if self._period else (0, index)

    def tick(self, index: int) -> int:
        """Return the tick of sample `index`; past the end, one that never comes."""
        lap, at = self._lap(index)
        return int(self._ticks[at]) + lap * self._period if at < len(self._ticks) else 2**63 - 1

    def ticks(self, first: int, n: int) -> Int64:
        """Return the ticks of `n` samples of one run."""
        lap, at = self._lap(first)
        return self._ticks[at : at + n] + lap * self._period

    def due(self, tick: int) -> int:
        """Return the index of the first sample that is not due."""
        lap = max(0, (tick - int(self._ticks[0])) // self._period) if self._period else 0
        within = int(np.searchsorted(self._ticks, tick - lap * self._period, side="right"))
        return lap * len(self._ticks) + within

    def run(self, first: int, n: int) -> int:
        """Return how many samples from `first` on, at most `n`, follow each other without a gap."""
        _, at = self._lap(first)
        if at >= len(self._ticks):
            return 0
        return min(n, int(self._ends[np.searchsorted(self._ends, at, side="right")]) - at)

    def number(self, index: int) -> int:
        """Return the recorded number of sample `index`, counted on from one time through to the next."""
        lap, at = self._lap(index)
        return int(self._numbers[at]) + lap * (int(self._numbers[-1]) + 1)
