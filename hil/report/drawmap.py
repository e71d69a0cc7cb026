"""Draws what has one value a place: pictures of an array of pixels, and how channels go together.

Rule of this room: colours tell at a glance, and the value stands on each field where there are few of them. A place
without a value is a cross.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hil.measure.figure import PlotData
from hil.report.words import scale_for, unit_words, value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["field_map"]

Array = npt.NDArray[Any]


def field_map(axes: "Axes", plots: Sequence[PlotData], names: Sequence[str]) -> None:
    """Draw the first of the plots: `z` as fields, with a scale beside them."""
    plot = plots[0]
    z = np.asarray(plot.arrays["z"], np.float64)
    diverging = plot.kind == "correlation"
    extremes: dict[str, Any] = {"vmin": -1.0, "vmax": 1.0, "cmap": "RdBu_r"} if diverging else {"cmap": "viridis"}
    mesh = axes.pcolormesh(z, edgecolors="none", **extremes, rasterized=z.size > 4096)
    axes.invert_yaxis()
    axes.set_aspect("equal" if max(z.shape) <= 3 * min(z.shape) else "auto")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    figure = axes.get_figure()
    if figure is not None:
        bar = figure.colorbar(mesh, ax=axes, shrink=0.86)
        bar.outline.set_visible(False)
        bar.set_label("" if diverging else unit_words(_unit_of(plot.y_label)))
    if plot.names and len(plot.names) == z.shape[0] == z.shape[1]:
        axes.set_xticks(np.arange(len(plot.names)) + 0.5, plot.names)
        axes.set_yticks(np.arange(len(plot.names)) + 0.5, plot.names)
    else:
        for setter, count in ((axes.set_yticks, z.shape[0]), (axes.set_xticks, z.shape[1])):
            shown = range(0, count, max(1, count // 8))
            setter([at + 0.5 for at in shown], [str(at) for at in shown])
    axes.tick_params(length=0)
    if z.size <= 100:
        _numbers(axes, z, mesh, "1" if diverging else _unit_of(plot.y_label))


def _numbers(axes: "Axes", z: Array, mesh: Any, unit: str) -> None:
    """Write each value on its field, dark on light fields and light on dark ones."""
    known = z[np.isfinite(z)]
    scale = scale_for(unit, [float(np.abs(known).max())] if len(known) else [])
    step = float(np.ptp(known)) / 12 if len(known) else 0.0
    for (row, column), given in np.ndenumerate(z):
        shade = mesh.cmap(mesh.norm(given))
        ink = "#ffffff" if 0.299 * shade[0] + 0.587 * shade[1] + 0.114 * shade[2] < 0.55 else "#101010"
        words = "×" if not np.isfinite(given) else value(float(given), given - step, given + step, scale)
        axes.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=7.5, color=ink)


def _unit_of(label: str) -> str:
    return label.rpartition("; ")[2] if "; " in label else "1"
