"""The table of boards: a table that the boards of a snapshot are put into."""

from hil.tui.lines import overview, panes
from hil.tui.terminal.table import Table
from hil.views.snapshot import Snapshot

__all__ = ["BoardTable"]


class BoardTable(Table):
    """One line a board; the headings stand in the title bar."""

    def show_boards(self, snapshot: Snapshot, cursor: int, only: str, sparks: bool = False) -> None:
        """Show the boards and keep the cursor's line in sight.

        Args:
            snapshot: What to show.
            cursor: Line of the cursor.
            only: The role whose plots alone are shown, or empty.
            sparks: Whether each line ends with the board's readings.
        """
        heading, lines = panes.boards(snapshot, self.size.width, cursor if self.has_focus else None, only)
        if sparks:
            lines = overview.with_sparks(lines, snapshot, self.size.width)
            heading = overview.headings(heading, self.size.width)
        self.show_lines(lines, cursor, heading)
