"""The app: pages behind keys, a palette of every action, themes, help, and a way out that loses no recording.

Rule of this room: thin, and nothing about any one page. A page is a screen of its own that stays as it was left.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.events import Event, InputEvent
from textual.screen import ModalScreen, Screen
from textual.theme import ThemeProvider

from firmware_bridge.errors import UsageError
from hil.tui import evidence, keys, userstate
from hil.tui.actions import ActionList
from hil.tui.feed import Client
from hil.tui.help import HelpScreen
from hil.tui.key import bindings
from hil.tui.page import Page
from hil.tui.pagelist import PAGES, PageInfo
from hil.tui.pages.live import LivePage
from hil.tui.reach import sentence
from hil.tui.state.lesson import Lesson
from hil.tui.state.state import Scene
from hil.tui.terminal.palette import THEMES, Palette
from hil.tui.terminal.pane import Pane
from hil.tui.workplace import Workplace

__all__ = ["HilApp"]

SLOW_FPS = 2.0
"""Pictures a second with reduced motion."""

FEW_COLOURS = ("standard", "windows")
"""What Rich calls terminals of 16 colours: shades of a frame become characters there."""


class HilApp(App[int]):
    """The screen of a bench.

    Args:
        client: The engine.
        fps: Pictures a second, at most.
        owns: Whether the engine ends with this screen.
        inline: Ask the engine in the app's own thread (tests and pictures).
        place: All of this and more as one value; then the arguments before are not looked at.
        start: Name of the page that is shown first.
        driver: The terminal to draw on; None: the one that is there.

    Raises:
        UsageError: The settings name a theme that is not there.
    """

    CSS_PATH = Path(__file__).with_name("hil.tcss")
    TITLE = "hil"
    ENABLE_COMMAND_PALETTE = True
    DEFAULT_MODE = "live"
    BINDINGS: ClassVar[list[BindingType]] = bindings(keys.COMMON)

    def __init__(
        self, client: Client, fps: float = 10.0, owns: bool = True, inline: bool = False,
        place: Workplace | None = None, start: str = "live", driver: type[Driver] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(driver_class=driver)
        place = place or Workplace(client, fps, owns, inline)
        self.place = replace(place, bench=self._bench, behind=self._behind)
        self.first = start
        for theme in THEMES:
            self.register_theme(theme)
        settings = place.settings
        if settings.theme and settings.theme not in self.available_themes:
            there = ", ".join(sorted(self.available_themes))
            raise UsageError(f"there is no theme {settings.theme!r}", "screen.toml", f"use one of: {there}")
        if settings.theme or "TEXTUAL_THEME" not in os.environ:
            kept = "" if place.state is None else userstate.theme(place.state)
            self.theme = settings.theme or (kept if kept in self.available_themes else THEMES[0].name)
        self.set_keymap(dict(settings.keys))
        self.pages: dict[str, Page] = {}
        for info in PAGES:
            self.add_mode(info.name, partial(self._make, info))
        self.calm = False
        new = start == "live" and place.state is not None and not userstate.is_taught(place.state)
        self.lesson: Lesson | None = Lesson() if new else None

    def get_driver_class(self) -> type[Driver]:
        """Draw on a terminal that says how far it is behind, where there is one."""
        usual = super().get_driver_class()
        if sys.platform == "win32" or usual.__name__ != "LinuxDriver":
            return usual
        from hil.tui.terminal.outlet import CountingTerminal

        return CountingTerminal

    def _behind(self) -> bool:
        return bool(getattr(self._driver, "waiting", 0))

    def _make(self, info: PageInfo) -> Page:
        """Build a page when somebody first goes there."""
        page = self.pages[info.name] = info.make(info, self.place)
        # What is mounted now is styled by the styles of now; Textual would read all of them again, twice (70 ms).
        page._css_update_count = self._css_update_count  # noqa: SLF001 - it has no public name
        return page

    def _bench(self) -> Scene:
        return self.live.scene if "live" in self.pages else Scene()

    @property
    def live(self) -> LivePage:
        """The live page."""
        page = self.pages["live"]
        assert isinstance(page, LivePage)
        return page

    @property
    def page(self) -> Page:
        """The page that is shown, perhaps below a page of help."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, Page))

    def on_mount(self) -> None:
        """Choose colours, motion and the first page."""
        self.theme_changed_signal.subscribe(self, lambda _: self._chosen())
        self._recolour()
        self.set_interval(1.0, self.place.sweeper.strike)
        if self.place.settings.reduced_motion:
            self.action_motion()
        if self.first != "live":
            self.switch_mode(self.first)

    async def on_event(self, event: Event) -> None:
        """Let garbage wait while somebody is at the keys."""
        if isinstance(event, InputEvent):
            self.place.sweeper.pressed()
        await super().on_event(event)

    def _chosen(self) -> None:
        self._recolour()
        if self.place.state is not None:
            userstate.remember(self.place.state, theme=self.theme)

    def _recolour(self) -> None:
        few = self.console.color_system in FEW_COLOURS
        Pane.palette = Palette(self.current_theme, not self.no_color, few)
        for screen in self.screen_stack:
            for pane in screen.query(Pane):
                pane.repaint()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every action of this page by name."""
        page = self.page
        for name, explained, action in page.actions():
            yield SystemCommand(name, explained, partial(self.call_later, self.run_action, action, page))

    def action_page(self, name: str) -> None:
        """Go to a page."""
        if isinstance(self.screen, ModalScreen):
            self.screen.dismiss()
        self.switch_mode(name)

    def teach(self, lesson: Lesson | None, sentence: str = "") -> None:
        """Go on with the lesson; a lesson that is over, or none, is remembered."""
        state = self.place.state
        if lesson is None or lesson.over:
            lesson = None
            if state is not None:
                userstate.remember(state, taught=True)
        self.lesson = lesson
        if sentence:
            self.page.say(sentence)

    def action_lesson(self) -> None:
        """Skip the lesson, or begin it."""
        if self.lesson is None:
            self.teach(Lesson(), "the lesson begins: its next key stands above the footer")
        else:
            self.teach(None, "the lesson is skipped and does not come again")

    def action_motion(self) -> None:
        """Draw seldom and animate nothing, or as before."""
        self.calm = not self.calm
        self.animation_level = "none" if self.calm else "full"
        for page in self.pages.values():
            page.go_on(min(SLOW_FPS, self.place.fps) if self.calm else self.place.fps)
        if self.calm != self.place.settings.reduced_motion:
            self.page.say("two pictures a second, nothing is animated" if self.calm else "as many pictures as before")

    async def action_picture(self) -> None:
        """Keep a picture of the screen."""
        await self.action_export("picture")

    def action_evidence(self) -> None:
        """Offer what can be taken along of the focused pane."""
        self.push_screen(evidence.EvidenceScreen(self.page))

    async def action_export(self, form: str) -> None:
        """Take something along: `picture`, `csv`, `npz`, `copy`, `command` or `file`."""
        if isinstance(self.screen, evidence.EvidenceScreen):
            self.screen.dismiss()
        self.page.say(*await evidence.export(self, self.page, form))

    def action_theme(self, name: str) -> None:
        """Draw in the colours of a theme."""
        self.theme = name

    def search_themes(self) -> None:
        """List all themes there are."""
        self.push_screen(ActionList(providers=[ThemeProvider], placeholder="Search for themes…"))

    def action_command_palette(self) -> None:
        """List all actions; in place of a page of help, where one is open."""
        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss()
        if not isinstance(self.screen, ActionList):
            self.push_screen(ActionList(id="--command-palette"))

    def action_help(self) -> None:
        """Explain the focused pane and all keys of this page."""
        page = self.page
        self.push_screen(HelpScreen(page.info, page.usable(), page.topic(), sentence(page.place.client)))

    def action_interrupt(self) -> None:
        """Close what lies over the page, or say how to leave."""
        if isinstance(self.screen, ModalScreen):
            self.screen.dismiss()
            return
        goes_on = "the recording goes on; " if self._bench().recording else ""
        self.page.say(f"{goes_on}ctrl+q leaves the screen")

    def action_leave(self) -> None:
        """Leave, unless a page would lose something; where that is not this page, go and see it."""
        for name, page in self.pages.items():
            if not page.may_leave():
                self.action_page(name)
                return
        self.close_pages()
        self.exit(0)

    def close_pages(self) -> None:
        """Let every page go of what it holds, whichever way the screen ends; a second time does nothing."""
        for page in self.pages.values():
            page.close()
