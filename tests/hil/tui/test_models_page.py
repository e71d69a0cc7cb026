"""The page of models: every key does what its help says, decisions count once, and it looks as it was looked at."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import screen_fakes as fakes
from screen_fakes import NOW, SECOND
from screen_frames import drive, frame, same_as_golden, still

from hil.driftview import DriftView
from hil.snapshot import Snapshot
from hil.tui.app import HilApp
from hil.tui.modelling import Modelling, Tally, looked
from hil.tui.pages.models import ModelsPage
from hil.view import View
from hil.workview import WorkView

pytestmark = pytest.mark.screen

SIZE = (120, 35)
SIZES = ((80, 24), (120, 35), (200, 50))
DRIFTED = DriftView("sensor different", "ax reads 0.21 g more than in training", "bias", ("ax",), NOW, 40, 1.6, 0.2)

Steps = Callable[[ModelsPage, Any], Awaitable[None]]


def two(view: View | None = None, after_s: int = 0, **facts: Any) -> Snapshot:
    """Two models at one board; with `after_s` so many decisions later, one a second."""
    history = fakes.prediction().history
    now = NOW + after_s * SECOND
    history += tuple((NOW + at * SECOND, "row" if at % 4 else "curl", 0.8) for at in range(1, after_s + 1))
    plain = fakes.prediction(history=history, t_ns=now, drift=DRIFTED,
                             work=WorkView(False, 40 + after_s, 1000.0, 1, (2.6, 13.2, 1021.0)))  # fmt: skip
    child = replace(plain, model="exercise-circle", told="", drift=DriftView("fine", looks=40, sensor=0.3, model=0.2),
                    work=WorkView(True, 40 + after_s, 1000.0, 0, (3.1, 9.8, 12.0)))  # fmt: skip
    return replace(fakes.live(view, predictions=(plain, child), **facts), now_ns=now)


class Engine(fakes.FakeClient):
    """A bench with two models that counts what it is shown."""

    def __init__(self) -> None:
        super().__init__(two)
        self.running, self.count = False, 0

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        super().command(verb, **args)
        if verb == "show":
            self.count += self.running
            self.running = not self.running
        elif verb == "show_drop":
            self.count, self.running = self.count - (not self.running), False
        elif verb == "teach":
            self.count = 0
            return {"model": "exercise-circle", "running": False, "shown": 0, "sentence": "exercise-circle-2 runs"}
        return {"model": "exercise-circle", "running": self.running, "shown": self.count}


def visit(*keys: str, size: tuple[int, int] = SIZE, then: Steps | None = None, client: Any = None) -> str:
    chosen = client or Engine()
    app = HilApp(chosen, place=still(chosen), start="models")

    async def steps(app: HilApp, pilot) -> None:
        page = app.pages["models"]
        assert isinstance(page, ModelsPage)
        page.tick()
        await press(pilot, *keys)
        if then is not None:
            await then(page, pilot)
            await pilot.pause()

    return drive(chosen, size, steps, app=app)


async def press(pilot, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def teaching() -> None:
    engine = Engine()

    async def then(page: ModelsPage, pilot) -> None:
        def shown() -> str:
            return frame(page.app)  # type: ignore[arg-type]

        await press(pilot, "t")
        assert "show it something first" in shown()
        await press(pilot, "down", "e")
        assert "IS SHOWN NOW" in shown()
        await press(pilot, "t")
        assert "end the example first: e" in shown()
        await press(pilot, "e", "e", "e", "u")
        assert page.scene.shown == ("exercise-circle", False, 1)
        assert "1 shown" in shown()
        await press(pilot, "t", *"ring", "escape", "t", *"circle", "enter")
        assert "exercise-circle-2 runs" in shown()

    visit(then=then, client=engine)
    assert engine.commands == [("show", {"model": "exercise-circle"})] * 4 + [
        ("show_drop", {}), ("teach", {"label": "circle"})]  # fmt: skip


def counting() -> None:
    engine = Engine()

    async def then(page: ModelsPage, pilot) -> None:
        engine.scene = lambda view: two(view, 8)
        page.tick()
        await pilot.pause()
        assert page.scene.tally.judged == 8
        await press(pilot, "z")
        assert page.scene.tally.judged == 0
        engine.scene = lambda view: two(view, 9)
        page.tick()
        await pilot.pause()
        assert page.scene.tally.judged == 1

    visit(then=then, client=engine)


TESTED: dict[str, Callable[[], None]] = {
    **{f"models.{name}": teaching for name in ("show", "drop", "teach", "back")}, "models.anew": counting,
}  # fmt: skip


@pytest.mark.parametrize("what", list(dict.fromkeys(TESTED.values())), ids=lambda what: what.__name__)
def test_keys_of_the_page_of_models_do_what_their_help_says(what) -> None:
    what()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_page_of_models_looks_as_it_was_looked_at(size) -> None:
    engine = Engine()

    async def then(page: ModelsPage, pilot) -> None:
        engine.scene = lambda view: two(view, 12)
        page.tick()
        await pilot.pause()
        shown = frame(page.app)  # type: ignore[arg-type]
        assert all(len(line) <= size[0] for line in shown.splitlines())
        same_as_golden(f"models_{size[0]}x{size[1]}", shown)
        await press(pilot, "down", "e", "e", "e")
        same_as_golden(f"taught_{size[0]}x{size[1]}", frame(page.app))  # type: ignore[arg-type]

    visit(size=size, then=then, client=engine)


def test_without_a_model_the_page_says_how_to_start_with_one() -> None:
    shown = visit("e", client=fakes.FakeClient(lambda view: fakes.live(view, predictions=())))
    assert "no model runs: `hil ui PORT --model FILE` starts with one" in shown
    assert "no model runs here" in shown


def test_a_decision_is_counted_once_and_without_a_label_neither_right_nor_wrong() -> None:
    scene = looked(Modelling(), two())
    assert scene.tallies["exercise", "watch"] == Tally(since_ns=NOW - SECOND)
    for after in (4, 4, 8):
        scene = looked(scene, two(None, after))
    tally = scene.tallies["exercise", "watch"]  # the board tells `row`; every fourth decision is a curl
    assert dict(tally.pairs) == {("row", "row"): 6, ("row", "curl"): 2}
    assert (tally.right, tally.judged, tally.unlabelled) == (6, 8, 0)
    assert scene.tallies["exercise-circle", "watch"].unlabelled == 8
    scene = looked(scene, two(None, 10, active_label="curl"))
    assert scene.tallies["exercise-circle", "watch"].pairs == {("curl", "row"): 2}


def test_marks_of_a_replay_say_what_was_going_on_when_a_window_ended() -> None:
    first = fakes.replay(None, position_s=6.0)
    scene = looked(Modelling(), first)
    history = tuple((NOW + at * SECOND, "squat", 0.9) for at in range(1, 16))
    one = fakes.prediction(history=history, told="row")
    later = replace(fakes.replay(None, position_s=21.0), now_ns=NOW + 15 * SECOND, predictions=(one,))
    tally = looked(scene, later).tallies["exercise", "watch"]
    assert dict(tally.pairs) == {("squat", "squat"): 12}  # the mark ends at 18.5 s
    assert tally.unlabelled == 3
