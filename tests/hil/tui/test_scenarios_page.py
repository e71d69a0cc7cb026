"""The page of scenarios: every key does what its help says, and it looks as it was looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import verdicts_made as made
from scenarios_visit import visit
from screen_frames import frame, same_as_golden
from verdicts_made import BROKEN, FAILS, FRESH, PASSES, FakeRunner

from firmware_bridge.errors import FileError
from hil.tui.pages.replay import ReplayPage
from hil.tui.pages.scenarios import ScenariosPage

pytestmark = pytest.mark.screen

SIZES = ((80, 24), (120, 35), (200, 50))


async def press(pilot, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def words(page: ScenariosPage) -> str:
    """What stands on the screen."""
    return frame(page.app)  # type: ignore[arg-type]


def asked(runner: FakeRunner, verb: str) -> list[dict[str, Any]]:
    return [args for name, args in runner.commands if name == verb]


def running() -> None:
    runner = FakeRunner()
    _, page = visit("r", "down", "space", "space", "r", "R", runner=runner)
    assert [args["paths"] for args in asked(runner, "run")] == [
        [FAILS], [PASSES, FRESH], [FAILS, PASSES, FRESH]]  # fmt: skip
    assert page.scene.results.keys() == {FAILS, PASSES, FRESH}
    assert page.scene.waiting == ()
    assert not page.scene.chosen
    found = FakeRunner()
    shown, _ = visit("slash", *"clock", "enter", "R", "escape", "down", "down", "down", "r", runner=found)
    assert [args["paths"] for args in asked(found, "run")] == [[FRESH]]
    assert "nothing here that can be run" in shown


def test_a_folder_that_cannot_be_read_stays_told_with_what_to_do() -> None:
    class Missing(FakeRunner):
        def command(self, verb: str, **args: Any) -> dict[str, Any]:
            if verb == "library" and self.missing:
                raise FileError("there is no such file or folder", "scenarios", "check the path")
            return super().command(verb, **args)

        missing = True

    runner = Missing()

    async def then(page: ScenariosPage, pilot) -> None:
        page._unsay(page._said)  # long after the sentence at the foot has gone
        told = words(page)
        assert "there is no such file or folder" in told
        assert "hil scenario new RECORDING" in told
        assert "being read" not in told
        await press(pilot, "r")
        assert "f looks again" in page._message[0]
        runner.missing = False
        await press(pilot, "f")
        assert "there is no such file" not in words(page)

    visit(runner=runner, then=then)


def ending() -> None:
    runner = FakeRunner()
    runner.held = True

    async def then(page: ScenariosPage, pilot) -> None:
        await press(pilot, "r")
        assert len(asked(runner, "run")) == 1
        assert "0 of 3 done" in words(page)
        await press(pilot, "x")
        page._look()
        assert asked(runner, "cancel") == [{}]
        assert page.scene.waiting == ()

    visit("R", runner=runner, then=then)


def opening() -> None:
    async def then(page: ScenariosPage, pilot) -> None:
        await press(pilot, "down", "enter")
        assert "nothing failed at a moment" in words(page)
        await press(pilot, "down", "enter")
        assert "run it first" in words(page)
        await press(pilot, "up", "up", "enter")
        first = words(page)
        assert "1 of 2: link.watch.samples_lost at 20.700 s" in first
        for seen in ("the first of them: 20 samples", "▒ frame.drop", "═ squat", "✔squat", "×", "▲", "watch g"):
            assert seen in first, seen
        await press(pilot, "right")
        second = words(page)
        assert "2 of 2: model.exercise.macro_f1 at 30.000 s" in second
        assert "✖row" in second
        assert "frame.drop" not in second
        await press(pilot, "right")
        assert "1 of 2" in words(page)
        await press(pilot, "left")
        assert "2 of 2" in words(page)
        await press(pilot, "escape")
        assert page.scene.mode == "list"

    visit("space", "space", "r", "up", "up", then=then)


def replaying() -> None:
    async def then(page: ScenariosPage, pilot) -> None:
        await press(pilot, "v")
        assert f"{made.RECORDING} is not there any more" in words(page)
        kept = Path(made.RECORDING)
        kept.parent.mkdir(parents=True)
        kept.write_bytes(b"")
        await press(pilot, "v")
        shown = page.app.screen
        assert isinstance(shown, ReplayPage)
        sent = shown.client.commands  # type: ignore[attr-defined]
        assert sent == [("seek", {"to_s": pytest.approx(17.7)})]
        await press(pilot, "escape", "down", "v")
        assert page.app.screen is page
        assert "no recording of it was kept" in words(page)

    visit("r", then=then)


def accepting() -> None:
    runner = FakeRunner()

    async def then(page: ScenariosPage, pilot) -> None:
        await press(pilot, "a")
        assert "look at the difference first: b" in words(page)
        await press(pilot, "b", "escape", "a")
        assert asked(runner, "accept") == []
        await press(pilot, "b")
        shown = words(page)
        assert "scenarios/expected/drops.json would change" in shown
        assert "beware: link.watch.samples_lost" in shown
        assert '+  "value": 98.0' in shown
        await press(pilot, "a")
        assert asked(runner, "accept") == [{"path": FAILS, "difference": made.DIFFERENCE}]
        assert "accepted in" in words(page)
        assert page.scene.mode == "list"

    visit("r", runner=runner, then=then)


def finding() -> None:
    runner = FakeRunner()

    async def then(page: ScenariosPage, pilot) -> None:
        await press(pilot, "slash", *"faults", "enter")
        assert [one.path for one in page.scene.shown] == [FAILS, FRESH]
        await press(pilot, "escape", "slash", *"fail", "enter")
        assert [one.path for one in page.scene.shown] == [FAILS]
        await press(pilot, "slash", "x", "escape")
        assert page.scene.words == ""
        await press(pilot, "f")
        assert len(asked(runner, "library")) == 2

    visit(runner=runner, then=then)


def copying() -> None:
    async def then(page: ScenariosPage, pilot) -> None:
        await press(pilot, "c")
        assert page.app.clipboard == f"hil run {FAILS}"
        await press(pilot, "down", "c")
        assert page.app.clipboard == f"hil run {PASSES}"

    visit("r", then=then)


TESTED: dict[str, Callable[[], None]] = {
    **{f"scenarios.{name}": running for name in ("run", "run_all", "mark")}, "scenarios.cancel": ending,
    **{f"scenarios.{name}": opening for name in ("open", "before", "next")}, "scenarios.replay": replaying,
    **{f"scenarios.{name}": accepting for name in ("baseline", "accept")},
    **{f"scenarios.{name}": finding for name in ("search", "again", "back")}, "scenarios.copy": copying,
}  # fmt: skip


@pytest.mark.parametrize("what", list(dict.fromkeys(TESTED.values())), ids=lambda what: what.__name__)
def test_keys_of_the_page_of_scenarios_do_what_their_help_says(what, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    what()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_page_of_scenarios_looks_as_it_was_looked_at(size) -> None:
    runner = FakeRunner()
    runner.held = True

    async def then(page: ScenariosPage, pilot) -> None:
        async def look(name: str) -> None:
            page.paint()
            await pilot.pause()
            shown = words(page)
            assert all(len(line) <= size[0] for line in shown.splitlines())
            same_as_golden(f"{name}_{size[0]}x{size[1]}", shown)

        await look("scenarios")
        await press(pilot, "R")
        page._look()
        await look("running")
        runner.held = False
        for _ in range(4):
            page._look()
        await look("judged")
        await press(pilot, "enter")
        await look("moment")
        await press(pilot, "escape", "b")
        await look("baseline")

    visit(size=size, runner=runner, then=then)


def test_a_file_with_a_mistake_stands_in_the_list_with_its_mistake() -> None:
    shown, _ = visit("down", "down", "down")
    assert "✖ mistake" in shown
    assert f"{BROKEN}:3: board: it says not where the board is" in shown


def test_leaving_while_scenarios_run_is_asked_for_twice() -> None:
    runner = FakeRunner()
    runner.held = True
    left: list[bool] = []

    async def then(page: ScenariosPage, pilot) -> None:
        for _ in range(2):
            await pilot.press("ctrl+q")
            await pilot.pause()
            left.append(bool(page.app._exit))

    visit("R", runner=runner, then=then)
    assert left == [False, True]
