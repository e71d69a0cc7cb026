"""Runs the screen without a terminal, and holds its picture against a text file."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from screen_fakes import FakeClient, FakeLibrary, replay
from textual.pilot import Pilot
from verdicts_made import FakeRunner

from hil.tui.app import HilApp
from hil.tui.workplace import Workplace

FRAMES = Path(__file__).resolve().parents[2] / "frames"

Steps = Callable[[HilApp, "Pilot[int]"], Awaitable[None]]


def frame(app: HilApp) -> str:
    """What stands on the screen, as text; the one place that touches the compositor."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def still(client: FakeClient, owns: bool = True) -> Workplace:
    """What stands behind a screen on which nothing moves by itself and nothing is started."""
    return Workplace(client, fps=1e-4, owns=owns, inline=True, open_library=FakeLibrary,
                     open_runner=FakeRunner, open_engine=lambda config: FakeClient(replay))  # fmt: skip


def drive(
    client: FakeClient, size: tuple[int, int], steps: Steps | None = None, owns: bool = True, app: HilApp | None = None
) -> str:
    """Run the screen on a client that answers at once, do the steps, and return the last picture as text.

    No timer fires: pictures are asked for by hand.
    """

    async def main() -> str:
        screen = app or HilApp(client, place=still(client, owns))
        async with screen.run_test(size=size) as pilot:
            for _ in range(3):
                screen.live.tick()
                await pilot.pause()
            if steps is not None:
                await steps(screen, pilot)
            if not screen._exit:
                await pilot.pause()
                screen.live.tick()
                await pilot.pause()
            return frame(screen)

    return asyncio.run(main())


def press(*keys: str) -> Steps:
    async def steps(app: HilApp, pilot: "Pilot[int]") -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    return steps


def same_as_golden(name: str, shown: str) -> None:
    """Compare with `tests/frames/NAME.txt`; HIL_UPDATE_FRAMES=1 writes it, to be looked at before it is kept."""
    path = FRAMES / f"{name}.txt"
    if os.environ.get("HIL_UPDATE_FRAMES"):
        path.write_text(shown, encoding="utf-8")
    assert path.exists(), f"{path} is missing: run once with HIL_UPDATE_FRAMES=1 and look at it"
    assert shown == path.read_text(encoding="utf-8"), f"{path} differs: look, then run with HIL_UPDATE_FRAMES=1"
