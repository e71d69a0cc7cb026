"""What the fields of one kind of line mean: which are readings, which is the clock, which counts, which says valid.

A layout turns a table of numbers into samples. Rule: a row is taken whole or refused whole, so that its bytes have one
bucket: a clock or counter that is no whole number in range, or a reading that does not fit the stream's integer type,
refuses the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Int64
from firmware_bridge.streams import Stream
from firmware_bridge.wire.dialect import Samples
from firmware_bridge.wire.numbers import Float64, number, time_ns
from firmware_bridge.wire.records import Key

__all__ = ["Clock", "Counter", "Layout", "Rows", "Valid", "wraps"]

LARGEST = 9.0e15
"""Clocks and counters beyond this are refused: float64 does not hold them exactly."""

LATEST = 2.0**62
"""Ticks beyond this are refused: sums and differences of them must fit 64 bits."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A column of time.

    Attributes:
        index: Which field.
        per_unit: Ticks in one unit of the column.
        bits: Width at which the ticks wrap.
        dated: Whether it holds dates (ticks are then ns since 1970).
        delta: Whether it holds the time since the row before (ticks are then their sum).
    """

    index: int
    per_unit: float
    bits: int
    dated: bool = False
    delta: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """A column that counts samples and wraps after `bits` bits; `learned` when nobody said after how many."""

    index: int
    bits: int
    learned: bool = False


@dataclass(frozen=True, slots=True)
class Valid:
    """A column that says whether the board trusts the row."""

    index: int
    equals: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The meaning of one kind of line.

    Attributes:
        key: Key of the records it reads.
        stream: What they become.
        width: Fields in a record.
        values: Index of each reading, in the order of the stream's elements.
        clock: Where the time is; None where there is none.
        counter: Where the number is; None where there is none.
        valid: Where the board says whether it trusts the row; None where it does not say.
        comma: Whether the decimal point is a comma.
        names: Names of the columns as a header, the pairs or the paths of JSON give them (an image has one for all its
            pixels); empty where unknown.
    """

    key: Key
    stream: Stream
    width: int
    values: tuple[int, ...]
    clock: Clock | None = None
    counter: Counter | None = None
    valid: Valid | None = None
    comma: bool = False
    names: tuple[str, ...] = ()

    keys: tuple[int, ...] = field(init=False)
    """Indices of clock (unless dated), counter and validity."""
    used: tuple[int, ...] = field(init=False)
    """Indices of all fields that must be numbers."""
    simple: bool = field(init=False)
    """Whether a row is nothing but readings with decimal points."""
    limits: tuple[int, int] | None = field(init=False)
    """Smallest and largest reading of an integer stream; None for floats."""

    def __post_init__(self) -> None:
        keys = [part.index for part in (self.counter, self.valid) if part is not None]
        if self.clock is not None and not self.clock.dated:
            keys.append(self.clock.index)
        kind = np.dtype(self.stream.dtype)
        limits = (int(np.iinfo(kind).min), int(np.iinfo(kind).max)) if kind.kind in "iu" else None
        used = tuple(sorted({*self.values, *keys}))
        simple = used == tuple(range(self.width)) and not keys and self.clock is None and limits is None
        simple = simple and not self.comma
        for name, value in (("keys", tuple(keys)), ("used", used), ("limits", limits), ("simple", simple)):
            object.__setattr__(self, name, value)

    def row(self, fields: Sequence[Any]) -> tuple[list[float], int] | None:
        """Read one record.

        Args:
            fields: `width` texts or numbers.

        Returns:
            Its fields as numbers (unused ones 0) and its date in ns (0 without one), or None where it is refused.
        """
        if len(fields) != self.width:
            return None
        row = [0.0] * self.width
        try:
            if self.simple and "_" not in "".join(fields):
                return list(map(float, fields)), 0
        except (ValueError, TypeError):
            pass  # a missing reading, or no text at all
        try:
            for index in self.used:
                cell = fields[index]
                row[index] = number(cell, self.comma) if isinstance(cell, str) else float(cell)
            date = time_ns(fields[self.clock.index]) if self.clock is not None and self.clock.dated else 0
        except ValueError:
            return None
        for index in self.keys:
            if not abs(row[index]) < LARGEST:
                return None
        if self.clock is not None and not abs(row[self.clock.index]) * self.clock.per_unit < LATEST:
            return None
        if self.counter is not None and not (row[self.counter.index] >= 0 and row[self.counter.index].is_integer()):
            return None
        if self.limits is not None:
            low, high = self.limits
            if not all(low <= row[index] <= high and row[index].is_integer() for index in self.values):
                return None
        return row, date

    def accepts(self, table: Float64) -> npt.NDArray[np.bool_]:
        """Return which rows of `(N, width)` are taken, bool `(N,)`."""
        good = np.ones(len(table), np.bool_)
        for index in self.keys:
            good &= np.abs(table[:, index]) < LARGEST  # False for NaN
        if self.counter is not None:
            good &= table[:, self.counter.index] >= 0
            good &= np.floor(table[:, self.counter.index]) == table[:, self.counter.index]
        if self.clock is not None and not self.clock.dated:
            good &= np.abs(table[:, self.clock.index]) * self.clock.per_unit < LATEST
        if self.limits is not None:
            cells = table[:, self.values]
            good &= ((cells >= self.limits[0]) & (cells <= self.limits[1]) & (np.floor(cells) == cells)).all(axis=1)
        return good

    def samples(self, table: Float64, dates: Int64, clock_base: int, arrived: Int64 | None) -> Samples:
        """Make samples of rows that `accepts` took.

        Args:
            table: `(N, width)`.
            dates: int64 `(N,)`, the dates in ns where the clock is dated.
            clock_base: Sum of the deltas before, in ticks, for a clock of deltas.
            arrived: int64 `(N,)`, when each row came, or None.
        """
        kind = np.dtype(self.stream.dtype)
        with np.errstate(over="ignore"):  # a float32 stream may be given more than it holds: that is inf
            raw = np.ascontiguousarray(table[:, self.values].reshape(len(table), *self.stream.shape), dtype=kind)
        raw.flags.writeable = False
        ticks = None
        bits = 32
        if self.clock is not None:
            bits = self.clock.bits
            if self.clock.dated:
                whole = dates
            else:
                whole = np.rint(table[:, self.clock.index] * self.clock.per_unit).astype(np.int64)
            if self.clock.delta:
                whole = np.cumsum(whole) + clock_base
            ticks = whole.astype(np.uint64) if bits == 64 else (whole & ((1 << bits) - 1)).astype(np.uint64)
        numbers = None
        if self.counter is not None:
            numbers = table[:, self.counter.index].astype(np.uint64)
        valid = None
        if self.valid is not None:
            valid = np.isin(table[:, self.valid.index], self.valid.equals)
        return Samples(
            self.stream, raw, numbers, self.counter.bits if self.counter else 32, ticks, bits, valid, arrived
        )


def wraps(before: Int64, now: Int64, top: Int64) -> Int64:
    """Return by how much a counter of unknown width wrapped between two values: 0, 256 or 65536.

    Args:
        before: int64 `(N,)`, the value in front.
        now: int64 `(N,)`, the value.
        top: int64 `(N,)`, the largest value so far.
    """
    byte = (now < 64) & (before >= 192) & (top < 256)
    word = (now < 16384) & (before >= 49152) & (top < 65536)
    steps: Int64 = byte * np.int64(256) + word * np.int64(65536)
    return steps


class Rows:
    """Rows of one layout gathered until they leave as samples; keeps the sum of a clock of deltas."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._tables: list[Float64] = []
        self._rows: list[list[float]] = []
        self._dates: list[int] = []
        self._arrived: list[int] = []
        self._held = False
        self._base = 0
        self._last = self._top = self._carry = 0

    def add(self, row: list[float], date: int, arrived: int, held: bool) -> None:
        """Add one row that was accepted; `held` when it came before the bytes now being read."""
        self._rows.append(row)
        self._dates.append(date)
        self._arrived.append(arrived)
        self._held = self._held or held

    def add_block(self, table: Float64, arrived: int) -> None:
        """Add accepted rows `(N, width)` of a layout without dates."""
        self._gather()
        self._tables.append(table)
        self._dates += [0] * len(table)
        self._arrived += [arrived] * len(table)

    def _gather(self) -> None:
        if self._rows:
            self._tables.append(np.array(self._rows, np.float64).reshape(len(self._rows), self.layout.width))
            self._rows = []

    def take(self) -> Samples | None:
        """Return all rows as samples and forget them; None where there are none."""
        self._gather()
        if not self._tables:
            return None
        table = self._tables[0] if len(self._tables) == 1 else np.concatenate(self._tables)
        arrived = np.array(self._arrived, np.int64) if self._held else None
        samples = self.layout.samples(table, np.array(self._dates, np.int64), self._base, arrived)
        if self.layout.clock is not None and self.layout.clock.delta and len(table):
            steps = np.rint(table[:, self.layout.clock.index] * self.layout.clock.per_unit)
            self._base += int(steps.sum())
        if self.layout.counter is not None and self.layout.counter.learned and samples.number is not None:
            samples = replace(samples, number=self._without_wraps(samples.number))
        self._tables, self._dates, self._arrived, self._held = [], [], [], False
        return samples

    def _without_wraps(self, number: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Carry on a learned counter that starts again from its last quarter of 8 or 16 bits and never went beyond."""
        now = number.astype(np.int64)
        top = np.maximum.accumulate(np.concatenate([[self._top], now]))
        carry = self._carry + np.cumsum(wraps(np.concatenate([[self._last], now[:-1]]), now, top[:-1]))
        self._last, self._top, self._carry = int(now[-1]), int(top[-1]), int(carry[-1])
        unwrapped: npt.NDArray[np.uint64] = (now + carry).astype(np.uint64)
        return unwrapped
