"""A monkey at the screen: seeded random keys, clicks and resizes on every page, and what they cost."""

import asyncio
import gc
import importlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual._compositor import CompositorUpdate
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.screen import Screen

from hil.tui.app import HilApp
from hil.tui.keys import KEYS
from hil.tui.pagelist import PAGES
from hil.tui.terminal.sweeper import Sweeper

TYPED = ("a", "q", "enter", "escape", "up", "down", "pageup", "pagedown", "backspace", "x", "space", "tab", "5", "1")
LEFT_ALONE = ("screen.quit", "screen.picture")
"""Keys that would end the monkey's work, or write a file a press."""

GOES = tuple(page.key for page in PAGES)
WORST_MS = 250.0
"""What a rare picture may take."""

TIMES = 25
"""Or so many times what half of them take, on a machine that is slow or shared."""

HOLDS = 12
"""Turns of the loop that a step is given before the next one comes: a hurried person's."""


def names(page: str | None = None) -> tuple[str, ...]:
    """The keys of a page, or of all."""
    keys = KEYS if page is None else next(info.keys for info in PAGES if info.name == page)
    return tuple(name for key in keys if key.id not in LEFT_ALONE for name in key.keys.split(","))


class Monkey:
    """Random steps, one after another.

    Args:
        app: The screen.
        chance: Where its choices come from.
        aside_s: Returns the CPU time so far that was spent on making up the bench.
        seen: Counts the steps on each page.
    """

    def __init__(self, app: HilApp, chance: random.Random, aside_s: Callable[[], float] = float) -> None:
        self.app, self.chance, self._aside_s = app, chance, aside_s
        self.seen: dict[str, int] = {}
        self.took_ms: list[float] = []
        """CPU time of each picture: of all that was done since the last one, and of writing it for a terminal."""
        self._began = self._worked = 0.0
        self._shows = app._display
        app._display = self._show  # type: ignore[assignment, method-assign] # there is no public place for it

    async def step(self) -> None:
        """Do one thing and let the screen follow for a moment."""
        self._began = self._now()
        dice, chance, app = self.chance.random(), self.chance, self.app
        self.seen[app.page.info.name] = self.seen.get(app.page.info.name, 0) + 1
        if dice < 0.87:
            self._press(self._key(dice))
        elif dice < 0.97:
            self._click(chance.randrange(app.size.width), chance.randrange(app.size.height))
        else:
            self._resize(Size(chance.randrange(1, 220), chance.randrange(1, 60)))
        for _ in range(HOLDS):
            await asyncio.sleep(0)
        self._worked += self._now() - self._began
        assert app._exception is None, "the screen fell over"

    def _now(self) -> float:
        return time.thread_time() - self._aside_s()

    def _show(self, screen: Screen[Any], picture: Any) -> None:
        self._shows(screen, picture)
        if isinstance(picture, CompositorUpdate):
            picture.render_segments(self.app.console)  # a screen without a terminal leaves that out
        now = self._now()
        self.took_ms.append(1e3 * (self._worked + now - self._began))
        self._began, self._worked = now, 0.0

    def _key(self, dice: float) -> str:
        if dice < 0.08:
            return self.chance.choice(GOES)
        if dice < 0.5:
            return self.chance.choice(names(self.app.page.info.name) or GOES)
        return self.chance.choice(names() if dice < 0.65 else TYPED)

    def _press(self, key: str) -> None:
        character = {"space": " "}.get(key, key)
        event = events.Key(key, character if len(character) == 1 else None)
        event.set_sender(self.app)
        self._send(event)

    def _click(self, x: int, y: int) -> None:
        self._mouse(events.MouseDown, x, y)
        if self.chance.random() < 0.3:  # a hand that drags, and does not always stay in the pane
            x, y = self.chance.randrange(self.app.size.width), self.chance.randrange(self.app.size.height)
            self._mouse(events.MouseMove, x, y)
        self._mouse(events.MouseUp, x, y)

    def _mouse(self, kind: type[events.MouseEvent], x: int, y: int) -> None:
        self._send(kind(None, x, y, 0, 0, 1, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y))

    def _resize(self, size: Size) -> None:
        assert isinstance(self.app._driver, HeadlessDriver)
        self.app._driver._size = size  # as Textual's own pilot does
        self.app.post_message(events.Resize(size, size))

    def _send(self, event: Any) -> None:
        driver = self.app._driver
        assert driver is not None
        driver.send_message(event)

    def within_ms(self, share: float) -> float:
        """The CPU time that so large a share of the pictures stayed within."""
        rising = sorted(self.took_ms)
        return rising[min(len(rising) - 1, int(share * len(rising)))]

    @property
    def worst_ms(self) -> float:
        """What a rare picture may take on this machine."""
        return max(WORST_MS, TIMES * self.within_ms(0.5))


@pytest.fixture
def caged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sweeper]:
    """A monkey does not leave, which is tested elsewhere, and what other tests left behind is no burden of its screen.

    What was there before a screen starts is set aside, as `run_tui` does it; here that is a whole run of tests. And the
    pages' code is there, as an installed program has it compiled: pytest would compile it anew in the midst of a step.

    Yields:
        What decides when garbage is looked for, as in a screen that somebody works.
    """
    monkeypatch.setattr(HilApp, "action_leave", lambda app: None)
    monkeypatch.setattr(HilApp, "action_picture", lambda app: None)
    for info in PAGES:
        importlib.import_module(f"hil.tui.pages.{info.name}")
    gc.collect()
    sweeper = Sweeper()
    with sweeper.at_work():
        yield sweeper


def legible(shown: str, width: int) -> bool:
    """Whether a picture as text is no wider than the screen and steers no terminal."""
    return "\x1b" not in shown and all(cell_len(row) <= width for row in shown.splitlines())
