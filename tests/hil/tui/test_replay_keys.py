"""Every key of a recording in replay does what its line of help says."""

from collections.abc import Callable
from functools import partial

import pytest
import screen_fakes as fakes
from screen_frames import drive, press
from screen_presses import SIZE, sent, shown

from hil.tui.app import HilApp

pytestmark = pytest.mark.screen


MOVES: dict[str, tuple[str, str, dict[str, object]]] = {
    "replay.pause": ("p", "pause", {"paused": True}),
    "replay.back": ("comma", "step", {"samples": -1}), "replay.step": ("full_stop", "step", {"samples": 1}),
    "replay.back_window": ("left_parenthesis", "step", {"windows": -1}),
    "replay.step_window": ("right_parenthesis", "step", {"windows": 1}),
    "replay.left": ("left", "seek", {"to_s": pytest.approx(25.2)}),
    "replay.right": ("right", "seek", {"to_s": pytest.approx(35.2)}),
    "replay.start": ("home", "seek", {"to_s": 0.0}),
    "replay.previous": ("left_square_bracket", "seek", {"to_s": 18.5}),
    "replay.next": ("right_square_bracket", "seek", {"to_s": 40.0}),
    "replay.slower": ("less_than_sign", "speed", {"speed": 1.0}),
    "replay.faster": ("greater_than_sign", "speed", {"speed": 4.0}),
    "replay.loop": ("o", "loop", {"on": True}),
}  # fmt: skip
"""What each key of the transport asks of a replay that plays at 30.2 s, twice as fast as it was recorded."""


def transport() -> None:
    keys = [key for key, _, _ in MOVES.values()]
    assert sent(*keys, scene=fakes.replay) == [(verb, args) for _, verb, args in MOVES.values()]
    client = fakes.FakeClient()
    assert "live bench" in drive(client, SIZE, press(*keys))
    assert client.commands == []


def ends() -> None:
    """Where there is no farther to go a key says so, or stays there."""
    scene = fakes.replay
    client = fakes.FakeClient(lambda view: scene(view))

    async def steps(app: HilApp, pilot) -> None:
        nonlocal scene
        for facts, key in (
            ({"paused": True}, "p"), ({"position_s": 2.0}, "left"), ({"speed": 1000.0}, "greater_than_sign"),
            ({"position_s": 50.0}, "right_square_bracket"),
        ):  # fmt: skip
            scene = partial(fakes.replay, **facts)
            app.live.tick()
            await pilot.press(key)
            await pilot.pause()

    assert "no further mark" in drive(client, SIZE, steps)
    assert client.commands == [("pause", {"paused": False}), ("seek", {"to_s": 0.0}), ("speed", {"speed": None})]


def go() -> None:
    told: list[str] = []

    async def steps(app: HilApp, pilot) -> None:
        for words in ("12.5", "1:02", "squat", "mark 1", "9:00", "xyz"):
            for sign in ("t", *words, "enter"):
                await pilot.press({" ": "space", ".": "full_stop", ":": "colon"}.get(sign, sign))
            await pilot.pause()
            told.append(app.live._message[0])
        await pilot.press("t", "5", "escape", "p")
        offered = {key.id for key in app.live.usable()}
        assert {"replay.go", "record.mark", "label.1"} < offered
        assert "record.toggle" not in offered

    client = fakes.FakeClient(fakes.replay)
    drive(client, SIZE, steps)
    assert client.commands == [*(("seek", {"to_s": spot}) for spot in (12.5, 62.0, 5.0, 40.0)),
                               ("pause", {"paused": True})]  # fmt: skip
    assert "outside the recording" in told[4]
    assert "neither a time nor a mark" in told[5]
    assert "live bench" in shown("t")  # refused before anything is asked


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
    **dict.fromkeys(MOVES, transport), "replay.go": go, "replay.loop_ab": loop_ab,
}  # fmt: skip


@pytest.mark.parametrize("what", [transport, ends, go, loop_ab], ids=lambda what: what.__name__)
def test_keys_of_a_replay_do_what_their_help_says(what) -> None:
    what()
