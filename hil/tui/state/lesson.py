"""The lesson of the first run: one line above the footer that names the next key, and goes on when it is pressed.

Rule of this room: pure. It stands in nobody's way: every key does what it always does, the lesson only notices; it can
be skipped by a key of its own, and whoever went through it once is not taught again (`remembered`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hil.tui.charts.cells import DIM, KEY, TEXT, TITLE, WARN, Line, Run
from hil.tui.key import Key

__all__ = ["LESSON", "Lesson", "Step"]

SKIP = "screen.lesson"
"""Id of the key that skips it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One key to press: its id, what it does, and the page on which it does so (empty: any)."""

    key: str
    words: str
    page: str = ""


LESSON = (
    Step("screen.freeze", "stops the picture so that you can look; capture goes on", "live"),
    Step("screen.freeze", "again: back to live", "live"),
    Step("pane.next", "goes to the next pane", "live"),
    Step("pane.maximise", "gives that pane the whole screen", "live"),
    Step("pane.maximise", "again: gives it back", "live"),
    Step("time.out", "shows a longer stretch of time", "live"),
    Step("screen.help", "explains the pane and every key; esc closes it"),
    Step("page.recordings", "goes to what was recorded"),
    Step("page.live", "comes back to the boards; r records there, ^p finds any action, ^q leaves"),
)
"""What is taught, in less than a minute."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How far a lesson is.

    Attributes:
        steps: What is taught.
        at: Which of them is next.
    """

    steps: Sequence[Step] = LESSON
    at: int = 0

    @property
    def over(self) -> bool:
        """Whether all of it was done."""
        return self.at >= len(self.steps)

    def pressed(self, name: str, keys: Sequence[Key], page: str) -> "Lesson":
        """Return the lesson after a key was pressed.

        Args:
            name: Name of the key.
            keys: Those that work on this page, as the user has them.
            page: Its name.
        """
        if self.over:
            return self
        step = self.steps[self.at]
        there = next((key.keys for key in keys if key.id == step.key), "")
        meant = step.page in ("", page) and name in [one.strip() for one in there.split(",")]
        return replace(self, at=self.at + 1) if meant else self

    def line(self, keys: Sequence[Key], page: str, width: int) -> Line:
        """Return the line that says what to press next; what has no room is left out whole."""
        if self.over:
            return ()
        step = self.steps[self.at]
        shown = {key.id: key.shown for key in keys}
        line: list[Run] = [(f" lesson {self.at + 1} of {len(self.steps)} ", TITLE)]
        if step.page not in ("", page):
            line += [(" goes on there: ", TEXT), (shown.get(f"page.{step.page}", ""), KEY)]
        else:
            line += [(f" {shown.get(step.key, '?')} ", WARN), (step.words, TEXT)]
        skip: list[Run] = [("  ", TEXT), (shown.get(SKIP, ""), KEY), (" skips", DIM)]
        used = sum(len(words) for words, _ in line)
        return [*line, *skip] if used + sum(len(words) for words, _ in skip) <= width else line
