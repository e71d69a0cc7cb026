"""The ground of a chart: its value axis with round numbers, its time axis in seconds before the right edge.

Rule of this room: the same numbers give the same cells, so that a ground is drawn once and kept; the readings are laid
over a copy of it. Axes stand still while readings move, which is why keeping them pays.
"""

from dataclasses import dataclass
from functools import lru_cache

from hil.tui import canvas
from hil.tui.cells import BAD, DIM, Cells, blank, put
from hil.tui.units import seconds

__all__ = ["GUTTER", "Band", "ground"]

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
    """

    first: int
    last: int
    span: tuple[float, float]
    name: str = ""
    ink: int = DIM


@lru_cache(256)
def _drawn(
    width: int, height: int, gutter: int, bands: tuple[Band, ...], span_s: float, edge: int, taken: tuple[int, ...]
) -> Cells:
    cells = blank(width, height)
    if gutter:
        for band in bands:
            _values(cells, band)
    if height > bands[-1].last:
        _times(cells, span_s, gutter, edge, set(taken))
    return cells


def ground(
    size: tuple[int, int], gutter: int, bands: tuple[Band, ...], span_s: float, edge: str, taken: tuple[int, ...]
) -> Cells:
    """Return axes to draw readings onto.

    Args:
        size: Width and height in cells.
        gutter: Cells left of the readings; 0 leaves the value axes out.
        bands: From top to bottom. A row below the last one is the time axis.
        span_s: Seconds that the columns cover.
        edge: What is written at the right end of the time axis.
        taken: Columns of cells in which samples are missing: a label gives way to the cross that says so.
    """
    kept = _drawn(*size, gutter, bands, span_s, len(edge), taken)
    cells = Cells(kept.codes.copy(), kept.inks.copy())
    if size[1] > bands[-1].last:
        put(cells, size[0] - len(edge), size[1] - 1, edge, DIM)
    return cells


def _values(cells: Cells, band: Band) -> None:
    span = band.span
    rows = band.last - band.first
    cells.codes[band.first : band.last, GUTTER - 1] = ord("│")
    cells.inks[band.first : band.last, GUTTER - 1] = DIM
    marks = canvas.ticks(*span, max(2, rows // 3))
    if len(marks) < 2:
        marks = tuple(canvas.Tick(end, canvas.number(end, 3)) for end in span)
    for tick in marks:
        row = band.first + round((span[1] - tick.value) / (span[1] - span[0]) * (rows - 1))
        if not band.name or row != band.first:
            put(cells, 0, row, f"{tick.label:>{GUTTER - 1}}┤", DIM)
    if band.name:
        put(cells, 0, band.first, band.name[: GUTTER - 2], band.ink)


def _times(cells: Cells, span_s: float, gutter: int, edge: int, taken: set[int]) -> None:
    width, row = cells.size[0], cells.size[1] - 1
    columns = width - gutter
    put(cells, gutter, row, "─" * columns, DIM)
    if gutter:
        put(cells, gutter - 1, row, "└", DIM)
    for tick in canvas.ticks(-span_s, 0.0, max(1, min(8, columns // 14))) if span_s > 0 else ():
        column = gutter + round((tick.value + span_s) / span_s * (columns - 1))
        words = f"┴−{seconds(-tick.value)}"
        place = range(column, column + len(words))
        if tick.value < -span_s * 1e-9 and place.stop < width - edge and taken.isdisjoint(place):
            put(cells, column, row, words, DIM)
    cells.codes[row, sorted(taken)] = ord("×")
    cells.inks[row, sorted(taken)] = BAD
