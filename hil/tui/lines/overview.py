"""Many boards at once: the worst first, one line each, with its readings as a line of dots at the end.

Rule of this room: pure. The order is that of `verdict.worst_first`; the line of dots shows all channels of the first
unit, on a scale of its own.
"""

from collections.abc import Sequence

import numpy as np

from hil.tui.charts import canvas, chart
from hil.tui.charts.cells import BAD, DIM, Line, Run, blank, channel_ink, runs, text
from hil.tui.lines.panes import IDENTITY
from hil.views.snapshot import Snapshot
from hil.views.stream import StreamView

__all__ = ["headings", "spark", "spark_width", "with_sparks"]

WIDEST = 60
"""Cells of a line of dots, at most."""

STUMP = 12
"""Fewer characters than this of what a board is say nothing."""

TITLE = len("▸boards ")

TO_LOSSES = 5
"""Runs of a line of the table up to what was lost: cursor, role, state, rate, lost."""


def spark_width(width: int) -> int:
    """Return how many cells a line of dots has in a table of that width: what to ask the engine for, times two."""
    return max(8, min(WIDEST, width - 72))


def spark(stream: StreamView, columns: int) -> list[Run]:
    """Return the readings of a stream in one row of dots; × where samples are missing."""
    panel = next((one for one in chart.panels([stream])), None)
    if panel is None or columns <= 0:
        return []
    cells = blank(columns, 1)
    low, high, gaps, _ = chart.fit(stream, list(panel.channels), 2 * columns)
    low, high = canvas.bridged(low, high, 2 * columns // 4, gaps)
    bits, owner = canvas.blend(canvas.raster(low, high, canvas.limits(low, high), 1, gaps))
    cells.codes[:] = np.where(bits > 0, bits.astype(np.uint32) + canvas.BRAILLE, 0x20)
    cells.inks[:] = np.array([channel_ink(channel) for channel in panel.channels], np.uint16)[owner]
    lost = np.flatnonzero(gaps.reshape(-1, 2).any(axis=1))
    cells.codes[0, lost], cells.inks[0, lost] = ord("×"), BAD
    return runs(cells)[0]


def with_sparks(lines: Sequence[Line], snapshot: Snapshot, width: int) -> list[Line]:
    """Return the lines of the table with the readings of each board at their end."""
    columns = spark_width(width)
    first: dict[str, StreamView] = {}
    for stream in snapshot.streams:
        first.setdefault(stream.board, stream)
    found: list[Line] = []
    for board, line in zip(snapshot.boards, lines, strict=False):
        shown = first.get(board.role)
        if shown is None or board.state not in ("live", "replay"):
            found.append(line)  # the reason why it is not there needs the room
            continue
        if sum(len(words) for words, _ in line[:TO_LOSSES]) >= width - columns:
            found.append(line)  # what a board lost is never covered
            continue
        kept = _cut(line, width - columns - 1)
        found.append([*kept, (" " * (width - columns - len(text(kept))), DIM), *spark(shown, columns)])
    return found


def headings(line: Line, width: int) -> Line:
    """Return the headings with that of the readings, and without that of what a board is where there is no room for it.

    They are made to follow the title of the pane, which takes `TITLE` cells, and leave room for what it says of boards
    out of sight.
    """
    sparks = spark_width(width)
    start, words = width - sparks - TITLE, text(line)
    if sparks < 2 * STUMP:
        return line
    if len(words.removesuffix(IDENTITY)) + STUMP >= start:
        words = words.removesuffix(IDENTITY)
    return [(f"{words[: start - 1]:<{start}}readings", DIM)]


def _cut(line: Line, width: int) -> list[Run]:
    """Return a line as far as it fits, without the stump of a last word."""
    kept: list[Run] = []
    left = width
    for words, ink in line:
        if len(words) > left and left < STUMP:
            break
        kept.append((words[:left] if not words[left:].strip() else f"{words[: max(0, left - 1)]}…", ink))
        left -= min(left, len(words))
    return kept
