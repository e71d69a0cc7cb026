"""The last minutes of one stream in bounded memory, from which a plot of any time base is cut in O(columns).

Raw samples stay in the wire's dtype. Above them stands a pyramid: the smallest and largest of every 16 and of every 256
samples, made when somebody looks. A column of a plot is the exact minimum and maximum of the samples whose time lies in
it, so that a spike never vanishes and never moves; columns lie on a fixed grid (multiples of their width since 1970),
so that finished ones are kept and a live plot costs only its newest columns. Pure: time is data here.
"""

from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Ring"]

BLOCK = 16
LEVELS = 2
UNIT = 256
"""Samples of a block of the highest level: `BLOCK ** LEVELS`."""
GRIDS = 4
"""How many column widths are kept finished at a time (screens with different time bases)."""

Raw = npt.NDArray[Any]
Int64 = npt.NDArray[np.int64]


class Ring:
    """Samples of one stream, newest last.

    Args:
        width: Values a sample.
        dtype: Their dtype, integers or floats.
        capacity: Samples kept; rounded up to a multiple of 256. Memory is touched only as samples come.
    """

    def __init__(self, width: int, dtype: str, capacity: int) -> None:
        self.capacity = max(2, -(-capacity // UNIT)) * UNIT
        self.count = 0
        self._raw: Raw = np.empty((self.capacity, width), dtype)
        self._time = np.empty(self.capacity, np.int64)
        self._levels = [_Level(self.capacity // BLOCK ** (level + 1), width, dtype) for level in range(LEVELS)]
        self._grids: OrderedDict[int, _Grid] = OrderedDict()
        floats = self._raw.dtype.kind == "f"
        self._neutral = (np.nan, np.nan) if floats else (np.iinfo(dtype).max, np.iinfo(dtype).min)
        self._least: np.ufunc = np.fmin if floats else np.minimum
        self._most: np.ufunc = np.fmax if floats else np.maximum

    @property
    def oldest(self) -> int:
        """Index of the oldest sample that counts as kept: the first of a block that is not being overwritten."""
        return max(0, -(-(self.count - self.capacity) // UNIT) * UNIT)

    @property
    def last_ns(self) -> int | None:
        """Time of the newest sample, None before the first."""
        return int(self._time[(self.count - 1) % self.capacity]) if self.count else None

    def clear(self) -> None:
        """Forget all samples (a replay went back)."""
        self.count = 0
        for level in self._levels:
            level.done = 0
        self._grids.clear()

    def append(self, raw: Raw, t_ns: Int64) -> None:
        """Copy samples in.

        Args:
            raw: `(N, width)`.
            t_ns: `(N,)`, not decreasing. Samples before the newest kept one clear the ring first.
        """
        if not len(raw):
            return
        last = self.last_ns
        if last is not None and int(t_ns[0]) < last:
            self.clear()
        self.count += max(0, len(raw) - self.capacity)
        raw, t_ns = raw[-self.capacity :], t_ns[-self.capacity :]
        at = self.count % self.capacity
        fits = min(len(raw), self.capacity - at)
        self._raw[at : at + fits] = raw[:fits]
        self._time[at : at + fits] = t_ns[:fits]
        if fits < len(raw):
            self._raw[: len(raw) - fits] = raw[fits:]
            self._time[: len(raw) - fits] = t_ns[fits:]
        self.count += len(raw)

    def index_at(self, t_ns: Int64) -> Int64:
        """Return for each time the index of the first kept sample at or after it (`count` where there is none)."""
        oldest = self.oldest
        start, stop = oldest % self.capacity, self.count % self.capacity
        if start < stop or self.count == oldest:
            return oldest + np.searchsorted(self._time[start : start + self.count - oldest], t_ns)
        first = np.searchsorted(self._time[start:], t_ns)
        second = np.searchsorted(self._time[:stop], t_ns)
        return oldest + np.where(first < self.capacity - start, first, first + second)

    def before(self, end_ns: int) -> tuple[Raw, int] | None:
        """Return the newest sample at or before `end_ns` (a copy, `(width,)`) and its time, or None."""
        index = int(self.index_at(np.array([end_ns + 1]))[0]) - 1
        if index < self.oldest:
            return None
        at = index % self.capacity
        return self._raw[at].copy(), int(self._time[at])

    def nearest(self, t_ns: int) -> tuple[Raw, int] | None:
        """Return the kept sample whose time is nearest (a copy, `(width,)`) and its time, or None."""
        after = int(self.index_at(np.array([t_ns]))[0])
        near = [index for index in (after - 1, after) if self.oldest <= index < self.count]
        if not near:
            return None
        at = min((index % self.capacity for index in near), key=lambda slot: abs(int(self._time[slot]) - t_ns))
        return self._raw[at].copy(), int(self._time[at])

    def between(self, start_ns: int, end_ns: int, most: int) -> tuple[Raw, Int64]:
        """Return copies of the newest `most` samples from `start_ns` to `end_ns`, both included, and their times."""
        first, stop = self.index_at(np.array([start_ns, end_ns + 1])).tolist()
        at = np.arange(max(first, stop - most), stop) % self.capacity
        return self._raw[at], self._time[at]

    def tail(self, since_ns: int) -> tuple[Raw, Int64]:
        """Return copies of all kept samples at or after `since_ns`, `(N, width)`, and their times."""
        first = int(self.index_at(np.array([since_ns]))[0])
        at = np.arange(first, self.count) % self.capacity
        return self._raw[at], self._time[at]

    def columns(self, first: int, count: int, width_ns: int) -> tuple[Raw, Raw, npt.NDArray[np.bool_]]:
        """Return the envelope of columns `first` to `first + count - 1`; column k covers `[k, k + 1) * width_ns`.

        Returns:
            Smallest and largest `(count, width)` in the wire's dtype, and bool `(count,)`: whether any sample is there
            (where not, the values mean nothing).
        """
        grid = self._grid(width_ns, count)
        ids = np.arange(first, first + count, dtype=np.int64)
        slots = ids % grid.size
        missing = grid.ids[slots] != ids
        if missing.any() and self.count:
            # Missing columns are computed from the first to the last of them: they are neighbours in practice.
            found = np.flatnonzero(missing)
            wanted = ids[found[0] : found[-1] + 1]
            where = slots[found[0] : found[-1] + 1]
            bounds = self.index_at(np.append(wanted, wanted[-1] + 1) * width_ns)
            starts, stops = bounds[:-1], bounds[1:]
            self._complete()
            low, high = self._extremes(0, starts, stops)
            grid.low[where], grid.high[where], grid.there[where] = low, high, stops > starts
            # A column is finished once a sample at or after its end exists, for time never goes back within a ring.
            finished = (wanted + 1) * width_ns <= int(self._time[(self.count - 1) % self.capacity])
            grid.ids[where] = np.where(finished, wanted, -1)
        elif not self.count:
            return grid.low[slots], grid.high[slots], np.zeros(count, np.bool_)
        return grid.low[slots], grid.high[slots], grid.there[slots]

    def _grid(self, width_ns: int, count: int) -> "_Grid":
        grid = self._grids.get(width_ns)
        if grid is None or grid.size < count:
            grid = _Grid(2 * count, self._raw.shape[1], self._raw.dtype)
            self._grids[width_ns] = grid
        self._grids.move_to_end(width_ns)
        while len(self._grids) > GRIDS:
            self._grids.popitem(last=False)
        return grid

    def _complete(self) -> None:
        """Bring the pyramid up to date with all complete blocks."""
        low, high, size = self._raw, self._raw, self.count
        for level in self._levels:
            size //= BLOCK
            blocks = len(level.low)
            start = max(level.done, size - blocks)
            while start < size:
                at = start % blocks
                some = min(size - start, blocks - at)
                rows = slice(at * BLOCK, (at + some) * BLOCK)
                shape = (some, BLOCK, low.shape[1])
                self._least.reduce(low[rows].reshape(shape), axis=1, out=level.low[at : at + some])
                self._most.reduce(high[rows].reshape(shape), axis=1, out=level.high[at : at + some])
                start += some
            level.done = size
            low, high = level.low, level.high

    def _extremes(self, depth: int, starts: Int64, stops: Int64) -> tuple[Raw, Raw]:
        """Return smallest and largest of elements `[start, stop)` of level `depth` (0: samples), `(W, width)` each."""
        low, high = (
            (self._raw, self._raw) if depth == 0 else (self._levels[depth - 1].low, self._levels[depth - 1].high)
        )
        longest = int((stops - starts).max(initial=0))
        if depth == LEVELS or longest <= 3 * BLOCK:
            return self._gather(low, high, starts, stops, longest)
        inner, outer = -(-starts // BLOCK), stops // BLOCK
        whole = inner < outer
        # Columns without a whole block are read sample by sample; the others as left edge, whole blocks, right edge.
        left = self._gather(low, high, starts, np.where(whole, inner * BLOCK, stops), 2 * BLOCK)
        right = self._gather(low, high, np.where(whole, outer * BLOCK, stops), stops, 2 * BLOCK)
        body = self._extremes(depth + 1, inner, np.where(whole, outer, inner))
        return (
            self._least(self._least(left[0], right[0]), body[0]),
            self._most(self._most(left[1], right[1]), body[1]),
        )

    def _gather(self, low: Raw, high: Raw, starts: Int64, stops: Int64, longest: int) -> tuple[Raw, Raw]:
        # Positions past the end repeat the last one, which changes no minimum; an empty range gives the neutral value.
        longest = max(1, min(longest, int((stops - starts).max(initial=0))))
        index = np.minimum(starts[:, None] + np.arange(longest), np.maximum(stops - 1, starts)[:, None]) % len(low)
        least = self._least.reduce(low.take(index, axis=0), axis=1)
        most = self._most.reduce(high.take(index, axis=0), axis=1)
        least[starts >= stops], most[starts >= stops] = self._neutral
        return least, most


class _Level:
    def __init__(self, blocks: int, width: int, dtype: str) -> None:
        self.low: Raw = np.empty((blocks, width), dtype)
        self.high: Raw = np.empty((blocks, width), dtype)
        self.done = 0


class _Grid:
    """Columns of one width: slot k % size holds column `ids[k % size]` if it is finished, else -1."""

    def __init__(self, size: int, width: int, dtype: "np.dtype[Any]") -> None:
        self.size = size
        self.ids = np.full(size, -1, np.int64)
        self.low: Raw = np.zeros((size, width), dtype)
        self.high: Raw = np.zeros((size, width), dtype)
        self.there = np.zeros(size, np.bool_)
