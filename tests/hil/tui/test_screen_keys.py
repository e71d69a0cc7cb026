"""Every key does what its line of help says, on the screen itself."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import screen_fakes as fakes
from screen_frames import drive, press

from firmware_bridge.errors import NoAnswer
from hil.tui.app import HilApp
from hil.tui.help import HelpScreen, lines
from hil.tui.keys import KEYS

pytestmark = pytest.mark.screen

SIZE = (120, 35)


def sent(*keys: str, scene: Callable = fakes.live) -> list[tuple[str, dict]]:
    """The commands that keys lead to."""
    client = fakes.FakeClient(scene)
    drive(client, SIZE, press(*keys))
    return client.commands


def shown(*keys: str, scene: Callable = fakes.live, size: tuple[int, int] = SIZE) -> str:
    return drive(fakes.FakeClient(scene), size, press(*keys))


def asked(*keys: str) -> fakes.View:
    """The last view asked for after keys."""
    client = fakes.FakeClient()
    drive(client, SIZE, press(*keys))
    return client.views[-1]


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
    assert sent("g", scene=fakes.replay) == []
    assert "hil scenario new FILE" in shown("g", scene=fakes.replay)


def label() -> None:
    for digit in range(1, 8):
        assert sent(str(digit), scene=fakes.recording) == [("label", {"text": fakes.LABELS[digit - 1]})]
    assert sent("9", scene=fakes.recording) == []
    assert "no class 9" in shown("9", scene=fakes.recording)
    assert sent("1") == []
    assert "start one with r" in shown("1")


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


def picture(kept: list[str]) -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        app.deliver_screenshot = lambda: kept.append("svg")
        await pilot.press("s")
        await pilot.pause()

    drive(client, SIZE, steps)
    assert kept == ["svg"]


def help_page() -> None:
    for key in ("question_mark", "f1"):
        assert "help · esc closes" in shown(key)
    for key in ("escape", "q", "question_mark", "enter", "space", "ctrl+c"):
        assert "help · esc closes" not in shown("question_mark", key)
        assert sent("question_mark", key) == []
    assert "The focused pane: plot" in shown("tab", "question_mark")


def palette() -> None:
    opened = shown("ctrl+p", *"record")
    assert "record (r)" in opened
    assert "Start a recording" in opened
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"label: press")
        await pilot.pause(0.3)
        await pilot.press("down", "enter")
        await pilot.pause(0.1)

    client.scene = fakes.recording
    drive(client, SIZE, steps)
    assert client.commands == [("label", {"text": "press"})]
    assert "● LIVE" in shown("ctrl+p", "escape")


def leave() -> None:
    results = []

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+q")
        await pilot.pause()
        results.append(app._exit)

    drive(fakes.FakeClient(), SIZE, steps)
    client = fakes.FakeClient(fakes.recording)
    drive(client, SIZE, steps)
    assert client.commands == []

    async def twice(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+q")
        await pilot.press("ctrl+q")
        await pilot.pause()
        results.append(app._exit)

    drive(client, SIZE, twice)
    assert client.commands == [("record_stop", {})]
    guest = fakes.FakeClient(fakes.recording)
    drive(guest, SIZE, steps, owns=False)
    assert guest.commands == []
    assert results == [True, False, True, True]


def interrupt() -> None:
    picture_of = shown("ctrl+c", scene=fakes.recording)
    assert "the recording goes on" in picture_of
    assert "ctrl+q" in picture_of
    assert sent("ctrl+c", scene=fakes.recording) == []


TESTED: dict[str, Callable[[], None]] = {
    "screen.freeze": freeze, "screen.live": live, "record.toggle": record, "record.mark": mark, "record.note": note,
    "glitch.save": glitch,
    **{f"label.{digit}": label for digit in range(1, 10)},
    "time.in": time_in, "time.out": time_out, "pane.maximise": maximise, "pane.next": next_pane,
    "pane.previous": previous_pane, "pane.restore": restore, "board.only": only, "plot.lanes": lanes,
    "plot.allan": allan,
    "replay.pause": pause, "replay.back": step_back, "replay.step": step, "replay.left": left, "replay.right": right,
    "replay.start": start, "replay.previous": mark_before, "replay.next": next_mark, "replay.slower": slower,
    "replay.faster": faster, "replay.loop": loop, "screen.picture": lambda: picture([]), "screen.help": help_page,
    "screen.palette": palette, "screen.quit": leave, "screen.interrupt": interrupt,
}  # fmt: skip


@pytest.mark.parametrize("name", [key.id for key in KEYS if not key.id.startswith("label.") or key.id == "label.1"])
def test_a_key_does_what_its_help_says(name) -> None:
    TESTED[name]()


def test_every_key_is_tested_and_explained_and_has_a_verb_where_it_acts() -> None:
    assert {key.id for key in KEYS} == set(TESTED)
    assert len({key.id for key in KEYS}) == len(KEYS)
    used = [name for key in KEYS for name in key.keys.split(",")]
    assert len(used) == len(set(used))
    for key in KEYS:
        assert key.help.endswith(".")
        assert (key.kind == "act") == bool(key.verb)
    page = "\n".join("".join(words for words, _ in line) for line in lines("", 200))
    for key in KEYS:
        assert key.help in page or key.id.startswith("label.")


def test_log_and_ledger_scroll_and_the_table_keeps_its_cursor_in_sight() -> None:
    many = tuple(fakes.LogLine(fakes.NOW, "", "info", f"line {number}") for number in range(100))
    busy = lambda view: fakes.live(view, log=many)  # noqa: E731
    assert "line 99" in shown(scene=busy)
    up = shown("shift+tab", "pageup", scene=busy)
    assert "line 99" not in up
    assert "newer below" in up
    crowd = tuple(fakes.board(f"imu{number:02d}") for number in range(16))
    crowded = lambda view: fakes.live(view, boards=crowd)  # noqa: E731
    assert "▸ imu15" in shown(*["down"] * 20, scene=crowded, size=(80, 24))


def test_the_first_key_ends_the_hint() -> None:
    assert "New here?" in shown()
    for key in ("tab", "r", "space", "down"):
        assert "New here?" not in shown(key)


def test_the_screen_outlives_its_engine_and_finds_it_again() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        client.trouble = NoAnswer("the engine is gone", "127.0.0.1:4000", "start it again")
        app.tick()
        await pilot.press("r", "p", "question_mark", "escape")
        await pilot.pause()

    gone = drive(client, SIZE, steps)
    assert "TROUBLE ENGINE: 127.0.0.1:4000: the engine is gone; start it again" in gone
    assert "NO ENGINE" in gone
    assert "hil-watch" in gone
    assert client.commands == []

    async def again(app: HilApp, pilot) -> None:
        await steps(app, pilot)
        client.trouble = None
        app.feed.taken()
        for _ in range(2):
            app._ticks = -1
            app.tick()
            await pilot.pause()

    client.trouble = None
    assert "ALL WELL" in drive(client, SIZE, again)


def test_a_refused_command_is_said_in_the_engines_own_sentence() -> None:
    client = fakes.FakeClient()
    client.command = lambda verb, **args: (_ for _ in ()).throw(NoAnswer("the disk is full", "", "free some space"))
    assert "the disk is full; free some space" in drive(client, SIZE, press("r"))


def test_any_size_at_any_time() -> None:
    async def steps(app: HilApp, pilot) -> None:
        for width, height in ((200, 50), (80, 24), (40, 10), (20, 5), (1, 1), (300, 90), (99, 24), (100, 24)):
            await pilot.resize_terminal(width, height)
            app.tick()
            await pilot.pause()

    for scene in (fakes.trouble, fakes.replay, fakes.recording):
        assert "boards" in drive(fakes.FakeClient(scene), (120, 35), steps)


def test_boards_and_streams_may_come_and_go() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("tab", "f")
        for scene in (
            lambda view: replace(fakes.live(view), streams=(), boards=()),
            lambda view: replace(fakes.live(view), streams=fakes.live(view).streams[1:]),
            fakes.trouble,
            lambda view: replace(fakes.live(view), streams=fakes.live(view).streams[::-1]),
        ):
            client.scene = scene
            app.tick()
            await pilot.pause()

    final = drive(client, SIZE, steps)
    assert final.index("▚ thermal") < final.index("∿ imu") < final.index("∿ watch")


def test_no_screen_is_a_trap() -> None:
    for key in ("question_mark", "M", "ctrl+p"):

        async def steps(app: HilApp, pilot, key: str = key) -> None:
            await pilot.press(key)
            await pilot.pause()
            await pilot.press("escape")
            await pilot.pause()
            assert not isinstance(app.screen, HelpScreen)
            await pilot.press("ctrl+q")
            await pilot.pause()
            assert app._exit

        drive(fakes.FakeClient(), SIZE, steps)


def test_without_colour_nothing_is_lost(monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    colours: set[object] = set()

    async def steps(app: HilApp, pilot) -> None:
        strips = app.screen._compositor.render_strips()
        colours.update(style.color for strip in strips for _, style, _ in strip if style is not None)

    shown_plain = drive(fakes.FakeClient(), (200, 50), steps)
    assert {colour for colour in colours if colour is not None and not _grey(colour)} == set()
    for words in ("● live", "ALL WELL", "ax", "ay", "az", "@"):
        assert words in shown_plain


def _grey(colour) -> bool:
    triplet = colour.get_truecolor()
    return max(triplet) - min(triplet) <= 2
