"""One self-contained HTML page of what picking saves: the curves, the labels needed, who chose what.

Rule of this room: plain values of the experiment in, a page out; nothing is computed but places.
"""

from collections.abc import Mapping
from typing import Any

from hil.report.html import Html, facts, page, picture, row, tag, text
from hil.report.svg import FAINT, INK, canvas, colour, svg

__all__ = ["pick_page"]

Plain = Mapping[str, Any]

GOAL = 0.5
"""Share of random picking's labels that is hoped for."""


def pick_page(found: Plain) -> Html:
    """Return the page of a learning curve.

    Args:
        found: Of `hil.picking.curve.measure_curve`.

    Raises:
        MissingPart: Matplotlib is not installed.
    """
    plan, full = found["plan"], found["full_pool_macro_f1"]
    body = ["<h1>Labels needed, picked and at random</h1>", f"<p>{text(_sentence(found))} {_verdict(found)}</p>"]
    body.append(facts([
        ("stretch", f"{found['stretch_s']:g} s"), ("stretches", found["pool_stretches"]),
        ("people", len(found["people"])), ("folds", plan["folds"]), ("seeds", plan["seeds"]),
        ("first seed", plan["seed"]), ("labels at once", plan["batch"]),
        ("all labels", f"macro-F1 {full['value']:.3f} ({full['low']:.3f} to {full['high']:.3f})"),
        ("target", f"{found['target_macro_f1']:.3f} ({found['share']:.0%})"),
    ]))  # fmt: skip
    body.append(picture(_curves(found), "macro-F1 on people outside the pool", "band: 95 % of draws"))
    body.append(picture(_ratios(found), "labels needed, as a share of what random picking needs", "bars: 95 %"))
    rows = [
        _row("td", name, found["about"].get(name, "the strategy that each pool chose, on its own people"),
             _told(one["needed"], 0), _told(one["ratio"], 2) if one["ratio"] else "",
             str(one["draws_that_never_reach"]))
        for name, one in found["strategies"].items()
    ]  # fmt: skip
    head = _row("th", "strategy", "takes", "labels needed", "of random's", "draws that never reach")
    body.append(f"<table>{head}{''.join(rows)}</table>")
    chosen = [
        _row("td", ", ".join(one["judges"]), one["strategy"],
             ", ".join(f"{name} {'never' if most is None else f'{most:.0f}'}"
                       for name, most in one["needed_inside"].items()))
        for one in found["choices"]
    ]  # fmt: skip
    body.append("<h2>What each pool chose</h2>")
    body.append(f"<table>{_row('th', 'judges', 'chosen', 'labels needed inside the pool')}{''.join(chosen)}</table>")
    made = (f"Intervals are 95 %, of {found['resamples']} draws of people and seeds, the same for all strategies. "
            "Made by hil pick --curve.")  # fmt: skip
    return page("labels needed", body, found, made)


def _sentence(found: Plain) -> str:
    one = found["strategies"]["chosen"]
    return (
        f"To reach {found['share']:.0%} of what all labels give, picking needs {_told(one['needed'], 0)} labels where "
        f"random picking needs {_told(found['strategies']['random']['needed'], 0)}: {_told(one['ratio'], 2)} of them."
    )


def _verdict(found: Plain) -> Html:
    ratio = found["strategies"]["chosen"]["ratio"]
    if ratio["high"] is None or ratio["high"] >= 1:
        return tag("not clear of random", "bad")
    return tag("fewer", "good") if ratio["value"] <= GOAL else tag("fewer, above half", "warn")


def _row(kind: str, *cells: str) -> Html:
    return row(f"<{kind}>{text(cell)}</{kind}>" for cell in cells)


def _told(one: Plain, digits: int) -> str:
    value, low, high = ("never" if one[key] is None else f"{one[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _curves(found: Plain) -> str:
    with canvas(6.6, 3.8, "curves") as (drawn, axes):
        axes.axhline(found["full_pool_macro_f1"]["value"], color=FAINT, linewidth=0.9)
        axes.axhline(found["target_macro_f1"], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        for at, (name, one) in enumerate(found["strategies"].items()):
            # Often the chosen one is the same in every fold: that one is then seen inside a wide pale line.
            width, alpha, above = (5.0, 0.4, 1.5) if name == "chosen" else (1.2, 1.0, 2.0)
            axes.plot(found["budgets"], one["macro_f1"], color=colour(at), label=name, linewidth=width, alpha=alpha,
                      zorder=above)  # fmt: skip
            if name in ("random", "chosen"):
                axes.fill_between(found["budgets"], one["low"], one["high"], color=colour(at), alpha=0.12, linewidth=0)
        axes.set(xlabel="stretches with a label", ylabel="macro-F1", xlim=(0, found["budgets"][-1]))
        axes.legend(loc="lower right")
        return svg(drawn, "macro-F1 by labels, each strategy; dashed: the target; thin: all labels")


def _ratios(found: Plain) -> str:
    shown = [(name, one["ratio"]) for name, one in found["strategies"].items() if one["ratio"]]
    known = [one[key] for _, one in shown for key in ("value", "high") if one[key] is not None]
    end = max(1.3, min(max(known, default=1.0) * 1.1, 3.0))
    with canvas(6.6, 0.8 + 0.3 * len(shown), "ratios") as (drawn, axes):
        axes.axvline(1.0, color=INK, linewidth=0.9)
        axes.axvline(GOAL, color=FAINT, linewidth=0.9, linestyle=(0, (4, 2)))
        for at, (_, one) in enumerate(shown):
            low, high = (end if one[key] is None else min(one[key], end) for key in ("low", "high"))
            axes.plot([low, high], [at, at], color=colour(at + 1), linewidth=5, solid_capstyle="butt", alpha=0.45)
            if one["value"] is not None and one["value"] <= end:
                axes.plot([one["value"]], [at], "o", color=colour(at + 1))
        axes.set_yticks(range(len(shown)), [name for name, _ in shown])
        axes.set(xlim=(0, end), ylim=(-0.6, len(shown) - 0.4), xlabel="1: as many as random; dashed: half")
        return svg(drawn, "labels needed as a share of random picking's")
