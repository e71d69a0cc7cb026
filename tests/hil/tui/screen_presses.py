"""What tests of keys share: press some on a bench that stands still, and see what was sent, asked and shown."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import screen_fakes as fakes
from screen_frames import drive, frame, press

SIZE = (120, 35)


@dataclass(frozen=True)
class Stop:
    """What is to be seen, what was asked for and what was sent so far, after some keys."""

    picture: str
    view: fakes.View
    commands: tuple[tuple[str, dict], ...]


@cache
def walk(keys: tuple[str, ...], scene: Callable, size: tuple[int, int]) -> Stop:
    """Press keys on a screen of its own; within a test the same keys are pressed once, whatever is asked of them."""
    client = fakes.FakeClient(scene)
    picture = drive(client, size, press(*keys))
    return Stop(picture, client.views[-1], tuple(client.commands))


def sent(*keys: str, scene: Callable = fakes.live) -> list[tuple[str, dict]]:
    """The commands that keys lead to."""
    return list(walk(keys, scene, SIZE).commands)


def shown(*keys: str, scene: Callable = fakes.live, size: tuple[int, int] = SIZE) -> str:
    return walk(keys, scene, size).picture


def asked(*keys: str) -> fakes.View:
    """The last view asked for after keys."""
    return walk(keys, fakes.live, SIZE).view


def tour(*groups: tuple[str, ...], scene: Callable = fakes.live, size: tuple[int, int] = SIZE) -> list[Stop]:
    """Press groups of keys one after another on one screen, and return what there was after each."""
    client = fakes.FakeClient(scene)
    stops: list[Stop] = []

    async def steps(app, pilot) -> None:
        for group in groups:
            await press(*group)(app, pilot)
            app.live.tick()
            await pilot.pause()
            stops.append(Stop(frame(app), client.views[-1], tuple(client.commands)))

    drive(client, size, steps)
    return stops
