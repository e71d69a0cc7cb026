"""How the panes share the screen: a pure function from its size and what there is to show.

Rule of this room: what says that something is wrong (status, verdict, boards) is never squeezed out; plots get what is
left; words give way first.
"""

import math
from dataclasses import dataclass

__all__ = ["NARROW", "Layout", "arrange", "verdict_rows"]

NARROW = 100
"""Below this many columns the panes stand under each other."""

LEAST = 6
"""Rows a plot needs to be read; with less room than that for all, they scroll."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows and columns of every pane; 0 hides it.

    Attributes:
        narrow: Whether label and ledger stand below the plots instead of beside them.
        verdict: Rows.
        transport: Rows.
        classes: Rows.
        boards: Rows, with its title.
        side: Columns beside the plots, or rows below them when narrow.
        log: Rows, with its title.
        across: Plots in a row.
        plot: Rows of each plot, with its title.
        middle: Whether there is room for plots, label and ledger at all.
    """

    narrow: bool
    verdict: int
    transport: int
    classes: int
    boards: int
    side: int
    log: int
    across: int
    plot: int
    middle: bool = True


GOOD = 9
"""Rows that show a plot well."""


def verdict_rows(height: int) -> int:
    """Return how many rows the verdict has at most."""
    return 2 if height < 30 else 4


def arrange(
    width: int, height: int, boards: int, plots: int, said: int = 0, replay: bool = False, classes: bool = False,
    overview: bool = False, split: int = 0, foot: int = 1,
) -> Layout:  # fmt: skip
    """Return the layout of a screen.

    Args:
        width: Columns of the terminal.
        height: Rows of the terminal.
        boards: Boards in the table.
        plots: Charts and heat maps.
        said: Rows that the verdict needs.
        replay: Whether there is a transport.
        classes: Whether there are labels to choose from.
        overview: Whether every board is to be seen, before any plot.
        split: Plots in a row; 0: as many as suit the screen.
        foot: Rows of the last lines: the keys or a sentence, and the lesson above them.
    """
    narrow = width < NARROW
    verdict = max(1, min(said, verdict_rows(height)))
    transport = 2 if replay else 0
    label = int(classes)
    table = 1 + max(1, min(boards, max(2, height // 6)))
    log = 3 if height < 20 else 4 if height < 30 else 6 if height < 45 else 8
    if overview:
        table = 1 + max(1, min(boards, height - 1 - foot - verdict - transport - label - 1))
        log = max(0, min(log, height - 1 - foot - verdict - transport - label - table))
    side = (3 if height < 30 else 7) if narrow else 42 if width < 150 else 56
    fixed = 1 + foot + verdict + transport + label + table
    rows = height - fixed - log - (side if narrow else 0)
    if rows < LEAST and narrow:
        rows, side = rows + side, 0
    if rows < LEAST:
        rows, log = rows + log, 0
    if overview and rows < LEAST:
        return Layout(narrow, verdict, transport, label, table, 0, height - fixed, 1, 1, middle=False)
    rows = max(1, rows)
    area = width - (0 if narrow else side)
    across = min(split, max(1, plots)) if split else _across(area, rows, plots)
    plot = max(min(LEAST, rows), rows // max(1, math.ceil(plots / across)))
    return Layout(narrow, verdict, transport, label, table, side, log, across, plot)


def _across(columns: int, rows: int, plots: int) -> int:
    """Return how many plots share a row: as few as leave each `GOOD` rows, and never narrower than can be read."""
    best = 1
    for across in range(1, min(plots, 4) + 1):
        cramped = rows // max(1, math.ceil(plots / best)) < LEAST
        if columns // across < (36 if cramped else 48):
            break
        best = across
        if rows // math.ceil(plots / across) >= GOOD:
            break
    return best
