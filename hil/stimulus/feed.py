"""Feeds one board of a bench with readings while somebody listens to it.

Rule of this room: no thread, no clock, no port of its own. Whoever takes arrivals from the bench (live, or rehearsed on
a clock that stands still) hands them over with the time, a few times a second even when none came.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from firmware_bridge.errors import BridgeError
from firmware_bridge.events import Arrival, Reply
from firmware_bridge.ledger import Books
from firmware_bridge.plan import Command
from firmware_bridge.roles import BoardState
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.inject import Injector
from firmware_bridge.wire.messages import Kind, Message
from hil.recording.marks import Label
from hil.stimulus.fit import Fit, fit
from hil.stimulus.match import Match, Matcher
from hil.stimulus.readings import Readings, labels_on

__all__ = ["Bench", "Feeder", "fed"]

TAKE_S = 0.02
"""Longest wait between two looks of whoever feeds."""

_AHEAD = 100
_AHEAD_S = 1.0
"""Samples that wait on the board: so many, and at a high rate at least so many seconds, if its room allows."""

_LAST_NS = 100_000_000
_BY_SAMPLE = 1


class Bench(Protocol):
    """What is needed of a bench: `Bridge`, or `Rehearsal`."""

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return everything that came."""

    def send(self, role: str, command: Command) -> "Future[bytes]":
        """Have a command written to a board."""

    def boards(self) -> list[BoardState]:
        """Return how every board stands."""


def fed(
    bench: Bench, now_ns: Callable[[], int], feeders: Sequence["Feeder"], before: Sequence[Arrival] = ()
) -> Iterator[Arrival]:
    """Yield everything that comes from a bench while it is fed, until every feeder has ended.

    Args:
        bench: With the boards.
        now_ns: Time.
        feeders: One a board that is fed.
        before: What came from the bench already; the feeders hear it, and it is not given again.
    """
    arrivals = list(before)
    while True:
        now = now_ns()
        for feeder in feeders:
            feeder.step(bench, arrivals, now)
        if all(feeder.ended for feeder in feeders):
            break
        arrivals = bench.take(TAKE_S)
        yield from arrivals
    for feeder in feeders:
        feeder.finish(bench)
    until = now_ns() + _LAST_NS
    while now_ns() < until:  # what is on its way: results, and the answer to STOP
        arrivals = bench.take(TAKE_S)
        for feeder in feeders:
            feeder.step(bench, arrivals, now_ns())
        yield from arrivals


class Feeder:
    """Pushes readings into one board.

    Args:
        role: The board.
        given: Streams of the recorded board; the one that fits best is pushed.
        speed: How much faster than recorded.
    """

    def __init__(self, role: str, given: Sequence[Readings], speed: float = 1.0) -> None:
        self.role, self.given, self._speed = role, given, speed
        self.why = ""
        """One sentence where it ended early."""
        self._fits: tuple[tuple[str, str, str], Fit | str] | None = None
        self._injector: Injector | None = None
        self._matcher: Matcher | None = None
        self._books: Books | None = None

    def refusal(self, info: BoardInfo) -> str:
        """Return why nothing can be pushed into a board, one sentence; empty where it can."""
        found = self._fit(info)
        return found if isinstance(found, str) else ""

    def choose(self, info: BoardInfo) -> str:
        """Return the name of the board's stream that takes the readings; empty where none fits (any thread)."""
        found = self._fit(info)
        return "" if isinstance(found, str) else found.stream.name

    @property
    def ended(self) -> bool:
        """Whether all came back, or it cannot go on."""
        return bool(self.why) or (self._injector is not None and self._injector.done)

    @property
    def share(self) -> float:
        """Share of the readings that came back, 0 to 1."""
        return 0.0 if self._injector is None else self._injector.returned / len(self._injector.raw)

    @property
    def expected_s(self) -> float:
        """Seconds that the longest stream takes."""
        return max(len(one.raw) / (one.rate_hz * self._speed) for one in self.given)

    def step(self, bench: Bench, arrivals: Sequence[Arrival], now: int) -> None:
        """Take what came from all boards, and push what is due."""
        self._meet(bench)
        for arrival in arrivals:
            if arrival.board == self.role:
                self._books = arrival.books if arrival.books is not None else self._books
                self._hear(arrival)
        if self._injector is None or self.ended:
            return
        for message in self._injector.due(now):
            if message.kind == Kind.INJECT and self._matcher is not None:
                self._matcher.sent(self._injector.first_of(message), message.n, now)
            bench.send(self.role, message)  # what cannot be sent is lost like a frame, and mended like one
        self.why = self._injector.failed

    def finish(self, bench: Bench) -> None:
        """Tell the board to stop, so that it does not wait for readings for ever."""
        if self._injector is not None:
            bench.send(self.role, Message(Kind.STOP))

    def match(self) -> Match:
        """Return what came of it."""
        if self._injector is None or self._matcher is None or self._fits is None or isinstance(self._fits[1], str):
            total = max(len(one.raw) for one in self.given)
            why = self.why or "the board was not met"
            return Match(self.given[0].stream.name, total, 0, 0, total, None, 0, 0, 0, 0, 0, None, why=why)
        injector, found = self._injector, self._fits[1]
        match = self._matcher.match(
            found.stream.name, injector.pushed, injector.resent, injector.starved, self._books
        )  # fmt: skip
        return replace(match, exact=found.exact, cut=found.cut, gaps=found.readings.gaps, why=self.why)

    def labels(self) -> Sequence[Label]:
        """Return the labels of the recording on the readings as they came back."""
        if self._matcher is None or self._fits is None or isinstance(self._fits[1], str):
            return ()
        return labels_on(self._fits[1].readings, self._matcher.taken_ns, self.role)

    @property
    def remarks(self) -> list[str]:
        """What else is worth knowing, a sentence each."""
        told = []
        if self._fits is not None and len(self.given) > 1:
            told.append(f"{self.role}: of {len(self.given)} recorded streams one is pushed, {self.match().stream}")
        if self._injector is not None and self._injector.refused_rate:
            told.append(f"{self.role} keeps its own rate (the recorded one was refused: {self._injector.refused_rate})")
        return told

    # ------------------------------------------------------------------ pieces

    def _fit(self, info: BoardInfo) -> Fit | str:
        known, who = self._fits, (info.model, info.serial, info.firmware)
        if known is None or known[0] != who:  # a rate may change, and is no other board
            known = self._fits = (who, fit(self.given, info))
        return known[1]

    def _meet(self, bench: Bench) -> None:
        if self._injector is not None or self.why:
            return
        state = next((state for state in bench.boards() if state.role == self.role), None)
        if state is None or state.info is None:
            return
        found = self._fit(state.info)
        if isinstance(found, str):
            self.why = found
        elif state.downlink is not None:
            wanted = found.readings.rate_hz * self._speed
            usual = found.stream.rate_hz
            rate = None if usual is not None and abs(usual - wanted) <= 1e-6 * wanted else wanted
            ahead = max(_AHEAD, round(wanted * _AHEAD_S))
            try:
                self._injector = Injector(found.stream, found.raw, state.downlink, rate_hz=rate, ahead=ahead)
            except BridgeError as error:
                self.why = str(error)
                return
            self._matcher = Matcher(found.raw)

    def _hear(self, arrival: Arrival) -> None:
        injector, matcher = self._injector, self._matcher
        if injector is None or matcher is None:
            return
        for item in arrival.items:
            first = injector.take(item, arrival.t_ns)
            if first is not None:
                matcher.came(first, item, arrival.t_ns)  # type: ignore[arg-type]  # only a batch has a first reading
            elif isinstance(item, Reply) and item.kind == "RESULT" and item.fields["keyed_by"] == _BY_SAMPLE:
                matcher.result(injector.reading(item.fields["key"]), arrival.t_ns)
