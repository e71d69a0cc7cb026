"""Why the decision under the play head of a replay was made, in the place of the plots; it follows a head that rests.

Rule of this room: thin. A librarian in a process of its own finds the model, reads and explains; it starts when the
first decision is asked about and ends with the pane. One explanation is made at a time and the newest head waits for
its turn; while it plays nothing is asked and nothing drawn. What is drawn is made in `whylines`, which is loaded only
then: no screen starts later for it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widget import Widget

from firmware_bridge.errors import BridgeError
from hil.tui.charts.cells import DIM, KEY, WARN, Line
from hil.tui.charts.chart import Panel
from hil.tui.feed import Answer, Reply, answer
from hil.tui.state.state import Scene
from hil.tui.terminal.pane import Pane
from hil.tui.workplace import Workplace
from hil.views.snapshot import Snapshot

if TYPE_CHECKING:
    from hil.tui.library import Library
    from hil.tui.state.modelling import Why

__all__ = ["WhyPane"]

LIVE = "under a play head only: why a decision of the live bench was made stands on the page of models"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an explanation is asked of.

    Attributes:
        path: The recording.
        at_s: Where the play head is, seconds from the recording's first sample.
        board: Role of the board that is meant; None: the one that there is a decision of.
        loaded: Files of the models on the bench.
    """

    path: str
    at_s: float
    board: str | None
    loaded: tuple[str, ...]


class WhyPane(Pane):
    """One explanation."""

    class Explained(Message):
        """The librarian has answered."""

        def __init__(self, reply: Answer | Reply) -> None:
            super().__init__()
            self.reply = reply

    def __init__(self) -> None:
        super().__init__("why", id="why")
        self.can_focus = False
        self._why: Why | None = None
        self._at_s = 0.0  # of what is shown
        self._asked: Asked | None = None
        self._plays_on = False
        self._library: Library | None = None
        self._inline = False
        self._drawn: tuple[object, ...] = ()
        self._before: Widget | None = None

    async def ask(self, place: Workplace, scene: Scene, panel: Panel | None) -> str:
        """Ask why the decision under the play head was made; return why that cannot be, empty where it can.

        Args:
            place: What stands behind the page: models of its bench are meant first.
            scene: What the page shows.
            panel: The focused plot, whose board is meant; None: the one board that there is a decision of.
        """
        from hil.tui.library import Library
        from hil.tui.state.modelling import Why

        shown = scene.held or scene.latest
        if shown is None or shown.replay is None:
            return LIVE
        try:
            files = (await answer(place.client, place.inline, "model_files")).get("files", [])
        except (BridgeError, OSError):
            files = []  # without a bench the recording names the model, or the librarian says that nobody does
        self._before = self.screen.focused
        if self._library is None:
            self._inline = place.inline
            self._library = Library(place.open_library(), self._deliver, place.inline)
            self._library.feed.start()
        self._why, self._at_s, self._plays_on = Why("", ""), shown.replay.position_s, False
        self._ask(Asked(shown.replay.path, self._at_s, panel.board if panel is not None else None, tuple(files)))
        return ""

    def follow(self, scene: Scene) -> None:
        """Explain what the play head stands on now, once it rests: paused, stepped, ended, or in a frozen picture."""
        shown, asked = scene.held or scene.latest, self._asked
        if shown is None or shown.replay is None or asked is None:
            return
        head, rests = shown.replay, _rests(scene, shown)
        self._plays_on = not rests and head.position_s != self._at_s
        if rests and (head.path, head.position_s) != (asked.path, asked.at_s):
            self._ask(Asked(head.path, head.position_s, asked.board, asked.loaded))

    def _ask(self, asked: Asked) -> None:
        self._asked = asked
        if self._library is not None:
            self._library.ask(
                "explain", "explain_in", path=asked.path, at_s=asked.at_s, loaded=list(asked.loaded), board=asked.board,
            )  # fmt: skip

    def draw(self) -> bool:
        """Draw what is known; return whether it or the room for it has changed since."""
        why, ahead = self._why, self._ahead()
        key = (why, self._at_s, ahead, self.size.width, self.body_height)
        if why is None or key == self._drawn or not self.size.width:
            return False
        from hil.tui.lines import whylines

        self._drawn = key
        title, lines = whylines.picture(why, self.size.width, self.body_height)
        spot = (f"at {self._at_s:.2f} s  ", KEY)
        self.show(lines, [spot, *ahead, *title] if why.found is not None else [spot, *ahead])
        return True

    def _ahead(self) -> Line:
        """Return in what way the play head is ahead of what is shown; nothing where it stands there."""
        if self._plays_on:
            return [("▶ the head plays on: pause to see why there  ", DIM)]
        if self._asked is not None and self._asked.at_s != self._at_s:
            return [(f"◌ {self._asked.at_s:.2f} s is being made  ", WARN)]
        return []

    def repaint(self) -> None:
        """Draw anew where something has changed, then as every pane."""
        if not self.draw():
            super().repaint()

    def _deliver(self, reply: Answer | Reply) -> None:
        if self._inline:
            self._take(reply)
        else:
            self.post_message(self.Explained(reply))

    def on_why_pane_explained(self, event: Explained) -> None:
        """Take the answer."""
        self._take(event.reply)

    def _take(self, reply: Answer | Reply) -> None:
        from hil.tui.state.modelling import Why

        if not isinstance(reply, Reply) or self._library is None or self._why is None:
            return
        asked = self._asked
        if asked is not None and (reply.args["path"], reply.args["board"]) == (asked.path, asked.board):
            found, self._at_s = reply.values, float(reply.args["at_s"])
            self._why = (
                Why("", "", trouble=reply.trouble) if reply.trouble
                else Why(found["model"], found["board"], found["decided_ns"], found["label"], found)
            )  # fmt: skip
        self._library.answered(reply)
        self.draw()

    def on_hide(self) -> None:
        """Give the focus back to whoever had it."""
        if self._before is not None and self._before.is_attached:
            self._before.focus()

    def on_unmount(self) -> None:
        """End the librarian, if there is one."""
        if self._library is not None:
            self._library.close()


def _rests(scene: Scene, shown: Snapshot) -> bool:
    """Whether the play head that somebody sees stands still."""
    replay = shown.replay
    return scene.held is not None or (replay is not None and (replay.paused or replay.ended))
