"""Puts a scene onto the panes: finds each pane, gives it its place and its lines.

Rule of this room: the only one that knows the names of the panes. No decision is made here: words come from `stage` and
`panes`, places from `layout`.
"""

from typing import Any

from textual.screen import Screen
from textual.widget import Widget

from hil.tui import panes, stage
from hil.tui.boards import BoardTable
from hil.tui.chart import Panel
from hil.tui.layout import Layout, arrange
from hil.tui.pane import Pane
from hil.tui.plot import Plot
from hil.tui.state import Scene
from hil.tui.verdict import findings

__all__ = ["mount_plots", "paint", "visible_width"]


def visible_width(main: Screen[Any]) -> int:
    """Return the cells of the widest plot in sight, 0 where there is none yet."""
    return max((plot.size.width for plot in main.query(Plot) if plot.display and not plot.panel.is_image), default=0)


def mount_plots(main: Screen[Any], panels: tuple[Panel, ...]) -> None:
    """Give every panel a plot, in their order, and take away those that are gone."""
    ground = main.query_one("#plots")
    old = {plot.panel: plot for plot in main.query(Plot)}
    for panel, plot in old.items():
        if panel not in panels:
            plot.remove()
    before: Widget | None = None
    for panel in panels:
        if panel in old:
            before = old[panel]
        else:
            plot = Plot(panel)
            ground.mount(plot, after=before) if before is not None else ground.mount(plot, before=0 if old else None)
            before = plot


def paint(main: Screen[Any], scene: Scene, maximised: Pane | None) -> None:
    """Draw the scene.

    Args:
        main: The screen that holds the panes.
        scene: What to draw.
        maximised: The pane that has the whole screen, or None.
    """
    snapshot, width = scene.latest, main.size.width
    found = findings(snapshot) if snapshot and not scene.lost else ()
    labelled = bool(snapshot and snapshot.classes and (scene.recording or snapshot.active_label))
    said = stage.verdict(scene, found, width)
    layout = arrange(
        *main.size, len(snapshot.boards) if snapshot else 1, len(main.query(Plot)), len(said),
        bool(snapshot and snapshot.replay), labelled,
    )  # fmt: skip
    _place(main, layout, maximised)
    _pane(main, "status").show([stage.status(scene, width)])
    _pane(main, "verdict").show(said)
    _pane(main, "footer").show(stage.bottom(scene, width, maximised is not None))
    if snapshot is None:
        return
    if snapshot.replay:
        _pane(main, "transport").show(panes.transport(snapshot.replay, width))
    _pane(main, "classes").show(stage.classes(scene, width))
    main.query_one(BoardTable).show_boards(snapshot, scene.cursor, scene.only)
    label, ledger = _pane(main, "label"), _pane(main, "ledger")
    decided = (scene.held or snapshot).predictions
    label.show(panes.labels(decided, label.size.width, label.body_height), panes.label_title(decided))
    ledger.show(panes.ledger(snapshot, ledger.size.width, ledger.body_height))
    _pane(main, "log").show(panes.log(snapshot.log, width))
    streams = {(stream.board, stream.name): stream for stream in scene.streams}
    right = stage.edge(scene)
    for plot in main.query(Plot):
        if stream := streams.get((plot.panel.board, plot.panel.stream)):
            plot.show_stream(stream, scene.lanes, right)


def _pane(main: Screen[Any], name: str) -> Pane:
    return main.query_one(f"#{name}", Pane)


def _place(main: Screen[Any], layout: Layout, maximised: Pane | None) -> None:
    """Give every pane its place; a maximised one takes that of all but status, verdict, transport and footer."""
    main.set_class(layout.narrow, "-under")
    plots, side = main.query_one("#plots"), main.query_one("#side")
    alone = maximised is not None
    in_side, is_plot = alone and maximised in side.children, isinstance(maximised, Plot)
    for name in ("verdict", "transport", "classes"):
        _size(_pane(main, name), getattr(layout, name))
    _size(main.query_one("#middle"), None if not alone or in_side or is_plot else 0)
    _size(_pane(main, "boards"), layout.boards if not alone else None if maximised and maximised.id == "boards" else 0)
    _size(_pane(main, "log"), layout.log if not alone else None if maximised and maximised.id == "log" else 0)
    plots.display = not alone or is_plot
    side.display = bool(in_side or (not alone and layout.side))
    for pane in side.children:
        pane.display = not in_side or pane is maximised
    if side.display:
        wide, tall = ("1fr", "1fr") if in_side else ("100%", layout.side) if layout.narrow else (layout.side, "1fr")
        _set(side, "width", wide)
        _set(side, "height", tall)
    across, rows = (1, None) if is_plot else (layout.across, layout.plot)
    _set(plots, "grid_size_columns", across)
    _set(plots, "grid_rows", "1fr" if rows is None else str(rows))
    for plot in main.query(Plot):
        plot.display = not is_plot or plot is maximised


def _size(widget: Widget, rows: int | None) -> None:
    """Set the height: None takes all that is left, 0 hides."""
    widget.display = rows != 0
    if rows != 0:
        _set(widget, "height", "1fr" if rows is None else rows)


def _set(widget: Widget, name: str, value: object) -> None:
    """Set a style only where it changes, for every setting costs a layout."""
    known: dict[str, object] = widget.__dict__.setdefault("_hil_places", {})
    if known.get(name) != value:
        known[name] = value
        setattr(widget.styles, name, value)
