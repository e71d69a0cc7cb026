"""What the screen lives through: a silent engine, any size, boards that come and go, no colour, a user's own keys."""

from dataclasses import replace

import pytest
import screen_fakes as fakes
from screen_frames import drive, press
from screen_presses import SIZE, shown

from firmware_bridge.errors import NoAnswer
from hil.tui.actions import ActionList
from hil.tui.app import HilApp
from hil.tui.help import HelpScreen

pytestmark = pytest.mark.screen


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


def test_the_screen_outlives_its_engine_and_finds_it_again() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        client.trouble = NoAnswer("the engine is gone", "127.0.0.1:4000", "start it again")
        app.live.tick()
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
        app.live.feed.taken()
        for _ in range(2):
            app.live.beat.ticks = -1
            app.live.tick()
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
            app.live.tick()
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
            app.live.tick()
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


def test_a_list_of_actions_that_a_key_closed_is_not_closed_again_by_a_click_that_came_late() -> None:
    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+p")
        listed = app.screen
        assert isinstance(listed, ActionList)
        app.action_page("models")
        listed.dismiss()
        await pilot.pause()
        assert app.screen is app.pages["models"]
        await pilot.press("f2")

    assert "ALL WELL" in drive(fakes.FakeClient(), SIZE, steps)


def test_a_search_that_outlives_its_list_of_actions_ends_nothing() -> None:
    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+p")
        listed = app.screen
        assert isinstance(listed, ActionList)
        app.action_page("models")
        await pilot.pause()
        await listed._watch__show_busy()  # what Textual calls when the search has come to its end
        await pilot.press("f2")

    assert "ALL WELL" in drive(fakes.FakeClient(), SIZE, steps)


def test_a_page_turned_in_a_list_of_actions_that_is_not_laid_out_ends_nothing() -> None:
    async def steps(app: HilApp, pilot) -> None:
        await pilot.press("ctrl+p")
        await pilot.resize_terminal(1, 1)
        await pilot.press("x", "pagedown", "backspace", "pageup", "pagedown")
        await pilot.resize_terminal(*SIZE)
        await pilot.press("escape")

    assert "ALL WELL" in drive(fakes.FakeClient(), SIZE, steps)
