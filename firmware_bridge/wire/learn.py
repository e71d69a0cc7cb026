"""Layouts learned from the first lines of a board that nobody described.

From records of one key, the names in front of them and the times at which they came, this room decides which field is
a clock, which counts, and the rate. Rules: a column is a clock or a counter only when its values behave so; without a
header only the first column may be one; the rate is measured (by the board's clock where it has one, else by arrival)
and always marked inferred; a unit that nobody printed is `?`; numbers become float64, whatever the first ones are.
"""

from collections.abc import Sequence

import numpy as np

from firmware_bridge.streams import Stream
from firmware_bridge.wire.columns import SECONDS, Column, column, is_counter, time_unit
from firmware_bridge.wire.layout import Clock, Counter, Layout, wraps
from firmware_bridge.wire.numbers import Float64, number, time_ns
from firmware_bridge.wire.records import Record

__all__ = ["ENOUGH", "decimal_comma", "learn", "named_clock"]

ENOUGH = 8
"""Rows from which a column without a name may be taken for a clock or a counter."""

SLOWEST_HZ = 0.5
"""A clock without a unit counts s (whole numbers: ms), unless samples would be rarer than this: then the next unit."""

WIDE, NARROW = 64, 32


def decimal_comma(record: Record) -> bool:
    """Whether a comma inside its fields can only be a decimal one."""
    return record.key[0] == "csv" and record.separator in ";\t"


def _table(records: Sequence[Record]) -> Float64:
    comma = decimal_comma(records[0])

    def cell(record: Record, index: int) -> float:
        field = record.fields[index]
        if index == record.dated:
            return float(time_ns(field))
        return number(field, comma) if isinstance(field, str) else float(field)

    rows = [[cell(record, index) for index in range(len(record.fields))] for record in records]
    return np.array(rows, np.float64)


def named_clock(unit: str, whole: bool) -> Clock:
    """Return a clock for a column of `unit`: 32-bit ticks for whole ms and us, else ns in 64 bits (index still 0)."""
    if whole and unit in ("ms", "us"):
        return Clock(0, 1.0, NARROW)
    return Clock(0, SECONDS[unit] * 1e9, WIDE)


def _tick_hz(clock: Clock, unit: str) -> float:
    return clock.per_unit / SECONDS[unit]


def _guess_unit(steps: Float64, whole: bool, elapsed_s: float, span: float) -> str:
    if elapsed_s > 0.2 and span > 0:
        ratio = np.log10(span / elapsed_s)
        return min(("s", "ms", "us", "ns"), key=lambda unit: float(abs(ratio + np.log10(SECONDS[unit]))))
    step = float(np.median(steps)) or float(np.mean(steps))
    units = ("ms", "us") if whole else ("s", "ms", "us")
    return next((unit for unit in units if 1.0 / (step * SECONDS[unit]) >= SLOWEST_HZ), units[-1])


def _clock(
    table: Float64, names: Sequence[Column] | None, dated: int | None, elapsed_s: float
) -> tuple[Clock, float] | None:
    """Return the clock and its ticks a second."""
    if dated is not None:
        return Clock(dated, 1.0, WIDE, dated=True), 1e9
    for index in range(table.shape[1]):
        unit = time_unit(names[index]) if names is not None else None
        if (names is not None and unit is None) or (names is None and index > 0):
            continue
        values = table[:, index]
        if not np.isfinite(values).all() or (np.abs(values) > 9e15).any():
            continue
        steps = np.diff(values)
        whole = bool((np.floor(values) == values).all())
        if names is None:
            if len(values) < ENOUGH or (steps <= 0).any() or steps.max() > 3 * np.median(steps):
                continue
            if not whole or (steps == 1).all():
                continue  # a ramp of fractions may be a reading; steps of one are a counter
        elif (steps < 0).any() or (len(steps) and not steps.any()):
            continue
        if unit is None or unit == "?":
            if not len(steps):
                continue
            unit = _guess_unit(steps, whole, elapsed_s, float(values[-1] - values[0]))
            if names is None and elapsed_s > 0.2:
                ratio = float(values[-1] - values[0]) * SECONDS[unit] / elapsed_s
                if not 0.8 < ratio < 1.25:
                    continue
        found = named_clock(unit, whole)
        return Clock(index, found.per_unit, found.bits), _tick_hz(found, unit)
    return None


def _counted(values: Float64) -> Float64:
    """Return the steps of a counter, across its wraps."""
    now = np.clip(values, -1.0, 9e15).astype(np.int64)
    return np.diff(values) + wraps(now[:-1], now[1:], np.maximum.accumulate(now)[:-1])


def _counter(table: Float64, names: Sequence[Column] | None, clock: Clock | None) -> Counter | None:
    for index in range(table.shape[1]):
        if clock is not None and index == clock.index:
            continue
        if (names is not None and not is_counter(names[index])) or (names is None and index > 0):
            continue
        values = table[:, index]
        if len(values) < (2 if names is not None else ENOUGH) or not np.isfinite(values).all():
            continue
        steps = _counted(values)
        if (values < 0).any() or (values > 9e15).any() or (np.floor(values) != values).any() or (steps < 1).any():
            continue
        if names is None and not (steps == 1).all():
            continue
        return Counter(index, NARROW, learned=True)
    return None


def _rate(table: Float64, clock: tuple[Clock, float] | None, counter: Counter | None, elapsed_s: float) -> float | None:
    rows = len(table) - 1
    if counter is not None:
        rows = int(_counted(table[:, counter.index]).sum())
    span = elapsed_s
    if clock is not None:
        column_, hz = clock
        span = float(table[-1, column_.index] - table[0, column_.index]) * column_.per_unit / hz
    if rows < 1 or not span > 0:
        return None
    return float(f"{rows / span:.4g}")


def learn(records: Sequence[Record], arrived: Sequence[int], header: Sequence[str] | None, name: str) -> Layout:
    """Return the layout of records of one key.

    Args:
        records: At least one, in order; all of one key.
        arrived: When each came, UTC ns.
        header: Names of the columns that stood in front of CSV lines, one a field; None where there were none.
        name: Name for the stream.
    """
    first = records[0]
    table = _table(records)
    names: Sequence[Column] | None = first.names
    if names is None and header is not None:
        names = [column(text) for text in header]
    if first.shape is not None and names is not None:
        pixels = first.shape[0] * first.shape[1]
        names = [names[0]] * pixels + list(names[1:])
    elapsed_s = (arrived[-1] - arrived[0]) / 1e9
    clock = _clock(table, names, first.dated, elapsed_s)
    counter = _counter(table, names, clock[0] if clock else None)
    keys = {part.index for part in ((clock[0] if clock else None), counter) if part is not None}
    values = tuple(index for index in range(table.shape[1]) if index not in keys)
    if not values:  # nothing but a clock: then it is the reading
        clock, counter, values = None, None, tuple(range(table.shape[1]))
    if first.shape is not None and names is not None:
        values = values[: first.shape[0] * first.shape[1]]
        channels: tuple[str, ...] = (names[0].name,)
        units: tuple[str, ...] = (names[0].unit,)
        shape: tuple[int, ...] = first.shape
    else:
        labels = names or [Column(f"c{index + 1}") for index in range(table.shape[1])]
        channels = tuple(labels[index].name for index in values)
        units = tuple(labels[index].unit for index in values)
        shape = (len(values),)
    stream = Stream(
        name, channels, units, "<f8", shape, _rate(table, clock, counter, elapsed_s), rate_inferred=True,
        counted=counter is not None, checked=False, tick_hz=clock[1] if clock else None,
    )  # fmt: skip
    return Layout(
        first.key, stream, table.shape[1], values, clock[0] if clock else None, counter, None, decimal_comma(first),
        tuple(header or [name.path or name.name for name in first.names or ()]),
    )  # fmt: skip
