"""The one widget of this screen: a title bar and rows of runs, repainted only where a row has changed.

Rule of this room: it is handed finished rows and knows nothing of boards. Rows are compared with those on the screen,
so that a still pane costs nothing on the wire and a slow terminal gets only what moved. What a row looks like to a
terminal is made in `strips`.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from hil.tui.charts.cells import DIM, KEY, TEXT, TITLE, Line, Run
from hil.tui.terminal.palette import BAR, FOCUSED, PLAIN, THEMES, Palette
from hil.tui.terminal.strips import row as finished

__all__ = ["Pane"]


class Pane(Widget, can_focus=True):
    """Rows below a title.

    Args:
        heading: Words of the title bar; empty for a pane that has none (then it takes no focus).
        inset: Empty cells before every line.
        follow: Whether the newest (last) row stays in sight until somebody scrolls up.
        id: Name of the widget.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False, id="pane.up"),
        Binding("down", "move(1)", "down", show=False, id="pane.down"),
        Binding("pageup", "move(-10)", "page up", show=False, id="pane.pageup"),
        Binding("pagedown", "move(10)", "page down", show=False, id="pane.pagedown"),
    ]

    palette: ClassVar[Palette] = Palette(THEMES[0])
    """The styles of the app's theme; set by the app for all panes at once."""

    def __init__(
        self,
        heading: str = "",
        follow: bool = False,
        inset: int = 0,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.can_focus = bool(heading)
        self.heading = heading
        self.scrolled = 0
        self._follow = follow
        self._inset = " " * inset
        self._title: Line = ()
        self._lines: Sequence[Line] = ()
        self._rows: list[tuple[Line, int]] = []
        self._strips: list[Strip] = []
        self._painted_with: object = None

    @property
    def size(self) -> Size:
        """Cells of the pane: it has neither border nor padding, so that nobody need ask where it stands."""
        return self.outer_size

    @property
    def body_width(self) -> int:
        """Cells of a line."""
        return max(0, self.size.width - len(self._inset))

    @property
    def body_height(self) -> int:
        """Rows below the title bar."""
        return max(0, self.size.height - bool(self.heading))

    def show(self, lines: Sequence[Line], title: Line = ()) -> None:
        """Put rows into the pane.

        Args:
            lines: All rows; those that fit are seen, the others by scrolling.
            title: What stands in the title bar after the heading.
        """
        self._lines, self._title = lines, title
        self.repaint()

    def repaint(self) -> None:
        """Rebuild the rows that differ from what is on the screen and ask for a repaint of those."""
        width, height = self.size
        if not width or not height:
            return
        rows = self._visible(height)
        key = (self.palette, width, height)
        fresh = key != self._painted_with or len(rows) != len(self._rows)
        self._painted_with = key
        if fresh:
            self._strips = [finished(line, place, width, self.palette) for line, place in rows]
            self._rows = rows
            self.refresh()
            return
        changed = [at for at, row in enumerate(rows) if row != self._rows[at]]
        for at in changed:
            self._strips[at] = finished(*rows[at], width, self.palette)
        self._rows = rows
        if len(changed) * 2 > height:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, at, width, 1) for at in changed))

    def _visible(self, height: int) -> list[tuple[Line, int]]:
        rows: list[tuple[Line, int]] = []
        if self.heading:
            rows.append((self._bar(), FOCUSED if self.has_focus else BAR))
        room = height - len(rows)
        most = max(0, len(self._lines) - room)
        self.scrolled = max(0, min(self.scrolled, most))
        first = most - self.scrolled if self._follow else self.scrolled
        shown = self._lines[first : first + room]
        rows += [([(self._inset, TEXT), *line] if self._inset else line, PLAIN) for line in shown]
        rows += [((), PLAIN)] * (height - len(rows))
        return rows

    def _bar(self) -> Line:
        sign = "▸" if self.has_focus else " "
        hidden = len(self._lines) - self.body_height
        more: list[Run] = []
        if hidden > 0 and self._follow and self.scrolled:
            more = [(f"  {self.scrolled} newer below ↓", KEY)]
        elif hidden > 0 and not self._follow:
            more = [(f"  {hidden} more ↑↓", DIM)]
        return [(f"{sign}{self.heading} ", TITLE), *self._title, *more]

    def row(self, y: int) -> Line:
        """Return what stands in a row, the title bar among them; empty where nothing does."""
        return self._rows[y][0] if 0 <= y < len(self._rows) else ()

    def render_line(self, y: int) -> Strip:
        """Return one finished row."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.palette.style(TEXT))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return finished rows; borders and padding of the style sheet do not apply to a pane."""
        if self._painted_with != (self.palette, *self.size):
            self.repaint()
        strips = [self.render_line(y) for y in range(crop.y, crop.bottom)]
        if crop.x or crop.width != self.size.width:
            return [strip.crop(crop.x, crop.right) for strip in strips]
        return strips

    def action_move(self, by: int) -> None:
        """Scroll by rows."""
        self.scrolled += -by if self._follow else by
        self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.action_move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.action_move(-1)

    def on_resize(self) -> None:
        """Fit the rows into the new size."""
        self.repaint()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show in the title bar that the focus is here, or that it has gone."""
        super().watch_has_focus(has_focus)
        self.repaint()
