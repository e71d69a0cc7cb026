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

__all__ = ["Cell", "Group", "Line", "Section", "Unknown", "sections"]


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
class Group:
    """Channels that share a unit: a line a metric, a cell a channel."""

    channels: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One stream, or a board.

    Attributes:
        place: `BOARD/STREAM` or `BOARD`.
        groups: Channels of one unit, each with its table.
        whole: A line a figure of the whole stream, or of a pair of channels.
        unknown: What cannot be known, by reason.
    """

    place: str
    groups: tuple["Group", ...]
    whole: tuple[Line, ...]
    unknown: tuple[Unknown, ...]


def sections(measurement: Measurement) -> list[Section]:
    """Return the tables, one section a stream and board, in the order of the figures."""
    plots = (plot.stream for plot in measurement.plots.values())
    places = dict.fromkeys((*(figure.stream for figure in measurement), *plots))
    return [_section(place, [figure for figure in measurement if figure.stream == place], measurement)
            for place in places]  # fmt: skip


def _section(place: str, figures: Sequence[Figure], measurement: Measurement) -> Section:
    known = [figure for figure in figures if figure.known]
    groups = [_group(channels, known, measurement) for channels in _alike(place, figures, measurement)]
    grouped = {channel for group in groups for channel in group.channels}
    rest = [figure for figure in known if figure.channel not in grouped]
    whole = [_line(_named(figure), [figure], measurement) for figure in rest]
    return Section(place, tuple(groups), tuple(whole), tuple(_unknowns(figures)))


def _alike(place: str, figures: Sequence[Figure], measurement: Measurement) -> list[tuple[str, ...]]:
    """Return the channels of the stream that have figures, those of one unit together."""
    having = dict.fromkeys(figure.channel for figure in figures if figure.channel)
    for stream in measurement.facts.get("streams") or ():
        if stream.get("name") == place:
            units: dict[str, list[str]] = {}
            for channel, unit in zip(stream["channels"], stream["units"], strict=False):
                if channel in having:
                    units.setdefault(unit, []).append(channel)
            return [tuple(channels) for channels in units.values()]
    return [tuple(having)] if having else []


def _group(channels: tuple[str, ...], known: Sequence[Figure], measurement: Measurement) -> Group:
    mine = [figure for figure in known if figure.channel in channels]
    lines = []
    for tail in dict.fromkeys(map(_tail, mine)):
        row = {figure.channel: figure for figure in mine if _tail(figure) == tail}
        lines.append(_line(tail, [row.get(channel) for channel in channels], measurement))
    return Group(channels, tuple(lines))


def _named(figure: Figure) -> str:
    """Return how a figure of the whole stream is called, a pair of channels with their names."""
    return f"{_tail(figure)} {figure.channel}".strip()


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
