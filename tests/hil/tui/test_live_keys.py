"""Every key of the live page does what its line of help says."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import screen_fakes as fakes
from screen_frames import drive, frame, press
from screen_presses import SIZE, Stop, asked, sent, shown, tour

from hil.tui.app import HilApp
from hil.views.figure import Ask

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


def values() -> None:
    """Readings of the watch reach from 0.7 to 2.6 g: its axis from -0.5 to 3 becomes a third narrower, and so on."""
    plot = ("tab",)
    as_it_comes, closer, again, farther, higher, lower, back = tour(
        plot, ("ctrl+up",), ("ctrl+up",), ("ctrl+down",), ("shift+up",), ("shift+down",), ("Y",), size=(200, 50),
    )  # fmt: skip
    rows = [stop.picture.splitlines() for stop in (as_it_comes, closer, again, farther, higher, lower, back)]
    titles = [next(line for line in lines if "▸∿ watch samples g" in line) for lines in rows]
    assert ["↕" in title for title in titles] == [False, True, True, True, True, True, False]
    assert "% beyond" in titles[2]
    assert closer.picture == farther.picture == lower.picture != higher.picture
    assert as_it_comes.picture == back.picture
    first, *others = (shown("ctrl+up"), shown("Y"), shown("shift+tab", "shift+tab", "shift+tab", "shift+tab", "Y"))
    assert "belongs to a plot" in first
    assert "belongs to a plot" in others[0]
    assert "R holds that of a frame" in others[1]
    assert "only a plot of readings" in shown("tab", "v", "ctrl+down")
    shared = shown("y", "tab", "ctrl+up", "ctrl+up", size=(200, 50))
    assert shared.count("↕") == 2  # both plots of g


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


TESTED: dict[str, Callable[[], None]] = {
    "screen.freeze": freeze, "screen.live": live, "record.toggle": record, "record.mark": mark, "record.note": note,
    "glitch.save": glitch,
    **{f"label.{digit}": label for digit in range(1, 10)},
    "time.in": time_in, "time.out": time_out, "pane.maximise": maximise, "pane.next": next_pane,
    "pane.previous": previous_pane, "pane.restore": restore, "board.only": only, "plot.lanes": lanes,
    "plot.allan": allan, "plot.kind": kind, "plot.kind_back": kind_back, "plot.channel": channel, "plot.alone": alone,
    "plot.scale": scale,
    **dict.fromkeys([f"plot.values_{name}" for name in ("in", "out", "up", "down", "auto")], values),
    "plot.split": split, "frame.colours": colours, "frame.hold": hold, "frame.each": each, "board.overview": overview,
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in TESTED if not name.startswith("label.") or name == "label.1"])
def test_a_key_of_the_live_page_does_what_its_help_says(name) -> None:
    TESTED[name]()
