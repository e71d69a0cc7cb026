"""What every page has: its keys, a sentence at its foot, help for its focused pane, and its actions for the palette.

Rule of this room: nothing about any one page. A page draws itself in `paint` and says in `hints` which keys work now.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from textual import events
from textual.message import Message
from textual.screen import Screen

from hil.tui import stage
from hil.tui.charts.cells import Line
from hil.tui.feed import Answer, Reply
from hil.tui.key import Hint, Key, moved
from hil.tui.keys import COMMON, EVIDENCE
from hil.tui.pagelist import PageInfo
from hil.tui.pointing import key_at
from hil.tui.sheet import Sheet
from hil.tui.terminal.palette import THEME_NAMES
from hil.tui.terminal.pane import Pane
from hil.tui.workplace import Workplace

__all__ = ["Page"]

MESSAGE_S = 5.0
"""How long a sentence stays at the foot."""


class Page(Screen[None]):
    """One page of the screen.

    Args:
        info: Its place in the list.
        place: What stands behind it.
    """

    class Arrived(Message):
        """Whoever stands behind the page has answered."""

        def __init__(self, what: Answer | Reply) -> None:
            super().__init__()
            self.what = what

    def __init__(self, info: PageInfo, place: Workplace) -> None:
        super().__init__(name=info.name, classes="page")
        self.info = info
        self.place = place
        self.status, self.footer = Pane(id="status"), Pane(id="footer")
        self._message = ("", False)
        self._said = 0

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The keys that work here, as this user has them."""
        return moved((*self.info.keys, *COMMON), self.place.settings.keys)

    def deliver(self, what: Answer | Reply) -> None:
        """Bring an answer from the thread of a feed to the page's own; at once where there is only one."""
        if self.place.inline:
            self.take(what)
        else:
            self.post_message(self.Arrived(what))

    def on_page_arrived(self, event: Arrived) -> None:
        """Take what was brought."""
        self.take(event.what)

    def take(self, what: Answer | Reply) -> None:
        """Make an answer part of the scene and draw it; a page that asks nobody has nothing to take."""

    def usable(self) -> Sequence[Key]:
        """Return the keys that can mean something here now, for the help page."""
        return self.keys

    @property
    def seen(self) -> bool:
        """Whether there is anything to draw on."""
        return self.is_mounted and self in self.app.screen_stack

    def paint(self) -> None:
        """Draw what is to be seen now; a page adds its own panes."""
        width = self.size.width
        tabs = stage.tabs(self.info.name, self.keys, width)
        self.status.show([stage.with_tabs(self.headline(width), tabs, width)])
        taught = self.lesson_line(width)
        foot = stage.foot(*self._message, self.hints(), self.keys, width)
        self.footer.styles.height = len(taught) + len(foot)
        self.footer.show([*taught, *foot])

    def lesson_line(self, width: int) -> list[Line]:
        """Return the line of the lesson, while there is one."""
        lesson = getattr(self.app, "lesson", None)
        return [] if lesson is None else [lesson.line(self.keys, self.info.name, width)]

    def on_key(self, event: events.Key) -> None:
        """Let go of a refusal that was read, and let the lesson notice; the key does what it does."""
        if self._message[1]:
            self._unsay(self._said)
        lesson, app = getattr(self.app, "lesson", None), self.app
        if lesson is not None and (after := lesson.pressed(event.key, self.keys, self.info.name)) is not lesson:
            app.teach(after)  # type: ignore[attr-defined]  # only `HilApp` has a lesson
            self.paint()

    def on_click(self, event: events.Click) -> None:
        """Do what the key does that was clicked: a page in the first line, an action in the last."""
        if event.widget is self.status or event.widget is self.footer:
            pages = event.widget is self.status
            keys = [key for key in self.keys if key.id.startswith("page.") or not pages]
            shown = (self.status if pages else self.footer).row(event.y)
            if (name := key_at(shown, event.x, keys)) is not None:
                self.app.call_later(self.app.simulate_key, name)  # from the app, as every key comes

    def headline(self, width: int) -> Line:
        """Return the first line: how the bench is, whatever page is shown."""
        return stage.bench(self.info.title, self.place.bench(), width)

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now, the most useful first."""
        return ()

    def say(self, message: str, bad: bool = False) -> None:
        """Show a sentence at the foot for some seconds."""
        self._said += 1
        self._message = (message, bad)
        self.set_timer(MESSAGE_S, lambda said=self._said: self._unsay(said))
        self.paint()

    def _unsay(self, said: int) -> None:
        if said == self._said:
            self._message = ("", False)
            self.paint()

    def topic(self) -> str:
        """Return the name of the focused pane, for the help page."""
        focused = self.focused
        return (focused.id or "") if focused else ""

    async def sheet(self) -> Sheet | str:
        """Return what the focused pane shows as a table, or one sentence why it has none."""
        return "this page has no table"

    def actions(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, explanation and action of everything that can be done here now, for the palette."""
        for key in self.keys:
            if key.id != "screen.palette":
                yield f"{key.name} ({key.shown})", key.help, key.action
        for key in moved(EVIDENCE, self.place.settings.keys):
            yield f"export: {key.name}", key.help, f"app.{key.action}"
        for name, called in THEME_NAMES.items():
            yield f"theme: {called}", "Draw in these colours, and remember them.", f"app.theme('{name}')"
        yield "theme: another", "Choose from all themes there are.", "app.change_theme"

    def may_leave(self) -> bool:
        """Return whether the screen may be left now; a page that would lose something says so instead."""
        return True

    def close(self) -> None:
        """Let go of what the page holds, when the screen ends."""

    def go_on(self, fps: float) -> None:
        """Draw so many pictures a second, at most."""

    def repaint(self) -> None:
        """Draw every pane anew, in the colours of now."""
        for pane in self.query(Pane):
            pane.repaint()

    def on_mount(self) -> None:
        """Show the bench's state on every page, once a second."""
        self.set_interval(1.0, self._second)

    def _second(self) -> None:
        if self.seen and not self.place.behind():
            self.paint()

    def on_screen_resume(self) -> None:
        """Draw at once when somebody comes here."""
        self.paint()

    def on_resize(self) -> None:
        """Arrange for the new size at once."""
        self.call_after_refresh(self.paint)
