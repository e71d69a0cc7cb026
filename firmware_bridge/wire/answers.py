"""What a board answers: what it tells of the run, of the clock and of its own books, and the events of it.

Rule of this room: pure. An answer has two sides: the verdict that it lets `boots` pass on the run, which the session
draws first, and what it tells besides.
"""

from collections.abc import Iterator, Mapping

from firmware_bridge.events import ClockReading, Event, Log, Reply, Status
from firmware_bridge.ledger import Ledger
from firmware_bridge.wire.boots import Boots, Verdict
from firmware_bridge.wire.follow import Follower
from firmware_bridge.wire.messages import REASONS, Kind, Message, name_of, status_model, status_rows
from firmware_bridge.wire.pings import Pings
from firmware_bridge.wire.times import Times
from firmware_bridge.wire.windows import WindowCounter

__all__ = ["Answers", "replies", "status_of"]

_REPLIES = (Kind.ACK, Kind.NAK, Kind.CREDIT, Kind.RESULT)


class Answers:
    """Takes the answers of one board.

    Args:
        board: Role.
        boots: What is known of its run.
        pings: What was asked of its clock.
        times: Its clocks.
        follow: What became of its samples.
        ledger: The books.
    """

    def __init__(
        self, board: str, boots: Boots, pings: Pings, times: Times, follow: Follower, ledger: Ledger
    ) -> None:  # fmt: skip
        self._board, self._boots, self._pings, self._times, self._follow = board, boots, pings, times, follow
        self._windows = WindowCounter(ledger, follow)

    def join(self) -> None:
        """What the board counted so far was not to be heard here."""
        self._windows.join()

    def verdict(self, message: Message) -> Verdict:
        """Return what an answer says of the board's run."""
        if message.kind == Kind.STATUS:
            return self._boots.says(message.nonce)
        if message.kind == Kind.ACK and message.of == Kind.START:
            return self._boots.acknowledged()
        if message.kind == Kind.NAK and message.of == Kind.START:
            self._boots.refused()
        return Verdict.SAME

    def take(self, message: Message, names: Mapping[int, str], hz: float | None, now: int) -> Iterator[Event]:
        """Yield what an answer tells.

        Args:
            message: The answer.
            names: Streams by wire id.
            hz: Ticks a second of the clock that pings date; None: it has none.
            now: When it came, UTC ns.
        """
        if message.kind == Kind.PONG:
            answered = self._pings.answer(message, now)
            if answered is not None and hz:
                tick, received_ns = self._times.answered(hz, *answered)
                yield ClockReading(self._board, now, answered[0], tick, received_ns)
        elif message.kind == Kind.STATUS:
            status = status_of(self._board, message, names, now)
            if self._boots.runs(message.nonce):
                self._count(status)
            yield status
        elif message.kind == Kind.RESULT and not self._boots.foreign:
            self._windows.heard(message, names.get(message.stream, str(message.stream)))
        yield from replies(self._board, message, now)

    def _count(self, status: Status) -> None:
        for name, row in status.fields["streams"].items():
            self._follow.status(name, row["produced"], row["dropped"])
        if (model := status.fields.get("model")) is not None:
            self._windows.status(model, model["stream"])


def replies(board: str, message: Message, now: int) -> Iterator[Event]:
    """Yield what an answer to a command tells: the answer, after a warning where the board refused."""
    if message.kind == Kind.NAK:
        said = message.tail.decode("utf-8", "replace") or REASONS.get(message.reason, "no reason")
        yield Log(board, now, "warning", f"the board refused {name_of(message.of)}: {said}")
    if message.kind in _REPLIES:
        yield Reply(board, now, message.kind.name, message.fields, message.tail)


def status_of(board: str, message: Message, names: Mapping[int, str], now: int) -> Status:
    """Return a STATUS with its rows by the names of the streams, and what it says of a model on the board."""
    rows = {names.get(wire_id := row.pop("stream"), str(wire_id)): row for row in status_rows(message)}
    model = status_model(message)
    judged = {} if model is None else {"model": {**model, "stream": names.get(model["stream"], str(model["stream"]))}}
    return Status(board, now, {**message.fields, "streams": rows, **judged})
