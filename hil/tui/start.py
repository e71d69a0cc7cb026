"""Starts the screen where there is a terminal, and says in one sentence where there is none.

Rule of this room: nothing heavy is imported before it is known that a terminal is there. Textual draws on stderr and
reads from stdin, so these two are what is tested.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hil.signs import fits_terminal
from hil.tui.terminal.sweeper import importing

if TYPE_CHECKING:
    from textual.driver import Driver

    from hil.tui.feed import Client
    from hil.tui.scripted.cast import Cast
    from hil.tui.scripted.script import Step

__all__ = ["Session", "needs_terminal", "run_tui"]

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


@dataclass(frozen=True, slots=True)
class Session:
    """What is done with a session besides showing it.

    Attributes:
        script: Steps to play with nobody before the screen; none: a person works it.
        where: What the script is called.
        record: Where to keep what is drawn, as an asciicast; None: nowhere.
    """

    script: "tuple[Step, ...]" = ()
    where: str = ""
    record: Path | None = None


def run_tui(
    client: "Client", fps: float = 10.0, owns: bool = True, folder: Path = Path("recordings"), start: str = "live",
    scenarios: Path = Path("scenarios"), session: Session | None = None,
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
        session: A script to play, a recording to make.

    Returns:
        The exit status: 0; 1 with a sentence on stderr where a step of the script did not come true; 2 with one where
        there is no terminal; where the engine could not be started the sentence why, and the status of that error.
    """
    session = session or Session()
    fits_terminal(sys.__stderr__)  # where Textual draws
    if not session.script and (sentence := needs_terminal()):
        print(sentence, file=sys.stderr)
        return 2
    with importing():
        from hil.tui.app import HilApp
        from hil.tui.remembered import folder as layouts_folder
        from hil.tui.settings import read_settings, settings_path
        from hil.tui.userstate import state_path
        from hil.tui.workplace import Workplace

    settings = read_settings(settings_path())
    # A script finds the screen as it always is, and leaves nothing behind that would change another session.
    layouts, state = (None, None) if session.script else (layouts_folder(), state_path())
    place = Workplace(client, fps, owns, folder=folder, scenarios=scenarios, settings=settings, layouts=layouts,
                      state=state)  # fmt: skip
    with _cast(session) as cast:
        app = HilApp(client, place=place, start=start, driver=_nowhere() if session.script else None)
        if cast is not None:
            from hil.tui.scripted.taped import taped

            app.driver_class = taped(app.driver_class, cast.wrote)
        missed = ""
        with place.sweeper.at_work():
            try:
                if session.script:
                    from hil.tui.scripted.unattended import play

                    missed = play(app, session.script, session.where, cast)
                else:
                    app.run()
            finally:
                app.close_pages()
        if (times := os.environ.get("HIL_TIMES")) is not None:
            Path(times).write_text(json.dumps(place.pace.figures()), encoding="utf-8")
        app.live.feed.stop(LAST_COMMANDS_S)
    if (failure := getattr(client, "failure", None)) is not None:
        print(f"hil: {failure}", file=sys.stderr)
        return int(getattr(failure, "exit_code", 3))
    if missed:
        print(f"hil: {missed}", file=sys.stderr)
        return 1
    return app.return_code or 0


@contextlib.contextmanager
def _cast(session: Session) -> "Iterator[Cast | None]":
    if session.record is None:
        yield None
        return
    from hil.tui.scripted.cast import Cast

    if session.script:
        from hil.tui.scripted.unattended import first_size

        size = first_size(session.script)
    else:
        size = os.get_terminal_size(sys.stderr.fileno())
    with Cast(session.record, size, time.monotonic, "hil ui", time.time()) as cast:
        yield cast


def _nowhere() -> "type[Driver]":
    from hil.tui.scripted.taped import Nowhere

    return Nowhere
