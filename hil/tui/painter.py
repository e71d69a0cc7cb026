"""Puts a scene onto the panes of the live page: gives each pane its place and its lines.

Rule of this room: the only one that knows all panes. No decision is made here: words come from `stage` and `panes`,
places from `layout`.
"""

import itertools
from collections.abc import Callable
from typing import Any

from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from hil.tui import stage
from hil.tui.boards import BoardTable
from hil.tui.charts import scales
from hil.tui.charts.chart import Panel
from hil.tui.lines import panes
from hil.tui.plot import Plot
from hil.tui.plotted import Manner
from hil.tui.question import Question
from hil.tui.state.layout import Layout, arrange, verdict_rows
from hil.tui.state.look import asks
from hil.tui.state.state import Scene
from hil.tui.state.verdict import findings
from hil.tui.terminal.pane import Pane
from hil.tui.whypane import WhyPane
from hil.views.allan import AllanView

__all__ = ["Painter"]


def _allan(scene: Scene) -> AllanView | None:
    """Return the curve that was asked for, once it is there."""
    view = scene.latest.allan if scene.latest else None
    return view if view is not None and scene.allan == (view.board, view.stream) else None


class Painter:
    """All panes of the live page, and how a scene is put onto them.

    Args:
        status: The page's first line.
        footer: Its last line.
        pointed: Called with the line of the table of boards that somebody moves its cursor to.
    """

    def __init__(self, status: Pane, footer: Pane, pointed: Callable[[int], object]) -> None:
        self.status, self.footer = status, footer
        self.verdict = Pane(id="verdict")
        self.transport, self.classes = Pane(id="transport"), Pane(id="classes")
        self.boards = BoardTable("boards", pointed, id="boards")
        self.label, self.ledger = Pane("label", inset=1, id="label"), Pane("ledger", inset=1, id="ledger")
        self.plots = Container(id="plots")
        self.side = Container(self.label, self.ledger, id="side")
        self.middle = Container(self.plots, self.side, id="middle")
        self.log = Pane("log", follow=True, inset=1, id="log")
        self.why = WhyPane()
        self.note = Question(id="note")
        self.charts: dict[Panel, Plot] = {}
        self._axes: scales.Axes = {}
        self._styles: dict[tuple[Widget, str], object] = {}

    def widgets(self) -> list[Widget]:
        """Return what stands on the screen, from top to bottom."""
        return [
            self.status, self.verdict, self.transport, self.classes, self.boards, self.middle, self.why, self.log,
            self.note, self.footer,
        ]  # fmt: skip

    def foot_rows(self) -> int:
        """Return the rows below the log: what is asked, the lesson, the keys or a sentence."""
        height = self.footer.styles.height
        return (1 if height is None else int(height.value)) + self.note.has_class("-open")

    def visible_width(self) -> int:
        """Return the cells of the widest chart in sight, 0 where there is none yet."""
        shown = [plot.size.width for plot in self.charts.values() if plot.display and not plot.panel.is_image]
        return max(shown, default=0)

    def in_sight(self) -> list[Panel]:
        """Return what can be seen: only for that the engine computes figures."""
        return [panel for panel, plot in self.charts.items() if plot.in_sight()]

    def mount(self, wanted: tuple[Panel, ...]) -> None:
        """Give every panel a plot, in their order, and take away those that are gone."""
        if tuple(self.charts) == wanted or not self.plots.is_mounted:
            return
        for panel in [panel for panel in self.charts if panel not in wanted]:
            gone = self.charts.pop(panel)
            self._styles = {key: value for key, value in self._styles.items() if key[0] is not gone}
            gone.remove()
        known, self.charts = self.charts, {}
        for panel in wanted:
            self.charts[panel] = known.get(panel) or Plot(panel)
        if fresh := [plot for panel, plot in self.charts.items() if panel not in known]:
            self.plots.mount(*fresh)
        order = list(self.charts.values())
        if [child for child in self.plots.children if child in order] != order:
            for before, plot in itertools.pairwise(order):
                self.plots.move_child(plot, after=before)

    def paint(self, main: Screen[Any], scene: Scene, maximised: Pane | None) -> None:
        """Draw the scene.

        Args:
            main: The screen that holds the panes.
            scene: What to draw.
            maximised: The pane that has the whole screen, or None.
        """
        snapshot, width = scene.latest, main.size.width
        found = findings(snapshot) if snapshot and not scene.lost else ()
        labelling = scene.recording or (snapshot and (snapshot.active_label or snapshot.replay))
        labelled = bool(snapshot and snapshot.classes and labelling)
        said = stage.verdict(scene, found, width, verdict_rows(main.size.height))
        layout = arrange(
            *main.size, len(snapshot.boards) if snapshot else 1, len(self.charts), len(said),
            bool(snapshot and snapshot.replay), labelled, scene.overview, scene.look.split,
            self.foot_rows(),
        )  # fmt: skip
        main.set_class(layout.narrow, "-under")
        self._place(layout, maximised)
        self.verdict.show(said)
        if snapshot is None:
            return
        if snapshot.replay:
            self.transport.show(panes.transport(snapshot.replay, width))
        self.classes.show(stage.classes(scene, width))
        self.boards.show_boards(snapshot, scene.cursor, scene.only, scene.overview)
        decided = (scene.held or snapshot).predictions
        label, ledger = self.label, self.ledger
        label.show(panes.labels(decided, label.body_width, label.body_height), panes.label_title(decided))
        ledger.show(panes.ledger(snapshot, ledger.body_width, ledger.body_height))
        self.log.show(panes.log(snapshot.log, width))
        if maximised is self.why:
            self.why.follow(scene)
            self.why.draw()
        streams = {(stream.board, stream.name): stream for stream in scene.streams}
        right, look = stage.edge(scene), scene.look
        seen = {panel: look.seen(panel, streams[key]) for panel in self.charts
                if (key := (panel.board, panel.stream)) in streams}  # fmt: skip
        self._axes = scales.shared(seen.values(), streams, self._axes) if look.shared else {}
        figures = {figure.ask: figure for figure in snapshot.figures}
        wanted = {(ask.board, ask.stream, panel): figures.get(ask) for panel in self.charts
                  for ask in asks(look, [panel], scene.streams)}  # fmt: skip
        cursors = {(one.board, one.stream): one for one in snapshot.cursors} if look.cursor_s is not None else {}
        for panel, plot in self.charts.items():
            key = (panel.board, panel.stream)
            if stream := streams.get(key):
                plot.show_stream(stream, Manner(
                    look.kind(panel), scene.lanes, right, _allan(scene) if scene.allan == key else None,
                    wanted.get((*key, panel)), look.spans.get(panel.key) or self._axes.get(panel.unit),
                    panel.key in look.spans, stage.moment(scene, stream), cursors.get(key), seen[panel],
                    look.shading(panel),
                ))  # fmt: skip

    def _place(self, layout: Layout, maximised: Pane | None) -> None:
        """Give every pane its place; a maximised one takes that of all but status, verdict, transport and footer."""
        alone, in_side = maximised is not None, maximised in (self.label, self.ledger)
        is_plot = isinstance(maximised, Plot)
        self._rows(self.verdict, layout.verdict)
        self._rows(self.transport, layout.transport)
        self._rows(self.classes, layout.classes)
        self._rows(self.middle, None if (layout.middle if not alone else in_side or is_plot) else 0)
        self._rows(self.boards, layout.boards if not alone else None if maximised is self.boards else 0)
        self._rows(self.why, None if maximised is self.why else 0)
        self._rows(self.log, layout.log if not alone else None if maximised is self.log else 0)
        self.plots.display = not alone or is_plot
        self.side.display = in_side or (not alone and layout.side > 0)
        for pane in (self.label, self.ledger):
            pane.display = not in_side or pane is maximised
        wide, tall = ("1fr", "1fr") if in_side else ("100%", layout.side) if layout.narrow else (layout.side, "1fr")
        self._set(self.side, "width", wide)
        self._set(self.side, "height", tall)
        self._set(self.plots, "grid_size_columns", 1 if is_plot else layout.across)
        self._set(self.plots, "grid_rows", "1fr" if is_plot else str(layout.plot))
        for plot in self.charts.values():
            plot.display = not is_plot or plot is maximised
        last = next(reversed(self.charts.values()), None)
        for plot in self.charts.values():
            lone = plot is last and plot.panel.is_image and not is_plot and len(self.charts) % layout.across == 1
            self._set(plot, "column_span", layout.across if lone else 1)

    def _rows(self, widget: Widget, rows: int | None) -> None:
        """Set the height: None takes all that is left, 0 hides."""
        widget.display = rows != 0
        if rows != 0:
            self._set(widget, "height", "1fr" if rows is None else rows)

    def _set(self, widget: Widget, name: str, value: object) -> None:
        """Set a style only where it changes, for every setting costs a layout."""
        if self._styles.get((widget, name)) != value:
            self._styles[widget, name] = value
            setattr(widget.styles, name, value)
