"""One self-contained HTML page of a measurement: what stands out, plots, every figure, what is unknown and why.

Rule of this room: it arranges, nothing is computed. The page fetches nothing, reads in print and in dark mode, and
holds the same numbers as JSON.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.measure.figure import Measurement, PlotData
from hil.report.draw import draw
from hil.report.findings import findings
from hil.report.html import Html, anchor, facts, finding_list, page, picture, row, tag, text
from hil.report.tables import Cell, Group, Line, Section, Unknown, sections
from hil.report.words import duration, number

__all__ = ["grouped", "measurement_page"]

_TAGS = {"meets": "good", "beyond typical": "beyond", "unsure": "warn", "over": "bad", "not measured": "bad"}
_FIRST = ("allan", "spectrum", "map", "overlay", "clock", "histogram", "orientation", "correlation")
"""Kinds of plots in the order in which they stand."""
_SIZES = {"map": "small", "correlation": "small"}
_ALONE = ("map", "correlation", "overlay", "orientation", "clock")
"""Kinds of plots that have a picture each; of the others channels of one unit share one."""


def measurement_page(measurement: Measurement) -> Html:
    """Return the page of a measurement.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    told = measurement.facts
    name = Path(str(told.get("path", "recording"))).name
    body = ["".join(_head(measurement, name))]
    body += [finding_list([(one.level, one.where, one.text) for one in findings(measurement)])]
    tables = sections(measurement)
    links = (f'<a href="#{anchor(section.place)}">{text(section.place)}</a>' for section in tables)
    body += [f"<nav>{''.join(links)}</nav>"] if len(tables) > 2 else []
    for section in tables:
        body += _section(section, measurement)
    made = "Intervals are 95 %. What could not be known is `unknown`, with its reason. Made by hil measure."
    return page(f"{name}: figures", body, measurement.as_dict(), made)


def _head(measurement: Measurement, name: str) -> Iterator[Html]:
    told = measurement.facts
    yield f"<h1>{text(name)}</h1>"
    began = told.get("start_ns")
    when = datetime.fromtimestamp(int(began) // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if began else ""
    span = duration(float(told["duration_s"])) if told.get("duration_s") else ""
    begin, end = told.get("from_s"), told.get("to_s")
    part = f"{begin or 0:g} s to {f'{end:g} s' if end is not None else 'the end'}" if begin or end else ""
    about: dict[str, Any] = dict(told.get("about") or {})
    sheet = told.get("datasheet") or {}
    yield facts([("recorded", when), ("length", span), ("measured", part), *about.items(),
                 ("datasheet", sheet.get("name") or sheet.get("file", ""))])  # fmt: skip
    for role, board in (told.get("boards") or {}).items():
        who = " ".join(str(board.get(key) or "") for key in ("model", "serial", "firmware")).strip()
        yield facts([("board", role), ("is", who)])


def _section(section: Section, measurement: Measurement) -> Iterator[Html]:
    yield f'<h2 id="{anchor(section.place)}">{text(section.place)}</h2>'
    for stream in measurement.facts.get("streams") or ():
        if section.place == stream.get("name"):
            rates = (f"{number(float(rate))} Hz" if (rate := stream.get(key)) else "unknown"
                     for key in ("nominal_hz", "rate_hz"))  # fmt: skip
            samples = f"{stream.get('samples', 0):,}".replace(",", " ")
            yield facts([("kind", stream.get("kind", "")), ("samples", samples),
                         *zip(("nominal", "measured"), rates, strict=True)])  # fmt: skip
    groups = grouped([plot for plot in measurement.plots.values() if plot.stream == section.place])
    groups.sort(key=lambda group: _FIRST.index(group[0].kind) if group[0].kind in _FIRST else len(_FIRST))
    if groups:
        shown = (picture(draw(group), _title(group), _note(group), _SIZES.get(group[0].kind, ""))
                 for group in groups)  # fmt: skip
        yield f'<div class="plots">{"".join(shown)}</div>'
    for group in section.groups:
        yield f'<div class="scroll">{_channel_table(group)}</div>'
    if section.whole:
        yield f'<div class="scroll">{_whole_table(section.whole)}</div>'
    if section.unknown:
        yield "<h3>Unknown, and why</h3>"
        yield f'<ul class="unknowns">{"".join(map(_unknown, section.unknown))}</ul>'


def _unknown(one: Unknown) -> Html:
    channels = f" ({', '.join(one.channels)})" if one.channels else ""
    return f"<li><b>{text(', '.join(one.metrics).replace('_', ' '))}</b>{text(channels)}: {text(one.reason)}</li>"


def grouped(plots: Sequence[PlotData]) -> list[list[PlotData]]:
    """Return plots in pictures: channels of one kind and unit together, the others alone."""
    groups: dict[tuple[str, ...], list[PlotData]] = {}
    for plot in plots:
        alone = plot.kind in _ALONE
        key = (plot.kind, plot.title, plot.channel) if alone else (plot.kind, plot.x_label, plot.y_label)
        groups.setdefault(key, []).append(plot)
    return list(groups.values())


def _title(group: Sequence[PlotData]) -> str:
    first = group[0]
    return first.title if len({plot.title for plot in group}) == 1 else first.title.replace(first.channel, "").strip()


def _note(group: Sequence[PlotData]) -> str:
    channels = ", ".join(filter(None, (plot.channel for plot in group)))
    if group[0].kind == "allan":
        return f"{channels}; dashed: fit; dotted: slopes of {group[0].channel or 'the fit'}; band: 95 %".strip("; ")
    return channels


def _channel_table(group: Group) -> Html:
    laid = any(line.expected for line in group.lines)
    names = "".join(f'<th class="n">{text(channel)}</th>' for channel in group.channels)
    head = f"<th>figure</th><th>unit</th>{names}{'<th>datasheet</th>' if laid else ''}<th>holds</th>"
    rows = (
        row([_name(line), _unit(line), *map(_cell, line.cells), *_sheet(line, laid), _how(line)])
        for line in group.lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _whole_table(lines: Sequence[Line]) -> Html:
    laid = any(line.expected for line in lines)
    head = f'<th>figure</th><th class="n">value</th><th>unit</th>{"<th>datasheet</th>" if laid else ""}<th>holds</th>'
    rows = (row([_name(line), _cell(line.cells[0]), _unit(line), *_sheet(line, laid), _how(line)]) for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _name(line: Line) -> Html:
    return f"<th>{text(line.metric.replace('_', ' '))}<small>{text(line.meaning)}</small></th>"


def _unit(line: Line) -> Html:
    return f'<td class="u">{text(line.unit)}</td>'


def _cell(cell: Cell) -> Html:
    if not cell.value:
        return '<td class="n"></td>'
    if cell.value == "unknown":
        return f'<td class="n unknown" title="{text(cell.why)}">unknown</td>'
    told = f"<small>{text(cell.interval)}</small>" if cell.interval else ""
    verdict = f" {tag(cell.verdict, _TAGS.get(cell.verdict, ''))}" if cell.verdict not in ("", "meets") else ""
    return f'<td class="n" title="{text(cell.why)}">{text(cell.value)}{told}{verdict}</td>'


def _sheet(line: Line, laid: bool) -> list[Html]:
    if not laid:
        return []
    met = bool(line.expected) and all(cell.verdict in ("", "meets") for cell in line.cells)
    return [f"<td>{text(line.expected)} {tag('meets', 'good') if met else ''}</td>"]


def _how(line: Line) -> Html:
    method = f"<small>{text(line.method)}</small>" if line.method else ""
    note = f"<small>{text(line.note)}</small>" if line.note else ""
    return f'<td class="how">{text(line.condition)}{method}{note}</td>'
