"""Plays a script on the real screen with nobody before it, and keeps what the script asks for.

Rule of this room: a thin shell. The app, its pages and the engine are those of every other session; only the terminal
is nowhere. A step that does not come true ends the script with one sentence that names its line.
"""

import asyncio
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from rich.console import Console
from textual.css.query import NoMatches
from textual.pilot import Pilot, WaitForScreenTimeout

from hil.tui.app import HilApp
from hil.tui.portrait import svg_of, text_of
from hil.tui.scripted.cast import Cast
from hil.tui.scripted.script import SIZE, Step
from hil.tui.sheet import csv_of, npz_of

__all__ = ["play"]

LOOK_S = 0.05
"""How often the screen is looked at while a text is waited for."""


class Missed(Exception):
    """A step did not come true."""


def play(app: HilApp, steps: Sequence[Step], where: str, cast: Cast | None = None) -> str:
    """Run the app through a script.

    Args:
        app: With a terminal that is nowhere (`hil.tui.scripted.taped.Nowhere`).
        steps: What to do.
        where: What the script is called.
        cast: A recording that gets a marker a step.

    Returns:
        Nothing where all went well, else one sentence with the line of the script.
    """
    # No terminal is there to say which colours it has, so that it has all.
    app.console = Console(
        file=io.StringIO(), color_system="truecolor", highlight=False, emoji=False, legacy_windows=False
    )
    return asyncio.run(_play(app, steps, where, cast))


async def _play(app: HilApp, steps: Sequence[Step], where: str, cast: Cast | None) -> str:
    async with app.run_test(headless=False, size=first_size(steps)) as pilot:
        try:
            for step in steps:
                spot = f"{where}:{step.line}"
                if app.return_code is not None:
                    return f"{spot}: the screen has been left before; end the script there"
                if cast is not None and step.verb not in ("picture", "text", "data"):
                    cast.mark(" ".join((step.verb, *step.words)))
                try:
                    await _do(pilot, app, step)
                except (Missed, OSError, WaitForScreenTimeout) as missed:
                    return f"{spot}: {missed}"
        finally:
            for page in app.pages.values():
                page.close()
    return ""


def first_size(steps: Sequence[Step]) -> tuple[int, int]:
    """Return how large the screen is at first."""
    return steps[0].size if steps and steps[0].verb == "size" else SIZE


async def _do(pilot: "Pilot[int]", app: HilApp, step: Step) -> None:
    match step.verb:
        case "size":
            if step.size != tuple(app.size):
                await pilot.resize_terminal(*step.size)
        case "press":
            for key in step.words:
                await pilot.press(key)
                await pilot.pause()
        case "type":
            await pilot.press(*step.words[0])
        case "focus":
            _focus(app, step.words[0])
        case "wait":
            await _until(lambda: step.words[0] in text_of(app), step.number, f"{step.words[0]!r} was not seen", app)
        case "gone":
            await _until(lambda: step.words[0] not in text_of(app), step.number, f"{step.words[0]!r} stayed", app)
        case "sleep":
            await asyncio.sleep(step.number)
        case _:
            await pilot.pause()
            await _keep(app, step.verb, Path(step.words[0]))


def _focus(app: HilApp, name: str) -> None:
    try:
        app.screen.query_one(f"#{name}").focus()
    except NoMatches:
        there = sorted(widget.id for widget in app.screen.focus_chain if widget.id)
        raise Missed(f"there is no pane {name!r} here; focus one of: {', '.join(there)}") from None


async def _until(true: Callable[[], bool], seconds: float, otherwise: str, app: HilApp) -> None:
    deadline = monotonic() + seconds
    while not true():
        if app.return_code is not None:
            raise Missed(f"{otherwise}: the screen has been left")
        if monotonic() > deadline:
            first = next((line.strip() for line in text_of(app).splitlines() if line.strip()), "")
            raise Missed(f"{otherwise} in {seconds:g} s; its first line was: {first}")
        await asyncio.sleep(LOOK_S)


async def _keep(app: HilApp, verb: str, path: Path) -> None:
    if verb == "picture":
        path.write_text(svg_of(app), encoding="utf-8")
    elif verb == "text":
        path.write_text(text_of(app), encoding="utf-8")
    else:
        sheet = await app.page.sheet()
        if isinstance(sheet, str):
            raise Missed(sheet)
        path.write_bytes(npz_of(sheet) if path.suffix == ".npz" else csv_of(sheet).encode())
