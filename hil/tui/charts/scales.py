"""One scale for all plots of a unit, where a person asked for it.

Rule of this room: pure. A scale in use is held while the readings stay inside it, as that of a single plot is.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from hil.tui.charts import canvas
from hil.tui.charts.chart import Panel
from hil.views.stream import StreamView

__all__ = ["shared"]

Axes = Mapping[str, tuple[float, float]]


def shared(panels: Iterable[Panel], streams: Mapping[tuple[str, str], StreamView], held: Axes) -> Axes:
    """Return the range of every unit over all of its plots.

    Args:
        panels: The plots.
        streams: Their streams by board and name.
        held: The ranges in use.
    """
    found: dict[str, list[canvas.Float32]] = {}
    for panel in panels:
        stream = streams.get((panel.board, panel.stream))
        if stream is not None and not panel.is_image:
            rows = list(panel.channels)
            found.setdefault(panel.unit, []).extend((stream.low[rows].ravel(), stream.high[rows].ravel()))
    every = {unit: np.concatenate(parts) for unit, parts in found.items()}
    return {unit: canvas.limits(values, values, held.get(unit)) for unit, values in every.items()}
