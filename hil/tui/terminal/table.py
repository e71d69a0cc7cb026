"""A pane of lines with a cursor: up, down and a click move it instead of scrolling.

Rule of this room: whoever owns the table knows of a move before the next key is read. A message would come after a key
that was pressed fast, and that key would be about the line before.
"""

from collections.abc import Callable, Sequence

from textual import events

from hil.tui.charts.cells import Line
from hil.tui.terminal.pane import Pane

__all__ = ["Table"]


class Table(Pane):
    """One line a thing.

    Args:
        heading: Words of the title bar.
        moved: Called with the line that somebody moves the cursor to; shows it.
        id: Name of the widget.
    """

    cursor = 0

    def __init__(self, heading: str, moved: Callable[[int], object], id: str) -> None:  # noqa: A002
        super().__init__(heading, id=id)
        self._moved = moved

    def show_lines(self, lines: Sequence[Line], cursor: int, title: Line = ()) -> None:
        """Show lines and keep the cursor's in sight.

        Args:
            lines: All lines.
            cursor: Which of them the cursor is on.
            title: What stands in the title bar after the heading.
        """
        self.cursor = cursor
        room = self.body_height
        self.scrolled = max(cursor - room + 1, min(self.scrolled, cursor))
        self.show(lines, title)

    def action_move(self, by: int) -> None:
        """Move the cursor instead of scrolling."""
        self.cursor = max(0, min(len(self._lines) - 1, self.cursor + by))
        self._moved(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the line that was clicked; the title bar only takes the focus."""
        if event.y > 0:
            self._moved(event.y - 1 + self.scrolled)
