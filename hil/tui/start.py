"""Starts the screen where there is a terminal, and says in one sentence where there is none.

Rule of this room: nothing heavy is imported before it is known that a terminal is there. Textual draws on stderr and
reads from stdin, so these two are what is tested.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.tui.feed import Client

__all__ = ["needs_terminal", "run_tui"]

LAST_COMMANDS_S = 10.0
"""How long leaving waits for the engine to close a recording."""


def needs_terminal() -> str | None:
    """Return why the screen cannot be shown here, as one sentence; None where it can."""
    missing = [
        name for name, stream in (("stdin", sys.stdin), ("stderr", sys.stderr)) if stream is None or not stream.isatty()
    ]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        return f"hil ui needs a terminal, and {' and '.join(missing)} {verb} not one; for a pipe use: hil ui --plain"
    if os.environ.get("TERM") == "dumb":
        return "hil ui needs a terminal that can place characters, and TERM is dumb; use: hil ui --plain"
    return None


def run_tui(
    client: "Client", fps: float = 10.0, owns: bool = True, folder: Path = Path("recordings"), start: str = "live",
    scenarios: Path = Path("scenarios"),
) -> int:  # fmt: skip
    """Show the screen until somebody leaves it.

    Args:
        client: The engine: `snapshot(view)` and `command(verb, **args)`. An `hil.tui.opening.Opening` lets the screen
            come before its engine is there.
        fps: Pictures a second, at most.
        owns: Whether the engine ends with this screen; a running recording is then closed before.
        folder: Where recordings lie.
        start: Name of the page that is shown first.
        scenarios: Where scenarios lie.

    Returns:
        The exit status: 0; 2 with a sentence on stderr where there is no terminal; where the engine could not be
        started the sentence why, and the status of that error.
    """
    if sentence := needs_terminal():
        print(sentence, file=sys.stderr)
        return 2
    from hil.tui.app import HilApp
    from hil.tui.remembered import state_path
    from hil.tui.settings import read_settings, settings_path
    from hil.tui.workplace import Workplace

    settings = read_settings(settings_path())
    place = Workplace(client, fps, owns, folder=folder, scenarios=scenarios, settings=settings,
                      state=state_path())  # fmt: skip
    app = HilApp(client, place=place, start=start)
    try:
        app.run()
    finally:
        app.close_pages()
    app.live.feed.stop(LAST_COMMANDS_S)
    if (failure := getattr(client, "failure", None)) is not None:
        print(failure, file=sys.stderr)
        return int(getattr(failure, "exit_code", 3))
    return app.return_code or 0
