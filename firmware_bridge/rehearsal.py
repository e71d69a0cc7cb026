"""A whole conversation with one board on a clock that waits for nobody: seconds of bench time in milliseconds.

The same link, session and faults as at the bench, stepped by a clock that stands still unless somebody waits on it;
shaped like a `Bridge`, so that whatever drives a live board drives this one. For virtual boards only: a real one lives
on real time.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from firmware_bridge.address import SerialSettings
from firmware_bridge.clock import ManualClock
from firmware_bridge.events import Arrival
from firmware_bridge.faults.dialect import faulty
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.faults.uplink import Uplink
from firmware_bridge.faulty import FaultyWay
from firmware_bridge.plan import Command, Judge, Plan, Session, never
from firmware_bridge.roles import BoardState, PortSpec
from firmware_bridge.turn import Turn
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.way import Way
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.inject import downlink_of

__all__ = ["Rehearsal", "rehearse"]

_STEP_S = 0.05


class _OnBoard:
    """A virtual board as a way and as its open port: every opening powers a fresh one."""

    is_serial, usb, settings = False, None, SerialSettings()
    notes: Sequence[str] = ()

    def __init__(self, port: str, make: Callable[[], VirtualBoard], clock: ManualClock) -> None:
        self.port = self.name = port
        self._make, self._clock = make, clock
        self._board = make()

    def open(self, wait_s: float = 0.0, given_up: Callable[[], bool] = never) -> Self:
        self._board = self._make()
        self._board.receive(b"", self._clock.now_ns())
        return self

    def read(self, max_wait_s: float) -> bytes:
        now = self._clock.now_ns()
        deadline = now + round(max_wait_s * 1e9)
        while not (data := self._board.poll(now)) and now < deadline:
            self._clock.sleep_until_ns(min(max(self._board.next_due_ns(), now + 1), deadline))
            now = self._clock.now_ns()
        return data

    def write(self, data: bytes) -> int:
        self._board.receive(data, self._clock.now_ns())
        return len(data)

    def is_gone(self, error: Exception) -> bool:
        return False

    def wake(self) -> None:
        """Nobody else waits."""

    close = wake


class Rehearsal:
    """One virtual board at a bench whose time passes only while somebody takes.

    Args:
        spec: The board; its role must be given.
        clock: Time.
        nonce: Of the session.
        make: Makes the board; None: the port names a virtual board.

    Raises:
        UsageError: The port cannot be meant.
    """

    def __init__(
        self, spec: PortSpec, clock: ManualClock | None = None, *, nonce: int = 77,
        make: Callable[[], VirtualBoard] | None = None,
    ) -> None:  # fmt: skip
        from firmware_bridge.wire.dialects import make_dialect
        from firmware_bridge.wire.protocol import Session as Conversation

        self.clock = clock or ManualClock()
        self.role = spec.role or "dut"
        self.spec, self.nonce = spec, nonce
        faults = spec.faults or Schedule()
        self.dialect = faulty(spec.dialect or DialectSpec("native"), faults, self.role)
        uplink = Uplink(faults, self.role)
        direct: Any = Way(spec.port, self.clock) if make is None else _OnBoard(spec.port, make, self.clock)
        way = FaultyWay(direct, uplink, self.clock) if uplink else direct
        self._heard: list[Arrival] = []

        def make_session(name: str, judge: Judge) -> Session:
            dialect = make_dialect(self.dialect)
            return Conversation(name, dialect, nonce=nonce, expect=judge, injected=spec.injected)

        self._turn = Turn(way, Plan(self.role, make_session, lambda _: self.role), self.clock, self._put, self._idle)
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self._open

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Let time pass until something comes, at most so long; return what came."""
        until = self.clock.now_ns() + round(max_wait_s * 1e9)
        while not self._heard and self._open:
            left = (until - self.clock.now_ns()) / 1e9
            self._open = self._turn.step(min(_STEP_S, max(0.0, left)))
            if left <= 0:
                break
        taken, self._heard = self._heard, []
        return taken

    def send(self, role: str, command: Command) -> "Future[bytes]":
        """Have a command written in the next step."""
        future: Future[bytes] = Future()
        self._turn.queue(command, future)
        return future

    def boards(self) -> list[BoardState]:
        """Return how the board stands."""
        now, session = self._turn.state, self._turn.session
        return [BoardState(self.role, self.spec.port, now.state, now.reason, now.since_ns, session.info, session.boot,
                           self._turn.books, session.clock(), self.dialect, self.nonce,
                           downlink=downlink_of(session.dialect))]  # fmt: skip

    def close(self) -> None:
        """End the conversation; what it still had can be taken afterwards."""
        self._open = False
        if self._turn.state.state != "closed":
            self._turn.close()

    def _put(self, arrival: Arrival, force: bool = False) -> int:
        self._heard.append(arrival)
        return 0

    def _idle(self, wait_s: float) -> None:
        self.clock.advance_ns(max(1, round(wait_s * 1e9)))


def rehearse(
    port: str, seconds: float, schedule: Schedule | None = None, *, role: str = "dut",
    dialect: DialectSpec | None = None, nonce: int = 77, clock: ManualClock | None = None,
) -> list[Arrival]:  # fmt: skip
    """Return everything that a host hears from a virtual board, decoded, in order.

    Args:
        port: `virtual://NAME?...`.
        seconds: Bench time.
        schedule: What goes wrong at every level between the board's sensors and the host.
        role: Name of the board.
        dialect: How it talks; native by default.
        nonce: Of the session.
        clock: Moved on by `seconds`.

    Raises:
        UsageError: The port cannot be meant.
    """
    time = clock or ManualClock()
    heard: list[Arrival] = []
    end = time.now_ns() + round(seconds * 1e9)
    with Rehearsal(PortSpec(port, role, dialect, faults=schedule), time, nonce=nonce) as bench:
        while time.now_ns() < end:
            heard += bench.take(min(_STEP_S, (end - time.now_ns()) / 1e9))
            if not bench.running:
                break
    return heard + bench.take(0.0)
