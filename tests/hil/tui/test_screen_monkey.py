"""Random keys, clicks and resizes with boards coming and going: the screen never falls over."""

import random
from dataclasses import replace

import pytest
import screen_fakes as fakes
from screen_frames import drive

from firmware_bridge.errors import NoAnswer
from hil.snapshot import Snapshot
from hil.tui.app import HilApp
from hil.tui.keys import KEYS
from hil.view import View

pytestmark = pytest.mark.screen

TYPED = ("a", "q", "enter", "escape", "up", "down", "pageup", "pagedown", "backspace", "x", "space")
PRESSED = tuple(name for key in KEYS for name in key.keys.split(",") if key.id not in ("screen.quit", "screen.picture"))


def changing(chance: random.Random):
    """Snapshots of a bench that is never twice the same."""

    def scene(view: View) -> Snapshot:
        kind = chance.choice((fakes.live, fakes.trouble, fakes.recording, fakes.replay))
        if chance.random() < 0.1:
            raise NoAnswer("the engine is gone", "", "start it again")
        shown = kind(view)
        boards = tuple(board for board in shown.boards if chance.random() < 0.8)
        streams = tuple(stream for stream in shown.streams if chance.random() < 0.8)
        return replace(shown, boards=boards, streams=streams)

    return scene


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_monkey_does_not_bring_the_screen_down(seed, request) -> None:
    chance = random.Random(seed)
    slow = request.node.get_closest_marker("slow") is not None
    client = fakes.FakeClient(changing(chance))

    async def steps(app: HilApp, pilot) -> None:
        for _ in range(2000 if slow else 120):
            dice = chance.random()
            if dice < 0.7:
                await pilot.press(chance.choice(PRESSED if chance.random() < 0.8 else TYPED))
            elif dice < 0.8:
                await pilot.click(offset=(chance.randrange(app.size.width), chance.randrange(app.size.height)))
            elif dice < 0.9:
                await pilot.resize_terminal(chance.randrange(1, 220), chance.randrange(1, 60))
            app.live.feed.taken()
            app.live._ticks = -1
            app.live.tick()
            assert not app._exit
        await pilot.resize_terminal(120, 35)
        for _ in range(3):
            await pilot.press("escape")
        await pilot.press("f2")
        client.scene = fakes.live
        for _ in range(60):
            app.live.tick()
        await pilot.pause()

    shown = drive(client, (120, 35), steps)
    assert "ALL WELL" in shown
    assert all(verb != "quit" for verb, _ in client.commands)
