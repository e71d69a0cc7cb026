"""What stands under a mouse: the channel in a title, the key in a line of keys; and a stretch that is being dragged.

Rule of this room: pure, from a line and a column to what was meant; None where nothing was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.tui.charts.cells import FOCUS, Cells, Line, put
from hil.tui.key import Key

__all__ = ["LEAST", "Drag", "Grip", "channel_at", "key_at", "lay"]

LEAST = 2
"""Columns that a drag covers, at least; less is a click of an unsteady hand."""


@dataclass(frozen=True, slots=True)
class Drag:
    """A stretch between two columns.

    Attributes:
        begun: Where the button went down.
        at: Where the mouse is.
    """

    begun: int
    at: int

    @property
    def columns(self) -> tuple[int, int]:
        """The first and the last column."""
        return min(self.begun, self.at), max(self.begun, self.at)

    @property
    def counts(self) -> bool:
        """Whether it is more than a click."""
        return abs(self.at - self.begun) >= LEAST


@dataclass(frozen=True, slots=True)
class Grip:
    """The numbers of a value axis while somebody drags them: where they were gripped, and the range then."""

    y: int
    span: tuple[float, float]


def lay(cells: Cells, drag: Drag, gutter: int) -> None:
    """Draw a stretch over a chart: its ends where cells are empty, and all of it on the time axis."""
    width, height = cells.size
    first, last = (max(gutter, min(width - 1, column)) for column in drag.columns)
    for column in (first, last):
        for row in range(height - 1):
            if cells.codes[row, column] == 0x20:
                put(cells, column, row, "┆", FOCUS)
    put(cells, first, height - 1, "━" * (last - first + 1), FOCUS)


def _run_at(line: Line, column: int) -> tuple[int, int] | None:
    """Return which run of a line a column is in, and where the run begins."""
    start = 0
    for at, (words, _) in enumerate(line):
        if start <= column < start + len(words):
            return at, start
        start += len(words)
    return None


def channel_at(line: Line, column: int, names: Sequence[str]) -> str | None:
    """Return the channel whose entry of a title stands at a column.

    Args:
        line: The title, each entry a run of its own that begins with a line of its colour and its name.
        column: Cells from the left.
        names: The channels that there are.
    """
    if (spot := _run_at(line, column)) is None:
        return None
    name = line[spot[0]][0].strip().lstrip("━╌").split(" ")[0]
    return name if name in names else None


def key_at(line: Line, column: int, keys: Iterable[Key]) -> str | None:
    """Return the name of the key that a line of keys shows at a column: a sign, or the words about it.

    Of several signs with one name the pointed one counts, and the first where the name is pointed at.
    """
    named = {key.shown: key.keys.partition(",")[0] for key in keys}
    if (spot := _run_at(line, column)) is None:
        return None
    at, start = spot
    signs = line[at][0]
    if _known(signs, named):
        before = signs[: column - start + 1].split(" ")
        place = max(0, len([part for part in before if part]) - 1)
        return named[signs.split()[min(place, len(signs.split()) - 1)]]
    if at and _known(line[at - 1][0], named):
        return named[line[at - 1][0].split()[0]]
    return None


def _known(words: str, named: Iterable[str]) -> bool:
    return bool(words.split()) and all(word in named for word in words.split())
