"""One self-contained HTML page of a comparison: verdicts with effects, curves of A and B over each other.

Rule of this room: as on the page of a measurement. What was not compared stands there with what to record instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hil.measure.compare import Side
from hil.measure.comparison import BETTER, DIFFERENT, REFUSED, SAME, WORSE, Comparison, Row
from hil.measure.figure import PlotData
from hil.report.draw import draw
from hil.report.html import Html, facts, finding_list, page, picture, row, tag, text
from hil.report.svg import FAINT, INK, canvas, colour, svg
from hil.report.text import ORDER, length_words
from hil.report.words import duration, effect, interval, scale_for, value

__all__ = ["comparison_page"]

_TAGS = {BETTER: "better", SAME: "same", WORSE: "worse", DIFFERENT: "different", REFUSED: "warn"}
_OVERLAID = ("allan", "spectrum", "histogram")
MOST_PICTURES = 24
"""Pictures of A against B, at most; those of figures that differ go first."""


def comparison_page(comparison: Comparison, a: Side, b: Side) -> Html:
    """Return the page of a comparison.

    Args:
        comparison: What was found.
        a: The first side, for its curves.
        b: The second side.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    told = comparison.facts
    sides = [("A", told["a"]), ("B", told["b"])]
    body = ["<h1>B against A</h1>"]
    body += [facts([(letter, side["name"]), ("length", duration(side["duration_s"])),
                    ("recordings", len(side["members"]))]) for letter, side in sides]  # fmt: skip
    counts = "".join(f" {tag(f'{count} {verdict}', _TAGS[verdict])}" for verdict, count in comparison.counts.items())
    body.append(f"<p>{counts}</p>")
    body.append(f'<p class="soft">{told["judged"]} figures are judged together. {text(told["control"])}.</p>')
    said = [("bad", one.stream, f"{one.what}; {one.instead}") for one in comparison.refused]
    said += [("note", "", remark) for remark in comparison.remarks]
    body.append(finding_list(said) if said else "")
    body += _effects([one for one in comparison if one.effect_unit == "%" and one.effect is not None])
    body += _curves(comparison, a, b)
    see = told.get("see")
    body.append('<h2>Every figure</h2><div class="scroll">' + _table(comparison, see) + "</div>")
    made = "Intervals are 95 % each, verdicts are adjusted for how many figures are judged. Made by hil compare."
    return page("B against A", body, comparison.as_dict(), made)


def _effects(rows: Sequence[Row]) -> Iterator[Html]:
    """Draw the changes in percent, the surest first."""
    shown = sorted(rows, key=lambda one: one.p if one.p is not None else 1.0)[:20]
    if not shown:
        return
    with canvas(7.6, 0.9 + 0.23 * len(shown), "effects") as (drawn, axes):
        for at, one in enumerate(reversed(shown)):
            ink = {BETTER: colour(2), WORSE: colour(1)}.get(one.verdict, FAINT)
            low, high = (_clipped(end) for end in (one.low, one.high))
            axes.plot([low, high], [at, at], color=ink, linewidth=2.2, solid_capstyle="butt")
            axes.plot([_clipped(one.effect)], [at], marker="o", markersize=4, color=ink, linestyle="none")
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(shown)), [_name(one) for one in reversed(shown)], fontsize=8)
        axes.set_xlabel("change from A to B (%), with 95 % interval")
        axes.set_ylim(-0.7, len(shown) - 0.3)
        yield picture(svg(drawn, "changes from A to B"), "Effects, the surest first", size="large")


def _clipped(percent: float | None) -> float:
    return max(-100.0, min(400.0, percent or 0.0))


def _name(one: Row) -> str:
    return " ".join(part for part in (one.channel, one.metric.replace("_", " ")) if part)


def _curves(comparison: Comparison, a: Side, b: Side) -> Iterator[Html]:
    """Draw the curves of the first recording of each side over each other, those that differ first."""
    ours, theirs = (_plots(side) for side in (a, b))
    refused = {ruling.stream for ruling in comparison.refused}
    differ = {(one.stream, one.channel) for one in comparison if one.verdict in (BETTER, WORSE)}
    keys = [key for key in theirs if key in ours and key[1] not in refused]
    keys.sort(key=lambda key: ((key[1], key[2]) not in differ, _OVERLAID.index(key[0])))
    pictures = []
    for key in keys[:MOST_PICTURES]:
        pair = [_bare(side[key]) for side in (ours, theirs)]
        title = f"{key[2] or key[1]}: {pair[0].title.replace(pair[0].channel, '').strip()}"
        pictures.append(picture(draw(pair, ("A", "B")), title))
    if pictures:
        yield f'<h2>A and B</h2><div class="plots">{"".join(pictures)}</div>'
    if len(keys) > MOST_PICTURES:
        yield f'<p class="soft">{len(keys) - MOST_PICTURES} more curves are alike or left out here.</p>'


def _plots(side: Side) -> dict[tuple[str, str, str], PlotData]:
    member = side.members[0]
    found = {}
    for plot in member.measurement.plots.values():
        board, _, stream = plot.stream.partition("/")
        if board == member.board and plot.kind in _OVERLAID:
            found[plot.kind, stream, plot.channel] = plot
    return found


def _bare(plot: PlotData) -> PlotData:
    """Return a plot without the slopes' names, which would be said twice."""
    kept = {name: plot.arrays[name] for name in ("x", "y", "low", "high") if name in plot.arrays}
    return replace(plot, arrays=kept, marks=plot.marks[:3])


def _table(comparison: Comparison, see: float | None) -> Html:
    head = (
        '<th>verdict</th><th>figure</th><th class="n">A</th><th class="n">B</th><th>unit</th>'
        '<th class="n">B against A</th><th>holds</th>'
    )
    rows = sorted(comparison, key=lambda one: ORDER.index(one.verdict))
    lines = "".join(row(_cells(one, see)) for one in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _cells(one: Row, see: float | None) -> Iterator[Html]:
    scale = scale_for(one.unit, [figure.value for figure in (one.a, one.b) if figure is not None])
    yield f"<td>{tag(one.verdict, _TAGS[one.verdict])}</td>"
    yield f"<th>{text(_name(one))}<small>{text(one.stream)}</small></th>"
    for figure in (one.a, one.b):
        if figure is None:
            yield '<td class="n"></td>'
            continue
        numbers = (figure.value, figure.low, figure.high)
        ends = interval(*numbers, scale)
        kind = "n unknown" if figure.value is None else "n"
        yield f'<td class="{kind}">{text(value(*numbers, scale))}{f"<small>{text(ends)}</small>" if ends else ""}</td>'
    yield f"<td>{text(scale.unit)}</td>"
    told, _, ends = effect(one.effect, one.low, one.high, one.effect_unit).partition(" (")
    shown = f"<small>{text(ends.removesuffix(')'))}</small>" if ends else ""
    yield f'<td class="n">{text(told)}{shown}</td>'
    condition = one.b.condition if one.b is not None and one.verdict != REFUSED else one.reason
    words = length_words(one, see)
    yield f'<td class="how">{text(condition)}{f"<small>{text(words)}</small>" if words else ""}</td>'
