"""Every key of the live page does what its line of help says."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import screen_fakes as fakes
from screen_frames import drive, frame, press
from screen_presses import SIZE, Stop, asked, sent, shown, tour
from textual import events

from hil.figureview import Ask
from hil.tui.app import HilApp

pytestmark = pytest.mark.screen


def freeze() -> None:
    client = fakes.FakeClient()
    picture = drive(client, SIZE, press("space"))
    assert "FROZEN" in picture
    assert "capture goes on" in picture
    assert client.commands == []
    assert client.views[-1].end_ns == fakes.NOW
    assert not client.views[-1].envelopes
    assert "FROZEN" not in shown("space", "space")


def live() -> None:
    assert "● LIVE" in shown("space", "end")
    assert asked("space", "end").end_ns is None


def record() -> None:
    assert sent("r") == [("record", {})]
    assert sent("r", scene=fakes.recording) == [("record_stop", {})]


def mark() -> None:
    assert sent("m") == [("mark", {"text": "mark 1"})]
    assert sent("m", scene=fakes.recording) == [("mark", {"text": "mark 3"})]


def note() -> None:
    assert sent("M", *"bump", "space", *"r7", "enter") == [("mark", {"text": "bump r7", "t_ns": fakes.NOW})]
    assert sent("M", "x", "escape", "r") == [("record", {})]
    assert sent("M", "enter", "r") == [("record", {})]


def glitch() -> None:
    assert sent("g") == [("glitch", {})]
    assert sent("g", scene=fakes.recording) == [("glitch", {})]
    assert sent("g", scene=fakes.replay) == [("glitch", {})]


def label() -> None:
    each = tour(*[(str(digit),) for digit in range(1, 8)], scene=fakes.recording)
    told = [("label", {"text": name}) for name in fakes.LABELS[:7]]
    assert [list(stop.commands) for stop in each] == [told[: at + 1] for at in range(7)]
    for digit in "89":
        assert sent(digit, scene=fakes.recording) == []
        assert f"no class {digit}" in shown(digit, scene=fakes.recording)
    assert sent("1") == []
    assert "start one with r" in shown("1")
    assert sent("2", scene=fakes.replay) == [("label", {"text": fakes.LABELS[1]})]


def time_in() -> None:
    assert asked("plus").seconds == 5.0
    assert "base 5 s" in shown("plus")


def time_out() -> None:
    assert asked("minus", "minus").seconds == 30.0
    assert asked(*["minus"] * 30).seconds == 300.0


def maximise() -> None:
    rows = shown("tab", "f").splitlines()
    assert sum("━ax" in row for row in rows) == 1
    assert not any("ledger" in row or "expected" in row for row in rows)
    assert any("give back" in row for row in rows)
    assert any("ALL WELL" in row for row in rows)
    assert "ledger" in shown("tab", "f", "f")


def next_pane() -> None:
    assert "▸∿ watch" in shown("tab")


def previous_pane() -> None:
    assert "▸log" in shown("shift+tab")


def restore() -> None:
    assert "ledger" in shown("tab", "f", "escape")
    assert "LIVE" in shown("space", "escape")


def only() -> None:
    assert asked("down", "enter").boards == ("imu",)
    picture = shown("down", "enter")
    assert "∿ imu" in picture
    assert "∿ watch" not in picture
    assert asked("down", "enter", "enter").boards is None
    assert asked("tab", "enter").boards == ("watch",)


def allan() -> None:
    assert asked("tab", "a").allan == ("watch", "samples")
    assert asked("tab", "a", "a").allan is None
    assert "watch Allan deviation" in shown("tab", "a")
    assert "Allan" not in shown("tab", "a", "a").replace("a Allan", "")
    assert "belongs to a plot of channels" in shown("a")
    assert asked("a").allan is None


def lanes() -> None:
    rows = [row.lstrip() for row in shown("tab", "f", "l").splitlines()]
    assert [name for name in ("ax", "ay", "az") if any(row.startswith(f"{name} ") for row in rows)] == [
        "ax",
        "ay",
        "az",
    ]


def kinds_asked(stop: Stop) -> list[str]:
    return [one.kind for one in stop.view.figures]


def kind() -> None:
    unfocused, first, *others, last = tour(("v",), ("tab", "v"), *[("v",)] * 5, ("shift+tab",) * 4 + ("v",))
    assert "belongs to a plot" in unfocused.picture
    assert first.view.figures == (Ask("watch", "samples", "spectrum", (0, 1, 2)),)
    assert "spectrum g/√Hz" in first.picture
    assert [kinds_asked(stop) for stop in others] == [["spectrogram"], ["histogram"], ["xy"], ["attitude"], []]
    assert "focus" in last.picture


def kind_back() -> None:
    back, forth = tour(("tab", "V"), ("v",))
    assert kinds_asked(back) == ["attitude"]
    assert kinds_asked(forth) == []


def channel() -> None:
    none, *stops = tour(("tab", "x"), ("v", "v", "x"), ("x", "x"), ("v", "v", "x", "x", "x"))
    assert "has a choice" in none.picture
    assert [stop.view.figures[0].channels for stop in stops] == [(1,), (0,), (0, 3)]


def alone() -> None:
    none, *stops = tour(("h",), ("tab", "f", "h"), ("h",), ("h",), ("h",))
    assert "belongs to a plot" in none.picture
    titles = [next(row for row in stop.picture.splitlines() if "━a" in row) for stop in stops]
    seen = [[name for name in ("ax", "ay", "az") if f"━{name}" in title] for title in titles]
    assert seen == [["ax"], ["ay"], ["az"], ["ax", "ay", "az"]]
    assert [title.count("╌") for title in titles] == [2, 2, 2, 0]
    spectrum, first = tour(("tab", "v"), ("h",))
    assert spectrum.view.figures == (Ask("watch", "samples", "spectrum", (0, 1, 2)),)
    assert first.view.figures == (Ask("watch", "samples", "spectrum", (0,)),)


def scale() -> None:
    def louder(view: fakes.View) -> fakes.Snapshot:
        watch, imu, thermal = (made := fakes.live(view)).streams
        return replace(made, streams=(watch, replace(imu, low=20 * imu.low, high=20 * imu.high), thermal))

    free, shared = tour((), ("y",), size=(200, 50), scene=louder)
    assert [stop.picture.count("     50┤") for stop in (free, shared)] == [1, 2]


FRAME = ("shift+tab",) * 4
"""From the table of boards to the last plot, the frame of the thermal board."""


def colours() -> None:
    none, second, *others = tour(("P",), (*FRAME, "P"), *[("P",)] * 5)
    assert "focus one" in none.picture
    assert "viridis-like, colour-blind safe" in second.picture
    told = [next(name for name in ("cividis", "grey", "diverging", "rainbow", "iron") if f"Hz  {name}" in stop.picture)
            for stop in others]  # fmt: skip
    assert told == ["cividis", "grey", "diverging", "rainbow", "iron"]
    spectrogram, turned = tour(("tab", "f", "v", "v"), ("P",))
    assert spectrogram.picture.splitlines() != turned.picture.splitlines()
    assert "viridis-like" in turned.picture


def hold() -> None:
    hot = False

    def warms(view: fakes.View) -> fakes.Snapshot:
        watch, imu, thermal = (made := fakes.live(view)).streams
        warm = replace(thermal, image=30 + thermal.image, image_high=62.0)
        return replace(made, streams=(watch, imu, warm if hot else thermal))

    pictures = []

    async def steps(app: HilApp, pilot) -> None:
        nonlocal hot
        for keys in (("tab", "R"), (*["shift+tab"] * 5, "R"), (), ("R",)):
            await press(*keys)(app, pilot)
            app.live.tick()
            await pilot.pause()
            pictures.append(frame(app))
            hot = "range held" in pictures[-1]

    drive(fakes.FakeClient(warms), SIZE, steps)
    none, held, hotter, free = pictures
    assert "belongs to a frame" in none
    assert all("20.00 ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ 32.00 °C" in picture for picture in (held, hotter))
    assert "64 above the range" in hotter
    assert "20.00 ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ 62.00 °C" in free


def each() -> None:
    alone, every = tour((*FRAME, "E"), ("E",))
    assert "range of each frame" in alone.picture
    assert "P colours  R hold the range" in alone.picture
    assert "22.00 ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ 30.56 °C" in alone.picture
    assert "20.00 ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ 32.00 °C" in every.picture
    assert "range over 10 s" in every.picture


def split() -> None:
    stops = tour(*[("w",)] * 5, size=(200, 50))
    assert [max(row.count("∿") for row in stop.picture.splitlines()) for stop in stops[:3]] == [1, 2, 3]
    assert stops[-1].picture.splitlines()[5:40] == shown(size=(200, 50)).splitlines()[5:40]


def overview() -> None:
    lone, all_again = tour(("O",), ("O",), size=(80, 24))
    assert "∿ watch" in lone.picture
    assert "∿ imu" not in lone.picture
    assert any(char in lone.picture.splitlines()[3] for char in "⣀⣤⣶⣿⠶⠒")
    assert "∿ imu" in all_again.picture
    crowd, details, back = tour((), ("down", "enter"), ("escape",), scene=fakes.crowd, size=(80, 24))
    assert "∿" not in crowd.picture
    assert "∿ node05" in details.picture
    assert details.view.boards == ("node05",)
    assert "∿" not in back.picture


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
    "screen.freeze": freeze, "screen.live": live, "record.toggle": record, "record.mark": mark, "record.note": note,
    "glitch.save": glitch,
    **{f"label.{digit}": label for digit in range(1, 10)},
    "time.in": time_in, "time.out": time_out, "pane.maximise": maximise, "pane.next": next_pane,
    "pane.previous": previous_pane, "pane.restore": restore, "board.only": only, "plot.lanes": lanes,
    "plot.allan": allan, "plot.kind": kind, "plot.kind_back": kind_back, "plot.channel": channel, "plot.alone": alone,
    "plot.scale": scale,
    "plot.split": split, "frame.colours": colours, "frame.hold": hold, "frame.each": each, "board.overview": overview,
    "cursor.toggle": cursor,
    **{f"cursor.{way}": cursor_moves for way in ("left", "right", "far_left", "far_right")},
    "trigger.set": trigger, "trigger.mode": trigger_mode, "trigger.before": trigger_before,
    "trigger.save": trigger_save,
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name in TESTED if not name.startswith(("label.", "cursor.f", "cursor.r")) or name == "label.1"]
)
def test_a_key_of_the_live_page_does_what_its_help_says(name) -> None:
    TESTED[name]()


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
