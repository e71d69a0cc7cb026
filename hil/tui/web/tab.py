"""One tab of a browser: the screen on an engine that runs already, in a process of its own.

`python -m hil.tui.web.tab` is started by `hil.tui.web.server` for each tab, with a browser as its terminal. What it
attaches to it reads from an environment variable, for everybody on a machine can read the arguments of a process.

Rule of this room: a tab owns nothing. However it ends, the engine and its recording go on.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from firmware_bridge.errors import BridgeError

__all__ = ["VARIABLE", "Tab", "main"]

VARIABLE = "HIL_TAB"
"""Holds a `Tab` as JSON."""


@dataclass(frozen=True, slots=True)
class Tab:
    """What a tab shows.

    Attributes:
        address: Of the engine; empty where no bench is.
        token: Of the engine.
        fps: Pictures a second, at most.
        folder: Where recordings lie.
        scenarios: Where scenarios lie.
        start: Name of the page that is shown first.
    """

    address: str = ""
    token: str = ""
    fps: float = 10.0
    folder: str = "recordings"
    scenarios: str = "scenarios"
    start: str = "live"

    def as_environment(self) -> dict[str, str]:
        """Return it for a process that is to be one."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Tab":
        """Build it from what `as_environment` gave."""
        return cls(**json.loads(environment[VARIABLE]))


def main() -> int:
    """Show the screen until the tab is closed; return the exit status."""
    tab = Tab.of(os.environ)
    from hil.door.attach import attach
    from hil.tui.app import HilApp
    from hil.tui.nobench import NoBench
    from hil.tui.remembered import folder as layouts_folder
    from hil.tui.settings import read_settings, settings_path
    from hil.tui.userstate import state_path
    from hil.tui.workplace import Workplace

    try:
        client = attach(tab.address, tab.token) if tab.address else NoBench()
        settings = read_settings(settings_path())
    except BridgeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    place = Workplace(client, tab.fps, False, folder=Path(tab.folder), scenarios=Path(tab.scenarios),
                      settings=settings, layouts=layouts_folder(), state=state_path())  # fmt: skip
    app = HilApp(client, place=place, start=tab.start)
    app.run()
    for page in app.pages.values():  # a tab that was closed did not leave by its key
        page.close()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
