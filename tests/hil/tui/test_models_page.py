"""The page of models: every key does what its help says, decisions count once, and it looks as it was looked at."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import screen_fakes as fakes
from models_made import FILES, Engine, Helper, rivals, two
from screen_fakes import NOW, SECOND
from screen_frames import drive, frame, same_as_golden, still

from hil.tui.app import HilApp
from hil.tui.lines.modellines import about
from hil.tui.pages.models import ModelsPage
from hil.tui.state.modelling import Modelling, looked
from hil.tui.state.tally import BINS, ENOUGH, Tally
from hil.tui.state.versus import Versus
from hil.views.drift import DriftView
from hil.views.parity import ParityView

pytestmark = pytest.mark.screen

SIZE = (120, 35)
SIZES = ((80, 24), (120, 35), (200, 50))

Steps = Callable[[ModelsPage, Any], Awaitable[None]]


def visit(
    *keys: str, size: tuple[int, int] = SIZE, then: Steps | None = None, client: Any = None, helper: Any = None
) -> str:  # fmt: skip
    chosen = client or Engine()
    place = replace(still(chosen), open_library=lambda: helper or Helper())
    app = HilApp(chosen, place=place, start="models")

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


def words(page: ModelsPage) -> str:
    return frame(page.app)  # type: ignore[arg-type]


def loading() -> None:
    engine, helper = Engine(), Helper()

    async def then(page: ModelsPage, pilot) -> None:
        await press(pilot, "enter")
        assert "l lists the model files within reach" in words(page)
        await press(pilot, "l")
        assert "4 within reach" in words(page)
        assert "✔ runs   exercise" in words(page)
        await press(pilot, "down", "down", "enter")
        assert "odd cannot be loaded" in words(page)
        assert page.scene.mode == "files"
        await press(pilot, "d")
        assert "odd runs nowhere" in words(page)
        await press(pilot, "up", "up", "enter")
        assert page.scene.mode == "one"
        assert "circle: load model is done" in words(page)
        await press(pilot, "l", "x")
        assert "no model runs here" in words(page)
        await press(pilot, "escape", "x", "down", "x")
        assert "x again unloads exercise-circle" in words(page)
        await press(pilot, "x")
        assert "exercise-circle: unload model is done" in words(page)

    visit(then=then, client=engine, helper=helper)
    assert engine.commands == [("load_model", {"path": FILES[0].path}), ("unload_model", {"model": "exercise-circle"})]
    assert helper.commands == [("models", {"folder": "."})] * 2


def deploying() -> None:
    engine = Engine()

    async def then(page: ModelsPage, pilot) -> None:
        await press(pilot, "d")  # the model that is looked at
        assert "exercise is being sent to watch" in words(page)
        await press(pilot, "down", "l", "down", "down", "d")
        assert "odd runs nowhere" in words(page)
        await press(pilot, "up", "d")
        assert "models/exercise.hilmodel is being sent to watch" in words(page)
        await press(pilot, "l", "down", "down", "enter")
        assert "exercise is an op list and runs on boards only: d puts it on one" in words(page)
        await press(pilot, "d")
        assert "models/exercise.hiln is being sent to watch" in words(page)
        assert page.scene.mode == "one"
        shown = two()
        one, other = shown.predictions
        told = "exercise.hiln (5749 bytes) is being sent to it"
        on_its_way = replace(other, parity=ParityView(0, sentence=told))
        engine.scene = lambda view: replace(shown, predictions=(one, on_its_way))
        page.tick()
        await pilot.pause()
        assert f"on board {told}" in words(page)

    visit(then=then, client=engine)
    paths = ("exercise", FILES[1].path, FILES[3].path)
    assert engine.commands == [("deploy", {"path": path, "board": "watch"}) for path in paths]
    nobody = Engine(lambda view: replace(two(view), predictions=()))
    assert "no model runs here" in visit("d", client=nobody)
    assert nobody.commands == []


def stopping() -> None:
    engine = Engine()

    async def then(page: ModelsPage, pilot) -> None:
        await press(pilot, "o")
        assert "no board here runs a network of its own" in words(page)
        assert ("models.stop", "stop on the board") not in page.hints()
        await press(pilot, "down", "o")
        assert ("models.stop", "stop on the board") in page.hints()
        assert "watch's network is told to stop" in words(page)

    visit(then=then, client=engine)
    assert engine.commands == [("stop_network", {"board": "watch"})]


def beside() -> None:
    engine = Engine(rivals)

    async def then(page: ModelsPage, pilot) -> None:
        engine.scene = lambda view: rivals(view, 24)
        page.tick()
        await press(pilot, "b")
        assert "exercise beside exercise-circle at watch" in words(page)
        assert "same     21 of 24 (88%); of 3 that differ exercise alone was right in 3" in words(page)
        await press(pilot, "b")
        assert page.scene.beside is None
        await press(pilot, "down", "b")
        assert "of 3 that differ exercise-circle alone was right in 0, exercise in 3" in words(page)
        engine.scene = lambda view: fakes.live(view)
        page.tick()
        await press(pilot, "b")
        assert "no other model runs at this board" in words(page)

    visit(then=then, client=engine)


def reasons() -> None:
    engine, helper = Engine(), Helper()

    async def then(page: ModelsPage, pilot) -> None:
        await press(pilot, "w")
        assert "row of exercise at watch" in words(page)
        assert "▄█ spoke for row, ░▒▓ against it" in words(page)
        assert "half of it: -1.25 to -0.75 s ax, ay 52%" in words(page)
        await press(pilot, "left", "left")
        assert page.scene.why is not None
        assert page.scene.why.t_ns == NOW - 3 * SECOND
        await press(pilot, "w")
        assert page.scene.why is None
        assert "row 40%, 2 s before the newest ▲" in words(page)
        await press(pilot, "right", "right")
        assert page.scene.at_ns is None
        await press(pilot, *["left"] * 4, "w")
        assert "is not kept any more" in words(page)
        await press(pilot, "escape", "escape")
        assert (page.scene.why, page.scene.at_ns) == (None, None)

    visit(then=then, client=engine, helper=helper)
    assert [args["t_ns"] for verb, args in engine.commands if verb == "seen"] == [
        None, NOW - 2 * SECOND, NOW - 3 * SECOND, NOW - 5 * SECOND]  # fmt: skip
    assert {verb for verb, _ in helper.commands} == {"explain"}
    nothing = visit("w", "left", "b", client=fakes.FakeClient(lambda view: fakes.live(view, predictions=())))
    assert "no other model runs" in nothing


TESTED: dict[str, Callable[[], None]] = {
    **{f"models.{name}": loading for name in ("files", "load", "unload")}, "models.beside": beside,
    "models.deploy": deploying, "models.stop": stopping,
    **{f"models.{name}": reasons for name in ("why", "earlier", "later")},
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
        same_as_golden(f"taught_{size[0]}x{size[1]}", words(page))
        await press(pilot, "u", "u", "u", "l")
        same_as_golden(f"modelfiles_{size[0]}x{size[1]}", words(page))
        await press(pilot, "escape", "up", "w")
        same_as_golden(f"why_{size[0]}x{size[1]}", words(page))

    visit(size=size, then=then, client=engine)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_two_models_side_by_side_look_as_they_were_looked_at(size) -> None:
    engine = Engine(rivals)

    async def then(page: ModelsPage, pilot) -> None:
        engine.scene = lambda view: rivals(view, 150)
        page.tick()
        await press(pilot, "b")
        assert all(len(line) <= size[0] for line in words(page).splitlines())
        same_as_golden(f"beside_{size[0]}x{size[1]}", words(page))

    visit(size=size, then=then, client=engine)


def test_without_a_model_the_page_says_how_to_start_with_one() -> None:
    shown = visit("e", client=fakes.FakeClient(lambda view: fakes.live(view, predictions=())))
    assert "no model runs: l lists the model files within reach" in shown
    assert "no model runs here" in shown


@pytest.mark.parametrize(("sensor", "told"), [(0.3, False), (1.02, True)])
def test_a_share_beyond_its_limit_beside_a_verdict_of_fine_is_explained(sensor, told) -> None:
    shown = two()
    watched = replace(shown.predictions[0], drift=DriftView("fine", looks=40, sensor=sensor, model=0.2))
    _, lines = about(looked(Modelling(), replace(shown, predictions=(watched,))), 200)
    row = next(row for line in lines if "drift" in (row := "".join(words for words, _ in line)))
    assert ("no single fault explains" in row) is told


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


def test_a_calibration_error_is_told_of_enough_decisions_only_and_is_that_of_their_bins() -> None:
    scene = looked(looked(Modelling(), two()), two(None, ENOUGH - 1))
    assert scene.tally.judged == ENOUGH - 1
    assert scene.tally.ece is None
    scene = looked(scene, two(None, ENOUGH))
    (held,) = scene.tally.bins.values()  # all are 0.8 sure, three of four are right
    assert list(scene.tally.bins) == [int(0.8 * BINS)]
    assert (held.count, held.right) == (ENOUGH, 75)
    assert scene.tally.ece == pytest.approx(0.05)


def test_two_models_are_compared_on_the_same_windows_and_those_of_one_alone_are_counted() -> None:
    def at(ends: dict[int, str], other: dict[int, str], now: int) -> Any:
        shown = two(None, now, active_label="row")
        one, two_ = shown.predictions
        histories = [tuple((NOW + t * SECOND // 10, said, 0.9) for t, said in row.items()) for row in (ends, other)]
        return replace(shown, predictions=(replace(one, history=histories[0]), replace(two_, history=histories[1])))

    scene = looked(Modelling(), at({0: "row"}, {0: "row"}, 1))
    scene = looked(scene, at({0: "row", 10: "row", 20: "curl"}, {0: "row", 10: "curl"}, 2))
    assert scene.versus["exercise", "exercise-circle", "watch"] == Versus(1, 0, 1, 0, 0, NOW + SECOND)
    scene = looked(scene, at({10: "row", 20: "curl", 30: "row"}, {0: "row", 10: "curl", 30: "row"}, 3))
    found = scene.versus["exercise", "exercise-circle", "watch"]
    assert (found.both, found.same, found.left, found.right, found.alone) == (2, 1, 1, 0, 1)
    assert looked(scene, at({0: "row"}, {0: "row"}, 1)).versus == {
        ("exercise", "exercise-circle", "watch"): replace(found, since_ns=NOW)}  # fmt: skip


def test_marks_of_a_replay_say_what_was_going_on_when_a_window_ended() -> None:
    first = fakes.replay(None, position_s=6.0)
    scene = looked(Modelling(), first)
    history = tuple((NOW + at * SECOND, "squat", 0.9) for at in range(1, 16))
    one = fakes.prediction(history=history, told="row")
    later = replace(fakes.replay(None, position_s=21.0), now_ns=NOW + 15 * SECOND, predictions=(one,))
    tally = looked(scene, later).tallies["exercise", "watch"]
    assert dict(tally.pairs) == {("squat", "squat"): 12}  # the mark ends at 18.5 s
    assert tally.unlabelled == 3
