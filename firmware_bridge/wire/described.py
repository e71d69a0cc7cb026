"""The `[lines]` of a board file: which line holds which stream's readings, by the names that the file gives.

Columns are named by the file (`[lines] columns`, or `line` of a tagged stream) or numbered from 1; pairs and JSON
name themselves, JSON by dotted paths (`imu.ax`, `image`). Rules: a column that no stream uses may hold anything; all
mistakes are collected as sentences; a line is read by every stream that fits it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from firmware_bridge.streams import Stream
from firmware_bridge.wire.columns import SECONDS
from firmware_bridge.wire.entries import dtype_of, shape_of, units_of
from firmware_bridge.wire.layout import Clock, Counter, Layout, Valid
from firmware_bridge.wire.matcher import Match, Matcher
from firmware_bridge.wire.records import read_pairs, split_csv
from firmware_bridge.wire.schema import Clock as ClockEntry
from firmware_bridge.wire.schema import ColumnRef, LinesTable, StreamTable

__all__ = ["describe_lines"]

_SEPARATORS = {"tab": "\t", "space": " "}
_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Reading:
    """A stream's layout and how its fields are taken from a line."""

    layout: Layout
    tag: str
    paths: tuple[str, ...]


class Described:
    """Rules that a board file gives; see `matcher.Matcher`."""

    def __init__(self, table: LinesTable, readings: Sequence[_Reading], tag: int | str | None) -> None:
        self._readings = tuple(readings)
        self._format = table.format
        self._separator = _SEPARATORS.get(table.separator, table.separator)
        self._header = tuple(name.strip().lower() for name in table.columns)
        self._comments = tuple(table.comment)
        self._skips = [re.compile(rule) for rule in table.skip]
        self._tag = tag
        self._tags = {reading.tag for reading in self._readings}
        self.streams: tuple[Stream, ...] = tuple(reading.layout.stream for reading in self._readings)
        self.plain: tuple[tuple[Layout, ...], str] | None = None
        layouts = tuple(reading.layout for reading in self._readings)
        dated = any(layout.clock is not None and layout.clock.dated for layout in layouts)
        # A rule that may skip or comment numbers keeps every line on the slow path, where rules are asked first.
        simple = table.format == "csv" and tag is None and table.decimal == "." and not dated and not self._skips
        if simple and all(not comment[:1].isdigit() for comment in self._comments):
            self.plain = (layouts, self._separator)
        self.tagged: Mapping[str, tuple[tuple[Layout, ...], str]] = {}
        if table.format == "csv" and tag == 0 and table.decimal == "." and not dated and not self._skips:
            grouped: dict[str, tuple[Layout, ...]] = {}
            for reading in self._readings:
                grouped[reading.tag] = (*grouped.get(reading.tag, ()), reading.layout)
            if self._separator != " " and not self._comments:
                self.tagged = {tag: (group, self._separator) for tag, group in grouped.items()}
        self._read: Callable[[str], Match] = {"csv": self._csv, "pairs": self._pairs, "json": self._json}[table.format]

    def match(self, text: str) -> Match | None:
        """Return the rows in a line; None where it belongs to no stream."""
        if (self._comments and text.startswith(self._comments)) or any(rule.search(text) for rule in self._skips):
            return None
        return self._read(text) or None

    def aside(self, text: str) -> str | None:
        """Return the bucket of a line that the rules know to be no data."""
        if self._comments and text.startswith(self._comments):
            return "comment"
        if any(rule.search(text) for rule in self._skips):
            return "skipped"
        if self._header and tuple(field.strip().lower() for field in self._split(text)) == self._header:
            return "header"
        return None

    def spoilt(self, text: str) -> bool:
        """Whether a line that did not match was meant to be data: half of it numbers, or a known beginning."""
        if self._format == "json":
            return text[0] in "{["
        fields = self._split(text)
        if isinstance(self._tag, int) and self._tag < len(fields) and fields[self._tag].strip() in self._tags:
            return True
        numeric = sum(bool(field.strip()) and not field.strip().strip("+-.0123456789eE") for field in fields)
        return 2 * numeric >= len(fields)

    def _split(self, text: str) -> list[str]:
        fields = split_csv(text, self._separator)
        return fields[:-1] if len(fields) > 1 and not fields[-1].strip() else fields

    def _csv(self, text: str) -> Match:
        fields = split_csv(text, self._separator)
        tag = ""
        if isinstance(self._tag, int):
            if self._tag >= len(fields):
                return []
            tag = fields.pop(self._tag).strip()
        matched: Match = []
        for reading in self._readings:
            if reading.tag != tag:
                continue
            width = reading.layout.width
            if len(fields) == width + 1 and not fields[-1].strip():
                matched.append((reading.layout, fields[:-1]))
            elif len(fields) == width:
                matched.append((reading.layout, fields))
        if matched and self._header and tuple(field.strip().lower() for field in fields) == self._header:
            return []
        return matched

    def _pairs(self, text: str) -> Match:
        matched: Match = []
        for record in read_pairs(text):
            found = {of.name: value for of, value in zip(record.names or (), record.fields, strict=True)}
            for reading in self._readings:
                if all(path in found for path in reading.paths):
                    matched.append((reading.layout, [found[path] for path in reading.paths]))
        return matched

    def _json(self, text: str) -> Match:
        try:
            whole = json.loads(text, parse_constant=float)
        except (ValueError, RecursionError):
            return []
        tag = str(_follow(whole, str(self._tag))) if self._tag is not None else ""
        matched: Match = []
        for reading in self._readings:
            cells: list[Any] = []
            for path in reading.paths:
                _flatten(_follow(whole, path), cells)
            if reading.tag == tag and len(cells) == reading.layout.width and _MISSING not in cells:
                matched.append((reading.layout, cells))
        return matched


def _follow(value: Any, path: str) -> Any:
    for step in path.split(".") if path else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _flatten(value: Any, cells: list[Any]) -> None:
    if isinstance(value, list):
        for item in value:
            _flatten(item, cells)
    elif value is None:
        cells.append(float("nan"))
    else:
        cells.append(value if isinstance(value, (int, float, str)) else _MISSING)


def describe_lines(
    table: LinesTable, streams: Sequence[StreamTable], mistakes: list[str]
) -> tuple[Matcher | None, tuple[Stream, ...]]:
    """Return the rules and streams of a `[lines]` file; what is wrong is added to `mistakes`."""
    for rule in table.skip:
        try:
            re.compile(rule)
        except re.error as error:
            mistakes.append(f"lines.skip: {rule!r} was found, which is no regular expression ({error})")
    tag: int | str | None = table.tag
    names = list(table.columns)
    if tag is not None and table.format == "csv":
        place = _index(tag, table.columns, "lines.tag", mistakes) if isinstance(tag, str) else int(tag) - 1
        tag = place if place is not None else 0
        names = [name for index, name in enumerate(names) if index != tag]
    if table.format == "csv" and not table.columns and not any(stream.line for stream in streams):
        mistakes.append(
            'lines.columns: this key is missing, name the columns of a line in order, as in ["t", "x", "y"]'
        )
        return None, ()
    readings = []
    for number, stream in enumerate(streams, 1):
        known = stream.line or names
        reading = _reading(table, stream, known, f"stream.{number}", mistakes)
        if reading is not None:
            readings.append(reading)
    if mistakes:
        return None, ()
    return Described(table, readings, tag), tuple(reading.layout.stream for reading in readings)


def _reading(
    table: LinesTable, stream: StreamTable, known: Sequence[str], where: str, mistakes: list[str]
) -> _Reading | None:
    mistakes += _foreign(stream, ("id", "fields", "at", "type", "repeat", "where"), where)
    if table.tag is not None and not stream.tag:
        mistakes.append(f"{where}.tag: this key is missing, say which tag the stream's lines have")
    extra: list[tuple[str, ColumnRef | None]] = [
        ("tick", stream.tick.column if stream.tick else None),
        ("counter", stream.counter.column if stream.counter else None),
        ("valid", stream.valid.column if stream.valid else None),
    ]
    for key, ref in extra:
        if getattr(stream, key) is not None and ref is None:
            mistakes.append(f"{where}.{key}.column: this key is missing")
    named = table.format != "csv"
    count = len(mistakes)
    paths: list[str] = []
    if named:
        if not stream.columns:
            mistakes.append(f"{where}.columns: this key is missing, name the readings as the board does")
            return None
        paths = [str(ref) for ref in stream.columns] + [str(ref) for _, ref in extra if ref is not None]
        shape = shape_of(stream, len(stream.columns))
        elements = shape[0] * (shape[1] if len(shape) == 2 else 1)
        values = tuple(range(elements))
        places = iter(range(elements, elements + 3))
        spots = {key: next(places) for key, ref in extra if ref is not None}
        width = elements + len(spots)
        labels = [str(ref) for ref in stream.columns]
    else:
        found = {key: _index(ref, known, f"{where}.{key}.column", mistakes) for key, ref in extra if ref is not None}
        spots = {key: index for key, index in found.items() if index is not None}
        refs: Sequence[ColumnRef] = stream.columns or [
            index + 1 for index in range(len(known)) if index not in spots.values()
        ]
        indices = [_index(ref, known, f"{where}.columns", mistakes) for ref in refs]
        values = tuple(index for index in indices if index is not None)
        width = len(known)
        labels = [known[index] for index in values if index < len(known)]
        shape = shape_of(stream, len(values))
        elements = shape[0] * (shape[1] if len(shape) == 2 else 1)
        if elements != len(refs) and None not in indices:
            mistakes.append(
                f"{where}.shape: {list(shape)} was found, which is {elements} readings for {len(refs)} columns"
            )
    if len(mistakes) > count:
        return None
    clock, tick_hz = _clock(stream.tick, spots.get("tick", 0), f"{where}.tick", mistakes)
    if stream.dtype in ("u24", "i24"):
        mistakes.append(f"{where}.dtype: {stream.dtype!r} was found, text is kept as i8 to i64, u8 to u64, f32 or f64")
        return None
    described = units_of(stream, labels, shape, where, mistakes)
    if described is None:
        return None
    channels, units, scale, offset = described
    made = Stream(
        stream.name, channels, units, dtype_of(stream.dtype or "f64"), shape, stream.rate, scale, offset,
        counted=stream.counter is not None, checked=False, tick_hz=tick_hz,
    )  # fmt: skip
    counter = Counter(spots["counter"], stream.counter.bits or 32) if stream.counter else None
    valid = None
    if stream.valid is not None:
        equals = stream.valid.equals
        valid = Valid(spots["valid"], tuple(equals) if isinstance(equals, list) else (equals,))
    layout = Layout((stream.name,), made, width, values, clock, counter, valid, table.decimal == ",")
    return _Reading(layout, stream.tag, tuple(paths))


def _clock(entry: ClockEntry | None, index: int, where: str, mistakes: list[str]) -> tuple[Clock | None, float | None]:
    if entry is None:
        return None, None
    mistakes += _foreign(entry, ("at", "type", "step"), where)
    if entry.format == "date":
        return Clock(index, 1.0, 64, dated=True), 1e9
    if entry.unit is None and entry.hz is None:
        mistakes.append(
            f"{where}.unit: this key is missing, allowed are {', '.join(SECONDS)} (or `hz`, ticks a second)"
        )
        return None, None
    natural = {"ms": 1e3, "us": 1e6}
    hz = entry.hz or natural.get(entry.unit or "", 1e9)
    per_unit = SECONDS[entry.unit] * hz if entry.unit is not None else 1.0
    delta = entry.format == "delta"
    bits = entry.bits or (64 if delta or (entry.unit is not None and entry.unit not in natural) else 32)
    return Clock(index, per_unit, bits, delta=delta), hz


def _foreign(entry: StreamTable | ClockEntry, keys: Sequence[str], where: str) -> list[str]:
    return [
        f"{where}.{key}: this key belongs to boards with a [frame], here [lines] was found"
        for key in keys
        if getattr(entry, key) not in (None, [])
    ]


def _index(ref: ColumnRef, names: Sequence[str], where: str, mistakes: list[str]) -> int | None:
    """Return the place of a column, from 0."""
    if isinstance(ref, int):
        if 1 <= ref <= len(names):
            return ref - 1
        mistakes.append(f"{where}: column {ref} was found, allowed are 1 to {len(names)}")
        return None
    if ref in names:
        return names.index(ref)
    near = get_close_matches(ref, names, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    mistakes.append(f"{where}: {ref!r} was found, {hint}allowed are {', '.join(names) or 'none'}")
    return None
