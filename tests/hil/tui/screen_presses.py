"""What tests of keys share: press some on a bench that stands still, and see what was sent, asked and shown."""

from collections.abc import Callable

import screen_fakes as fakes
from screen_frames import drive, press

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
