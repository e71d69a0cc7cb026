"""A chart or a heat map as a pane: draws the picture of its panel, and only when it can be seen.

Rule of this room: all drawing is done by `chart` and `heatmap`; here is only what must be remembered between two
pictures, which is the range of the axis.
"""

from textual.geometry import Region

from hil.allanview import AllanView
from hil.snapshot import StreamView
from hil.tui import allanchart, canvas, chart, heatmap
from hil.tui.cells import runs
from hil.tui.chart import Panel
from hil.tui.pane import Pane

__all__ = ["Plot"]


class Plot(Pane):
    """One panel of the screen.

    Args:
        panel: Which channels of which stream.
    """

    def __init__(self, panel: Panel) -> None:
        super().__init__(heading=" ")
        self.heading = "▚" if panel.is_image else "∿"
        self.panel = panel
        self.lanes = False
        self.edge = "now"
        self._stream: StreamView | None = None
        self._allan: AllanView | None = None
        self._axis: tuple[float, float] | None = None
        self._drawn: tuple[object, ...] = ()

    def show_stream(self, stream: StreamView, lanes: bool, edge: str, allan: AllanView | None = None) -> None:
        """Take the newest envelopes (or the Allan deviation in their place) and draw them, if this plot is in sight."""
        self._stream, self.lanes, self.edge, self._allan = stream, lanes, edge, allan
        if self._in_sight():
            self._draw()

    def _in_sight(self) -> bool:
        parent = self.parent
        ground = getattr(parent, "region", None)
        return self.display and isinstance(ground, Region) and self.region.overlaps(ground)

    def _draw(self) -> None:
        stream, width, height = self._stream, self.size.width, self.body_height
        if stream is None or not width:
            return
        self._drawn = self._key(stream)
        if self._allan is not None and not self.panel.is_image:
            title = allanchart.legend(self._allan, stream, self.panel, width - 3)
            self.show(runs(allanchart.draw(self._allan, self.panel, width, height)), title)
            return
        title = chart.legend(stream, self.panel, width - 3)
        if self.panel.is_image:
            picture = heatmap.draw(stream, width, height, self.palette.colour)
        else:
            rows = self.panel.rows
            self._axis = canvas.limits(stream.low[rows], stream.high[rows], self._axis)
            picture = chart.draw(stream, self.panel, width, height, self._axis, self.lanes, self.edge)
        self.show(runs(picture), title)

    def _key(self, stream: StreamView) -> tuple[object, ...]:
        """Return what the picture depends on."""
        return id(stream), id(self._allan), self.size.width, self.body_height, self.lanes, self.edge, self.palette

    def repaint(self) -> None:
        """Draw anew where size, palette or stream have changed, then as every pane."""
        if self._stream is not None and self._drawn != self._key(self._stream):
            self._draw()
        else:
            super().repaint()
