"""What a key about plots leads to: another scene, or the sentence that says why not.

Rule of this room: pure, and nothing here reaches the bench. A key works on the focused plot; of one that is about all
plots the focus does not matter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from firmware_bridge.errors import UsageError
from hil.tui.charts.axes import GUTTER
from hil.tui.charts.chart import Panel, panels
from hil.tui.charts.shading import Shading
from hil.tui.state import valuerange
from hil.tui.state.deeds import Refusal
from hil.tui.state.look import choices
from hil.tui.state.state import Scene
from hil.tui.state.valuerange import Span
from hil.views.figure import SPECTROGRAM, XY
from hil.views.stream import StreamView

__all__ = ["Aim", "pointed", "ranged", "step", "suggested", "toggled", "triggered"]

FOCUS = "that key belongs to a plot: focus one with tab or the mouse"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a key is aimed at.

    Attributes:
        panel: That of the focused plot; None where no plot has the focus.
        width: How wide plots are, in cells.
        span: Range of the value axis of the focused plot; None where it has none.
    """

    panel: Panel | None
    width: int
    span: Span | None = None


def step(name: str, scene: Scene, aim: Aim, by: int = 0) -> Scene | Refusal:
    """Return what a key leads to.

    Args:
        name: `live`, `time`, `lanes`, `allan`, `only`, `kind`, `channel`, `alone`, `scale`, `split`, `overview`,
            `cursor`, `move`, `mode`, `before`, `colours`, `hold`, `each`, `values`, `lift` or `auto`.
        scene: How it is now.
        aim: What the key is aimed at.
        by: Direction, or columns.
    """
    return _STEPS[name](scene, aim, by)


def _kind(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    panel = aim.panel
    stream = None if panel is None else _stream(scene, panel)
    if panel is None or stream is None:
        return Refusal(FOCUS)
    if panel.is_image:
        return Refusal("a picture is shown as it is: focus a plot of channels")
    allan = None if scene.allan == (panel.board, panel.stream) else scene.allan
    return replace(scene, look=scene.look.turn(panel, stream, by), allan=allan)


def _channel(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    panel = aim.panel
    stream = None if panel is None else _stream(scene, panel)
    if panel is None or stream is None:
        return Refusal(FOCUS)
    kind = scene.look.kind(panel)
    if kind not in (SPECTROGRAM, XY) or len(choices(scene.look.seen(panel, stream), stream, kind)) < 2:
        return Refusal("a spectrogram or an XY plot of several channels has a choice: press v until one is there")
    return replace(scene, look=scene.look.pick(panel, stream))


def _colours(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    panel = aim.panel
    if panel is None or not (panel.is_image or scene.look.kind(panel) == SPECTROGRAM):
        return Refusal("colours belong to a frame or a spectrogram: focus one with tab or the mouse")
    return replace(scene, look=scene.look.shaded(panel, scene.look.shading(panel).turn(panel.is_image)))


def _ranged(change: Callable[[Shading, StreamView], Shading]) -> Callable[[Scene, Aim, int], Scene | Refusal]:
    def step(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
        panel = aim.panel
        stream = None if panel is None else _stream(scene, panel)
        if panel is None or stream is None or not panel.is_image:
            return Refusal("that range belongs to a frame: focus one with tab or the mouse; y is that of plots")
        if stream.image is None:
            return Refusal("there is no frame yet whose range could be taken")
        return replace(scene, look=scene.look.shaded(panel, change(scene.look.shading(panel), stream)))

    return step


def _alone(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    panel = aim.panel
    stream = None if panel is None else _stream(scene, panel)
    if panel is None or stream is None:
        return Refusal(FOCUS)
    if len(panel.channels) < 2:
        return Refusal(f"there is one channel only: {stream.channels[panel.channels[0]]}")
    return replace(scene, look=scene.look.alone(panel, stream))


def _stream(scene: Scene, panel: Panel) -> StreamView | None:
    return next((one for one in scene.streams if (one.board, one.name) == (panel.board, panel.stream)), None)


def _allan(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    if aim.panel is None or aim.panel.is_image:
        return Refusal("an Allan deviation belongs to a plot of channels: focus one with tab, then press a")
    return scene.pick_allan(aim.panel.board, aim.panel.stream)


def _overview(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    return replace(scene, look=replace(scene.look, overview=not scene.overview), only="")


def _cursor(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    placed = scene.seconds / 2 if scene.look.cursor_s is None else None
    return replace(scene, look=replace(scene.look, cursor_s=placed))


def _move(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
    if scene.look.cursor_s is None:
        return Refusal("there is no cursor: c sets one, and so does a click into a plot")
    return scene.move_cursor(by * scene.seconds / max(1, aim.width - GUTTER - 1))


def _valued(change: Callable[[Span, int], Span | None]) -> Callable[[Scene, Aim, int], Scene | Refusal]:
    def step(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
        if aim.panel is None:
            return Refusal(FOCUS)
        if aim.span is None:
            return Refusal("only a plot of readings has a value axis to move: v goes on to it; R holds that of a frame")
        return ranged(scene, aim.panel, change(aim.span, by))

    return step


def _scoped(change: str) -> Callable[[Scene, Aim, int], Scene | Refusal]:
    def step(scene: Scene, aim: Aim, by: int) -> Scene | Refusal:
        if not scene.scope.text or scene.latest is None:
            return Refusal("nothing triggers yet: T says what is to")
        now = scene.latest.now_ns
        return replace(scene, scope=scene.scope.turn(now) if change == "mode" else scene.scope.earlier())

    return step


_STEPS: Mapping[str, Callable[[Scene, Aim, int], Scene | Refusal]] = {
    "live": lambda scene, aim, by: scene.live(),
    "time": lambda scene, aim, by: scene.zoom(by),
    "lanes": lambda scene, aim, by: replace(scene, lanes=not scene.lanes),
    "only": lambda scene, aim, by: scene.pick_only(aim.panel.board if aim.panel else ""),
    "allan": _allan,
    "kind": _kind, "channel": _channel, "alone": _alone, "overview": _overview, "cursor": _cursor, "move": _move,
    "mode": _scoped("mode"), "before": _scoped("before"),
    "colours": _colours, "hold": _ranged(lambda shading, stream: shading.hold(stream)),
    "each": _ranged(lambda shading, stream: shading.alone()),
    "values": _valued(lambda span, by: valuerange.zoomed(span, by)),
    "lift": _valued(lambda span, by: valuerange.moved(span, by * valuerange.KEYED)),
    "auto": _valued(lambda span, by: None),
    "scale": lambda scene, aim, by: replace(scene, look=replace(scene.look, shared=not scene.look.shared)),
    "split": lambda scene, aim, by: replace(scene, look=scene.look.wider()),
}  # fmt: skip


def triggered(scene: Scene, words: str) -> Scene | Refusal:
    """Return the scene with another trigger; empty words: with none."""
    from hil.monitor.triggers import watching

    try:
        watching(words or "mark")
    except UsageError as error:
        return Refusal(str(error))
    return replace(scene, scope=scene.scope.set(words, scene.latest.now_ns if scene.latest else 0))


def toggled(scene: Scene, panel: Panel, name: str) -> Scene | Refusal:
    """Return the scene in which a plot leaves out a channel, or shows it again."""
    stream = _stream(scene, panel)
    look = scene.look if stream is None else scene.look.toggled(panel, stream, name)
    return Refusal(f"{name} is the last channel that is seen here") if look is scene.look else replace(scene, look=look)


def ranged(scene: Scene, panel: Panel, span: Span | None) -> Scene:
    """Return the scene in which a plot has this range, None: the one its readings need; so has all that shares it."""
    every = [one for one in panels(scene.streams) if one.unit == panel.unit and not one.is_image]
    return replace(scene, look=scene.look.ranged(every if scene.look.shared else [panel], span))


def pointed(scene: Scene, before_s: float) -> Scene:
    """Return the scene with the cursor so many seconds before the right edge."""
    return replace(scene, look=replace(scene.look, cursor_s=before_s))


def suggested(scene: Scene, aim: Aim) -> str:
    """Return what stands in the line of the trigger when it opens: the present one, or one at the cursor."""
    if scene.scope.text or aim.panel is None or aim.panel.is_image:
        return scene.scope.text
    board, name = aim.panel.board, aim.panel.stream
    stream, channel = _stream(scene, aim.panel), aim.panel.channels[0]
    if stream is None:
        return ""
    seen = scene.latest.cursors if scene.latest else ()
    under = next((one.values for one in seen if (one.board, one.stream) == (board, name)), stream.latest)
    return f"{board}/{name}.{stream.channels[channel]}>{float(under[channel]):.4g}"
