"""What a column is called and what it is for: names, units, and the columns that hold time or count samples.

Names come from headers as boards print them: `ax (g)`, `temp[degC]`, `accel_x_mg` is left alone. Rule: a unit is taken
only from brackets; nobody's name is read as a unit, except the words that mean a clock (`millis`, `time_us`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SECONDS", "Column", "column", "is_counter", "looks_like_header", "slug", "time_unit"]

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0}
"""Seconds in one unit of a time column."""

_BRACKETS = re.compile(r"\s*[\(\[]\s*([^\(\)\[\]]{1,16}?)\s*[\)\]]\s*$")
_NAME = re.compile(r"[^\W\d][\w .\-/%#°µ&+]*$")
_UNITS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "ms": "ms", "msec": "ms", "millis": "ms",
    "millisecond": "ms", "milliseconds": "ms", "us": "us", "µs": "us", "μs": "us", "usec": "us", "micros": "us",
    "microsecond": "us", "microseconds": "us", "ns": "ns", "nanoseconds": "ns",
}  # fmt: skip
_CLOCKS = frozenset({"t", "time", "ts", "timestamp", "timer", "uptime", "clock", "tick", "ticks", "datetime", "date"})
_COUNTERS = frozenset({
    "seq", "sequence", "n", "idx", "index", "count", "counter", "cnt", "sample", "samples", "sample_no", "num",
    "packet", "frame_no", "no", "#",
})  # fmt: skip
_SPELLINGS = {"°c": "degC", "º c": "degC", "c": "degC", "celsius": "degC", "deg/s": "deg/s", "µt": "uT", "μt": "uT",
              "m/s²": "m/s^2", "m/s2": "m/s^2", "g's": "g", "°/s": "deg/s", "dps": "deg/s", "°": "deg"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, its unit (`?` where nobody said), and in JSON the dotted path to it."""

    name: str
    unit: str = "?"
    path: str = ""


def column(text: str) -> Column:
    """Read one field of a header."""
    text = text.strip().strip("\"'")
    if (found := _BRACKETS.search(text)) is not None and found.start():
        unit = found[1]
        return Column(text[: found.start()].strip(), _SPELLINGS.get(unit.lower(), unit))
    return Column(text)


def slug(text: str) -> str:
    """Return a stream's name made of `text`: lower case, letters, digits and underscores; `data` where none is left."""
    return re.sub(r"\W+", "_", text.strip().lower()).strip("_") or "data"


def time_unit(of: Column) -> str | None:
    """Return the unit of a column that holds time: a key of `SECONDS`, `?` where it is not said, None where it is not.

    `datetime` columns hold dates and are told by their values, not here.
    """
    name = re.sub(r"[\s\-]+", "_", of.name.strip().lower()).rstrip("()")
    unit = _UNITS.get(of.unit.lower())
    if name in _CLOCKS:
        return unit or "?"
    if name in _UNITS and len(name) > 1:
        return _UNITS[name]
    stem, _, suffix = name.rpartition("_")
    if suffix in _UNITS and (stem in _CLOCKS or stem.split("_")[-1] in _CLOCKS):
        return _UNITS[suffix]
    if unit and name.split("_")[-1] in _CLOCKS:
        return unit
    return None


def is_counter(of: Column) -> bool:
    """Whether a column's name says that it counts samples (its values must agree before it is used so)."""
    return re.sub(r"[\s\-]+", "_", of.name.strip().lower()) in _COUNTERS


def looks_like_header(fields: Sequence[str]) -> bool:
    """Whether fields could be the names of columns: at least two, each a short name with or without a unit."""
    if len(fields) < 2:
        return False
    for field in fields:
        name = column(field).name
        if not _NAME.match(name) or len(name) > 48 or name.count(" ") > 7:
            return False
    return True
