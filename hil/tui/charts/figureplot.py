"""What stands below a figure's title: margins for axes where there is room, dots between them, or why there are none.

Rule of this room: it draws what every figure has alike and knows none of them; what the dots are belongs to the chart.
"""

from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from hil.tui.charts import canvas
from hil.tui.charts.axes import GUTTER
from hil.tui.charts.cells import DIM, Cells, blank, put
from hil.tui.charts.figuretitle import nothing
from hil.views.figure import FigureView

__all__ = ["FigurePlot", "figure_plot"]


@dataclass(frozen=True, slots=True)
class FigurePlot:
    """Cells with margins.

    Attributes:
        cells: All of them, margins included.
        rows: Rows for dots.
        columns: Columns for dots.
        gutter: Cells left of the dots, for the value axis; 0 where there is no room for it.
        foot: Rows below the dots, for the lower axis; 0 where there is no room for it.
    """

    cells: Cells
    rows: int
    columns: int
    gutter: int
    foot: int

    def holds(self, figure: FigureView | None) -> TypeGuard[FigureView]:
        """Return whether there is room and something to draw; write why not, where there is only room."""
        return self.rows > 0 and self.columns > 1 and not nothing(self.cells, figure, self.gutter)

    def dots(self, bits: canvas.Bits, inks: npt.ArrayLike) -> None:
        """Lay dots between the margins.

        Args:
            bits: Dots of each cell, rows by columns.
            inks: Ink of each cell, or one for all.
        """
        area = np.s_[: self.rows, self.gutter :]
        self.cells.codes[area] = canvas.GLYPHS.take(bits)
        self.cells.inks[area] = inks

    def beneath(self, span: tuple[float, float], edge: str, most: int = 8) -> None:
        """Draw the lower axis, where there is room: round values, and what the axis is at its end.

        Args:
            span: Values at the first and the last dot.
            edge: What is written at the right end.
            most: Marks, at most.
        """
        if not self.foot:
            return
        width, row = self.cells.size[0], self.cells.size[1] - 1
        put(self.cells, self.gutter, row, "─" * self.columns, DIM)
        if self.gutter:
            put(self.cells, self.gutter - 1, row, "└", DIM)
        free = self.gutter
        for tick in canvas.ticks(*span, max(1, min(most, self.columns // 12))):
            column = self.gutter + round((tick.value - span[0]) / (span[1] - span[0]) * (self.columns - 1))
            words = f"┴{tick.label}"
            if free <= column and column + len(words) <= width - len(edge):
                put(self.cells, column, row, words, DIM)
                free = column + len(words)
        put(self.cells, width - len(edge), row, edge, DIM)


def figure_plot(width: int, height: int) -> FigurePlot:
    """Return an empty plot of `width` by `height` cells; margins give way before dots do."""
    foot = 1 if height >= 4 else 0
    gutter = GUTTER if width >= 3 * GUTTER else 0
    return FigurePlot(blank(width, height), height - foot, width - gutter, gutter, foot)
