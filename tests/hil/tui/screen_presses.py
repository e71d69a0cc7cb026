"""What tests of keys share: press some on a bench that stands still, and see what was sent, asked and shown."""

from collections.abc import Callable
from dataclasses import dataclass

import screen_fakes as fakes
from screen_frames import drive, frame, press

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


@dataclass(frozen=True)
class Stop:
    """What is to be seen, what was asked for and what was sent so far, after some keys."""

    picture: str
    view: fakes.View
    commands: tuple[tuple[str, dict], ...]


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
