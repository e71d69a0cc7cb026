"""A picture made of character cells: code points and inks, before any library has a say in how they look.

Rule of this room: plain arrays. An ink is a small number with a meaning (text, good, bad, channel 2, warm); which
colour it gets, if any, is decided by the theme. What matters is always in the characters too, so that a picture stays
readable without colour.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "BAD", "CHANNEL", "CHANNELS", "DIM", "FOCUS", "GOOD", "HEAT", "HEAT_INKS", "HEAT_LEVELS", "HEAT_TEXT", "KEY",
    "TEXT", "TITLE", "WARN", "Cells", "Line", "Run", "blank", "channel_ink", "cut", "heat_ink", "put", "put_line",
    "rows", "runs", "text", "wrap",
]  # fmt: skip

TEXT, DIM, TITLE, GOOD, WARN, BAD, KEY, FOCUS = range(8)
"""Inks with a meaning."""

CHANNEL, CHANNELS = 8, 8
"""Ink of the first channel, and how many differ before they repeat."""

HEAT, HEAT_LEVELS = 256, 16
"""First ink of the first colour map: a cell's upper and lower half each have one of 16 levels."""

HEAT_TEXT = 512
"""First ink of words written onto a colour of the first colour map."""

HEAT_INKS = 512
"""Inks from one colour map to the next."""

Codes = npt.NDArray[np.uint32]
Inks = npt.NDArray[np.uint16]

Run = tuple[str, int]
"""Characters that share an ink."""

Line = Sequence[Run]
"""One row of a pane of text."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A picture.

    Attributes:
        codes: uint32 `(H, W)` Unicode code points, one a cell.
        inks: uint16 `(H, W)` inks.
    """

    codes: Codes
    inks: Inks

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        return self.codes.shape[1], self.codes.shape[0]


def blank(width: int, height: int) -> Cells:
    """Return an empty picture."""
    shape = (max(0, height), max(0, width))
    return Cells(np.full(shape, 0x20, np.uint32), np.zeros(shape, np.uint16))


def channel_ink(index: int) -> int:
    """Return the ink of a stream's channel."""
    return CHANNEL + index % CHANNELS


def heat_ink(upper: npt.NDArray[np.integer], lower: npt.NDArray[np.integer], colourmap: int = 0) -> Inks:
    """Return the ink of cells whose halves have the levels `upper` and `lower` (0 to 15) of a colour map."""
    return (HEAT + colourmap * HEAT_INKS + upper * HEAT_LEVELS + lower).astype(np.uint16)


def put(cells: Cells, column: int, row: int, words: str, ink: int) -> int:
    """Write `words` into the picture, cut at its right edge; return the column after them. Widths of one cell only."""
    width, height = cells.size
    if 0 <= row < height and column < width:
        codes = np.frombuffer(words.encode("utf-32-le"), np.uint32)[max(0, -column) : width - column]
        start = max(0, column)
        cells.codes[row, start : start + len(codes)] = codes
        cells.inks[row, start : start + len(codes)] = ink
    return column + len(words)


def put_line(cells: Cells, column: int, row: int, line: Iterable[Run]) -> int:
    """Write runs one after another; return the column after them."""
    for words, ink in line:
        column = put(cells, column, row, words, ink)
    return column


def runs(cells: Cells) -> list[list[Run]]:
    """Return each row as runs of equal ink; empty cells take the ink before them, where that does not show."""
    width, height = cells.size
    if not width or not height:
        return [[] for _ in range(height)]
    characters = cells.codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")
    solid = cells.codes != 0x20
    solid[:, 0] = True
    held = np.maximum.accumulate(np.where(solid, np.arange(width), 0), axis=1)
    inks = np.take_along_axis(cells.inks, held, axis=1)
    inks[(inks >= HEAT) & (cells.codes == 0x20)] = TEXT  # a colour with a ground of its own must not run on
    change = np.empty((height, width), np.bool_)
    change[:, 0] = True
    np.not_equal(inks[:, 1:], inks[:, :-1], out=change[:, 1:])
    starts = np.flatnonzero(change)
    values = inks.reshape(-1)[starts].tolist()
    bounds = [*starts.tolist(), width * height]
    table: list[list[Run]] = [[] for _ in range(height)]
    for index, ink in enumerate(values):
        start = bounds[index]
        table[start // width].append((characters[start : bounds[index + 1]], ink))
    return table


def rows(cells: Cells) -> list[str]:
    """Return the picture as plain text, one string a row."""
    width, height = cells.size
    characters = cells.codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")
    return [characters[row * width : (row + 1) * width] for row in range(height)]


def text(line: Line) -> str:
    """Return a line of runs as plain text."""
    return "".join(words for words, _ in line)


def cut(words: str, width: int) -> str:
    """Return words of at most `width` characters; where some are lost the last one is …."""
    return words if len(words) <= width else f"{words[: max(0, width - 1)]}…"


def wrap(line: Line, width: int, inset: int = 3) -> list[Line]:
    """Break a line at spaces into rows of at most `width` cells; the later ones are set in."""
    rows: list[list[Run]] = [[]]
    used = 0
    for words, ink in line:
        for piece in re.findall(r"\s*\S+\s*$|\s*\S+", words):
            if used + len(piece.rstrip()) > width and used > inset:
                rows.append([(" " * inset, ink)])
                used, piece = inset, piece.lstrip()
            rows[-1].append((piece, ink))
            used += len(piece)
    return list(rows)
