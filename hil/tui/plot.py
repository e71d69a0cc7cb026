"""A plot as a pane: draws the picture of its panel, of whatever kind, and only when it can be seen.

Rule of this room: all drawing is done elsewhere, a room a kind; here is only what must be remembered between two
pictures, which is the range of the axis, and what the mouse means on it.
"""

from dataclasses import dataclass, field

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from hil.allanview import AllanView
from hil.cursorview import CursorView
from hil.figureview import ATTITUDE, HISTOGRAM, SPECTROGRAM, SPECTRUM, XY, FigureView
from hil.streamview import StreamView
from hil.tui import (
    allanchart,
    attitudechart,
    canvas,
    chart,
    heatmap,
    histogramchart,
    overlay,
    spectrumchart,
    waterfall,
    xychart,
)
from hil.tui.axes import Band
from hil.tui.cells import Cells, Line, runs
from hil.tui.chart import Panel
from hil.tui.look import READINGS
from hil.tui.overlay import Moment
from hil.tui.pane import Pane

__all__ = ["Manner", "Plot"]

SCROLL = 3
"""Rows that one notch of the wheel scrolls."""


@dataclass(frozen=True, slots=True, eq=False)
class Manner:
    """How a panel is to be drawn.

    Attributes:
        kind: What it shows: its readings, or a kind of `hil.figureview`.
        lanes: Whether each channel has a lane of its own.
        edge: What is written at the right end of a time axis.
        allan: The Allan deviation, where that stands in place of everything else.
        figure: What the engine computed, None while it has not.
        axis: The range of the readings, where plots share one.
        moment: What is marked on the time.
        cursor: The sample under the cursor.
    """

    kind: str = READINGS
    lanes: bool = False
    edge: str = "now"
    allan: AllanView | None = None
    figure: FigureView | None = None
    axis: tuple[float, float] | None = None
    moment: Moment = field(default_factory=Moment)
    cursor: CursorView | None = None


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
        """Somebody wants more (1) or less (-1) time."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, panel: Panel) -> None:
        super().__init__(heading=" ")
        self.heading = "▚" if panel.is_image else "∿"
        self.panel = panel
        self.manner = Manner()
        self._stream: StreamView | None = None
        self._axis: tuple[float, float] | None = None
        self._drawn: tuple[object, ...] = ()

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
        panel, how, room = self.panel, self.manner, width - 3
        if panel.is_image:
            picture = heatmap.draw(stream, width, height, self.palette.colour)
            return picture, chart.legend(stream, panel, room)
        if how.allan is not None:
            return allanchart.draw(how.allan, panel, width, height), allanchart.legend(how.allan, stream, panel, room)
        figure = how.figure
        if how.kind == SPECTRUM:
            return spectrumchart.draw(figure, panel, width, height), spectrumchart.legend(figure, stream, panel, room)
        if how.kind == HISTOGRAM:
            return histogramchart.draw(figure, panel, width, height), histogramchart.legend(figure, stream, panel, room)
        if how.kind == XY:
            return xychart.draw(figure, stream, width, height), xychart.legend(figure, stream, panel, room)
        if how.kind == ATTITUDE:
            return attitudechart.draw(figure, width, height), attitudechart.legend(figure, stream, panel, room)
        bands: tuple[Band, ...] = ()
        zero_s = how.moment.trigger_s
        if how.kind == SPECTROGRAM:
            title = waterfall.legend(figure, stream, panel, room, self.palette.colour)
            picture = waterfall.draw(figure, panel, width, height, self.palette.colour, how.edge, zero_s)
        else:
            rows = panel.rows
            axis = how.axis or canvas.limits(stream.low[rows], stream.high[rows], self._axis)
            title, self._axis = chart.legend(stream, panel, room), axis
            shared = how.axis is not None
            picture, bands = chart.drawn(stream, panel, width, height, axis, how.lanes, how.edge, shared, zero_s)
        overlay.lay(picture, how.moment, self._span_s(stream), bands)
        if how.cursor is not None:
            title = overlay.readout(how.cursor, stream, panel, how.moment, room)
        return picture, title

    def _span_s(self, stream: StreamView) -> float:
        """Return how many seconds the picture covers."""
        if self.manner.kind == SPECTROGRAM:
            return (stream.end_ns - stream.start_ns) / 1e9
        return overlay.span_of(stream, self.size.width)

    def _key(self, stream: StreamView) -> tuple[object, ...]:
        """Return what the picture depends on."""
        how = self.manner
        return (
            id(stream), id(how.allan), id(how.figure), id(how.cursor), how.kind, how.lanes, how.edge, how.axis,
            how.moment, self.size.width, self.body_height, self.palette,
        )  # fmt: skip

    def repaint(self) -> None:
        """Draw anew where size, palette or stream have changed, then as every pane."""
        if self._stream is not None and self._drawn != self._key(self._stream):
            self._draw()
        else:
            super().repaint()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where somebody points, on a chart of time."""
        timed = self.manner.kind in (READINGS, SPECTROGRAM) and self.manner.allan is None and not self.panel.is_image
        if timed and event.y > 0 and self._stream is not None:
            self.post_message(self.Pointed(overlay.seconds_at(event.x, self._span_s(self._stream), self.size.width)))

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        """Change the time base; with shift scroll the plots, where they do not all fit."""
        event.prevent_default()
        event.stop()
        if event.shift and isinstance(self.parent, Widget):
            self.parent.scroll_relative(y=SCROLL * by, animate=False)
        else:
            self.post_message(self.Zoomed(by))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """More time."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Less time."""
        self._wheel(event, -1)
