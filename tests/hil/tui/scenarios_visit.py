"""Goes to the page of scenarios and works it, as its tests do."""

from collections.abc import Awaitable, Callable
from typing import Any

import screen_fakes as fakes
from screen_frames import drive
from verdicts_made import FakeRunner

from hil.tui.app import HilApp
from hil.tui.pages.scenarios import ScenariosPage
from hil.tui.workplace import Workplace

SIZE = (120, 35)

Steps = Callable[[ScenariosPage, Any], Awaitable[None]]


def visit(
    *keys: str, size: tuple[int, int] = SIZE, runner: Any = None, then: Steps | None = None, **place: Any
) -> tuple[str, ScenariosPage]:
    """Go to the page, press keys, see a run to its end between them, do more; return the last picture."""
    client = fakes.FakeClient()
    chosen = runner or FakeRunner()
    bench = Workplace(client, fps=1e-4, inline=True, open_runner=lambda: chosen,
                      open_engine=lambda config: fakes.FakeClient(fakes.replay), **place)  # fmt: skip
    app = HilApp(client, place=bench, start="scenarios")

    async def steps(app: HilApp, pilot) -> None:
        page = app.pages["scenarios"]
        assert isinstance(page, ScenariosPage)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            for _ in range(5 if not getattr(chosen, "held", False) else 1):
                page._look()
            await pilot.pause()
        if then is not None:
            await then(page, pilot)
            await pilot.pause()

    shown = drive(client, size, steps, app=app)
    page = app.pages["scenarios"]
    assert isinstance(page, ScenariosPage)
    return shown, page
