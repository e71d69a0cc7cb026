"""Every key of the cursor and of the trigger does what its line of help says; so do the wheel and a click."""

from collections.abc import Callable

import numpy as np
import pytest
import screen_fakes as fakes
from screen_frames import drive, press
from screen_presses import SIZE, sent, tour
from textual import events

pytestmark = pytest.mark.screen


def cursor() -> None:
    there, gone = tour(("c", "tab", "f"), ("c",))
    assert there.view.cursor_s == 5.0
    assert "watch ▲ 22:13:15.000123 (−4.9" in there.picture or "watch ▲ 22:13:15.000123 (−5 s)" in there.picture
    assert f" ax {float(np.float32(fakes.readings('watch', 2, 10.0).latest[0]) + np.float32(0.1234567)):.7g}" in (
        there.picture
    )
    assert gone.view.cursor_s is None
    assert "▲ 22:13" not in gone.picture


def cursor_moves() -> None:
    none, left, right, far, end = tour(
        ("ctrl+left",), ("c", "shift+left"), ("shift+right",), ("ctrl+left",), ("ctrl+right",) * 9
    )
    assert "there is no cursor" in none.picture
    assert left.view.cursor_s is not None
    step = left.view.cursor_s - 5.0
    assert 0 < step < 0.5
    assert right.view.cursor_s == pytest.approx(5.0)
    assert far.view.cursor_s == pytest.approx(min(10.0, 5.0 + 16 * step))
    assert end.view.cursor_s == 0.0


def trigger() -> None:
    suggested, dropped, level, wrong, none = tour(
        ("tab", "T"), ("escape",), ("T", *"watch/samples.ax>2.5", "enter"), ("T", *"nonsense", "enter"),
        ("T", *["backspace"] * 30, "enter"),
    )  # fmt: skip
    assert "watch/samples.ax>" in suggested.picture
    assert dropped.view.trigger == ""
    assert level.view.trigger == "watch/samples.ax>2.5"
    assert "trigger watch/samples.ax>2.5 auto waits" in level.picture
    assert wrong.view.trigger == "watch/samples.ax>2.5"
    assert "is no limit" in wrong.picture
    assert none.view.trigger == ""


ANOMALY = ("T", *"anomaly", "enter", "tab")


def trigger_mode() -> None:
    none, *stops = tour(("n",), (*ANOMALY, "n"), ("n",), ("n",))
    assert "T says what is to" in none.picture
    assert [
        mode for stop, mode in zip(stops, ("normal waits", "single waits", "auto waits"), strict=True)
        if mode in stop.picture
    ] == ["normal waits", "single waits", "auto waits"]  # fmt: skip


def trigger_before() -> None:
    shares = []

    async def steps(app, pilot) -> None:
        await press(*ANOMALY)(app, pilot)
        for _ in range(4):
            shares.append(app.live.scene.scope.before)
            await press("u")(app, pilot)

    drive(fakes.FakeClient(), SIZE, steps)
    assert shares == [0.1, 0.5, 0.9, 0.1]


def trigger_save() -> None:
    none, saved, other, ended = tour(
        ("K",), (*ANOMALY, "K"), ("T", *["backspace"] * 9, *"mark", "enter", "tab"), ("K",)
    )
    assert none.commands == ()
    assert saved.commands == (("watch", {"text": "anomaly"}),)
    assert "kept as a recording" in saved.picture
    assert other.commands[-1] == ("watch", {"text": "mark"})
    assert ended.commands[-1] == ("watch", {"text": ""})
    assert sent(*ANOMALY, "K", scene=fakes.replay) == []


TESTED: dict[str, Callable[[], None]] = {
    "cursor.toggle": cursor,
    **{f"cursor.{way}": cursor_moves for way in ("left", "right", "far_left", "far_right")},
    "trigger.set": trigger, "trigger.mode": trigger_mode, "trigger.before": trigger_before,
    "trigger.save": trigger_save,
}  # fmt: skip


@pytest.mark.parametrize("what", list(dict.fromkeys(TESTED.values())), ids=lambda what: what.__name__)
def test_a_key_of_cursor_or_trigger_does_what_its_help_says(what) -> None:
    what()


def test_the_wheel_changes_the_time_base_and_a_click_sets_the_cursor() -> None:
    client = fakes.FakeClient()

    async def steps(app, pilot) -> None:
        plot = next(iter(app.live.painter.charts.values()))
        plot.post_message(events.MouseScrollUp(plot, 12, 3, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.live.scene.seconds == 5.0
        plot.post_message(events.MouseScrollDown(plot, 12, 3, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.live.scene.seconds == 10.0
        await pilot.click(plot, offset=(plot.size.width - 1, 3))
        await pilot.pause()

    drive(client, SIZE, steps)
    assert client.views[-1].cursor_s == 0.0


def test_frozen_a_closer_look_stays_at_the_cursor_s_time() -> None:
    client = fakes.FakeClient()
    drive(client, SIZE, press("c", "ctrl+left", "space", "plus", "plus"))
    view, first = client.views[-1], next(one for one in client.views if one.cursor_s not in (None, 5.0))
    assert view.seconds == 2.0
    assert view.end_ns is not None
    assert view.cursor_s is not None
    assert first.cursor_s is not None
    before = fakes.NOW - round(first.cursor_s * fakes.SECOND)
    assert view.end_ns - round(view.cursor_s * fakes.SECOND) == pytest.approx(before, abs=1000)
