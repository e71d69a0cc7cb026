"""The table of boards: a pane with a cursor."""

from textual import events
from textual.message import Message

from hil.snapshot import Snapshot
from hil.tui import panes
from hil.tui.pane import Pane

__all__ = ["BoardTable"]


class BoardTable(Pane):
    """One line a board; the headings stand in the title bar."""

    class Moved(Message):
        """Somebody moved the cursor to a line."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    cursor = 0

    def show_boards(self, snapshot: Snapshot, cursor: int, only: str) -> None:
        """Show the boards and keep the cursor's line in sight.

        Args:
            snapshot: What to show.
            cursor: Line of the cursor.
            only: The role whose plots alone are shown, or empty.
        """
        heading, lines = panes.boards(snapshot, self.size.width, cursor if self.has_focus else None, only)
        self.cursor = cursor
        room = self.body_height
        self.scrolled = max(cursor - room + 1, min(self.scrolled, cursor))
        self.show(lines, heading)

    def action_move(self, by: int) -> None:
        """Move the cursor instead of scrolling."""
        self.post_message(self.Moved(self.cursor + by))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the line that was clicked; the title bar only takes the focus."""
        if event.y > 0:
            self.post_message(self.Moved(event.y - 1 + self.scrolled))
