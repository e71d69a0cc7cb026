"""Which line belongs to which stream: the rules of a text board, learned or described.

A matcher turns one line into rows of layouts. `Learned` finds the rules in the first lines: a kind of line becomes a
stream when it came twice; bare numbers of another count than the stream's are spoilt lines, until 16 of them in a row
(or a header in front of them) say that the board now prints something else. Rule: what was decided stays decided.
"""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from firmware_bridge.streams import Stream
from firmware_bridge.wire.columns import column, looks_like_header, time_unit
from firmware_bridge.wire.layout import Layout
from firmware_bridge.wire.learn import ENOUGH, learn
from firmware_bridge.wire.records import FORMATS, Key, Record, read_any, read_csv, split_csv

__all__ = ["Learned", "Match", "Matcher"]

Header = tuple[str, tuple[str, ...]]
Match = list[tuple[Layout, Sequence[Any]]]

MOST_KINDS = 64
"""Streams and not yet known kinds of lines kept in mind; noise must not fill the memory."""

NEW_COUNT = 16
"""Consecutive lines of bare numbers of another count that make a new stream."""


class Matcher(Protocol):
    """What `LineDialect` needs of the rules."""

    @property
    def plain(self) -> tuple[tuple[Layout, ...], str] | None:
        """The layouts and separator of lines that hold nothing but numbers, if all of those have the same."""

    @property
    def tagged(self) -> Mapping[str, tuple[tuple[Layout, ...], str]]:
        """The layouts and separator of lines that begin with a tag and the separator, by tag."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams so far."""

    def match(self, text: str) -> Match | None:
        """Return the rows in a line; None where it belongs to no stream."""

    def aside(self, text: str) -> str | None:
        """Return the bucket of a line that the rules know to be no data (`header`, `comment`, `skipped`), else None."""

    def spoilt(self, text: str) -> bool:
        """Whether a line that did not match was meant to be data."""


class Learned:
    """Rules found in the lines themselves.

    Args:
        format: `auto`, `csv`, `pairs` or `json`.
        separator: For CSV; None: whichever fits.
    """

    def __init__(self, format: str = "auto", separator: str | None = None) -> None:  # noqa: A002
        self._separator = separator
        self._format = format
        self._layouts: dict[Key, Layout] = {}
        self._seen: dict[Key, tuple[Record, int]] = {}
        self._others: list[tuple[Record, int]] = []
        self._header: Header | None = None
        self._titles: set[Header] = set()
        self._plain: tuple[tuple[Layout, ...], str] | None = None
        self._tagged: dict[str, tuple[tuple[Layout, ...], str]] = {}

    @property
    def plain(self) -> tuple[tuple[Layout, ...], str] | None:
        """The layout and separator of untagged CSV lines."""
        return self._plain

    @property
    def tagged(self) -> Mapping[str, tuple[tuple[Layout, ...], str]]:
        """The layouts and separator of tagged CSV lines, where a tag has one count of fields."""
        return self._tagged

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """All layouts so far."""
        return tuple(self._layouts.values())

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams so far."""
        return tuple(layout.stream for layout in self._layouts.values())

    def read(self, text: str) -> tuple[Record, ...]:
        """Return what a line holds, whether or not it belongs to a stream."""
        if self._format == "csv":
            return read_csv(text, self._separator)
        return FORMATS[self._format](text) if self._format != "auto" else read_any(text)

    def match(self, text: str) -> Match | None:
        """Return the rows in a line; None where it belongs to no stream."""
        if self._plain is not None and text[0] in "+-.0123456789":
            (layout,), separator = self._plain
            fields = split_csv(text, separator)
            if len(fields) == layout.width:
                return [(layout, fields)]
        elif self._tagged:
            tag, comma, rest = text.partition(",")
            rules = self._tagged.get(tag)
            if rules is not None and rules[1] == comma and rest.count(comma) == rules[0][0].width - 1:
                return [(rules[0][0], rest.split(comma))]
        matched = [
            (self._layouts[record.key], record.fields) for record in self.read(text) if record.key in self._layouts
        ]
        return matched or None

    def note_header(self, text: str) -> bool:
        """Remember a line that may name columns; return whether it may."""
        fields = _names(text)
        if fields is not None:
            self._header = fields
        return fields is not None

    def aside(self, text: str) -> str | None:
        """Return `header` for a line that named the columns of a stream, else None."""
        return "header" if self._titles and _names(text) in self._titles else None

    def spoilt(self, text: str) -> bool:
        """Whether a line that did not match was meant to be data: half of it numbers, or a known beginning."""
        if text[0] in "{[":
            return any(key[0] == "json" for key in self._layouts)
        if any(record.tag or record.key[0] == "pairs" for record in self.read(text)):
            return False  # whole in itself: a kind of line not met before
        for key in self._layouts:
            if key[0] == "csv" and not key[1]:
                fields = [field for field in split_csv(text, key[3]) if field.strip()]
                numeric = sum(not field.strip().strip("+-.0123456789eE") for field in fields)
                if fields and 2 * numeric >= len(fields):
                    return True
            if key[0] == "csv" and key[1] and text.startswith(key[1]) and text[len(key[1]) :][:1] in (key[3], ":"):
                return True
        return False

    def decide(self, held: Sequence[tuple[str, int]], only: Key | None = None) -> None:
        """Make layouts of the kinds of lines that came at least twice among `held` (line, UTC ns of arrival)."""
        groups: dict[Key, list[tuple[Record, int]]] = {}
        headers = [self._header] if self._header else []
        for text, arrived in held:
            records = self.read(text)
            for record in records:
                groups.setdefault(record.key, []).append((record, arrived))
            if not records and (names := _names(text)) is not None:
                headers.append(names)
        bare = [key for key in groups if key[0] == "csv" and not key[1]]
        best = max(bare, key=lambda key: len(groups[key]), default=None)
        for key, group in groups.items():
            if len(group) >= 2 and (key not in bare or key == best) and key not in self._layouts:
                self._adopt(group, headers)

    def early(self, held: Sequence[tuple[str, int]]) -> bool:
        """Whether `held` already says all: each kind of line came 8 times and has a clock by name."""
        tally: Tally[Key] = Tally()
        clocked = True
        header = self._header
        for text, _ in held:
            records = self.read(text)
            for record in records:
                tally[record.key] += 1
                names = record.names or (tuple(map(column, header[1])) if header else ())
                clocked = clocked and any(time_unit(name) not in (None, "?") for name in names)
            if not records:
                header = _names(text) or header
        return bool(tally) and clocked and min(tally.values()) >= ENOUGH

    def later(self, text: str, now: int) -> bool:
        """Look at a line that did not match after the first decision; return whether a new stream came of it."""
        records = self.read(text)
        if not records:
            self.note_header(text)
            self._others = []
            return False
        fresh = False
        for record in records:
            if record.key in self._layouts or len(self._layouts) >= MOST_KINDS:
                continue
            if record.key[0] == "csv" and not record.tag:
                fresh |= self._another_count(record, now)
            elif record.key in self._seen:
                self._adopt([self._seen.pop(record.key), (record, now)], [self._header] if self._header else [])
                fresh = True
            elif len(self._seen) < MOST_KINDS:
                self._seen[record.key] = (record, now)
        return fresh

    def _another_count(self, record: Record, now: int) -> bool:
        if self._others and self._others[-1][0].key != record.key:
            self._others = []
        self._others.append((record, now))
        named = self._header is not None and len(self._header[1]) == len(record.fields) and len(self._others) >= 2
        if not named and len(self._others) < NEW_COUNT:
            return False
        self._adopt(self._others, [self._header] if self._header else [])
        self._others = []
        return True

    def _adopt(self, group: Sequence[tuple[Record, int]], headers: Sequence[Header]) -> None:
        first = group[0][0]
        header = None
        for title in headers if first.names is None else ():
            mark, names = title
            if mark != first.separator:
                continue
            if len(names) == len(first.fields) and not (first.tag and names[0] == first.tag):
                header = names
            elif first.tag and len(names) == len(first.fields) + 1:
                header = names[1:]
            else:
                continue
            self._titles.add(title)
        taken = {stream.name for stream in self.streams}
        name, number = first.name, 1
        while name in taken:
            number += 1
            name = f"{first.name}{number}"
        records = [record for record, _ in group]
        self._layouts[first.key] = learn(records, [arrived for _, arrived in group], header, name)
        bare = [key for key in self._layouts if key[0] == "csv" and not key[1]]
        self._plain = None
        tags = [key[1] for key in self._layouts if key[0] == "csv"]
        self._tagged = {
            key[1]: ((layout,), key[3])
            for key, layout in self._layouts.items()
            if key[0] == "csv" and key[1] and key[3] != " " and key[4] is None and tags.count(key[1]) == 1
        }
        if len(bare) == 1 and bare[0][4] is None:
            self._plain = ((self._layouts[bare[0]],), bare[0][3])


def _names(text: str) -> Header | None:
    """Return separator and fields of a line that may name columns (after a comment sign, if any), else None."""
    text = text.lstrip("#/ ")
    for mark in (";", "\t", ",", " "):
        if mark in text:
            fields = tuple(field.strip() for field in split_csv(text, mark))
            if len(fields) > 2 and not fields[-1]:
                fields = fields[:-1]
            return (mark, fields) if looks_like_header(fields) else None
    return None
