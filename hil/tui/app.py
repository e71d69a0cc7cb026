"""The app: one timer asks, one answer is drawn, keys change the scene or send a command. No more than that.

Rule of this room: thin. What a pane says is made in `stage` and `panes`, what keys change in `state`, who has which
place in `layout`. The engine may be slow, go away and come back: the screen says so and stays alive.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from hil.tui import chart, keys
from hil.tui.boards import BoardTable
from hil.tui.deeds import Refusal, decide
from hil.tui.feed import Answer, Client, Feed, Reply
from hil.tui.help import HelpScreen
from hil.tui.painter import Painter
from hil.tui.palette import THEMES, Palette
from hil.tui.pane import Pane
from hil.tui.plot import Plot
from hil.tui.replies import words_of
from hil.tui.state import Scene

__all__ = ["HilApp"]


class HilApp(App[int]):
    """The screen of a bench.

    Args:
        client: The engine.
        fps: Pictures a second, at most.
        owns: Whether the engine ends with this screen.
        inline: Ask the engine in the app's own thread (tests and pictures).
    """

    CSS_PATH = Path(__file__).with_name("hil.tcss")
    TITLE = "hil"
    ENABLE_COMMAND_PALETTE = True
    AUTO_FOCUS = "#boards"
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()

    class Arrived(Message):
        """The feed has an answer or a reply."""

        def __init__(self, what: Answer | Reply) -> None:
            super().__init__()
            self.what = what

    def __init__(self, client: Client, fps: float = 10.0, owns: bool = True, inline: bool = False) -> None:
        super().__init__()
        self.client = client
        self.scene = Scene(lanes=self.no_color)  # without colour a lane tells the channels apart
        self.fps = fps
        self.owns = owns
        self.maximised: Pane | None = None
        self.feed = Feed(client, self._apply if inline else lambda what: self.post_message(self.Arrived(what)), inline)
        self._ticks = 0
        self._noted_ns: int | None = None
        self.painter = Painter()
        for theme in THEMES:
            self.register_theme(theme)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = THEMES[0].name

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from self.painter.widgets()

    def on_mount(self) -> None:
        """Start to ask."""
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self._recolour()
        self.feed.start()
        self.set_interval(1 / self.fps, self.tick)
        self.call_after_refresh(self.tick)

    def tick(self) -> None:
        """Ask for the next picture; once a second while the engine is silent."""
        self._ticks += 1
        if not self.scene.lost or self._ticks % max(1, round(self.fps)) == 0:
            width = self.painter.visible_width() or self.size.width
            self.feed.ask(self.scene.view(chart.plot_columns(width), self.size.width))

    def on_hil_app_arrived(self, event: Arrived) -> None:
        """Take what the feed brings."""
        self._apply(event.what)

    def _apply(self, what: Answer | Reply) -> None:
        if isinstance(what, Reply):
            self.say(what.trouble or words_of(what), bool(what.trouble))
            return
        if what.snapshot is None and self.scene.latest is None and getattr(self.client, "failure", None):
            self.exit(3)  # there never was an engine: the caller says why, on a terminal that is its own again
        if what.snapshot is None:
            self.scene = replace(self.scene, lost=what.trouble)
        else:
            self.scene = self.scene.seen(what.snapshot)
        self.feed.taken()
        self.paint()

    def say(self, message: str, bad: bool = False) -> None:
        """Show a sentence at the foot for some seconds."""
        self.scene = self.scene.say(message, bad)
        self.paint()

    def paint(self) -> None:
        """Draw the scene."""
        main = self.screen_stack[0] if self.screen_stack else None
        if main is None or not main.is_mounted:
            return
        panels = chart.panels(self.scene.streams)
        self.painter.mount(panels)
        if isinstance(self.maximised, Plot) and self.maximised.panel not in panels:
            self.maximised = None
        self.painter.paint(main, self.scene, self.maximised)

    def _recolour(self) -> None:
        Pane.palette = Palette(self.current_theme, not self.no_color)
        for screen in self.screen_stack:
            for pane in screen.query(Pane):
                pane.repaint()

    def on_resize(self) -> None:
        """Arrange for the new size at once."""
        self.paint()

    def on_key(self, event: events.Key) -> None:
        """The first key of all ends the hint."""
        if self.scene.hint:
            self.scene = replace(self.scene, hint=False)

    def on_board_table_moved(self, event: BoardTable.Moved) -> None:
        """Move the cursor of the table."""
        self._show(self.scene.point(event.line))

    def _show(self, scene: Scene) -> None:
        self.scene = scene
        self.paint()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every action by name."""
        for name, explained, action in keys.actions(self.scene.latest):
            yield SystemCommand(name, explained, partial(self.call_later, self.run_action, action))

    def action_freeze(self) -> None:
        """Freeze the picture, never the capture."""
        self._show(self.scene.freeze())

    def action_live(self) -> None:
        """Follow the bench."""
        self._show(self.scene.live())

    def action_zoom(self, by: int) -> None:
        """Change the time base."""
        self._show(self.scene.zoom(by))
        self.tick()

    def action_lanes(self) -> None:
        """A lane a channel, or all together."""
        self._show(replace(self.scene, lanes=not self.scene.lanes))

    def action_allan(self) -> None:
        """The Allan deviation of the focused plot, or its readings again."""
        focused = self.focused
        if not isinstance(focused, Plot) or focused.panel.is_image:
            self.say("an Allan deviation belongs to a plot of channels: focus one with tab, then press a", True)
            return
        self._show(self.scene.pick_allan(focused.panel.board, focused.panel.stream))
        self.tick()

    def action_only(self) -> None:
        """Only the plots of the focused pane's board."""
        focused = self.focused
        self._show(self.scene.pick_only(focused.panel.board if isinstance(focused, Plot) else ""))

    def action_maximise(self) -> None:
        """Give the focused pane the whole screen, or give it back."""
        focused = self.focused
        self.maximised = focused if self.maximised is None and isinstance(focused, Pane) else None
        self.paint()

    def action_restore(self) -> None:
        """Close what is open, the nearest first."""
        if self.painter.note.has_class("-open"):
            self._close_note()
        elif self.maximised is not None:
            self.maximised = None
        elif self.scene.held is not None:
            self.scene = self.scene.live()
        self.paint()

    def action_bench(self, deed: str, value: float = 0) -> None:
        """Do something to the bench, or say why not."""
        decided = decide(deed, self.scene, value)
        if isinstance(decided, Refusal):
            self.say(decided.sentence, True)
        else:
            self.feed.command(decided.verb, **decided.args)

    def action_note(self) -> None:
        """Ask for the words of a mark, in one line that traps nobody; the mark keeps the time of this key."""
        self._noted_ns = self.scene.latest.now_ns if self.scene.latest else None
        self.painter.note.add_class("-open")
        self.painter.note.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the mark."""
        if words := event.value.strip():
            self.feed.command("mark", text=words, t_ns=self._noted_ns)
        self._close_note()

    def _close_note(self) -> None:
        self.painter.note.value = ""
        self.painter.note.remove_class("-open")
        self.painter.boards.focus()

    def action_picture(self) -> None:
        """Keep a picture of the screen."""
        self.deliver_screenshot()

    def action_help(self) -> None:
        """Explain the focused pane and all keys."""
        focused = self.focused
        self.push_screen(HelpScreen("plot" if isinstance(focused, Plot) else (focused.id or "") if focused else ""))

    def action_interrupt(self) -> None:
        """Close what lies over the screen, or say how to leave."""
        if isinstance(self.screen, ModalScreen):
            self.screen.dismiss()
            return
        goes_on = "the recording goes on; " if self.scene.recording else ""
        self.say(f"{goes_on}ctrl+q leaves the screen")

    def action_leave(self) -> None:
        """Leave; while a recording of our own engine runs, only when asked twice, and the file is closed first."""
        if self.scene.recording and self.owns:
            if not self.scene.leaving:
                self.say("a recording runs: press ctrl+q again to close its file and leave")
                self.scene = replace(self.scene, leaving=True)
                return
            self.feed.command("record_stop")
        self.exit(0)
