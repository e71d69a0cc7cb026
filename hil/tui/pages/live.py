"""The live page: one timer asks, one answer is drawn, keys change the scene or send a command. No more than that.

Rule of this room: thin. What a pane says is made in `stage` and `panes`, what keys change in `state`, what they ask of
the bench in `deeds`, what words lead to in `written`, who has which place in `layout`. The engine may be slow, go away
and come back: the page says so and stays alive. While another page is shown it asks once a second, for figures only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input

from hil.tui import stage
from hil.tui.charts import chart
from hil.tui.charts.cells import Line
from hil.tui.feed import Answer, Client, Feed, Reply, answer
from hil.tui.key import Hint, Key, bindings
from hil.tui.lines.replies import words_of
from hil.tui.page import Page
from hil.tui.pagelist import PageInfo
from hil.tui.pages import live_keys
from hil.tui.painter import Painter
from hil.tui.plot import Plot
from hil.tui.remembered import Memory
from hil.tui.sheet import Sheet
from hil.tui.sheets import live as tables
from hil.tui.state import looks
from hil.tui.state.deeds import Command, Refusal, decide, loop_ab
from hil.tui.state.look import asks
from hil.tui.state.state import Scene, going_on
from hil.tui.state.still import rests
from hil.tui.state.written import Led, begins, leads
from hil.tui.terminal.beat import Beat
from hil.tui.terminal.pane import Pane
from hil.tui.workplace import Workplace

__all__ = ["LivePage"]

AGAIN = "a recording runs: press {key} again to close its file and leave"


class LivePage(Page):
    """Boards, plots, models, books and log of an engine.

    Args:
        info: Its place in the list.
        place: What stands behind it.
        client: Another engine than that of the bench.
    """

    AUTO_FOCUS = "#boards"
    BINDINGS = bindings(live_keys.KEYS)

    awaited: ClassVar[str] = "live"  # the mode of an engine that has not said one yet

    def __init__(self, info: PageInfo, place: Workplace, client: Client | None = None) -> None:
        super().__init__(info, place)
        self.client = client or place.client
        self.scene = Scene()
        self.beat = Beat(place.fps)
        self.maximised: Pane | None = None
        self.feed = Feed(self.client, self.deliver, place.inline)
        self._timer: Timer | None = None
        self._noted_ns: int | None = None
        self.painter = Painter(self.status, self.footer, self._point)
        self.memory = Memory(place.layouts)

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from self.painter.widgets()

    def on_mount(self) -> None:
        """Start to ask."""
        self.scene = replace(self.scene, lanes=self.app.no_color)  # without colour a lane tells the channels apart
        self.feed.start()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Draw once before anybody is asked: the engine is started by the first question."""
        self.paint()
        self.call_after_refresh(self._begun)
        self._timer = self.set_interval(1 / self.beat.fps, self._strike)

    def _begun(self) -> None:
        self.place.pace.begun(process_time_ns())
        self.tick()

    def go_on(self, fps: float) -> None:
        """Draw so many pictures a second, at most."""
        if fps != self.beat.fps:
            self.beat.fps = fps
            if self._timer is not None:
                self._timer.stop()
                self._timer = self.set_interval(1 / fps, self._strike)

    def close(self) -> None:
        """Ask no more."""
        self.feed.stop(0.0)

    @property
    def shown(self) -> bool:
        """Whether the page is on the screen, perhaps below a page of help."""
        return self in self.app.screen_stack

    def _strike(self) -> None:
        if self.beat.strike():
            self.tick()

    def tick(self) -> None:
        """Ask for the next picture; once a second while the engine is silent or another page is shown.

        A terminal that has not taken the last picture gets none: pictures are left out, and none comes late.
        """
        if not self.beat.due(self.shown and not self.scene.lost):
            return
        if self.place.behind():
            self.place.pace.late += 1
            return
        width = self.painter.visible_width() or self.size.width
        figures = asks(self.scene.look, self.painter.in_sight(), self.scene.streams) if self.shown else ()
        view = self.scene.view(chart.plot_columns(width), self.size.width, figures)
        self.feed.ask(view if self.shown else replace(view, envelopes=False, images=False, allan=None, cursor_s=None))

    def take(self, what: Answer | Reply) -> None:
        """See `Page.take`."""
        if isinstance(what, Reply):
            if what.verb == "watch" and not what.trouble:
                saved = bool(what.args.get("text"))
                self.scene = replace(self.scene, scope=replace(self.scene.scope, saved=saved))
            self.beat.rests = False
            self.say(what.trouble or words_of(what), bool(what.trouble))
            return
        self.place.pace.begin(perf_counter_ns(), thread_time_ns())
        if what.snapshot is None and self.scene.latest is None and getattr(self.client, "failure", None):
            self.failed()
        if what.snapshot is None:
            self.scene = replace(self.scene, lost=what.trouble)
        else:
            before = self.scene.latest
            self.scene, trouble = self.memory.met(self.scene.seen(what.snapshot))
            self.beat.rests = self.scene.latest is not None and rests(before, self.scene.latest)
            if trouble:
                self.say(trouble, True)
        self.feed.taken()
        self.paint()
        self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        self.place.pace.end(perf_counter_ns(), thread_time_ns())

    def _second(self) -> None:
        """Nothing: this page is drawn as its answers come."""

    def failed(self) -> None:
        """End: there never was an engine, and the caller says why, on a terminal that is its own again."""
        self.app.exit(3)

    def paint(self) -> None:
        """Draw the scene."""
        if not self.seen:
            return
        super().paint()
        panels = chart.panels(self.scene.plotted)
        self.painter.mount(panels)
        if isinstance(self.maximised, Plot) and self.maximised.panel not in panels:
            self.maximised = None
        self.painter.paint(self, self.scene, self.maximised)

    @property
    def mode(self) -> str:
        """Whether boards are live or a recording is replayed."""
        return self.scene.latest.mode if self.scene.latest else self.awaited

    def headline(self, width: int) -> Line:
        """Return mode, time, time base, recording and label."""
        return stage.status(self.scene, width)

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now."""
        framed = isinstance(self.focused, Plot) and self.focused.panel.is_image
        return live_keys.hints(self.scene, self.mode, self.maximised is not None, framed)

    def topic(self) -> str:
        """Return the name of the focused pane."""
        return "plot" if isinstance(self.focused, Plot) else super().topic()

    def usable(self) -> Sequence[Key]:
        """Return the keys that mean something to this engine."""
        return live_keys.usable(self.keys, self.mode)

    async def sheet(self) -> Sheet | str:
        """Return the readings of the focused plot, or what another pane says."""
        ask = partial(answer, self.client, self.place.inline)
        return await tables.of(self.scene, self.topic(), getattr(self.focused, "panel", None), ask)

    def actions(self) -> Iterator[tuple[str, str, str]]:
        """Yield what can be done now; labels by the name of their class."""
        useless = live_keys.useless(self.keys, self.scene.latest)
        yield from (one for one in super().actions() if one[2] not in useless)
        yield from live_keys.labels(self.scene.latest)

    def on_key(self, event: events.Key) -> None:
        """Ask again at once: any key may set the bench going."""
        self.beat.rests = False

    def _point(self, line: int) -> None:
        self._show(self.scene.point(line))

    def on_plot_meant(self, event: Plot.Meant) -> None:
        """Do what somebody means with the mouse."""
        self._do(event.change(self.scene))

    def _show(self, scene: Scene) -> None:
        self.scene = scene
        if trouble := self.memory.left(scene):
            self.say(trouble, True)
        self.paint()

    def _aim(self) -> looks.Aim:
        focused = self.focused
        width = self.painter.visible_width() or self.size.width
        return looks.Aim(focused.panel, width, focused.span) if isinstance(focused, Plot) else looks.Aim(None, width)

    def action_look(self, name: str, by: int = 0) -> None:
        """Change how plots look, or say why not."""
        self._do(looks.step(name, self.scene, self._aim(), by))

    def action_freeze(self) -> None:
        """Freeze the picture, never the capture."""
        self.scene = self.scene.freeze()
        if self.scene.held is not None:
            self.say(f"the picture is frozen; {going_on(self.scene.held)}")
        self.paint()

    def action_maximise(self) -> None:
        """Give the focused pane the whole screen, or give it back."""
        focused = self.focused
        self.maximised = focused if self.maximised is None and isinstance(focused, Pane) else None
        self.paint()

    async def action_why(self) -> None:
        """Explain the decision under the play head, or go back."""
        why, opens = self.painter.why, self.maximised is not self.painter.why
        trouble = await why.ask(self.place, self.scene, self._aim().panel) if opens else ""
        self.maximised = None if not opens else self.maximised if trouble else why
        self.say(trouble, bool(trouble))

    def action_restore(self) -> None:
        """Close what is open, the nearest first."""
        if self.painter.note.asking:
            self._close_line()
        elif self.maximised is not None:
            self.maximised = None
        elif self.scene.held is not None:
            self.scene = self.scene.live()
        elif self.scene.only:
            self.scene = self.scene.pick_only(self.scene.only)
        self.paint()

    def action_bench(self, deed: str, value: float = 0) -> None:
        """Do something to the bench, or say why not."""
        self._do(decide(deed, self.scene, value))

    def _do(self, *led: Led) -> None:
        for one in led:
            match one:
                case Refusal(sentence):
                    self.say(sentence, True)
                case Command(verb, args):
                    self.feed.command(verb, **args)
                case Scene():
                    self._show(one)
                    self.tick()

    def action_loop_ab(self) -> None:
        """Set A, then B, then neither."""
        at, decided = loop_ab(self.scene)
        self.scene = replace(self.scene, loop_a=at)
        if at is not None and not decided:
            self.say(f"A is at {at:.2f} s: go on and press the key again at B")
        self._do(*decided)

    def action_ask(self, what: str) -> None:
        """Ask for words, in one line that traps nobody; a mark keeps the time of this key."""
        suggested = begins(what, self.scene, self._aim())
        if isinstance(suggested, Refusal):
            return self._do(suggested)
        self._noted_ns = self.scene.latest.now_ns if self.scene.latest else None
        self.painter.note.ask(what, live_keys.QUESTIONS[what], suggested)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what the words lead to."""
        self._do(*leads(self.painter.note.asking, event.value.strip(), self.scene, self._noted_ns))
        self._close_line()

    def _close_line(self) -> None:
        self.painter.note.done()
        self.painter.boards.focus()

    def may_leave(self) -> bool:
        """Close the file of a recording first, if the engine ends with the screen, and only when asked twice."""
        if not (self.scene.recording and self.place.owns):
            return True
        key = next(key.shown for key in self.keys if key.id == "screen.quit").replace("^", "ctrl+")
        if self._message[0] != (sentence := AGAIN.format(key=key)):
            self.say(sentence)
            return False
        self.feed.command("record_stop")
        return True
