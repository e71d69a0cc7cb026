"""One self-contained HTML page of `hil shrink`: how small it gets, what that costs, and how sure that is.

Rule of this room: it arranges plain values, nothing is computed but places. What is unknown reads `unknown`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hil.report.html import Html, facts, finding_list, page, picture, row, text
from hil.report.svg import FAINT, INK, canvas, colour, svg

__all__ = ["against", "bar_sentence", "share", "shrink_page"]

Plain = Mapping[str, Any]


def share(value: float | None) -> str:
    """Return a figure with three digits; `unknown` where there is none."""
    return "unknown" if value is None else f"{value:.3f}"


def against(value: float | None) -> str:
    """Return a difference with its sign."""
    return "unknown" if value is None else f"{value:+.3f}"


def bar_sentence(bar: Plain) -> str:
    """Return what the least shrunk point that is small enough loses."""
    points = 100 * bar["allowed"]
    allowed = f"{points:g} point{'s' if points != 1 else ''}"
    asked = f"{bar['times']:g}x {_WORDS[bar['figure']]}, at most {allowed} of macro-F1 lost"
    if bar["point"] is None:
        return f"{asked}: no point is that small"
    change = bar["change"]
    ends = "" if change["low"] is None else f" ({100 * change['low']:+.1f} to {100 * change['high']:+.1f})"
    kept = "held" if bar["within"] else "not held"
    sure = "" if not bar["within"] or bar["surely"] is not False else ", and these people do not rule out a larger loss"
    return f"{asked}: {kept} by {bar['point']}, {bar['reached']:.1f}x, {100 * change['value']:+.1f} points{ends}{sure}"


def shrink_page(found: Plain) -> Html:
    """Return the page of what `hil shrink --json` prints.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    name, people, rows = found["model"]["name"], found["people"], found["points"]
    body = [f"<h1>{text(name)}, smaller</h1>"]
    folds = [("folds", "; ".join(map(", ".join, found["folds"])))] if "folds" in found else []
    body.append(facts([("judged on", ", ".join(people)), ("learnt from", ", ".join(found["learnt_from"])), *folds,
                       ("decisions", rows[0]["decisions"]), ("seed", found["seed"]),
                       ("epochs", found["plan"]["epochs"])]))  # fmt: skip
    body.append('<p class="soft">Nobody whom a point is judged on was met by it or by its parent. Points in int8 are '
                "scored by the arithmetic that boards run, bit for bit.</p>")  # fmt: skip
    body.append(finding_list([*map(_finding, found["bars"]), *_left_out(found["left_out"])]))
    plots = [
        picture(_plot(rows, key, words), title, "with 95 % intervals")
        for key, words, title in (
            ("bytes", "bytes: float weights, or op list in 8 bits", "Macro-F1 against bytes"),
            ("macs", "multiplications a hop", "Macro-F1 against multiplications"),
        )
    ]
    body.append(f'<div class="plots">{"".join(plots)}</div>')
    body.append(_table(rows))
    body.append("<h2>Each person</h2>" + _people(rows, people))
    body.append("<h2>On a board</h2>" + _boards(rows))
    made = (
        "The front: no other point is as good in macro-F1, bytes and multiplications and better in one. Changes are "
        "against the parent, intervals 95 %, by drawing whole people anew, the same for both. Times are of this "
        "machine, a hop in floating point. Made by hil shrink."
    )
    return page(f"{name}, smaller", body, found, made)


_WORDS = {"smaller": "smaller", "fewer": "fewer multiplications"}


def _finding(bar: Plain) -> tuple[str, str, str]:
    level = "note" if bar["point"] is None else "good" if bar["within"] else "warn"
    return level, "", bar_sentence(bar)


def _left_out(reasons: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [("note", f"left out: {way}", why) for way, why in reasons.items()]


def _plot(rows: Sequence[Plain], key: str, words: str) -> str:
    """Draw macro-F1 with its interval against a cost; the front is a line."""
    with canvas(5.6, 3.6, f"front {key}") as (drawn, axes):
        front = sorted((one for one in rows if one["front"]), key=lambda one: one[key])
        axes.plot([one[key] for one in front], [one["macro_f1"]["value"] for one in front], color=FAINT, linewidth=0.9)
        for at, kind in enumerate(("float32", "int8")):
            some = [one for one in rows if one["arithmetic"] == kind]
            for one in some:
                told = one["macro_f1"]
                if told["low"] is not None:
                    axes.plot([one[key]] * 2, [told["low"], told["high"]], color=colour(at), alpha=0.35, linewidth=3)
                axes.annotate(one["name"], (one[key], told["value"]), (4, 4), textcoords="offset points", fontsize=6.5,
                              color=INK)  # fmt: skip
            axes.plot([one[key] for one in some], [one["macro_f1"]["value"] for one in some], "o", color=colour(at),
                      markersize=5, label=kind)  # fmt: skip
        axes.set_xscale("log")
        axes.set(xlabel=words, ylabel="macro-F1 on unseen people")
        axes.legend(loc="lower right")
        return svg(drawn, f"macro-F1 against {words}")


def _table(rows: Sequence[Plain]) -> Html:
    heads = ["point", "made by", "front", "macro-F1", "low", "high", "change", "low", "high", "bytes", "smaller",
             "MACs a hop", "fewer", "parameters", "p50 ms"]  # fmt: skip
    return _lines(heads, [
        [one["name"], one["method"], "yes" if one["front"] else "",
         *(share(one["macro_f1"][key]) for key in ("value", "low", "high")),
         *(against(one["change"][key]) for key in ("value", "low", "high")), one["bytes"], f"{one['smaller']:.1f}x",
         one["macs"], f"{one['fewer']:.1f}x", one["parameters"], f"{one['p50_ms']:.3f}"] for one in rows
    ])  # fmt: skip


def _people(rows: Sequence[Plain], people: Sequence[str]) -> Html:
    return _lines(["point", *people], [
        [one["name"], *(share(one["people"].get(person)) for person in people)] for one in rows
    ])  # fmt: skip


def _boards(rows: Sequence[Plain]) -> Html:
    some = [one for one in rows if one["board"] is not None]
    if not some:
        return '<p class="soft">No point is in 8-bit integers.</p>'
    return _lines(["point", "flash", "RAM", "multiplications a window"], [
        [one["name"], one["board"]["flash_bytes"], one["board"]["ram_bytes"], one["board"]["macs"]] for one in some
    ])  # fmt: skip


def _lines(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    head = "".join(f'<th class="n">{text(one)}</th>' if at else f"<th>{text(one)}</th>" for at, one in enumerate(heads))
    lines = "".join(
        row([f'<td class="n">{text(cell)}</td>' if at else f"<th>{text(cell)}</th>" for at, cell in enumerate(line)])
        for line in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
