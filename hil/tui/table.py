"""A pane of lines with a cursor: up, down and a click move it instead of scrolling."""

from collections.abc import Sequence

from textual import events
from textual.message import Message

from hil.tui.cells import Line
from hil.tui.pane import Pane

__all__ = ["Table"]


class Table(Pane):
    """One line a thing."""

    class Moved(Message):
        """Somebody moved the cursor to a line."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    cursor = 0

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
        # At once, so that a key that follows fast means the line that it was pressed for.
        self.cursor = max(0, min(len(self._lines) - 1, self.cursor + by))
        self.post_message(self.Moved(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the line that was clicked; the title bar only takes the focus."""
        if event.y > 0:
            self.post_message(self.Moved(event.y - 1 + self.scrolled))
