"""A measurement or a comparison as lines for a terminal.

Rule of this room: one line a figure, so that it can be searched; widths are the content's own. Nothing is coloured,
nothing is left out.
"""

from collections.abc import Iterator, Sequence

from hil.measure.comparison import BETTER, DIFFERENT, REFUSED, SAME, WORSE, Comparison, Row
from hil.measure.figure import Figure, Measurement
from hil.report.findings import findings
from hil.report.tables import Section, sections
from hil.report.words import duration, effect, interval, scale_for, value

__all__ = ["ORDER", "comparison_lines", "length_words", "measurement_lines"]

ORDER = (WORSE, BETTER, DIFFERENT, SAME, REFUSED)
"""Verdicts in the order in which they are told."""

_SIGNS = {"bad": "✖", "warn": "▲", "note": "·"}


def measurement_lines(measurement: Measurement) -> Iterator[str]:
    """Yield a measurement: what stands out, every figure, what is unknown and why."""
    for one in findings(measurement):
        yield f"{_SIGNS[one.level]} {one.where}: {one.text}"
    for section in sections(measurement):
        yield ""
        yield section.place
        figures = [figure for figure in measurement if figure.stream == section.place and figure.known]
        yield from _aligned([_figure_cells(figure, measurement) for figure in figures])
        yield from _unknown_lines(section)


def _figure_cells(figure: Figure, measurement: Measurement) -> tuple[str, ...]:
    scale = scale_for(figure.unit, (figure.value,))
    numbers = (figure.value, figure.low, figure.high)
    ends = interval(*numbers, scale)
    said = measurement.expected.get(figure.name)
    verdict = "" if said is None else f"[{said['verdict']}] "
    note = f" [{figure.note}]" if figure.note else ""
    return (
        f"  {figure.channel}".rstrip(), figure.metric, value(*numbers, scale), scale.unit, f"({ends})" if ends else "",
        f"{verdict}{figure.condition}{note}",
    )  # fmt: skip


def _unknown_lines(section: Section) -> Iterator[str]:
    for one in section.unknown:
        whose = f" ({', '.join(one.channels)})" if one.channels else ""
        yield f"  unknown{whose}: {', '.join(one.metrics)}: {one.reason}"


def comparison_lines(comparison: Comparison, everything: bool = False) -> Iterator[str]:
    """Yield a comparison: refusals, what differs, what is the same, what was not compared and why."""
    facts = comparison.facts
    for letter in ("a", "b"):
        side = facts[letter]
        yield f"{letter.upper()}: {side['name']} ({duration(side['duration_s'])})"
    for ruling in comparison.refused:
        yield f"✖ {ruling}"
    for remark in comparison.remarks:
        yield f"· {remark}"
    compared = [row for row in comparison if row.verdict != REFUSED]
    if compared:
        yield ""
        head = ("", "figure", "A", "B", "unit", "B against A (95 %)", "")
        rows = sorted(compared, key=lambda row: ORDER.index(row.verdict))
        yield from _aligned([head, *(_row_cells(row, facts.get("see")) for row in rows)])
    left = [row for row in comparison if row.verdict == REFUSED and row.reason]
    by_reason: dict[str, list[str]] = {}
    for row in left:
        by_reason.setdefault(row.reason, []).append(f"{row.channel} {row.metric}".strip())
    for reason, names in by_reason.items():
        shown = names if everything or len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"]
        yield f"  not compared: {', '.join(shown)}: {reason}"
    counts = comparison.counts
    yield ""
    yield ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    yield f"{facts['judged']} figures judged together; {facts['control']}"


def _row_cells(row: Row, see: float | None) -> tuple[str, ...]:
    scale = scale_for(row.unit, [figure.value for figure in (row.a, row.b) if figure is not None])
    sides = ["" if figure is None else value(figure.value, figure.low, figure.high, scale) for figure in (row.a, row.b)]
    return (row.verdict, f"{row.stream} {row.channel} {row.metric}".replace("  ", " ").strip(), *sides, scale.unit,
            effect(row.effect, row.low, row.high, row.effect_unit), length_words(row, see))  # fmt: skip


def length_words(row: Row, see: float | None) -> str:
    """Return how long one must record to see what was asked for, or what would have been seen."""
    if see is not None:
        if row.needs_s is None:
            return ""
        return f"needs {duration(row.needs_s)} for a {100 * see:g} % difference"
    if row.verdict == SAME and row.seen:
        scale = scale_for(row.effect_unit, (row.seen,))
        return f"{value(row.seen, row.seen * 0.5, row.seen * 1.5, scale)} {scale.unit} would have been seen"
    return ""


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
