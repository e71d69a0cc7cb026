"""Draws the curves of a measurement: each kind of plot as its field draws it.

Rule of this room: a plot shows what its figures were found from, with intervals, and names what is named (slopes, lines
of the spectrum, marks). Channels of one unit share a picture. Long curves are thinned to what can be seen, extremes
kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hil.measure.figure import PlotData
from hil.report.drawmap import field_map
from hil.report.svg import FAINT, INK, PAPER, canvas, colour, svg
from hil.report.words import scale_for, unit_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KINDS", "draw", "thinned"]

Array = npt.NDArray[Any]

MOST_POINTS = 700
"""Points of a curve, at most."""


def draw(plots: Sequence[PlotData], labels: Sequence[str] | None = None) -> str:
    """Return one picture of plots of one kind and unit.

    Args:
        plots: At least one; several are laid over each other.
        labels: What each is called; by default its channel.
    """
    first = plots[0]
    names = list(labels or (plot.channel for plot in plots))
    drawer, size = KINDS.get(first.kind, (_curves, (6.2, 3.4)))
    with canvas(*size, salt=f"{first.kind} {first.stream} {first.title} {names}") as (picture, axes):
        drawer(axes, plots, names)
        return svg(picture, f"{first.title} of {first.stream} {', '.join(filter(None, names))}".strip())


def thinned(x: Array, y: Array, log_x: bool, most: int = MOST_POINTS) -> tuple[Array, Array]:
    """Return a curve of at most `most` points: in every piece of the axis the least and the greatest stay."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x) <= most:
        return x, y
    usable = x > 0 if log_x else np.ones(len(x), bool)
    x, y = x[usable], y[usable]
    place = np.log(x) if log_x else x
    span = place[-1] - place[0]
    pieces = np.minimum(((place - place[0]) / (span or 1.0) * (most // 2)).astype(int), most // 2 - 1)
    keep: list[int] = []
    for start, stop in zip(*_runs(pieces), strict=True):
        part = y[start:stop]
        if np.isfinite(part).any():
            keep += sorted({start + int(np.nanargmin(part)), start + int(np.nanargmax(part))})
    return x[keep], y[keep]


def _runs(pieces: Array) -> tuple[Array, Array]:
    starts = np.concatenate(([0], np.flatnonzero(np.diff(pieces)) + 1))
    return starts, np.append(starts[1:], len(pieces))


def _axes(axes: "Axes", plot: PlotData) -> None:
    axes.set_xlabel(_label(plot.x_label))
    axes.set_ylabel(_label(plot.y_label))
    if plot.log_x:
        axes.set_xscale("log")
    if plot.log_y:
        axes.set_yscale("log")


def _label(text: str) -> str:
    """Return a label such as `density, g/sqrt(Hz)` with its unit as people write it."""
    name, found, unit = text.rpartition(", ")
    return f"{name} ({unit_words(unit)})" if found and unit_words(unit) else name or text


def _scaled(axes: "Axes", label: str, ends: Sequence[float], vertical: bool) -> float:
    """Label an axis in the unit that keeps its numbers short; return what readings are to be divided by."""
    name, found, unit = label.rpartition(", ")
    if not found:
        return 1.0
    scale = scale_for(unit, ends)
    words = f"{name} ({scale.unit})" if scale.unit else name
    (axes.set_ylabel if vertical else axes.set_xlabel)(words)
    return scale.factor


def _curves(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    for at, (plot, name) in enumerate(zip(plots, names, strict=True)):
        arrays = plot.arrays
        _band(axes, plot, colour(at))
        axes.plot(*thinned(arrays["x"], arrays["y"], plot.log_x), color=colour(at), label=name or None, gid=f"c{at}")
    _marks(axes, plots)
    _axes(axes, plots[0])
    _legend(axes, names)


def _only(plot: PlotData, *names: str) -> dict[str, Array]:
    return {name: plot.arrays[name] for name in names if name in plot.arrays}


def _band(axes: "Axes", plot: PlotData, ink: str) -> None:
    arrays = plot.arrays
    if "low" in arrays and "high" in arrays and len(arrays["low"]) == len(arrays["x"]):
        low, high = thinned(arrays["x"], arrays["low"], plot.log_x), thinned(arrays["x"], arrays["high"], plot.log_x)
        if len(low[0]) == len(high[0]) and np.array_equal(low[0], high[0]):
            axes.fill_between(low[0], low[1], high[1], color=ink, alpha=0.18, linewidth=0)


def _legend(axes: "Axes", names: Sequence[str]) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1 or any(names):
        axes.legend(handles, labels, ncols=min(len(labels), 6), loc="lower left", bbox_to_anchor=(0, 1.0),
                    borderaxespad=0.2, handlelength=1.4, columnspacing=1.2)  # fmt: skip


_VEIL = {"boxstyle": "square,pad=0.12", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.8}
"""Behind a name that stands on a curve."""


def _marks(axes: "Axes", plots: Sequence[PlotData], most: int = 6) -> None:
    """Name the marked places; what one channel has named the others need not name again."""
    named: list[float] = []
    span = np.concatenate([plot.arrays["x"] for plot in plots])
    for place, words in sorted((mark for plot in plots for mark in plot.marks), key=lambda mark: mark[1] == "line"):
        near = [other for other in named if _close(other, place, span, plots[0].log_x)]
        if not near and len(named) < most:
            named.append(place)
            text = f"{place:.3g} Hz" if words == "line" else words
            axes.axvline(place, color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)))
            axes.annotate(text, (place, 1.0), xycoords=("data", "axes fraction"), xytext=(2, -2), va="top",
                          textcoords="offset points", rotation=90, fontsize=7, color=INK, bbox=_VEIL)  # fmt: skip


def _close(one: float, other: float, span: Array, log: bool) -> bool:
    """Whether two places of an axis are so near that their names would lie over each other."""
    low, high = (float(end) for end in (np.nanmin(span[span > 0]) if log else np.nanmin(span), np.nanmax(span)))
    if log:
        return bool(abs(np.log(one / other)) < 0.035 * np.log(high / low))
    return abs(one - other) < 0.035 * (high - low)


_CURVES = ("x", "y", "low", "high", "fit")
_NAMED = {
    "quantisation": "quantisation, slope −1", "white": "white noise, slope −½",
    "bias_instability": "bias instability, slope 0", "rate_random_walk": "rate random walk, slope +½",
    "rate_ramp": "rate ramp, slope +1",
}  # fmt: skip
_SISTERS = {"modified": (0, (3, 1, 1, 1)), "hadamard": (0, (5, 1, 1, 1, 1, 1))}
"""Deviations of other kinds beside the Allan deviation, and their dashes."""


def _allan(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    for at, (plot, name) in enumerate(zip(plots, names, strict=True)):
        arrays, ink = plot.arrays, colour(at)
        _band(axes, plot, ink)
        axes.plot(arrays["x"], arrays["y"], color=ink, marker="o", markersize=2.6, linewidth=1.0, label=name or None)
        if "fit" in arrays:
            axes.plot(arrays["x"], arrays["fit"], color=ink, linestyle=(0, (4, 2)), linewidth=1.0)
        for sister, dashes in _SISTERS.items() if at == 0 else ():
            if sister in arrays:
                label = f"{sister} {name}".strip()
                axes.plot(arrays["x"], arrays[sister], color=FAINT, linestyle=dashes, linewidth=0.8, label=label)
    _axes(axes, plots[0])
    limits = _sensible([plot.arrays["y"] for plot in plots])
    if limits is not None:
        axes.set_ylim(*limits)
    _named_slopes(axes, plots[0], limits)
    _legend(axes, names)


def _sensible(curves: Sequence[Array]) -> tuple[float, float] | None:
    known = np.concatenate([curve[np.isfinite(curve) & (curve > 0)] for curve in curves])
    # Room below for slopes that pass the curve, above for the bands at its end.
    return (float(known.min()) / 2.2, float(known.max()) * 2.2) if len(known) else None


def _named_slopes(axes: "Axes", plot: PlotData, limits: tuple[float, float] | None) -> None:
    """Draw the slopes of the first channel only, each with its name where it is nearest to the curve."""
    x = np.asarray(plot.arrays["x"], np.float64)
    told: list[float] = []
    for name in plot.arrays:
        if name in _CURVES or name in _SISTERS:
            continue
        line = np.asarray(plot.arrays[name], np.float64)
        usable = np.isfinite(line) & (line > 0)
        if limits is not None:
            usable &= (line > limits[0]) & (line < limits[1])
        if usable.sum() < 1:
            continue
        axes.plot(x[usable], line[usable], color=FAINT, linewidth=0.9, linestyle=(0, (1, 1.6)))
        near = np.abs(np.log(line[usable] / np.asarray(plot.arrays["y"], np.float64)[usable]))
        at = int(np.nanargmin(near)) if np.isfinite(near).any() else 0
        place = x[usable][at], line[usable][at]
        lower = any(abs(np.log10(place[0] / other)) < 0.5 for other in told)
        told.append(place[0])
        axes.annotate(_NAMED.get(name, name.replace("_", " ")), place, xytext=(4, -24 if lower else -13),
                      textcoords="offset points", fontsize=8, color=INK, bbox=_VEIL)  # fmt: skip


def _spectrum(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    """Draw densities; the band stands behind a single one only, several would hide each other."""
    shown = plots if len(plots) == 1 else [replace(plot, arrays=_only(plot, "x", "y")) for plot in plots]
    _curves(axes, shown, names)
    for line in axes.get_lines():
        line.set_linewidth(0.9)
        line.set_alpha(0.85 if len(plots) > 1 else 1.0)


def _histogram(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    """Draw distributions; where several lie far apart each is drawn about its own mean."""
    drawn = [(np.asarray(plot.arrays["x"], np.float64), np.asarray(plot.arrays["y"], np.float64)) for plot in plots]
    widths = [float(np.ptp(edges)) for edges, _ in drawn]
    everything = float(max(edges.max() for edges, _ in drawn) - min(edges.min() for edges, _ in drawn))
    apart = len(plots) > 1 and everything > 3 * max(widths)
    label = plots[0].x_label
    name, found, unit = label.rpartition(", ")
    about = f"{name} less its mean, {unit}" if apart and found else label
    factor = _scaled(axes, about, [max(widths) if apart else max(map(abs, _ends(drawn)))], vertical=False)
    for at, ((edges, counts), told) in enumerate(zip(drawn, names, strict=True)):
        middle = float(np.average((edges[1:] + edges[:-1]) / 2, weights=counts)) if apart and counts.sum() else 0.0
        share = counts / max(counts.sum(), 1.0) * 100
        axes.stairs(share, (edges - middle) / factor, color=colour(at), fill=len(plots) == 1,
                    alpha=0.55 if len(plots) == 1 else 1.0, label=told or None, linewidth=1.1)  # fmt: skip
    axes.set_ylabel("share of the readings (%)")
    if max(float(counts.max(initial=0)) / max(counts.sum(), 1.0) for _, counts in drawn) > 0.4:
        axes.set_yscale("log")  # one bin holds nearly all: the others would not be seen
    _legend(axes, names)


def _ends(drawn: Sequence[tuple[Array, Array]]) -> list[float]:
    return [float(end) for edges, _ in drawn for end in (edges.min(), edges.max())]


def _clock(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    _axes(axes, plots[0])
    for at, plot in enumerate(plots):
        arrays, ink = plot.arrays, colour(at)
        if "below" in arrays and "above" in arrays:
            axes.fill_between(arrays["x"], arrays["below"], arrays["above"], color=ink, alpha=0.18, linewidth=0,
                              label="uncertainty")  # fmt: skip
        axes.plot(*thinned(arrays["x"], arrays["y"], False), color=ink, linewidth=1.0, label="clock")
    _legend(axes, ["clock"])


def _overlay(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    plot = plots[0]
    for at, key in enumerate(("reference", "y")):
        if key in plot.arrays:
            label = "reference" if key == "reference" else plot.channel or plot.stream
            axes.plot(*thinned(plot.arrays["x"], plot.arrays[key], False), color=colour(1 - at), label=label)
    _marks(axes, plots)
    _axes(axes, plot)
    _legend(axes, ["y"])


def _several(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    """Draw every array of a plot that is as long as x as a curve of its own name."""
    plot = plots[0]
    keys = [key for key in plot.arrays if key != "x" and len(plot.arrays[key]) == len(plot.arrays["x"])]
    for at, key in enumerate(keys):
        axes.plot(*thinned(plot.arrays["x"], plot.arrays[key], plot.log_x), color=colour(at), label=key, linewidth=1.0)
    _marks(axes, plots)
    _axes(axes, plot)
    _legend(axes, keys)


Drawer = Callable[["Axes", Sequence[PlotData], Sequence[str]], None]

KINDS: Mapping[str, tuple[Drawer, tuple[float, float]]] = {
    "allan": (_allan, (6.2, 3.9)), "spectrum": (_spectrum, (6.2, 3.6)), "histogram": (_histogram, (6.2, 3.2)),
    "map": (field_map, (4.4, 3.3)), "correlation": (field_map, (4.4, 3.3)), "clock": (_clock, (6.2, 3.2)),
    "overlay": (_overlay, (6.2, 3.2)), "orientation": (_several, (6.2, 3.2)),
}  # fmt: skip
"""Who draws which kind, and how large in inches."""
