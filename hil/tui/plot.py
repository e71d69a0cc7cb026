"""A plot as a pane: draws the picture of its panel, of whatever kind, and only when it can be seen.

Rule of this room: all drawing is done elsewhere (`plotted`); here is only what must be remembered between two pictures,
which is the range of the axis, and what the mouse means on it.
"""

from dataclasses import replace

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from hil.streamview import StreamView
from hil.tui import overlay, plotted, pointing
from hil.tui.axes import GUTTER
from hil.tui.cells import DIM, Cells, Line, runs
from hil.tui.chart import Panel
from hil.tui.pane import Pane
from hil.tui.plotted import Manner
from hil.tui.pointing import Drag

__all__ = ["Plot"]

SCROLL = 3
"""Rows that one notch of the wheel scrolls."""


AS_IT_IS = Manner()


class Plot(Pane):
    """One panel of the screen.

    Args:
        panel: Which channels of which stream.
    """

    class Pointed(Message):
        """Somebody pointed at a time, so many seconds before the right edge."""

        def __init__(self, before_s: float) -> None:
            super().__init__()
            self.before_s = before_s

    class Zoomed(Message):
        """Somebody wants more (1) or less (-1) time around a time, seconds before the right edge; None: around none."""

        def __init__(self, by: int, before_s: float | None) -> None:
            super().__init__()
            self.by, self.before_s = by, before_s

    class Stretched(Message):
        """Somebody dragged over a stretch, from and to so many seconds before the right edge."""

        def __init__(self, begin_s: float, end_s: float) -> None:
            super().__init__()
            self.begin_s, self.end_s = begin_s, end_s

    class Toggled(Message):
        """Somebody clicked on a channel in the title."""

        def __init__(self, panel: Panel, name: str) -> None:
            super().__init__()
            self.panel, self.name = panel, name

    def __init__(self, panel: Panel) -> None:
        super().__init__(heading=" ")
        self.heading = "▚" if panel.is_image else "∿"
        self.panel = panel
        self.manner = Manner()
        self._stream: StreamView | None = None
        self._axis: tuple[float, float] | None = None
        self._drawn: tuple[object, ...] = ()
        self._drag: Drag | None = None
        self._dragged = False

    def show_stream(self, stream: StreamView, manner: Manner = AS_IT_IS) -> None:
        """Take the newest envelopes, or what stands in their place, and draw them, if this plot is in sight."""
        self._stream, self.manner = stream, manner
        if self._drawn != self._key(stream) and self.in_sight():
            self._draw()

    def in_sight(self) -> bool:
        """Return whether any of it can be seen."""
        parent = self.parent
        ground = getattr(parent, "region", None)
        return self.display and isinstance(ground, Region) and self.region.overlaps(ground)

    def _draw(self) -> None:
        stream, width, height = self._stream, self.size.width, self.body_height
        if stream is None or not width:
            return
        self._drawn = self._key(stream)
        cells, title = self._picture(stream, width, height)
        self.show(runs(cells), title)

    def _picture(self, stream: StreamView, width: int, height: int) -> tuple[Cells, Line]:
        """Return the picture and its title."""
        panel = self.manner.seen or self.panel
        hidden = [(f" ╌{stream.channels[at]}", DIM) for at in self.panel.channels if at not in panel.channels]
        if sum(len(words) for words, _ in hidden) > width // 3:
            hidden = [(f" {len(hidden)} hidden", DIM)]
        room = width - 3 - sum(len(words) for words, _ in hidden)
        made = plotted.draw(stream, panel, self.manner, (width, height), room, self._axis, self.palette.shades)
        picture, title, self._axis = made
        if self._drag is not None and self._drag.counts:
            pointing.lay(picture, self._drag, GUTTER if width >= 3 * GUTTER else 0)
        return picture, [*title, *hidden]

    def _span_s(self, stream: StreamView) -> float:
        """Return how many seconds the picture covers."""
        return plotted.span_of(stream, self.manner, self.size.width)

    def _key(self, stream: StreamView) -> tuple[object, ...]:
        """Return what the picture depends on."""
        how = self.manner
        return (
            id(stream), id(how.allan), id(how.figure), id(how.cursor), how.kind, how.lanes, how.edge, how.axis,
            how.moment, how.seen, how.shading, self._drag, self.size.width, self.body_height, self.palette,
        )  # fmt: skip

    def repaint(self) -> None:
        """Draw anew where size, palette or stream have changed, then as every pane."""
        if self._stream is not None and self._drawn != self._key(self._stream):
            self._draw()
        else:
            super().repaint()

    @property
    def _timed(self) -> bool:
        """Whether it is a chart of time."""
        return plotted.is_timed(self.panel, self.manner)

    def _before_s(self, column: int) -> float | None:
        """Return the time of a column, seconds before the right edge; None where columns are no times."""
        if self._stream is None or not self._timed:
            return None
        return overlay.seconds_at(column, self._span_s(self._stream), self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where somebody points, on a chart of time; in the title hide a channel, or show it again."""
        dragged, self._dragged = self._dragged, False
        if dragged or self._stream is None:
            return
        if event.y == 0:
            names = [self._stream.channels[channel] for channel in self.panel.channels]
            if (name := pointing.channel_at(self.row(0), event.x, names)) is not None:
                self.post_message(self.Toggled(self.panel, name))
        elif (before_s := self._before_s(event.x)) is not None:
            self.post_message(self.Pointed(before_s))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Perhaps a drag begins."""
        self._dragged = False
        if event.button == 1 and event.y > 0 and self._before_s(event.x) is not None:
            self._drag = Drag(event.x, event.x)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show what a drag has covered; one whose end was never told is over."""
        if self._drag is not None:
            self._drag = replace(self._drag, at=event.x) if event.button else None
            if self._drag is None:
                self.release_mouse()
            self._draw()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Look closer at what was dragged over."""
        drag, self._drag = self._drag, None
        if drag is None:
            return
        self.release_mouse()
        drag = replace(drag, at=event.x)
        begin_s, end_s = (self._before_s(column) for column in drag.columns)
        if drag.counts and begin_s is not None and end_s is not None and begin_s > end_s:
            self._dragged = True  # the click that follows means nothing
            self.post_message(self.Stretched(begin_s, end_s))
        self._draw()

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        """Change the time base; with shift scroll the plots, where they do not all fit."""
        event.prevent_default()
        event.stop()
        if event.shift and isinstance(self.parent, Widget):
            self.parent.scroll_relative(y=SCROLL * by, animate=False)
        else:
            self.post_message(self.Zoomed(by, self._before_s(event.x)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """More time."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Less time."""
        self._wheel(event, -1)
