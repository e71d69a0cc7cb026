"""Every key of the live page does what its line of help says."""

from collections.abc import Callable

import pytest
import screen_fakes as fakes
from screen_frames import drive, press
from screen_presses import SIZE, asked, sent, shown

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
    for digit in range(1, 8):
        assert sent(str(digit), scene=fakes.recording) == [("label", {"text": fakes.LABELS[digit - 1]})]
    assert sent("9", scene=fakes.recording) == []
    assert "no class 9" in shown("9", scene=fakes.recording)
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


TESTED: dict[str, Callable[[], None]] = {
    "screen.freeze": freeze, "screen.live": live, "record.toggle": record, "record.mark": mark, "record.note": note,
    "glitch.save": glitch,
    **{f"label.{digit}": label for digit in range(1, 10)},
    "time.in": time_in, "time.out": time_out, "pane.maximise": maximise, "pane.next": next_pane,
    "pane.previous": previous_pane, "pane.restore": restore, "board.only": only, "plot.lanes": lanes,
    "plot.allan": allan,
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in TESTED if not name.startswith("label.") or name == "label.1"])
def test_a_key_of_the_live_page_does_what_its_help_says(name) -> None:
    TESTED[name]()
