"""Every key of a recording in replay does what its line of help says."""

from collections.abc import Callable

import pytest
import screen_fakes as fakes
from screen_frames import drive
from screen_presses import SIZE, sent, shown

from hil.tui.app import HilApp

pytestmark = pytest.mark.screen


def pause() -> None:
    assert sent("p", scene=fakes.replay) == [("pause", {"paused": True})]
    assert sent("p", scene=lambda view: fakes.replay(view, paused=True)) == [("pause", {"paused": False})]
    assert sent("p") == []
    assert "live bench" in shown("p")


def step_back() -> None:
    assert sent("comma", scene=fakes.replay) == [("step", {"samples": -1})]


def step() -> None:
    assert sent("full_stop", scene=fakes.replay) == [("step", {"samples": 1})]


def left() -> None:
    assert sent("left", scene=fakes.replay) == [("seek", {"to_s": pytest.approx(25.2)})]
    near = lambda view: fakes.replay(view, position_s=2.0)  # noqa: E731
    assert sent("left", scene=near) == [("seek", {"to_s": 0.0})]


def right() -> None:
    assert sent("right", scene=fakes.replay) == [("seek", {"to_s": pytest.approx(35.2)})]


def start() -> None:
    assert sent("home", scene=fakes.replay) == [("seek", {"to_s": 0.0})]


def mark_before() -> None:
    assert sent("left_square_bracket", scene=fakes.replay) == [("seek", {"to_s": 18.5})]


def next_mark() -> None:
    assert sent("right_square_bracket", scene=fakes.replay) == [("seek", {"to_s": 40.0})]
    late = lambda view: fakes.replay(view, position_s=50.0)  # noqa: E731
    assert sent("right_square_bracket", scene=late) == []
    assert "no further mark" in shown("right_square_bracket", scene=late)


def slower() -> None:
    assert sent("less_than_sign", scene=fakes.replay) == [("speed", {"speed": 1.0})]


def faster() -> None:
    assert sent("greater_than_sign", scene=fakes.replay) == [("speed", {"speed": 4.0})]
    fastest = lambda view: fakes.replay(view, speed=1000.0)  # noqa: E731
    assert sent("greater_than_sign", scene=fastest) == [("speed", {"speed": None})]


def loop() -> None:
    assert sent("o", scene=fakes.replay) == [("loop", {"on": True})]


def window_back() -> None:
    assert sent("left_parenthesis", scene=fakes.replay) == [("step", {"windows": -1})]


def window_on() -> None:
    assert sent("right_parenthesis", scene=fakes.replay) == [("step", {"windows": 1})]


def go() -> None:
    for words, spot in (("12.5", 12.5), ("1:02", 62.0), ("squat", 5.0), ("mark 1", 40.0)):
        keys = ["space" if sign == " " else "full_stop" if sign == "." else sign for sign in words]
        assert sent("t", *keys, "enter", scene=fakes.replay) == [("seek", {"to_s": spot})]
    assert sent("t", *"9:00", "enter", scene=fakes.replay) == []
    assert "outside the recording" in shown("t", *"9:00", "enter", scene=fakes.replay)
    assert "neither a time nor a mark" in shown("t", *"xyz", "enter", scene=fakes.replay)
    assert sent("t", *"5", "escape", "p", scene=fakes.replay) == [("pause", {"paused": True})]
    assert "live bench" in shown("t", *"5", "enter")


def loop_ab() -> None:
    where = [10.0]
    client = fakes.FakeClient(lambda view: fakes.replay(view, position_s=where[0]))

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("b")
        await pilot.pause()
        assert client.commands == []
        for spot, sent_then in ((8.0, 0), (20.0, 2)):
            where[0] = spot
            app.live.tick()
            await pilot.press("b")
            await pilot.pause()
            assert len(client.commands) == sent_then

    drive(client, SIZE, steps)
    assert client.commands == [("loop", {"on": True}), ("range", {"from_s": 10.0, "to_s": 20.0})]
    cut = lambda view: fakes.replay(view, from_s=10.0, to_s=20.0, loop=True)  # noqa: E731
    assert sent("b", scene=cut) == [("range", {}), ("loop", {"on": False})]
    assert sent("b") == []
    assert "A is at 30.20 s" in shown("b", scene=fakes.replay)


TESTED: dict[str, Callable[[], None]] = {
    "replay.pause": pause, "replay.back": step_back, "replay.step": step, "replay.back_window": window_back,
    "replay.step_window": window_on, "replay.left": left, "replay.right": right, "replay.start": start,
    "replay.go": go, "replay.previous": mark_before, "replay.next": next_mark, "replay.slower": slower,
    "replay.faster": faster, "replay.loop": loop, "replay.loop_ab": loop_ab,
}  # fmt: skip


@pytest.mark.parametrize("name", list(TESTED))
def test_a_key_of_a_replay_does_what_its_help_says(name) -> None:
    TESTED[name]()
