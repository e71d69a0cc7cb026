"""Draws what a validation found: groups, folds, reliability, risk against coverage, faults, neighbours.

Rule of this room: plain values in, pictures out; nothing is computed but places.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hil.report.svg import FAINT, INK, canvas, colour, svg

__all__ = ["calibration_plot", "faults_plot", "groups_plot", "neighbours_plot", "risk_plot"]

Plain = Mapping[str, Any]


def groups_plot(groups: Sequence[Plain], figure: Plain, by: str) -> str:
    """Return macro-F1 of every group, with the pooled one and its interval."""
    ordered = sorted(groups, key=lambda one: one["macro_f1"])
    with canvas(4.8, 0.9 + 0.24 * len(ordered), f"groups {figure['value']}") as (picture, axes):
        if figure["low"] is not None:
            axes.axvspan(figure["low"], figure["high"], color=colour(0), alpha=0.15, linewidth=0)
        axes.axvline(figure["value"], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.plot([one["macro_f1"] for one in ordered], range(len(ordered)), "o", color=colour(0), markersize=5)
        axes.set_yticks(range(len(ordered)), [one["group"] for one in ordered], fontsize=8)
        axes.set_ylim(-0.7, len(ordered) - 0.3)
        axes.set_xlim(min(0.5, ordered[0]["macro_f1"] - 0.05), 1.0)
        axes.set_xlabel(f"macro-F1 of each {by}; dashed: pooled, with its 95 % interval")
        return svg(picture, f"macro-F1 of each {by}")


def calibration_plot(before: Sequence[Plain], after: Sequence[Plain]) -> str:
    """Return how often decisions were right by how sure they were, before and after the temperature."""
    with canvas(4.6, 3.1, f"calibration {before[:1]}") as (picture, axes):
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        for at, (bins, name) in enumerate(((before, "as it is"), (after, "at the fitted temperature"))):
            if bins:
                most = max(one["count"] for one in bins)
                x, y = ([one[key] for one in bins] for key in ("confidence", "accuracy"))
                axes.plot(x, y, color=colour(at), linewidth=1.0, label=name)
                axes.scatter(x, y, s=[8 + 50 * one["count"] / most for one in bins], color=colour(at), zorder=3)
        axes.legend(loc="upper left")
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="confidence", ylabel="share that is right")
        return svg(picture, "reliability: share of right decisions by confidence")


def risk_plot(curve: Plain) -> str:
    """Return the share of wrong decisions by the share that is taken, the surest first."""
    with canvas(4.6, 3.1, f"risk {curve['aurc']}") as (picture, axes):
        axes.plot(curve["coverage"], curve["risk"], color=colour(0))
        axes.set(
            xlim=(0, 1.02), xlabel="share of decisions that is taken, the surest first", ylabel="share that is wrong"
        )
        axes.set_ylim(bottom=0)
        return svg(picture, "risk against coverage")


def faults_plot(rows: Sequence[Plain], clean: float) -> str:
    """Return macro-F1 under each fault, weak to strong."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    with canvas(6.4, 3.4, f"faults {clean}") as (picture, axes):
        longest = 1
        for at, kind in enumerate(kinds):
            values = [row["macro_f1"] for row in rows if row["kind"] == kind]
            longest = max(longest, len(values))
            axes.plot(range(len(values) + 1), [clean, *values], "o-", markersize=3.5, color=colour(at), label=kind)
        names = ["none", "weak", "medium", "strong"] if longest == 3 else ["none", *map(str, range(1, longest + 1))]
        axes.set_xticks(range(longest + 1), names)
        axes.set_ylim(0, 1)
        axes.set_ylabel("macro-F1 on unseen groups")
        axes.legend(ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return svg(picture, "macro-F1 under faults")


def neighbours_plot(found: Plain, by: str) -> str:
    """Return how far the nearest other window is, in the same group and in the others."""
    sides = [(side, found[side]) for side in ("within", "between") if found[side]]
    with canvas(4.6, 1.6, f"neighbours {found['asked']}") as (picture, axes):
        for at, (_, one) in enumerate(sides):
            low = max(one["low"], 1e-6)
            axes.plot(
                [low, max(one["high"], low)], [at, at], color=colour(at), linewidth=5, solid_capstyle="butt", alpha=0.5
            )
            axes.plot([max(one["median"], low)], [at], "o", color=colour(at))
        names = {"within": f"the same {by}", "between": f"another {by}"}
        axes.set_yticks(range(len(sides)), [names[side] for side, _ in sides])
        axes.set_ylim(-0.6, len(sides) - 0.4)
        if np.min([one["low"] for _, one in sides]) > 0:
            axes.set_xscale("log")
        axes.set_xlabel("distance to the nearest window, quartiles (sd)")
        return svg(picture, "distance to the nearest window")
