"""One line of text as a record: which kind of line it is, and its fields.

Forms: numbers between separators (with or without a tag in front), `name:value` pairs (Teleplot, Arduino plotter), and
JSON objects. Rule: a record's key holds all that must stay equal for two lines to belong to one stream; nothing here
remembers the line before.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from firmware_bridge.wire.columns import Column, column, is_counter, slug, time_unit
from firmware_bridge.wire.numbers import MISSING, number

__all__ = ["FORMATS", "Key", "Record", "read_any", "read_csv", "read_json", "read_pairs", "split_csv"]

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One line, or one part of a JSON line.

    Attributes:
        key: Equal for all records of a stream.
        name: Suggested name of the stream.
        fields: Texts (CSV, pairs) or numbers (JSON).
        names: One column a field; None for CSV, where a header may tell.
        shape: `(H, W)` when the first H * W fields are an image.
        dated: Index of a field that holds a date and time; None where there is none.
        tag: The word in front of the numbers of a CSV line.
        separator: What stands between the fields of a CSV line.
    """

    key: Key
    name: str
    fields: Sequence[Any]
    names: tuple[Column, ...] | None = None
    shape: tuple[int, int] | None = None
    dated: int | None = None
    tag: str = ""
    separator: str = ","


_TAG = re.compile(r"[A-Za-z_$][\w$ .\-/]{0,31}$")
_LABELLED = re.compile(r"([A-Za-z_$][\w$ .\-/]{0,31}?)\s*[:=]\s*(?=[-+.\d])")
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?(?:[T _\-]+\d\d?:\d\d?(?::\d\d?(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?$")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf"
_PAIR = re.compile(
    r"\s*([A-Za-z_][\w .\-/\[\]()]{0,47}?)\s*[:=]\s*("
    + _NUMBER
    + r")(?![xX])\s?([A-Za-z%°µ][\w%°µ/^²³]{0,9})?\s*(?:[,;\t|]|\s+|$)",
    re.IGNORECASE,
)
_TELEPLOT = re.compile(r">\s*([^:|]+):(.+)$")
_STAMPED = re.compile(r"([A-Za-z_][\w .\-/]{0,47}):(\d+(?:\.\d+)?):(" + _NUMBER + r")$", re.IGNORECASE)


def split_csv(text: str, separator: str) -> list[str]:
    """Return the fields of a line; a separator of one space means any run of blanks."""
    return text.split() if separator == " " else text.split(separator)


def _numeric(fields: Sequence[str], comma: bool) -> tuple[bool, int | None]:
    """Whether all fields are numbers, save one date; a line without any real number is none."""
    dated, real = None, False
    for index, field in enumerate(fields):
        try:
            value = number(field, comma)
        except ValueError:
            if dated is not None or not _DATE.match(field.strip()):
                return False, None
            dated = index
        else:
            real = real or value == value
    return real, dated


def read_csv(text: str, separator: str | None = None) -> tuple[Record, ...]:
    """Read numbers between separators; none where the line is not that.

    Args:
        text: The line.
        separator: `,`, `;`, a tab or a space (any blanks); None: whichever fits, in the order `;`, tab, `,`, space.
    """
    for mark in (separator,) if separator else (";", "\t", ",", " "):
        if mark != " " and mark not in text and (separator is None and mark != ","):
            continue
        if mark == "," and separator is None and "," not in text and len(text.split()) > 1:
            continue
        fields = split_csv(text, mark)
        if len(fields) > 1 and mark != " " and not fields[-1].strip():
            fields = fields[:-1]  # a separator at the end of the line, as loops print it
        comma = mark in ";\t"
        tag = ""
        if len(fields) > 1 and _TAG.match(fields[0].strip()) and fields[0].strip().lower() not in MISSING:
            tag, fields = fields[0].strip(), fields[1:]
        elif (label := _LABELLED.match(text)) is not None:
            tag = label[1]
            fields = split_csv(text[label.end() :], mark)
            if len(fields) < 2:
                continue
        if mark == " " and tag and text.count(tag) and len(fields) < 2:
            continue  # `word 12` is a sentence more often than a stream
        good, dated = _numeric(fields, comma)
        if good:
            key = ("csv", tag, len(fields), mark, dated)
            return (Record(key, slug(tag) if tag else "data", fields, None, None, dated, tag, mark),)
    return ()


def read_pairs(text: str) -> tuple[Record, ...]:
    """Read `name:value` pairs; Teleplot's `>name:time:value|flags` and several samples a line too."""
    if (plot := _TELEPLOT.match(text)) is not None:
        return _teleplot(plot[1].strip(), plot[2])
    if (stamped := _STAMPED.match(text)) is not None:
        return _teleplot(stamped[1].strip(), f"{stamped[2]}:{stamped[3]}")
    names: list[Column] = []
    fields: list[str] = []
    position = 0
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            return ()
        name = column(pair[1])
        names.append(Column(name.name, pair[3]) if pair[3] else name)
        fields.append(pair[2])
        position = pair.end()
    if not names or len({name.name for name in names}) != len(names):
        return ()
    readings = [name for name in names if time_unit(name) is None and not is_counter(name)]
    title = slug(readings[0].name) if len(readings) == 1 else "data"
    return (Record(("pairs", tuple(names)), title, fields, tuple(names)),)


def _teleplot(name: str, rest: str) -> tuple[Record, ...]:
    body, _, flags = rest.partition("|")
    if "t" in flags or name.startswith("3D"):
        return ()  # a text or a drawing, no reading
    body, _, unit = body.partition("§")
    records = []
    reading = Column(name, unit.strip() or column(name).unit)
    for sample in body.strip().strip(";").split(";"):
        parts = sample.split(":")
        plane = "xy" in flags
        if len(parts) not in ((2, 3) if plane else (1, 2)):
            return ()
        try:
            [number(part) for part in parts]
        except ValueError:
            return ()
        if plane:
            names = (Column("x", reading.unit), Column("y", reading.unit), Column("timestamp", "ms"))[: len(parts)]
            fields = parts
        else:
            names = (reading, Column("timestamp", "ms"))[: len(parts)]
            fields = [parts[-1], *parts[:-1]]
        records.append(Record(("pairs", name, names), slug(column(name).name), fields, names))
    return tuple(records)


_TITLES = ("stream", "sensor", "type", "topic", "tag", "id", "name", "event")


def read_json(text: str) -> tuple[Record, ...]:
    """Read a JSON object or array of numbers; nested arrays become images, nested objects streams of their own."""
    if text[:1] not in ("{", "["):
        return ()
    try:
        whole = json.loads(text, parse_constant=lambda _: float("nan"))
    except (ValueError, RecursionError):
        return ()
    bare = isinstance(whole, list)
    if bare:
        whole = {"data": whole}
    if not isinstance(whole, dict):
        return ()
    title = next((whole[key] for key in _TITLES if isinstance(whole.get(key), str)), "")
    shared: list[tuple[Column, float]] = []
    scalars: list[tuple[Column, float]] = []
    parts: list[tuple[str, list[tuple[Column, float]], tuple[int, int] | None]] = []
    for key, value in whole.items():
        of = _named(key, "" if bare else str(key))
        if _plain(value):
            is_key = time_unit(of) is not None or (is_counter(of) and isinstance(value, int))
            (shared if is_key else scalars).append((of, _float(value)))
        elif isinstance(value, dict):
            inner = [(_named(name, f"{key}.{name}"), _float(item)) for name, item in value.items() if _plain(item)]
            inner += [
                (Column(f"{name}_{index}", "?", f"{key}.{name}.{index}"), _float(item)) for name, row in value.items()
                if isinstance(row, list) and all(map(_plain, row)) for index, item in enumerate(row)
            ]  # fmt: skip
            if inner:
                parts.append((slug(str(key)), inner, None))
        elif isinstance(value, list) and value:
            parts += _array(of, value)
    if scalars:
        parts.insert(0, (slug(title) if title else "data", scalars, None))
    elif title and len(parts) == 1:
        parts[0] = (slug(title), *parts[0][1:])
    records = []
    for name, cells, shape in parts:
        names = tuple(of for of, _ in cells[: 1 if shape else None]) + tuple(of for of, _ in shared)
        fields = [value for _, value in cells] + [value for _, value in shared]
        records.append(Record(("json", name, names, shape), name, fields, names, shape))
    return tuple(records)


def _named(key: Any, path: str) -> Column:
    of = column(str(key))
    return Column(of.name, of.unit, path)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float))


def _float(value: Any) -> float:
    try:
        return float("nan") if value is None else float(value)
    except OverflowError:
        return float("inf")


def _array(of: Column, value: list[Any]) -> list[tuple[str, list[tuple[Column, float]], tuple[int, int] | None]]:
    if all(map(_plain, value)):
        names = tuple("xyz") if len(value) == 3 else tuple(f"{of.name}_{index}" for index in range(len(value)))
        dot = f"{of.path}." if of.path else ""
        cells = [
            (Column(name, of.unit, f"{dot}{index}"), _float(item))
            for index, (name, item) in enumerate(zip(names, value, strict=True))
        ]
        return [(slug(of.name), cells, None)]
    rows = [row for row in value if isinstance(row, list) and row and all(map(_plain, row))]
    if len(rows) != len(value) or len({len(row) for row in rows}) != 1:
        return []
    return [(slug(of.name), [(of, _float(item)) for row in rows for item in row], (len(rows), len(rows[0])))]


FORMATS: dict[str, Callable[[str], tuple[Record, ...]]] = {"csv": read_csv, "pairs": read_pairs, "json": read_json}


def read_any(text: str) -> tuple[Record, ...]:
    """Read a line in whichever form it fits: JSON, then numbers between separators, then pairs."""
    if text[0] in "{[":
        return read_json(text)
    return read_csv(text) or read_pairs(text)
