"""The ground of a chart: its value axis with round numbers, its time axis in seconds.

Times count back from the right edge, or from a moment: negative before it, positive after it.

Rule of this room: the same numbers give the same cells, so that a ground is drawn once and kept; the readings are laid
over a copy of it. Axes stand still while readings move, which is why keeping them pays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from hil.tui.charts import canvas
from hil.tui.charts.cells import BAD, DIM, WARN, Cells, blank, put
from hil.tui.charts.units import seconds, signed

__all__ = ["GUTTER", "Band", "ground", "time_axis", "value_axis"]

GUTTER = 8
"""Cells left of the readings: the numbers of the axis and the axis itself."""


@dataclass(frozen=True, slots=True)
class Band:
    """Rows that share a value axis.

    Attributes:
        first: Its uppermost row.
        last: The row below its lowest one.
        span: Readings at the lowest and at the highest dot.
        name: Its channel, where it has only one; else empty.
        ink: Ink of the name.
        channels: All its channels.
    """

    first: int
    last: int
    span: tuple[float, float]
    name: str = ""
    ink: int = DIM
    channels: tuple[str, ...] = ()


def ground(
    size: tuple[int, int], gutter: int, bands: tuple[Band, ...], span_s: float, edge: str, taken: tuple[int, ...],
    zero_s: float | None = None,
) -> Cells:  # fmt: skip
    """Return axes to draw readings onto.

    Args:
        size: Width and height in cells.
        gutter: Cells left of the readings; 0 leaves the value axes out.
        bands: From top to bottom. A row below the last one is the time axis.
        span_s: Seconds that the columns cover.
        edge: What is written at the right end of the time axis.
        taken: Columns of cells in which samples are missing: a cross says so.
        zero_s: The moment from which times count, seconds before the right edge; None: the right edge.
    """
    kept = _drawn(size, gutter, bands, span_s, edge, taken, zero_s)
    return Cells(kept.codes.copy(), kept.inks.copy())


@lru_cache(256)
def _drawn(
    size: tuple[int, int], gutter: int, bands: tuple[Band, ...], span_s: float, edge: str, taken: tuple[int, ...],
    zero_s: float | None,
) -> Cells:  # fmt: skip
    cells = blank(*size)
    if gutter:
        for band in bands:
            value_axis(cells, band.span, band.first, band.last, band.name, band.ink)
    if size[1] > bands[-1].last:
        time_axis(cells, span_s, gutter, edge, set(taken), zero_s)
        cells.codes[-1, taken] = ord("×")
        cells.inks[-1, taken] = BAD
    return cells


def value_axis(cells: Cells, span: tuple[float, float], first: int, last: int, name: str, ink: int) -> None:
    """Draw the left axis into rows `first` to `last`: round numbers, and a name at its top where there is one."""
    rows = last - first
    for row in range(first, last):
        put(cells, GUTTER - 1, row, "│", DIM)

    def placed(marks: Iterable[canvas.Tick]) -> dict[int, str]:
        spots = {first + round((span[1] - tick.value) / (span[1] - span[0]) * (rows - 1)): tick.label for tick in marks}
        return {row: label for row, label in spots.items() if not name or row != first}

    wanted, top = max(2, rows // 3), span[1]
    told = placed(canvas.ticks(*span, wanted))
    if len(told) < 2 and name and rows > 2:  # one number is no scale: the first row belongs to the name
        top = span[1] - (span[1] - span[0]) / (rows - 1)
        told = placed(canvas.ticks(span[0], top, wanted + 1))
    if len(told) < 2:
        told = placed(canvas.Tick(end, canvas.number(end, 3)) for end in (span[0], top))
    for row, label in told.items():
        put(cells, 0, row, f"{label:>{GUTTER - 1}}┤", DIM)
    if name:
        put(cells, 0, first, name[: GUTTER - 2], ink)


def time_axis(cells: Cells, span: float, gutter: int, edge: str, taken: set[int], zero_s: float | None = None) -> None:
    """Write seconds before the right edge, so that the axis stands still while the readings move.

    Where times count from a moment, `zero_s` seconds before the right edge, that is 0 and what follows it has a plus.

    A label that would stand where samples are missing gives way to the cross that says so.
    """
    width, row = cells.size[0], cells.size[1] - 1
    columns = width - gutter
    put(cells, gutter, row, "─" * columns, DIM)
    if gutter:
        put(cells, gutter - 1, row, "└", DIM)
    last = 0.0 if zero_s is None else zero_s
    for tick in canvas.ticks(last - span, last, max(1, min(8, columns // 14))) if span > 0 else ():
        column = gutter + round((1 - (last - tick.value) / span) * (columns - 1))
        words = f"┴−{seconds(-tick.value)}" if zero_s is None else f"┴{signed(tick.value)}"
        place = range(column, column + len(words))
        if tick.value < last - span * 1e-9 and place.stop < width - len(edge) and taken.isdisjoint(place):
            put(cells, column, row, words, WARN if zero_s is not None and tick.value == 0 else DIM)
    put(cells, width - len(edge), row, edge, DIM)
