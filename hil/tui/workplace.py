"""What a page is given: the engine, where recordings lie, the keys as this user has them, and how to open an engine.

Rule of this room: values and functions, no screen library; a page reaches the bench through this and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hil.tui.settings import Settings
from hil.tui.state.state import Scene
from hil.tui.terminal.pace import Pace
from hil.tui.terminal.sweeper import Sweeper

if TYPE_CHECKING:
    from hil.config import EngineConfig
    from hil.tui.feed import Client

__all__ = ["Workplace"]


def _open_engine(config: "EngineConfig") -> "Client":
    from hil.door.attach import spawn_engine
    from hil.tui.opening import Opening

    return Opening(lambda: spawn_engine(config))


def _open_library() -> "Client":
    from hil.door.attach import spawn_librarian
    from hil.tui.opening import Opening

    return Opening(spawn_librarian)


def _open_runner() -> "Client":
    from hil.door.attach import spawn_runner
    from hil.tui.opening import Opening

    return Opening(spawn_runner)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What stands behind the pages.

    Attributes:
        client: The engine of the bench.
        fps: Pictures a second, at most.
        owns: Whether that engine ends with the screen.
        inline: Ask engines in the app's own thread (tests and pictures).
        folder: Where recordings lie.
        scenarios: Where scenarios lie.
        runs: Where what failed and the history of runs are kept.
        layouts: Where the layout of each bench is kept; None: nothing is remembered.
        settings: What this user wants: keys, theme, motion.
        state: What the screen remembers of this user; None: nothing, and nobody is taught.
        open_engine: Starts another engine, such as one that replays a recording; returns at once.
        open_library: Starts the process that reads recordings; returns at once.
        open_runner: Starts the process that runs scenarios; returns at once.
        bench: Returns how the live page sees the bench now.
        behind: Returns whether the terminal has not taken the last picture yet.
        pace: The account of pictures.
        sweeper: Decides when garbage is looked for.
    """

    client: "Client"
    fps: float = 10.0
    owns: bool = True
    inline: bool = False
    folder: Path = Path("recordings")
    scenarios: Path = Path("scenarios")
    runs: Path = Path("hil-runs")
    layouts: Path | None = None
    settings: Settings = field(default_factory=Settings)
    state: Path | None = None
    open_engine: "Callable[[EngineConfig], Client]" = _open_engine
    open_library: "Callable[[], Client]" = _open_library
    open_runner: "Callable[[], Client]" = _open_runner
    bench: Callable[[], Scene] = Scene
    behind: Callable[[], bool] = bool
    pace: Pace = field(default_factory=Pace)
    sweeper: Sweeper = field(default_factory=Sweeper)
