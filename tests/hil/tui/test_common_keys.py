"""Keys that work on every page do what their line of help says."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import screen_fakes as fakes
import test_lesson
from screen_frames import drive, still
from screen_presses import SIZE, sent, shown

from hil.tui import userstate
from hil.tui.actions import ActionList
from hil.tui.app import HilApp
from hil.tui.charts.cells import text
from hil.tui.help import HelpScreen, lines
from hil.tui.pagelist import PAGES
from hil.tui.terminal.palette import THEME_NAMES

pytestmark = pytest.mark.screen


def picture(kept: list[str]) -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("s")
        await pilot.pause()
        kept.extend(path.read_text() for path in (app.place.runs / "evidence").iterdir())

    with tempfile.TemporaryDirectory() as folder:
        place = replace(still(client), runs=Path(folder))
        shown = drive(client, SIZE, steps, app=HilApp(client, place=place))
    assert "kept in " in shown
    assert [text[:4] for text in kept] == ["<svg"]


def help_page() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        for opens in ("question_mark", "f1"):
            for closes in ("escape", "q", "question_mark", "enter", "space", "ctrl+c"):
                await pilot.press(opens)
                await pilot.pause()
                assert isinstance(app.screen, HelpScreen)
                await pilot.press(closes)
                await pilot.pause()
                assert app.screen is app.page
        await pilot.press("tab", "question_mark")
        await pilot.pause()

    opened = drive(client, SIZE, steps)
    assert "help · esc closes" in opened
    assert "The focused pane: plot" in opened
    assert client.commands == []
    assert "Search for commands" in shown("question_mark", "ctrl+p")
    told = help_of_live()
    assert "Start a recording" in told
    assert "`hil capture PORT`" in told
    assert "Replay at half the speed" not in told


def help_of_live() -> str:
    client = fakes.FakeClient()
    kept: list[str] = []

    async def steps(app: HilApp, pilot) -> None:
        kept.append("\n".join(map(text, lines(app.page.info, app.page.usable(), "plot", 120))))

    drive(client, SIZE, steps)
    return kept[0]


def palette() -> None:
    opened = shown("ctrl+p", *"record")
    assert "record (r)" in opened
    assert "Start a recording" in opened
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"label: press")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()

    client.scene = fakes.recording
    drive(client, SIZE, steps)
    assert client.commands == [("label", {"text": "press"})]
    assert "● LIVE" in shown("ctrl+p", "escape")


def leave() -> None:
    results = []

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+q")
        await pilot.pause()
        results.append(app._exit)

    drive(fakes.FakeClient(), SIZE, steps)
    client = fakes.FakeClient(fakes.recording)
    drive(client, SIZE, steps)
    assert client.commands == []

    async def twice(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+q")
        await pilot.press("ctrl+q")
        await pilot.pause()
        results.append(app._exit)

    drive(client, SIZE, twice)
    assert client.commands == [("record_stop", {})]
    guest = fakes.FakeClient(fakes.recording)
    drive(guest, SIZE, steps, owns=False)
    assert guest.commands == []
    assert results == [True, False, True, True]


def interrupt() -> None:
    picture_of = shown("ctrl+c", scene=fakes.recording)
    assert "the recording goes on" in picture_of
    assert "ctrl+q" in picture_of
    assert sent("ctrl+c", scene=fakes.recording) == []


def motion() -> None:
    rates: list[float] = []

    async def steps(app: HilApp, pilot) -> None:
        for _ in range(2):
            await pilot.press("ctrl+r")
            await pilot.pause()
            rates.append(app.live.beat.fps)

    app = HilApp(fakes.FakeClient(), fps=10.0, inline=True)
    drive(fakes.FakeClient(), SIZE, steps, app=app)
    assert rates == [2.0, 10.0]


def page(name: str) -> None:
    async def steps(app: HilApp, pilot) -> None:
        key = next(one.key for one in PAGES if one.name == name)
        for start in (other.name for other in PAGES if other.name != name):
            app.switch_mode(start)
            await pilot.press(key)
            await pilot.pause()
            assert app.page.info.name == name
            await pilot.press("question_mark", key)
            await pilot.pause()
            assert app.screen is app.page

    drive(fakes.FakeClient(), SIZE, steps)


def lesson() -> None:
    test_lesson.skipped()


TESTED: dict[str, Callable[[], None]] = {
    **{f"page.{info.name}": lambda name=info.name: page(name) for info in PAGES},
    "screen.picture": lambda: picture([]), "screen.help": help_page, "screen.palette": palette,
    "screen.motion": motion, "screen.lesson": lesson, "screen.quit": leave, "screen.interrupt": interrupt,
}  # fmt: skip


def test_a_theme_is_chosen_by_what_it_is_for_and_remembered(tmp_path: Path) -> None:
    client = fakes.FakeClient()
    app = HilApp(client, place=replace(still(client), state=tmp_path / "screen.json"))

    async def steps(app: HilApp, pilot) -> None:
        offered = {name: action for name, _, action in app.page.actions() if name.startswith("theme: ")}
        assert list(offered) == [*(f"theme: {called}" for called in THEME_NAMES.values()), "theme: another"]
        await app.run_action(offered["theme: colour-blind safe"], app.page)
        await pilot.pause()
        assert app.theme == "hil-safe"
        await app.run_action(offered["theme: another"], app.page)
        await pilot.pause()
        await pilot.press("pageup")  # before anything is laid out
        assert isinstance(app.screen, ActionList)

    drive(client, SIZE, steps, app=app)
    assert userstate.theme(tmp_path / "screen.json") == "hil-safe"


@pytest.mark.parametrize("name", list(TESTED))
def test_a_key_of_every_page_does_what_its_help_says(name) -> None:
    TESTED[name]()
