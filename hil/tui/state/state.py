"""What the keys of this screen change: a frozen value and the steps from one to the next.

Rule of this room: pure. The bench is never touched here; freezing keeps a snapshot and goes on asking for the figures.
"""

from dataclasses import dataclass, field, replace

from hil.tui.state.look import FEW, Look
from hil.tui.state.scope import Scope
from hil.tui.state.still import unchanged
from hil.tui.state.verdict import worst_first
from hil.views.figure import Ask
from hil.views.snapshot import Snapshot, StreamView
from hil.views.view import View

__all__ = ["BASES", "SPEEDS", "Scene", "going_on", "next_speed"]

BASES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Time bases in seconds."""

SHORTEST = 0.01
"""Seconds of a stretch that the mouse can pick, at least."""

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
        look: How the plots are arranged.
        scope: The trigger.
        pan_ns: How far the right edge of a frozen picture was moved, to look closer at another place.
        base_s: The time base to which the picture goes back where a stretch was picked from it; None where none was.
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
    look: Look = field(default_factory=Look)
    scope: Scope = field(default_factory=Scope)
    pan_ns: int = 0
    base_s: float | None = None

    @property
    def recording(self) -> bool:
        """Whether a recording runs."""
        return bool(self.latest and self.latest.recording and self.latest.recording.state == "recording")

    @property
    def streams(self) -> tuple[StreamView, ...]:
        """The streams to draw: the held ones while the view is the one that was frozen."""
        shown = self.held if self.held is not None and self._as_held else self.latest
        return shown.streams if shown else ()

    @property
    def overview(self) -> bool:
        """Whether the boards stand alone, with a line of readings each: until somebody wants one board's details."""
        many = self.latest is not None and len(self.latest.boards) > FEW
        return not self.only and (many if self.look.overview is None else self.look.overview)

    @property
    def plotted(self) -> tuple[StreamView, ...]:
        """The streams that get plots: in an overview those of the board at the cursor."""
        if not self.overview or self.latest is None:
            return self.streams
        here = self.latest.boards[self.cursor].role if self.latest.boards else ""
        return tuple(stream for stream in self.streams if stream.board == here)

    @property
    def holds_ns(self) -> int | None:
        """Right edge of the picture where a trigger or a person holds it; None where it follows the bench."""
        if self.held is not None:
            return max((stream.end_ns for stream in self.held.streams), default=self.held.now_ns) + self.pan_ns
        return None if self.latest is None else self.scope.end_ns(self.latest.now_ns, self.seconds)

    @property
    def zero_ns(self) -> int | None:
        """The firing that the picture is held at, from which its times count; None: they count from its right edge."""
        fired = self.scope.fired
        if fired is None or self.holds_ns is None:
            return None
        seen = self.held is None or any(one.start_ns <= fired[0] <= one.end_ns for one in self.held.streams)
        return fired[0] if seen else None

    @property
    def _as_held(self) -> bool:
        return self.held_key == (self.seconds, self.only) and not self.pan_ns

    def view(self, columns: int, history: int, figures: tuple[Ask, ...] = ()) -> View:
        """Return what to ask the engine for."""
        boards = (self.only,) if self.only else None
        fresh = self.held is None or not self._as_held
        return View(
            columns, self.seconds, self.holds_ns, boards, envelopes=fresh, images=fresh, history=history,
            allan=self.allan, figures=figures, cursor_s=self.look.cursor_s, trigger=self.scope.text,
        )  # fmt: skip

    def seen(self, snapshot: Snapshot) -> "Scene":
        """Take a new snapshot."""
        if len(snapshot.boards) > FEW:
            snapshot = replace(snapshot, boards=worst_first(snapshot.boards))
        roles = [board.role for board in snapshot.boards]
        here = self.latest.boards[self.cursor].role if self.latest and self.cursor < len(self.latest.boards) else ""
        cursor = roles.index(here) if here in roles else min(self.cursor, max(0, len(roles) - 1))
        scope = self.scope.seen(snapshot.trigger, snapshot.now_ns, self.seconds)
        if self.held is not None:  # the picture stays, and so does the moment that its times count from
            scope = replace(scope, fired=self.scope.fired)
        only = self.only if self.only in roles else ""
        return replace(self, latest=unchanged(self.latest, snapshot), lost="", cursor=cursor, only=only, scope=scope)

    def freeze(self) -> "Scene":
        """Freeze, or go back to live."""
        if self.held is not None or self.latest is None:
            return self.live()
        return replace(self, held=self.latest, held_key=(self.seconds, self.only), pan_ns=0)

    def live(self) -> "Scene":
        """Follow the bench."""
        seconds = self.seconds if self.base_s is None else self.base_s
        return replace(self, held=None, held_key=None, pan_ns=0, seconds=seconds, base_s=None)

    def zoom(self, by: int, at_s: float | None = None) -> "Scene":
        """Change the time base by steps.

        The cursor stays where it is on the screen. Frozen it stays at its time, too; so does what is under the mouse,
        `at_s` seconds before the right edge, where the wheel asks.
        """
        at = min(range(len(BASES)), key=lambda index: abs(BASES[index] - self.seconds))
        seconds, cursor = BASES[max(0, min(len(BASES) - 1, at + by))], self.look.cursor_s
        still = cursor if at_s is None else at_s
        if self.held is not None and still is not None:
            return self.moved(seconds, still * seconds / self.seconds - still)
        placed = None if cursor is None else cursor * seconds / self.seconds
        return replace(self, seconds=seconds, look=replace(self.look, cursor_s=placed))

    def stretch(self, begin_s: float, end_s: float) -> "Scene":
        """Look closer at a stretch between two times, seconds before the right edge; a live picture freezes for it."""
        scene = self if self.held is not None or self.latest is None else self.freeze()
        if scene.held is None:
            return self
        seconds = max(SHORTEST, begin_s - end_s)
        scene = replace(scene, base_s=scene.seconds if scene.base_s is None else scene.base_s)
        return scene.moved(seconds, -((begin_s + end_s) / 2 - seconds / 2))

    def moved(self, seconds: float, later_s: float) -> "Scene":
        """Show so much of a frozen picture, its right edge so much later; the cursor keeps its time while in sight."""
        cursor = None if self.look.cursor_s is None else max(0.0, min(seconds, self.look.cursor_s + later_s))
        look = replace(self.look, cursor_s=cursor)
        return replace(self, seconds=seconds, look=look, pan_ns=self.pan_ns + round(later_s * 1e9))

    def move_cursor(self, by_s: float) -> "Scene":
        """Move the cursor to the right; at an edge of a frozen picture that moves instead."""
        if self.look.cursor_s is None:
            return self
        wanted = self.look.cursor_s - by_s
        placed = max(0.0, min(self.seconds, wanted))
        pan = self.pan_ns - round((wanted - placed) * 1e9) if self.held is not None else 0
        return replace(self, look=replace(self.look, cursor_s=placed), pan_ns=pan)

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
