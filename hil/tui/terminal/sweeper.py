"""When the screen looks through its whole memory for garbage: while nobody waits for a picture.

Python counts what is made and, at whatever allocation the count is full, walks everything that is kept: after an hour
of work 60 to 300 ms in the midst of a picture. The young are still collected as ever; the walk through everything waits
for a moment without a key, and only where so much has come together that waiting on would cost memory (about 40 MB) it
comes at once. While modules are imported nothing is collected: what they make is kept, and walks through it would take
a tenth of the time to the first picture.

Rule of this room: it counts and has no clock (a timer of the app strikes it once a second); what collects is an
argument.
"""

import contextlib
import gc
from collections.abc import Iterator
from typing import Protocol

__all__ = ["Sweeper", "importing"]

NEVER = 1_000_000_000
"""A threshold that Python itself does not reach."""

QUIET_S = 3
"""So long nobody pressed anything: no picture is waited for."""

WORTH = 30
"""Collections of the young, after which a walk through everything is worth its time."""

FULL = 250
"""Collections of the young, after which it waits no longer; after twice as many the walk itself took over a second."""


class Collector(Protocol):
    """What is used of the module `gc`."""

    def collect(self) -> int: ...
    def disable(self) -> None: ...
    def enable(self) -> None: ...
    def freeze(self) -> None: ...
    def unfreeze(self) -> None: ...
    def get_count(self) -> tuple[int, int, int]: ...
    def get_threshold(self) -> tuple[int, int, int]: ...
    def set_threshold(self, threshold0: int, threshold1: int = ..., threshold2: int = ..., /) -> None: ...


@contextlib.contextmanager
def importing(collector: Collector = gc) -> Iterator[None]:
    """Collect nothing meanwhile, and leave what was made out of all that is collected later."""
    collector.disable()
    try:
        yield
    finally:
        collector.freeze()
        collector.enable()


class Sweeper:
    """The collections of one screen.

    Args:
        collector: What collects.
    """

    def __init__(self, collector: Collector = gc) -> None:
        self._collector = collector
        self._works = False
        self._quiet_s = 0

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Decide when to collect, in place of Python, and leave what is there already (all modules) out of it."""
        usual = self._collector.get_threshold()
        self._collector.freeze()
        self._collector.set_threshold(*usual[:2], NEVER)
        self._works = True
        try:
            yield
        finally:
            self._works = False
            self._collector.set_threshold(*usual)
            self._collector.unfreeze()

    def pressed(self) -> None:
        """Somebody did something and waits for what comes of it."""
        self._quiet_s = 0

    def strike(self) -> None:
        """A second went by."""
        self._quiet_s += 1
        come_together = self._collector.get_count()[2]
        if self._works and come_together >= (WORTH if self._quiet_s > QUIET_S else FULL):
            self._collector.collect()
