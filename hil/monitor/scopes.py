"""What screens trigger on: each asks by the words of a trigger, and is told when it last fired.

Rule of this room: used under the monitor's lock; the triggers themselves are those of `hil capture --pre-trigger`. A
value that is beyond its limit when somebody begins to watch has crossed nothing: it fires once it has come back and
crosses. Nothing is watched that no screen asks for.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival
from hil.monitor.triggers import Triggers, watching
from hil.views.trigger import TriggerView

__all__ = ["TIMES", "Scopes"]

TIMES = 32
"""How many of the newest triggers a screen is told."""
MOST = 8
"""Different triggers that are watched at a time."""
PATIENCE_NS = 30_000_000_000


@dataclass(slots=True)
class _Watch:
    triggers: Triggers
    asked_ns: int
    fired: deque[tuple[int, str]]
    count: int = 0


class Scopes:
    """The triggers that screens ask for."""

    def __init__(self) -> None:
        self._kept: dict[str, _Watch] = {}

    def feed(self, arrivals: Sequence[Arrival]) -> None:
        """Take arrivals, in order."""
        for watch in self._kept.values():
            for trigger in watch.triggers.feed(arrivals):
                watch.fired.append((trigger.t_ns, trigger.text))
                watch.count += 1

    def asked(self, text: str, now_ns: int) -> TriggerView:
        """Return when a trigger fired; it is watched from now on if it was not."""
        for key in [key for key, watch in self._kept.items() if now_ns - watch.asked_ns > PATIENCE_NS]:
            del self._kept[key]
        watch = self._kept.get(text)
        if watch is None:
            if len(self._kept) >= MOST:
                return TriggerView(text, sentence=f"{MOST} other triggers are being watched: let go of one")
            try:
                watch = self._kept[text] = _Watch(watching(text), now_ns, deque(maxlen=TIMES))
            except UsageError as error:
                return TriggerView(text, sentence=str(error))
        watch.asked_ns = now_ns
        return TriggerView(text, watch.count, tuple(watch.fired))

    def clear(self) -> None:
        """Begin anew: a replay jumped."""
        self._kept.clear()
