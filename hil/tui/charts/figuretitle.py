"""The title bar of a figure: whose it is, what it shows, and the figures that count, as far as they fit whole.

Rule of this room: pure, from a figure to a line; what stands below it is drawn by `figureplot` and the charts.
"""

from collections.abc import Sequence

from hil.tui.charts.cells import DIM, TEXT, TITLE, Cells, Line, Run, put
from hil.views.figure import FigureView
from hil.views.stream import StreamView

__all__ = ["fitted", "head", "nothing"]


def head(stream: StreamView, what: str) -> list[Run]:
    """Return the first words of a title: the board, its stream where it has another name, and what is shown."""
    name = "" if stream.name == stream.board else f" {stream.name}"
    return [(stream.board, TITLE), (name, TITLE), (f" {what}", TEXT)]


def fitted(first: Sequence[Run], parts: Sequence[Run], width: int, brief: Sequence[Run] = ()) -> Line:
    """Return a title with all parts, or without the stream's name and with the brief ones, as many as fit whole.

    Args:
        first: What `head` gave, and what must follow it.
        parts: What may follow, the most important first.
        width: Cells at hand.
        brief: The same parts in fewer words; those that find no room are counted.
    """
    if sum(len(words) for words, _ in (*first, *parts)) <= width:
        return [*first, *parts]
    parts = brief or parts
    line: list[Run] = [run for at, run in enumerate(first) if at != 1]
    used = sum(len(words) for words, _ in line)
    for at, run in enumerate(parts):
        more = f" +{len(parts) - at}"
        if used + len(run[0]) > width - (0 if at == len(parts) - 1 else len(more)):
            return [*line, (more, DIM)] if used + len(more) <= width else line
        line, used = [*line, run], used + len(run[0])
    return line


def nothing(cells: Cells, figure: FigureView | None, gutter: int = 0) -> bool:
    """Write why there is nothing, in the middle; return whether that is so."""
    words = "being computed" if figure is None else figure.sentence
    if words:
        columns = cells.size[0] - gutter
        put(cells, gutter + max(0, (columns - len(words)) // 2), max(0, cells.size[1] // 2), words[:columns], DIM)
    return bool(words)
