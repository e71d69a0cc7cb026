"""What the keys of this screen change: a frozen value and the steps from one to the next.

Rule of this room: pure. The bench is never touched here; freezing keeps a snapshot and goes on asking for the figures.
"""

from dataclasses import dataclass, replace

from hil.snapshot import Snapshot, StreamView
from hil.tui.still import unchanged
from hil.view import View

__all__ = ["BASES", "SPEEDS", "Scene", "going_on", "next_speed"]

BASES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Time bases in seconds."""

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1000.0)
"""Speeds of a replay; beyond the last one it goes as fast as it can."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How this screen looks at the bench.

    Attributes:
        seconds: Time base.
        latest: The newest snapshot; None before the first.
        held: The snapshot that the screen is frozen at; None when live.
        held_key: What was asked for when it was frozen.
        only: The role whose plots alone are shown; empty for all.
        lanes: Whether each channel has a lane of its own.
        allan: Role and stream whose Allan deviation stands in place of its readings; None for no one's.
        cursor: Line of the table of boards.
        lost: Why the engine does not answer; empty while it does.
        loop_a: Where a loop is to begin, seconds of the replay, once that was chosen; None before.
        hint: Whether the first-run hint is still shown.
    """

    seconds: float = 10.0
    latest: Snapshot | None = None
    held: Snapshot | None = None
    held_key: tuple[float, str] | None = None
    only: str = ""
    lanes: bool = False
    allan: tuple[str, str] | None = None
    cursor: int = 0
    lost: str = ""
    loop_a: float | None = None
    hint: bool = True

    @property
    def recording(self) -> bool:
        """Whether a recording runs."""
        return bool(self.latest and self.latest.recording and self.latest.recording.state == "recording")

    @property
    def streams(self) -> tuple[StreamView, ...]:
        """The streams to draw: the held ones while the view is the one that was frozen."""
        shown = self.held if self.held is not None and self.held_key == (self.seconds, self.only) else self.latest
        return shown.streams if shown else ()

    def view(self, columns: int, history: int) -> View:
        """Return what to ask the engine for."""
        boards = (self.only,) if self.only else None
        if self.held is None:
            return View(columns, self.seconds, None, boards, history=history, allan=self.allan)
        end = max((stream.end_ns for stream in self.held.streams), default=self.held.now_ns)
        same = self.held_key == (self.seconds, self.only)
        return View(columns, self.seconds, end, boards, envelopes=not same, images=not same, history=history,
                    allan=self.allan)  # fmt: skip

    def seen(self, snapshot: Snapshot) -> "Scene":
        """Take a new snapshot."""
        last = max(0, len(snapshot.boards) - 1)
        only = self.only if any(board.role == self.only for board in snapshot.boards) else ""
        return replace(self, latest=unchanged(self.latest, snapshot), lost="", cursor=min(self.cursor, last), only=only)

    def freeze(self) -> "Scene":
        """Freeze, or go back to live."""
        if self.held is not None or self.latest is None:
            return self.live()
        return replace(self, held=self.latest, held_key=(self.seconds, self.only))

    def live(self) -> "Scene":
        """Follow the bench."""
        return replace(self, held=None, held_key=None)

    def zoom(self, by: int) -> "Scene":
        """Change the time base by steps."""
        at = min(range(len(BASES)), key=lambda index: abs(BASES[index] - self.seconds))
        return replace(self, seconds=BASES[max(0, min(len(BASES) - 1, at + by))])

    def pick_allan(self, role: str, stream: str) -> "Scene":
        """Show the Allan deviation of a stream, or its readings again."""
        return replace(self, allan=None if self.allan == (role, stream) else (role, stream))

    def pick_only(self, role: str = "") -> "Scene":
        """Show only the plots of one board (by default the one at the cursor), or those of all again."""
        if self.latest is None or not self.latest.boards:
            return self
        role = role or self.latest.boards[self.cursor].role
        return replace(self, only="" if self.only == role else role)

    def point(self, line: int) -> "Scene":
        """Put the cursor of the table of boards on a line."""
        count = len(self.latest.boards) if self.latest else 0
        return replace(self, cursor=max(0, min(count - 1, line)))


def next_speed(speed: float | None, by: int) -> float | None:
    """Return the next slower or faster speed; None is as fast as it goes."""
    at = len(SPEEDS) if speed is None else min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - speed))
    at = max(0, at + by)
    return SPEEDS[at] if at < len(SPEEDS) else None


def going_on(snapshot: Snapshot) -> str:
    """Return what a frozen picture does not stop."""
    return "the replay goes on" if snapshot.mode == "replay" else "capture goes on"
