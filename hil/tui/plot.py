"""A plot as a pane: draws the picture of its panel, of whatever kind, and only when it can be seen.

Rule of this room: all drawing is done elsewhere (`plotted`); here is only what must be remembered between two pictures,
which is the range of the axis, and what the mouse means on it.
"""

from collections.abc import Callable
from dataclasses import replace

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from hil.tui import plotted, pointing
from hil.tui.charts import chart, overlay
from hil.tui.charts.axes import GUTTER
from hil.tui.charts.cells import DIM, Cells, Line, runs
from hil.tui.charts.chart import Panel
from hil.tui.plotted import Manner
from hil.tui.pointing import Drag, Grip
from hil.tui.state import looks, valuerange
from hil.tui.state.deeds import Refusal
from hil.tui.state.state import Scene
from hil.tui.state.valuerange import Span
from hil.tui.terminal.pane import Pane
from hil.views.stream import StreamView

__all__ = ["Plot"]

SCROLL = 3
"""Rows that one notch of the wheel scrolls."""


AS_IT_IS = Manner()


class Plot(Pane):
    """One panel of the screen.

    Args:
        panel: Which channels of which stream.
    """

    class Meant(Message):
        """Somebody means something with the mouse: what it makes of the scene, or why not."""

        def __init__(self, change: Callable[[Scene], Scene | Refusal]) -> None:
            super().__init__()
            self.change = change

    def __init__(self, panel: Panel) -> None:
        super().__init__(heading=" ")
        self.heading = "▚" if panel.is_image else "∿"
        self.panel = panel
        self.manner = Manner()
        self._stream: StreamView | None = None
        self._axis: tuple[float, float] | None = None
        self._drawn: tuple[object, ...] = ()
        self._drag: Drag | None = None
        self._grip: Grip | None = None
        self._dragged = False

    def show_stream(self, stream: StreamView, manner: Manner = AS_IT_IS) -> None:
        """Take the newest envelopes, or what stands in their place, and draw them, if this plot is in sight."""
        if self.manner.chosen and not manner.chosen:
            self._axis = None  # what the readings need, not what happens to hold them
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
            how.chosen, how.moment, how.seen, how.shading, self._drag, self.size.width, self.body_height, self.palette,
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

    @property
    def span(self) -> Span | None:
        """The range of its value axis; None where it has none."""
        return (self.manner.axis or self._axis) if plotted.has_values(self.panel, self.manner) else None

    def _share(self, x: int, y: int, anywhere: bool = False) -> float | None:
        """Return how high in the range a place on the numbers of the axis is (`anywhere`: in the chart); else None."""
        if self.span is None or not (anywhere or (x < GUTTER and self.size.width >= 3 * GUTTER)):
            return None
        seen = self.manner.seen or self.panel
        rows = self.body_height - (1 if self.body_height >= 4 else 0)
        bands = chart.bands_of(seen.channels, rows, self.manner.lanes) if rows > 0 else []
        return valuerange.share_at(y - 1, tuple((first, last) for first, last, _ in bands))

    def _mean(self, change: Callable[[Scene], Scene | Refusal]) -> None:
        self.post_message(self.Meant(change))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where somebody points, on a chart of time; in the title hide a channel, or show it again.

        Twice on the numbers of the value axis: let its range follow the readings again.
        """
        dragged, self._dragged = self._dragged, False
        if dragged or self._stream is None:
            return
        if event.y == 0:
            names = [self._stream.channels[channel] for channel in self.panel.channels]
            if (name := pointing.channel_at(self.row(0), event.x, names)) is not None:
                self._mean(lambda scene: looks.toggled(scene, self.panel, name))
        elif self._share(event.x, event.y) is not None:
            if event.chain == 2:
                self._mean(lambda scene: looks.ranged(scene, self.panel, None))
        elif (before_s := self._before_s(event.x)) is not None:
            self._mean(lambda scene: looks.pointed(scene, before_s))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Perhaps a drag begins."""
        self._dragged = False
        if event.button != 1 or event.y == 0:
            return
        if self.span is not None and self._share(event.x, event.y) is not None:
            self._grip = Grip(event.y, self.span)
        elif self._before_s(event.x) is not None:
            self._drag = Drag(event.x, event.x)
        if self._grip is not None or self._drag is not None:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show what a drag has covered, or move the values along; one whose end was never told is over."""
        if (self._drag is not None or self._grip is not None) and not event.button:
            self._drag = self._grip = None
            self.release_mouse()
            self._draw()
        elif self._grip is not None:
            self._pull(self._grip, event.y)
        elif self._drag is not None:
            self._drag = replace(self._drag, at=event.x)
            self._draw()

    def _pull(self, grip: Grip, y: int) -> None:
        """Let what was gripped follow the mouse."""
        if y == grip.y and not self._dragged:
            return
        self._dragged = True  # the click that follows means nothing
        span = valuerange.moved(grip.span, (y - grip.y) / max(1, self.body_height - 1))
        self._mean(lambda scene: looks.ranged(scene, self.panel, span))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Look closer at what was dragged over, or let go of the values."""
        drag, self._drag = self._drag, None
        grip, self._grip = self._grip, None
        if drag is None and grip is None:
            return
        self.release_mouse()
        if drag is None:
            return
        drag = replace(drag, at=event.x)
        begin_s, end_s = (self._before_s(column) for column in drag.columns)
        if drag.counts and begin_s is not None and end_s is not None and begin_s > end_s:
            self._dragged = True  # the click that follows means nothing
            self._mean(lambda scene: scene.stretch(begin_s, end_s))
        self._draw()

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        """Change the time base, or the range of the values; with shift scroll plots that do not all fit."""
        event.prevent_default()
        event.stop()
        span, share, before_s = self.span, self._share(event.x, event.y, event.ctrl), self._before_s(event.x)
        if event.shift and isinstance(self.parent, Widget):
            self.parent.scroll_relative(y=SCROLL * by, animate=False)
        elif span is not None and share is not None:
            wanted = valuerange.zoomed(span, by, share)
            self._mean(lambda scene: looks.ranged(scene, self.panel, wanted))
        else:
            self._mean(lambda scene: scene.zoom(by, before_s))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """More time."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Less time."""
        self._wheel(event, -1)
