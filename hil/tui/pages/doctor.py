"""The page of the doctor: findings, what to do about each, and a port to examine.

Rule of this room: thin. Measuring is done by `hil.doctor` in a process of its own, so that neither a slow port nor the
screen's own work spoils a figure; lines are made in `checkuplines`.
"""

import os
import sys
from collections.abc import Sequence

from textual.app import ComposeResult

from hil.doctor.finding import Checkup, Finding
from hil.tui import reach
from hil.tui.feed import Answer, Reply
from hil.tui.key import Hint, bindings
from hil.tui.library import Library
from hil.tui.lines import checkuplines
from hil.tui.page import Page
from hil.tui.pagelist import PageInfo
from hil.tui.pages import doctor_keys
from hil.tui.sheet import Sheet
from hil.tui.sheets import doctor as tables
from hil.tui.terminal.pane import Pane
from hil.tui.terminal.table import Table
from hil.tui.workplace import Workplace

__all__ = ["DoctorPage"]

TOLD = ("TERM", "COLORTERM", "NO_COLOR", "SSH_CONNECTION", "TMUX")
"""Variables that say what a terminal can do."""


class DoctorPage(Page):
    """Findings about computer, terminal and ports.

    Args:
        info: Its place in the list.
        place: What stands behind it.
    """

    AUTO_FOCUS = "#findings"
    BINDINGS = bindings(doctor_keys.KEYS)

    def __init__(self, info: PageInfo, place: Workplace) -> None:
        super().__init__(info, place)
        self.findings = Table("findings", self._point, id="findings")
        self.advice = Pane("advice", id="advice")
        self.checkup: Checkup | None = None
        self.engine: Finding | None = None
        self.ports: tuple[str, ...] = ()
        self.port = ""
        self.busy = ""
        self.only_wrong = False
        self.cursor = 0
        self.library = Library(place.open_library(), self.deliver, place.inline)

    def compose(self) -> ComposeResult:
        """The panes from top to bottom."""
        yield from (self.status, self.findings, self.advice, self.footer)

    def on_mount(self) -> None:
        """Examine the computer."""
        self.library.feed.start()
        self.library.feed.command("ports")
        self.action_examine()

    def close(self) -> None:
        """End the process that examines."""
        self.library.close()

    def take(self, what: Answer | Reply) -> None:
        """See `Page.take`."""
        if isinstance(what, Answer):
            return
        if what.trouble:
            self.say(what.trouble, True)
        elif what.verb == "ports":
            self.ports = tuple(what.values["ports"])
            self.port = self.port or next(iter(self.ports), "")
        else:
            self.checkup, self.engine = Checkup.from_dict(dict(what.values)), reach.finding(self.place.client)
            self.cursor = next((at for at, one in enumerate(self._shown) if one.level == self.checkup.worst), 0)
        if what.verb == "examine":
            self.busy = ""
        self.paint()

    @property
    def _shown(self) -> tuple[Finding, ...]:
        return checkuplines.shown(self.checkup, self.only_wrong, self.engine)

    def paint(self) -> None:
        """Draw the findings."""
        if not self.seen:
            return
        super().paint()
        shown, (width, height) = self._shown, self.size
        self.cursor = max(0, min(len(shown) - 1, self.cursor))
        self.advice.styles.height = min(9, max(5, height // 3))
        title, lines = checkuplines.findings(shown, width, self.cursor, self.busy)
        self.findings.show_lines(lines, self.cursor, title)
        at_cursor = shown[self.cursor] if shown else None
        self.advice.show(checkuplines.advice(at_cursor, self.checkup, self.port, width))

    def hints(self) -> Sequence[Hint]:
        """Return the keys worth showing now."""
        return doctor_keys.hints(self.port, bool(self.busy))

    async def sheet(self) -> Sheet | str:
        """Return the findings that are shown."""
        return tables.findings(self._shown, self.checkup.port) if self.checkup else "the examination goes on"

    def _point(self, line: int) -> None:
        self.cursor = line
        self.paint()

    def _examine(self, port: str | None, loopback: bool = False) -> None:
        if self.busy:
            self.say(f"{self.busy} is being examined: one after the other", True)
            return
        self.busy = port or "the computer"
        told = {name: os.environ[name] for name in TOLD if name in os.environ}
        encoding = getattr(sys.__stderr__, "encoding", "") or ""
        screen = [told, True, list(self.app.size), encoding]
        self.library.feed.command("examine", screen=screen, port=port, loopback=loopback)
        self.paint()

    def action_examine(self) -> None:
        """Examine the computer and its ports."""
        self._examine(None)

    def action_listen(self, loopback: bool = False) -> None:
        """Examine the chosen port."""
        if self.port:
            self._examine(self.port, loopback)
        else:
            self.say("there is no port to examine: plug a board in and press d", True)

    def action_next_port(self, by: int) -> None:
        """Choose another port."""
        if self.ports:
            at = self.ports.index(self.port) if self.port in self.ports else 0
            self.port = self.ports[(at + by) % len(self.ports)]
            self.paint()

    def action_wrong(self) -> None:
        """Leave out what is well, or not."""
        self.only_wrong = not self.only_wrong
        self.paint()

    def action_copy(self) -> None:
        """Copy what to do."""
        shown = self._shown
        if not shown or not shown[self.cursor].todo:
            self.say("nothing is to be done about it", True)
            return
        self.app.copy_to_clipboard(shown[self.cursor].todo)
        self.say("copied, where the terminal takes OSC 52")
