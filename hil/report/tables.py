"""Figures in tables: what belongs to a channel as metric by channel, everything else a line each, unknowns by reason.

Rule of this room: no figure is left out; a line has one unit for all cells. Conditions that all cells share are said
once. Pure: figures in, texts out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.measure.catalogue import METRICS
from hil.measure.figure import Figure, Measurement
from hil.report.words import Scale, interval, scale_for, value

__all__ = ["Cell", "Line", "Section", "Unknown", "sections"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as shown.

    Attributes:
        value: In the unit of its line, without it; `unknown` where there is none; empty where there is no such figure.
        interval: Its 95 % interval, likewise.
        verdict: What the datasheet says, empty without one.
        why: Condition and method, for who asks.
    """

    value: str
    interval: str = ""
    verdict: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One metric.

    Attributes:
        metric: Key of the catalogue, or name of a figure that is one of several of its metric.
        meaning: One clause.
        unit: As written.
        cells: One a channel of the section, or one for the whole stream.
        condition: Under which circumstances it holds.
        method: How it was found.
        expected: Typical and limits of the datasheet, in this unit; empty without one.
        note: What a reader should know besides.
    """

    metric: str
    meaning: str
    unit: str
    cells: tuple[Cell, ...]
    condition: str
    method: str
    expected: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Figures that cannot be known for one reason."""

    metrics: tuple[str, ...]
    channels: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Section:
    """One stream, or a board.

    Attributes:
        place: `BOARD/STREAM` or `BOARD`.
        channels: Those that have figures.
        by_channel: A line a metric, a cell a channel.
        whole: A line a figure.
        unknown: What cannot be known, by reason.
    """

    place: str
    channels: tuple[str, ...]
    by_channel: tuple[Line, ...]
    whole: tuple[Line, ...]
    unknown: tuple[Unknown, ...]


def sections(measurement: Measurement) -> list[Section]:
    """Return the tables, one section a stream and board, in the order of the figures."""
    places = dict.fromkeys(figure.stream for figure in measurement)
    return [_section(place, [figure for figure in measurement if figure.stream == place], measurement)
            for place in places]  # fmt: skip


def _section(place: str, figures: Sequence[Figure], measurement: Measurement) -> Section:
    channels = tuple(dict.fromkeys(figure.channel for figure in figures if figure.channel))
    known = [figure for figure in figures if figure.known]
    metrics = list(dict.fromkeys((figure.metric, _tail(figure)) for figure in known if figure.channel))
    by_channel: list[Line] = []
    for metric, tail in metrics:
        row = [figure for figure in figures if figure.channel and (figure.metric, _tail(figure)) == (metric, tail)]
        # Channels of different units (g and rad/s) cannot share a scale: a line each.
        for unit in dict.fromkeys(figure.unit for figure in row if figure.known):
            same = {figure.channel: figure for figure in row if figure.unit == unit}
            by_channel.append(_line(tail, [same.get(channel) for channel in channels], measurement))
    whole = [_line(figure.name.rpartition(".")[2], [figure], measurement) for figure in known if not figure.channel]
    return Section(place, channels, tuple(by_channel), tuple(whole), tuple(_unknowns(figures)))


def _tail(figure: Figure) -> str:
    """Return what tells a figure from others of its channel: the metric, and what follows it in the name."""
    return figure.metric if figure.name.endswith(f".{figure.metric}") else figure.name.rpartition(".")[2]


def _line(name: str, figures: Sequence[Figure | None], measurement: Measurement) -> Line:
    there = [figure for figure in figures if figure is not None]
    first = there[0]
    scale = scale_for(first.unit, [figure.value for figure in there])
    row = METRICS.get(first.metric)
    said = [measurement.expected[figure.name] for figure in there if figure.name in measurement.expected]
    return Line(
        name, row.meaning if row else "", scale.unit, tuple(_cell(figure, scale, measurement) for figure in figures),
        _shared((figure.channel, figure.condition) for figure in there if figure.known),
        _shared((figure.channel, figure.method) for figure in there if figure.known),
        "; ".join(dict.fromkeys(_expected(one, scale) for one in said)),
        _shared((figure.channel, figure.note) for figure in there if figure.note),
    )  # fmt: skip


def _cell(figure: Figure | None, scale: Scale, measurement: Measurement) -> Cell:
    if figure is None:
        return Cell("")
    said = measurement.expected.get(figure.name)
    numbers = (figure.value, figure.low, figure.high)
    why = "; ".join(part for part in (figure.condition, figure.method, f"n = {figure.n:,}" if figure.n else "") if part)
    return Cell(value(*numbers, scale), interval(*numbers, scale), "" if said is None else said["verdict"], why)


def _expected(said: Mapping[str, Any], scale: Scale) -> str:
    words = {"typical": "typ", "maximum": "max", "minimum": "min"}
    parts = [f"{words[key]} {value(float(said[key]), None, None, scale)}" for key in words if said.get(key) is not None]
    return ", ".join(parts)


def _shared(told: Iterable[tuple[str, str]]) -> str:
    """Return texts once, with the channels they are about where not all say the same."""
    by_text: dict[str, list[str]] = {}
    for channel, text in told:
        if text:
            by_text.setdefault(text, []).append(channel)
    if len(by_text) <= 1:
        return next(iter(by_text), "")
    if len(by_text) > 3:
        text, channels = next(iter(by_text.items()))
        return f"{', '.join(filter(None, channels))}: {text}; the others differ, see each figure"
    return "; ".join(f"{', '.join(filter(None, channels))}: {text}" for text, channels in by_text.items())


def _unknowns(figures: Sequence[Figure]) -> list[Unknown]:
    by_reason: dict[str, list[Figure]] = {}
    for figure in figures:
        if not figure.known:
            by_reason.setdefault(figure.condition, []).append(figure)
    return [
        Unknown(
            tuple(dict.fromkeys(figure.metric for figure in group)),
            tuple(dict.fromkeys(figure.channel for figure in group if figure.channel)),
            reason.removeprefix("unknown: "),
        )
        for reason, group in by_reason.items()
    ]
