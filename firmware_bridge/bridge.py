"""Many boards, one ordered source: opens the ports, names the boards, and yields what all of them sent.

    with Bridge(["watch=virtual://watch", "/dev/ttyACM0"]) as bridge:
        for arrivals in bridge:
            ...

Order is kept for each board. A board without a role is called by what it is (`hil-watch-0007`), from its first byte
on: its link holds back until it has said who it is, or for three seconds.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from types import TracebackType

from firmware_bridge.address import SerialSettings, nearest
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import PortMissing, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.faults.dialect import faulty
from firmware_bridge.faults.uplink import Uplink
from firmware_bridge.faulty import FaultyWay
from firmware_bridge.intake import LIMIT_BYTES, Intake
from firmware_bridge.link import Link
from firmware_bridge.plan import MS, Command, Judge, Plan, Session, never
from firmware_bridge.ports import System
from firmware_bridge.roles import BoardState, Expect, PortSpec, parse_spec, role_of, slug
from firmware_bridge.streams import BoardInfo
from firmware_bridge.way import Way
from firmware_bridge.wire.dialect import DialectSpec

__all__ = ["BoardState", "Bridge", "Expect", "PortSpec", "parse_spec", "slug"]

LOOK_NS = 200 * MS
"""How often a port is looked for that is waited for at the start."""


class Bridge:
    """The boards of one bench.

    Args:
        ports: `PortSpec`, or text as `parse_spec` takes it.
        clock: Time; the system's by default.
        wait_s: How long to wait for ports that are missing or that somebody else holds.
        patient: Keep trying ports that are missing instead of raising at the start.
        late: Keep trying them as long as one port is there; where all are missing, raise all the same.
        reconnect: Whether lost ports are opened again.
        limit_bytes: Bound of the queue between the links and whoever iterates.
        gather_ns: Least time between two decodings of one board that sends much.
        tick_s: Least time between two lists while iterating, so that small messages come together.
        system: What to ask about the machine.
        given_up: Asked while waiting for a missing port; true ends that.

    Raises:
        UsageError: A port, role, dialect or board file cannot be meant.
    """

    def __init__(
        self,
        ports: Sequence[PortSpec | str],
        clock: Clock | None = None,
        *,
        wait_s: float = 0.0,
        patient: bool = False,
        late: bool = False,
        reconnect: bool = True,
        limit_bytes: int = LIMIT_BYTES,
        gather_ns: int = 10 * MS,
        tick_s: float = 0.005,
        system: System | None = None,
        given_up: Callable[[], bool] = never,
    ) -> None:
        self._clock = clock or SystemClock()
        self._wait_s, self._patient, self._tick_ns = wait_s, patient, round(tick_s * 1e9)
        self._late, self._given_up = late, given_up
        self.intake = Intake(limit_bytes, self._clock.now_ns)
        self._names: dict[int, str] = {}
        self._naming = threading.Lock()
        self._open = False
        specs = [parse_spec(port) if isinstance(port, str) else port for port in ports]
        if not specs:
            raise UsageError("no port was given", "", "`hil ports` lists them; `virtual://watch` needs no hardware")
        for index, spec in enumerate(specs):
            if spec.role is not None:
                if spec.role in self._names.values():
                    raise UsageError(f"two boards are called `{spec.role}`", spec.port, "give each its own ROLE=PORT")
                self._names[index] = spec.role
        self._boards = [self._board(index, spec, reconnect, gather_ns, system) for index, spec in enumerate(specs)]

    def _board(
        self, index: int, spec: PortSpec, reconnect: bool, gather_ns: int, system: System | None
    ) -> tuple[Link, DialectSpec, int]:
        from firmware_bridge.wire.dialects import make_dialect
        from firmware_bridge.wire.protocol import Session as Conversation

        settings, dialect = _described(spec)
        nonce = secrets.randbits(32) | 1
        direct = Way(spec.port, self._clock, settings, system)
        way: Way | FaultyWay = direct
        if spec.faults is not None:
            if uplink := Uplink(spec.faults, spec.role or ""):
                way = FaultyWay(direct, uplink, self._clock)
            dialect = faulty(dialect, spec.faults, spec.role or "")

        def make_session(role: str, judge: Judge) -> Session:
            return Conversation(role, make_dialect(dialect), nonce=nonce, expect=judge, injected=spec.injected)

        def name(info: BoardInfo | None) -> str:
            return self._name(index, role_of(spec.port, info, way.usb.serial if way.usb else ""))

        judge = spec.expect.judge if spec.expect else lambda _: None
        plan = Plan(spec.role, make_session, name, judge, reconnect, gather_ns)
        return Link(way, plan, self._clock, self.intake.put), dialect, nonce

    def _name(self, index: int, wanted: str) -> str:
        """Return `wanted`, or with a number where another board has it."""
        with self._naming:
            taken = {name for other, name in self._names.items() if other != index}
            role, count = wanted, 2
            while role in taken:
                role, count = f"{wanted}-{count}", count + 1
            self._names[index] = role
            return role

    # -- for the user --------------------------------------------------------------------------------------------

    def __enter__(self) -> "Bridge":
        """Open all ports.

        Raises:
            BridgeError: A port cannot be opened (unless `patient`, or `late`); those that were open are closed again.
        """
        self._open = True
        try:
            self._start([link for link, _, _ in self._boards])
        except BaseException:
            self.close()
            raise
        return self

    def _start(self, links: Sequence[Link]) -> None:
        until_ns = self._clock.now_ns() + round(self._wait_s * 1e9)
        missing: list[tuple[Link, PortMissing]] = []
        for link in links:
            try:
                self._start_one(link, until_ns)
            except PortMissing as error:
                if not self._late:
                    raise
                missing.append((link, error))
        if missing and len(missing) == len(links):
            raise missing[0][1]
        for link, _ in missing:
            link.start(patient=True)

    def _start_one(self, link: Link, until_ns: int) -> None:
        while True:
            try:
                return link.start(self._wait_s, patient=self._patient)
            except PortMissing:
                now = self._clock.now_ns()
                if now >= until_ns or self._given_up():
                    raise
                self._clock.sleep_until_ns(min(until_ns, now + LOOK_NS))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[list[Arrival]]:
        """Yield everything that came since the last list, until the bridge is closed or every board has ended.

        Raises:
            BaseException: A link ended by a mistake of the program or of a plug-in.
        """
        while True:
            arrivals = self.take(0.5)
            if arrivals:
                began = self._clock.now_ns()
                yield arrivals
                self._clock.sleep_until_ns(began + self._tick_ns)
            elif not self._open or all(link.ended for link, _, _ in self._boards):
                if arrivals := self.take(0.0):
                    yield arrivals
                return

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return everything that came; wait at most so long for the first, then return an empty list.

        Raises:
            BaseException: A link ended by a mistake of the program or of a plug-in.
        """
        arrivals = self.intake.take(max_wait_s)
        if not arrivals:
            for link, _, _ in self._boards:
                if link.failure is not None:
                    raise link.failure
        return arrivals

    def boards(self) -> list[BoardState]:
        """Return how every board stands, in the order they were given."""
        states = []
        for link, dialect, nonce in self._boards:
            now = link.state
            states.append(
                BoardState(link.role, link.way.port, now.state, now.reason, now.since_ns, link.info, link.boot,
                           link.books, link.fit, dialect, nonce, now.retry_ns, now.tries,
                           link.downlink)
            )  # fmt: skip
        return states

    def send(self, role: str, command: Command) -> "Future[bytes]":
        """Have a command written to a board.

        Args:
            role: Its role, or its port.
            command: A native message, a line of text, or raw bytes.

        Raises:
            UsageError: There is no such board.
        """
        for link, _, _ in self._boards:
            if role in (link.role, link.way.port):
                return link.send(command)
        roles = tuple(link.role for link, _, _ in self._boards)
        raise UsageError(f"there is no board `{role}`", "", nearest(role, roles))

    def close(self) -> None:
        """Stop all links and wait for them, a few seconds at most; a second time does nothing.

        What they still had can be taken afterwards.
        """
        self._open = False
        self.intake.close()
        for link, _, _ in self._boards:
            link.ask_to_stop()
        for link, _, _ in self._boards:
            link.stop()
        self.intake.wake()


def _described(spec: PortSpec) -> tuple[SerialSettings | None, DialectSpec]:
    """The serial settings and the dialect of a board, from its board file where it has one."""
    if spec.board_file is None:
        return None, spec.dialect or DialectSpec("auto")
    from firmware_bridge.wire.boardfile import load_board_file, parse_board_file

    is_text = "\n" in spec.board_file
    described = parse_board_file(spec.board_file) if is_text else load_board_file(spec.board_file)
    said = described.serial
    settings = None if not described.says_serial else SerialSettings(
        baud=said.baud, bits=said.bits, parity=said.parity, stop=said.stop, dtr=said.dtr, rts=said.rts,
        on_connect=said.on_connect,
    )  # fmt: skip
    dialect = DialectSpec("boardfile", {"text": described.text, "file": described.file})
    return settings, spec.dialect or dialect
