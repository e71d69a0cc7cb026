"""Draws what a run left to be seen: the seconds around a failure, the whole run, calibration, latency, the clock.

Rule of this room: plain values of an exhibit in, pictures out; nothing is computed but places. Faults are shaded,
labels and decisions stand in strips under the signal they are about, and missing samples are a break in the line.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.report.band import draw_band, strongest
from hil.report.svg import FAINT, GRID, INK, canvas, colour, svg
from hil.report.words import scale_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["clock_plot", "course_plot", "latency_plot", "reliability_plot", "window_plot"]

Plain = Mapping[str, Any]

_BAD = colour(1)
_STRIPS = 7
"""Rows of a strip, at most."""
_MOST_SAID = 40
"""Decisions of a window that are written out, at most."""


def window_plot(window: Plain, exhibit: Plain) -> str:
    """Return the picture of the seconds around a moment."""
    groups = _by_unit(window["channels"], window["units"], window["channel"])
    strips = _strips(exhibit, window["board"], window["from_s"], window["to_s"], window["decisions"])
    band = (window.get("explained") or {}).get("band")
    bands = [0.17 * len(band["added"]) + 0.1] if band else []
    height = 1.9 * len(groups) + 0.5 + 0.24 * len(strips) + sum(bands)
    with canvas(7.4, height, f"window {window['metric']} {window['at_s']}") as (picture, only):
        only.remove()
        ratios = [1.9] * len(groups) + bands + ([0.24 * len(strips) + 0.1] if strips else [])
        rows = np.atleast_1d(picture.subplots(len(ratios), 1, sharex=True, height_ratios=ratios))
        times = np.array([np.nan if t is None else t for t in window["t_s"]], np.float64)
        for axes, (unit, places) in zip(rows, groups, strict=False):
            curves = [np.array(window["values"][at], np.float64) for at in places]
            scale = scale_for(unit, [float(np.nanmax(np.abs(one))) for one in curves if np.isfinite(one).any()])
            for at, curve in zip(places, curves, strict=True):
                axes.plot(times, curve / scale.factor, color=colour(at), linewidth=1.1, label=window["channels"][at])
            _shade(axes, exhibit, window["board"])
            axes.axvline(window["at_s"], color=_BAD, linewidth=1.2, linestyle=(0, (4, 2)))
            axes.set_ylabel(scale.unit or "reading")
            axes.set_xlim(window["from_s"], window["to_s"])
            axes.legend(ncols=9, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.1, handlelength=1.2)
        if band:
            _draw_bands(rows[len(groups)], band)
        if strips:
            _draw_strips(rows[-1], strips, window["from_s"], window["to_s"])
        rows[-1].set_xlabel("time since the first sample (s)")
        return svg(picture, f"{window['metric']}: {window['board']}/{window['stream']} around {window['at_s']:.2f} s")


def course_plot(exhibit: Plain, name: str) -> str:
    """Return the picture of one stream from beginning to end, with faults, labels, decisions and events."""
    stream, board = exhibit["streams"][name], name.partition("/")[0]
    groups = _by_unit(stream["channels"], stream["units"], "")
    end = max(float(exhibit["seconds"]), 1e-3)
    strips = _strips(exhibit, board, 0.0, end, None)
    with canvas(7.4, 1.3 * len(groups) + 0.5 + 0.24 * len(strips), f"course {name}") as (picture, only):
        only.remove()
        ratios = [1.3] * len(groups) + ([0.24 * len(strips) + 0.1] if strips else [])
        rows = np.atleast_1d(picture.subplots(len(ratios), 1, sharex=True, height_ratios=ratios))
        times = np.array(stream["t_s"], np.float64)
        for axes, (unit, places) in zip(rows, groups, strict=False):
            ends = [np.array([stream[side][at] for side in ("low", "high")], np.float64) for at in places]
            scale = scale_for(unit, [float(np.nanmax(np.abs(one))) for one in ends if np.isfinite(one).any()])
            for at, (low, high) in zip(places, ends, strict=True):
                axes.fill_between(times, low / scale.factor, high / scale.factor, color=colour(at), alpha=0.45,
                                  linewidth=0.5, label=stream["channels"][at])  # fmt: skip
            _shade(axes, exhibit, board)
            for window in exhibit["windows"]:
                if window["board"] == board and window["stream"] == name.partition("/")[2]:
                    axes.axvline(window["at_s"], color=_BAD, linewidth=0.9, linestyle=(0, (4, 2)))
            axes.set_ylabel(scale.unit or "reading")
            axes.set_xlim(0, end)
            axes.legend(ncols=9, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.1, handlelength=1.2)
        if strips:
            _draw_strips(rows[-1], strips, 0.0, end)
        rows[-1].set_xlabel("time since the first sample (s)")
        return svg(picture, f"{name} from beginning to end")


def reliability_plot(bins: Sequence[Plain]) -> str:
    """Return how often a model was right, by how sure it was."""
    with canvas(4.6, 3.1, f"reliability {bins[0]}") as (picture, axes):
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
        most = max(one["count"] for one in bins)
        x, y = ([one[key] for one in bins] for key in ("confidence", "accuracy"))
        sizes = [12 + 70 * one["count"] / most for one in bins]
        axes.plot(x, y, color=colour(0), linewidth=1.0)
        axes.scatter(x, y, s=sizes, color=colour(0), zorder=3)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="confidence", ylabel="share that is right")
        return svg(picture, "reliability: share of right decisions by confidence")


def latency_plot(histogram: Plain, deadline_ms: float | None) -> str:
    """Return how long decisions took."""
    with canvas(4.6, 3.1, f"latency {histogram['p50']}") as (picture, axes):
        axes.stairs(histogram["counts"], histogram["edges"], color=colour(0), fill=True, alpha=0.55)
        axes.set_xscale("log")
        axes.set_xlabel("time to compute a decision (ms)")
        axes.set_ylabel("decisions")
        marks = [(histogram["p50"], "p50", INK), (histogram["p99"], "p99", INK), (deadline_ms, "deadline", _BAD)]
        for at, (place, words, ink) in enumerate(mark for mark in marks if mark[0] is not None):
            axes.axvline(place, color=ink, linewidth=0.9, linestyle=(0, (4, 2)))
            axes.annotate(f"{words} {place:.3g}", (place, 1.0), xycoords=("data", "axes fraction"),
                          xytext=(0, 2 + 10 * (at % 3)), textcoords="offset points", fontsize=8, color=ink,
                          ha="center")  # fmt: skip
        low, high = histogram["edges"][0], histogram["edges"][-1]
        ticks = [digit * 10.0**size for size in range(-5, 6) for digit in (1, 2, 5)]
        axes.set_xticks([tick for tick in ticks if low <= tick <= high])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        return svg(picture, "latency of decisions")


def clock_plot(board: Plain, role: str) -> str:
    """Return what the exchanges leave about the line of the clock, with the uncertainty that was judged."""
    rest, fit = board["exchanges"], board["clock"]
    times, below, above = (np.array(rest[key], np.float64) for key in ("t_s", "below_us", "above_us"))
    with canvas(7.4, 2.7, f"clock {role} {fit['offset_ns']}") as (picture, axes):
        axes.fill_between(times, below, above, color=colour(0), alpha=0.2, linewidth=0, label="sent to received")
        axes.plot(times, (below + above) / 2, color=colour(0), linewidth=0.9, label="middle")
        off = (fit["uncertainty_ns"] + (fit["asymmetry_ns"] or 0)) / 1e3
        # A few exchanges that were held up would hide all the others; they run out of the picture.
        reach = max(3 * off, float(np.percentile(np.abs((below, above)), 95))) * 1.15
        axes.set_ylim(-reach, reach)
        for side in (-off, off):
            axes.axhline(side, color=_BAD, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.plot([], [], color=_BAD, linewidth=0.9, linestyle=(0, (4, 2)), label="uncertainty of the offset")
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.set_xlabel("time since the first sample (s)")
        axes.set_ylabel("host less line (µs)")
        axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.1, handlelength=1.4)
        return svg(picture, f"clock of {role}: exchanges about the fitted line")


def _by_unit(channels: Sequence[str], units: Sequence[str], wanted: str) -> list[tuple[str, list[int]]]:
    """Return the places of channels by unit, at most two units; the one that matters alone where there is one."""
    groups: dict[str, list[int]] = {}
    for at, unit in enumerate(units[: len(channels)]):
        groups.setdefault(unit, []).append(at)
    for unit, places in groups.items():
        if wanted in [channels[at] for at in places]:
            return [(unit, places)]
    return list(groups.items())[:2]


Bar = tuple[float, float, str, str]
"""Beginning, end, words, colour."""


def _strips(
    exhibit: Plain, board: str, low: float, high: float, decisions: Sequence[Plain] | None
) -> list[tuple[str, list[Bar]]]:
    """Return the strips under a signal: faults, truths, decisions, events; each with a name and its bars."""
    strips: list[tuple[str, list[Bar]]] = []
    for fault in exhibit["faults"]:
        end = high if fault["to_s"] is None else fault["to_s"]
        if fault["on"].partition("/")[0] in ("", "*", board) and fault["from_s"] < high and end > low:
            strips.append((fault["kind"], [(fault["from_s"], end, "", colour(3))]))
    strips = strips[: _STRIPS - 3]
    labels = exhibit["labels"].get(board) or []
    if labels:
        names = list(dict.fromkeys(text for text, _, _ in labels))
        bars = [(start, high if stop is None else stop, text, colour(names.index(text) + 2))
                for text, start, stop in labels]  # fmt: skip
        strips.append(("label", bars))
    if decisions is not None:
        for model in dict.fromkeys(one["model"] for one in decisions):
            said = [one for one in decisions if one["model"] == model][:_MOST_SAID]
            step = (high - low) / 12
            bars = [(one["t_s"] - step / 2, one["t_s"] + step / 2, f"{one['label']} {one['confidence']:.2f}",
                     _tone(one["label"], one["t_s"], labels)) for one in said]  # fmt: skip
            strips.append((model, bars))
    else:
        strips += [(name, _course(model)) for name, model in exhibit["models"].items() if model["course"]["t_s"]]
    told = [one for one in exhibit["boards"].get(board, {}).get("events", ()) if low <= one["t_s"] <= high]
    if told:
        width = (high - low) / 300
        strips.append(("events", [(one["t_s"] - width, one["t_s"] + width, "", _BAD) for one in told]))
    return strips[:_STRIPS]


def _tone(label: str, at: float, labels: Sequence[Any]) -> str:
    truths = {text for text, start, stop in labels if start <= at and (stop is None or at <= stop)}
    return GRID if not truths else colour(2) if label in truths else _BAD


def _course(model: Plain) -> list[Bar]:
    """Return decisions as bars from one to the next: right, wrong, or without a truth."""
    course = model["course"]
    times, said, truth = course["t_s"], course["said"], course["truth"]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    bars: list[Bar] = []
    for at, t in enumerate(times):
        ink = GRID if truth[at] is None else colour(2) if truth[at] == said[at] else _BAD
        if bars and bars[-1][3] == ink and t - step * 1.5 <= bars[-1][1]:
            bars[-1] = (bars[-1][0], t, "", ink)
        else:
            bars.append((t - step, t, "", ink))
    return bars


def _draw_strips(axes: "Axes", strips: Sequence[tuple[str, list[Bar]]], low: float, high: float) -> None:
    span = high - low
    for row, (_, bars) in enumerate(strips):
        for begin, end, words, ink in bars:
            left, right = max(begin, low), min(end, high)
            if right <= left:
                continue
            axes.broken_barh([(left, right - left)], (row + 0.12, 0.76), facecolor=ink, alpha=0.55, linewidth=0)
            if words and (right - left) > span * 0.0085 * len(words):
                axes.text((left + right) / 2, row + 0.5, words, ha="center", va="center", fontsize=7, color=INK)
    axes.set_yticks([row + 0.5 for row in range(len(strips))], [name for name, _ in strips], fontsize=8)
    axes.set_ylim(len(strips), 0)
    axes.set_xlim(low, high)
    axes.grid(False)
    axes.tick_params(axis="y", length=0)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)


def _draw_bands(axes: "Axes", band: Plain) -> None:
    """Draw what carried the decision, a row for each channel."""
    names, scale = list(band["added"]), strongest(band)
    for row, name in enumerate(names):
        high = 1 - row / len(names)
        draw_band(axes, band["edges_s"], band["added"][name], scale, high - 0.88 / len(names), high)
    axes.set_yticks([row + 0.5 for row in range(len(names))], names, fontsize=7)
    axes.set_ylim(len(names), 0)
    axes.grid(False)
    axes.tick_params(axis="y", length=0)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)


def _shade(axes: "Axes", exhibit: Plain, board: str) -> None:
    for fault in exhibit["faults"]:
        if fault["on"].partition("/")[0] in ("", "*", board):
            end = exhibit["seconds"] if fault["to_s"] is None else fault["to_s"]
            axes.axvspan(max(0.0, fault["from_s"]), end, color=colour(3), alpha=0.1, linewidth=0)
