"""Every key of a recording in replay does what its line of help says."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import screen_fakes as fakes
from models_made import Helper, explanation
from screen_frames import drive, frame, press, same_as_golden, still
from screen_presses import SIZE, sent, shown

from hil.tui.app import HilApp

pytestmark = pytest.mark.screen

SIZES = ((80, 24), (120, 35), (200, 50))


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


def why() -> None:
    """The decision under the play head, of a replay from the list of recordings as of one from the command line."""
    asked: list[Helper] = []
    spot = 30.2

    def helper() -> Helper:
        asked.append(Helper())
        return asked[-1]

    def replayed(view: fakes.View) -> fakes.Snapshot:
        return fakes.replay(view, position_s=spot)

    told: list[str] = []

    async def steps(app: HilApp, pilot) -> None:
        nonlocal spot
        for keys in (("W",), ("W",), ("tab", "W"), ("escape",)):
            await press(*keys)(app, pilot)
            told.append(frame(app))
        spot = 0.5
        app.live.tick()
        await press("W")(app, pilot)
        told.append(frame(app))

    client = fakes.FakeClient(replayed)
    place = replace(still(client), open_library=helper)
    drive(client, SIZE, steps, app=HilApp(client, place=place))
    explained, back, of_board, restored, nothing = told
    assert "at 30.20 s  row of exercise at watch  93%, by integrated gradients" in explained
    assert "▄█ spoke for row, ░▒▓ against it" in explained
    assert "❚❚" in explained or "playing" in explained  # the transport stays
    assert "boards   state" not in explained
    assert "boards   state" in back
    assert "spoke for" in of_board
    assert "▸∿ watch" in restored  # the plot has the focus again
    assert "spoke for" not in back + restored
    assert "exercise decided nothing until 0.5 s" in nothing
    (one,) = asked
    path, files = "recordings/watch-unseen.mcap", ["models/exercise.hilmodel"]
    assert one.commands == [("explain_in", {"path": path, "at_s": at_s, "loaded": files, "board": board})
                            for at_s, board in ((30.2, None), (30.2, "watch"), (0.5, "watch"))]  # fmt: skip
    assert "stands on the page of models" in shown("W")


def why_follows() -> None:
    """A head that plays is let go; wherever it rests, that is explained, without another key."""
    helper, facts, told = Helper(), {"position_s": 30.2}, []

    async def steps(app: HilApp, pilot) -> None:
        nonlocal facts
        await press("W")(app, pilot)
        for at in ({"position_s": 33.0}, {"position_s": 35.5, "paused": True}, {"position_s": 35.52, "paused": True},
                      {"position_s": 0.5, "paused": True}, {"position_s": 62.5, "ended": True}):  # fmt: skip
            facts = at
            app.live.tick()
            await pilot.pause()
            told.append(frame(app))
        for _ in range(2):
            await press("W")(app, pilot)

    client = fakes.FakeClient(lambda view: fakes.replay(view, **facts))
    drive(client, SIZE, steps, app=HilApp(client, place=replace(still(client), open_library=lambda: helper)))
    playing, paused, stepped, nothing, ended = told
    assert "at 30.20 s  ▶ the head plays on: pause to see why there  row of exercise" in playing
    assert "at 35.50 s  row of exercise" in paused
    assert "at 35.52 s  row of exercise" in stepped
    assert "at 0.50 s" in nothing
    assert "exercise decided nothing until 0.5 s" in nothing
    assert "at 62.50 s  row of exercise" in ended
    assert [args["at_s"] for _, args in helper.commands] == [30.2, 35.5, 35.52, 0.5, 62.5, 62.5]


class Slow(Helper):
    """A librarian that explains one decision each time it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Semaphore(0)

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        self.commands.append((verb, args))
        assert self.let.acquire(timeout=60)
        return {**explanation(), "path": args["path"]}


def why_waits() -> None:
    """While one explanation is made, heads that were left again are never explained: the newest is next."""
    helper, spot = Slow(), 30.2

    async def steps(app: HilApp, pilot) -> None:
        nonlocal spot
        pane, place = app.live.painter.why, replace(still(client), open_library=lambda: helper, inline=False)
        assert not await pane.ask(place, app.live.scene, None)
        app.live.maximised = pane
        for at_s in (31.0, 32.0, 33.0):
            spot = at_s
            app.live.tick()
            await pilot.pause()
        assert "at 30.20 s  ◌ 33.00 s is being made" in frame(app)
        for expected in ("at 30.20 s  ◌ 33.00 s is being made  row of exercise", "at 33.00 s  row of exercise"):
            helper.let.release()
            for _ in range(3000):
                if expected in frame(app):
                    break
                await pilot.pause(0.02)
            assert expected in frame(app)

    client = fakes.FakeClient(lambda view: fakes.replay(view, position_s=spot, paused=True))
    drive(client, SIZE, steps)
    assert [args["at_s"] for _, args in helper.commands] == [30.2, 33.0]


TESTED: dict[str, Callable[[], None]] = {
    **dict.fromkeys(MOVES, transport), "replay.go": go, "replay.loop_ab": loop_ab,
    "replay.why": why,
}  # fmt: skip


@pytest.mark.parametrize(
    "what", [transport, ends, go, loop_ab, why, why_follows, why_waits], ids=lambda what: what.__name__
)
def test_keys_of_a_replay_do_what_their_help_says(what) -> None:
    what()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_why_a_replayed_decision_was_made_looks_as_it_was_looked_at(size) -> None:
    same_as_golden(f"replaywhy_{size[0]}x{size[1]}", shown("W", scene=fakes.replay, size=size))
