"""Parts that tests of a turn share: a link on a scripted port with a clock that the test moves."""

from collections.abc import Callable

from bench_parts import CountingSession, ScriptedTransport, ScriptedWay

from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import TransportError
from firmware_bridge.events import Arrival, Log
from firmware_bridge.plan import MS, Judge, Plan
from firmware_bridge.streams import BoardInfo
from firmware_bridge.turn import Turn

HELLO = b"I am watch 0007;"


class Bench:
    """A turn with everything around it."""

    def __init__(self, transports: list[ScriptedTransport | TransportError], *, role: str | None = "watch",
                 serial: bool = False, reconnect: bool = True, expect: Judge = lambda _: None,
                 held: list[int] | None = None) -> None:  # fmt: skip
        self.clock = ManualClock()
        self.way = ScriptedWay(transports, serial=serial)
        self.out: list[Arrival] = []
        self.sessions: list[CountingSession] = []
        self.held = held or []

        def make(role: str, judge: Callable[[BoardInfo], str | None]) -> CountingSession:
            self.sessions.append(CountingSession(role, judge))
            return self.sessions[-1]

        def put(arrival: Arrival, *, force: bool = False) -> int:
            self.out.append(arrival)
            return self.held.pop(0) if self.held and not force else 0

        name = lambda info: f"{info.model}-{info.serial}" if info else "nameless"  # noqa: E731
        self.turn = Turn(self.way, Plan(role, make, name, expect, reconnect), self.clock, put, self._idle)

    def _idle(self, seconds: float) -> None:
        self.clock.advance_ns(round(seconds * 1e9))

    def steps(self, count: int, every_ms: float = 10) -> None:
        for _ in range(count):
            self.turn.step()
            self.clock.advance_ns(round(every_ms * MS))

    @property
    def kinds(self) -> list[str]:
        return [arrival.kind for arrival in self.out]

    @property
    def logs(self) -> list[str]:
        return [item.text for arrival in self.out for item in arrival.items if isinstance(item, Log)]
