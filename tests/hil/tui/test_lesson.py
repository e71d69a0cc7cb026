"""The first run teaches itself: one line that goes on with the keys, traps nobody, can be skipped and comes once."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import screen_fakes as fakes
from screen_frames import drive, frame, same_as_golden, still

from hil.tui.app import HilApp
from hil.tui.keys import KEYS
from hil.tui.settings import Settings
from hil.tui.state.lesson import LESSON, Lesson
from hil.tui.userstate import is_taught, remember, state_path

pytestmark = pytest.mark.screen

SIZES = ((80, 24), (120, 35), (200, 50))
PRESSED = ("space", "space", "tab", "f", "f", "minus", "question_mark", "escape", "f3", "f2")


def opened(state: Path | None, start: str = "live") -> HilApp:
    client = fakes.FakeClient()
    return HilApp(client, place=replace(still(client), state=state), start=start)


def skipped() -> None:
    """The key of the lesson skips it for good, and begins it where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "hil" / "screen.json"
        app = opened(state)

        async def steps(app: HilApp, pilot) -> None:
            assert "lesson 1 of 9" in frame(app)
            await pilot.press("ctrl+l")
            await pilot.pause()
            assert "lesson 1 of 9" not in frame(app)
            assert "skipped and does not come again" in frame(app)
            await pilot.press("ctrl+l")
            await pilot.pause()
            assert "lesson 1 of 9" in frame(app)

        drive(fakes.FakeClient(), (120, 35), steps, app=app)
        assert is_taught(state)
        assert opened(state).lesson is None


def test_every_step_is_a_key_that_does_what_it_says_and_the_last_one_is_remembered(tmp_path: Path) -> None:
    app, seen = opened(tmp_path / "screen.json"), []

    async def steps(app: HilApp, pilot) -> None:
        for key in PRESSED:
            await pilot.press(key)
            await pilot.pause()
            seen.append(0 if app.lesson is None else app.lesson.at)
        assert "lesson" not in frame(app)

    drive(fakes.FakeClient(), (120, 35), steps, app=app)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 7, 8, 0]
    assert is_taught(tmp_path / "screen.json")


def test_many_boards_leave_room_for_the_lesson_and_the_keys_below_it(tmp_path: Path) -> None:
    client = fakes.FakeClient(fakes.crowd)
    app = HilApp(client, place=replace(still(client), state=tmp_path / "screen.json"))

    async def steps(app: HilApp, pilot) -> None:
        for shown in (1, 2):
            *_, asked, taught, keys = frame(app).splitlines()
            assert "lesson 1 of 9" in taught
            assert "r record" in keys
            assert ("what happened?" in asked) is (shown == 2), asked
            await pilot.press("M")
            app.live.paint()  # as the next picture does
            await pilot.pause()

    drive(client, (80, 24), steps, app=app)


def test_other_keys_work_as_ever_and_the_lesson_waits(tmp_path: Path) -> None:
    client = fakes.FakeClient()
    app = HilApp(client, place=replace(still(client), state=tmp_path / "screen.json"))

    async def steps(app: HilApp, pilot) -> None:
        for key in ("m", "plus", "f4"):
            await pilot.press(key)
            await pilot.pause()
        assert "goes on there: F2" in frame(app)
        assert app.lesson == Lesson()

    drive(client, (120, 35), steps, app=app)
    assert [verb for verb, _ in client.commands] == ["mark"]


def test_keys_that_a_user_moved_are_taught_as_they_are() -> None:
    moved = [replace(key, keys="f9") if key.id == "screen.freeze" else key for key in KEYS]
    line = "".join(words for words, _ in Lesson().line(moved, "live", 120))
    assert "F9 stops the picture" in line
    assert Lesson().pressed("space", moved, "live").at == 0
    assert Lesson().pressed("f9", moved, "live").at == 1
    assert {step.key for step in LESSON} <= {key.id for key in KEYS}


def test_who_was_taught_or_has_no_bench_is_not_taught(tmp_path: Path) -> None:
    assert opened(None).lesson is None
    assert opened(tmp_path / "new.json", start="recordings").lesson is None
    assert opened(tmp_path / "new.json").lesson == Lesson()


def test_what_cannot_be_kept_or_read_is_as_if_nothing_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{")
    assert not is_taught(tmp_path / "file")
    remember(tmp_path / "file" / "below" / "screen.json", taught=True)
    remember(tmp_path / "file", taught=True)
    assert is_taught(tmp_path / "file")
    assert state_path({"HIL_STATE": "x"}) == Path("x")
    assert state_path({"XDG_STATE_HOME": "/s"}) == Path("/s/hil/screen.json")


def test_a_theme_that_was_chosen_is_there_again_unless_the_settings_name_one(tmp_path: Path) -> None:
    state = tmp_path / "screen.json"

    async def steps(app: HilApp, pilot) -> None:
        app.theme = "hil-contrast"
        await pilot.pause()

    drive(fakes.FakeClient(), (80, 24), steps, app=opened(state))
    assert not is_taught(state)
    assert opened(state).theme == "hil-contrast"
    client = fakes.FakeClient()
    named = replace(still(client), state=state, settings=Settings(theme="hil-light"))
    assert HilApp(client, place=named).theme == "hil-light"
    remember(state, theme="none of ours")
    assert opened(state).theme == "hil-dark"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_lesson_looks_as_it_was_looked_at(size, tmp_path: Path) -> None:
    shown = drive(fakes.FakeClient(), size, app=opened(tmp_path / "screen.json"))
    assert all(len(line) <= size[0] for line in shown.splitlines())
    same_as_golden(f"lesson_{size[0]}x{size[1]}", shown)
