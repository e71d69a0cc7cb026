"""What a panel is drawn as: of whatever kind, with what lies over it, and its title.

Rule of this room: pure. Each kind is drawn in a room of its own; here is only which, and what all charts of time share.
"""

from dataclasses import dataclass, field

from hil.tui.charts import (
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
from hil.tui.charts.axes import Band
from hil.tui.charts.cells import Cells, Line
from hil.tui.charts.chart import Panel
from hil.tui.charts.overlay import Moment
from hil.tui.charts.shading import Shading
from hil.tui.state import valuerange
from hil.tui.state.look import READINGS
from hil.views.allan import AllanView
from hil.views.cursor import CursorView
from hil.views.figure import ATTITUDE, HISTOGRAM, SPECTROGRAM, SPECTRUM, XY, FigureView
from hil.views.stream import StreamView

__all__ = ["Axis", "Manner", "draw", "has_values", "is_timed", "span_of"]

Axis = tuple[float, float] | None
"""The range of the readings; None where there is none yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Manner:
    """How a panel is to be drawn.

    Attributes:
        kind: What it shows: its readings, or a kind of `hil.views.figure`.
        lanes: Whether each channel has a lane of its own.
        edge: What is written at the right end of a time axis.
        allan: The Allan deviation, where that stands in place of everything else.
        figure: What the engine computed, None while it has not.
        axis: The range of the readings, where plots share one or a person chose it.
        chosen: Whether a person chose it.
        moment: What is marked on the time.
        cursor: The sample under the cursor.
        seen: The panel without the channels that are hidden; None: nothing is hidden.
        shading: By which colour map, over which range, where readings are colours.
    """

    kind: str = READINGS
    lanes: bool = False
    edge: str = "now"
    allan: AllanView | None = None
    figure: FigureView | None = None
    axis: tuple[float, float] | None = None
    chosen: bool = False
    moment: Moment = field(default_factory=Moment)
    cursor: CursorView | None = None
    seen: Panel | None = None
    shading: Shading = field(default_factory=Shading)


def is_timed(panel: Panel, how: Manner) -> bool:
    """Return whether columns are times."""
    return how.kind in (READINGS, SPECTROGRAM) and how.allan is None and not panel.is_image


def has_values(panel: Panel, how: Manner) -> bool:
    """Return whether rows are readings, over a range that a person may choose."""
    return how.kind == READINGS and is_timed(panel, how)


def span_of(stream: StreamView, how: Manner, width: int) -> float:
    """Return how many seconds a picture of that width covers."""
    if how.kind == SPECTROGRAM:
        return (stream.end_ns - stream.start_ns) / 1e9
    return overlay.span_of(stream, width)


def draw(
    stream: StreamView, panel: Panel, how: Manner, size: tuple[int, int], room: int, held: Axis, shades: bool
) -> tuple[Cells, Line, Axis]:
    """Draw a panel below its title.

    Args:
        stream: What it shows.
        panel: Which of its channels.
        how: How.
        size: Width and height in cells, without the title.
        room: Cells of the title.
        held: The range in use, of readings that have one of their own.
        shades: Whether there are enough colours for shades.

    Returns:
        The picture, its title, and the range in use after it.
    """
    figure, (width, height) = how.figure, size
    if panel.is_image:
        title = heatmap.legend(stream, panel, room, how.shading)
        return heatmap.draw(stream, width, height, shades, how.shading), title, held
    if how.allan is not None:
        title = allanchart.legend(how.allan, stream, panel, room)
        return allanchart.draw(how.allan, panel, width, height), title, held
    if how.kind == SPECTRUM:
        title = spectrumchart.legend(figure, stream, panel, room)
        return spectrumchart.draw(figure, panel, width, height), title, held
    if how.kind == HISTOGRAM:
        title = histogramchart.legend(figure, stream, panel, room)
        return histogramchart.draw(figure, panel, width, height), title, held
    if how.kind == XY:
        return xychart.draw(figure, stream, width, height), xychart.legend(figure, stream, panel, room), held
    if how.kind == ATTITUDE:
        return attitudechart.draw(figure, width, height), attitudechart.legend(figure, stream, panel, room), held
    bands: tuple[Band, ...] = ()
    zero_s, held_words = how.moment.trigger_s, None
    if how.kind == SPECTROGRAM:
        number = how.shading.number
        title = waterfall.legend(figure, stream, panel, room, shades, number)
        picture = waterfall.draw(figure, panel, width, height, shades, how.edge, number, zero_s)
    else:
        rows, shared = panel.rows, how.axis is not None
        held = how.axis or canvas.limits(stream.low[rows], stream.high[rows], held)
        held_words = valuerange.told(stream, panel, how.axis) if how.axis is not None and how.chosen else None
        room -= len(held_words[0]) if held_words is not None else 0
        title = chart.legend(stream, panel, room)
        picture, bands = chart.drawn(stream, panel, width, height, held, how.lanes, how.edge, shared, zero_s)
    overlay.lay(picture, how.moment, span_of(stream, how, width), bands)
    if how.cursor is not None:
        title = overlay.readout(how.cursor, stream, panel, how.moment, room)
    if held_words is not None:
        title = [*title, held_words]
    return picture, title, held
