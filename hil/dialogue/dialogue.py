"""One board and one host that talk alone: identify, have a command done, lead a longer conversation to its end.

Rule of this room: the thin shell around what `firmware_bridge.wire` decides. One thread, one open port, no sampling and
no clock fit; a link lost is an error, since nobody else waits for this board.
"""

from collections.abc import Callable
from typing import Any, Protocol

from firmware_bridge.clock import Clock, Patience
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.outbox import Outbox
from firmware_bridge.plan import Port, never
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.deploying import said
from firmware_bridge.wire.dialect import Answer, Described, Text
from firmware_bridge.wire.inject import Downlink
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect

__all__ = ["Dialogue", "Work"]

MEET_S = 10.0
_ASK_S = 0.3
_WAIT_S = 0.02
_TRIES = 3


class Work(Protocol):
    """What leads a conversation: `wire.deploying.Upload`, `wire.asking.Asker`."""

    failed: str

    @property
    def done(self) -> bool:
        """Whether there is nothing more to say."""

    def take(self, message: Message, now: int) -> None:
        """Take an answer."""

    def due(self, now: int) -> list[Message]:
        """Return what to say now."""


class Dialogue:
    """A conversation over a port, which it opens.

    Args:
        way: Opens and closes the port.
        clock: Time.

    Attributes:
        info: Who the board is, as it said last.
        said: Lines for people that it sent meanwhile.

    Raises:
        NoAnswer: Nobody said HELLO.
        BridgeError: The port cannot be opened.
    """

    info: BoardInfo

    def __init__(self, way: Port, clock: Clock) -> None:
        self.said: list[str] = []
        self._way, self._clock = way, clock
        self._dialect = NativeDialect()
        self._outbox = Outbox()
        self._held: list[Message] = []
        """What came together with the answer to a command, for whoever listens next."""
        self._transport: Any = way.open(0.0, never)
        try:
            self.meet()
            self.command(Message(Kind.STOP))  # of whoever was here before
        except BaseException:
            self.close()
            raise

    @property
    def port(self) -> str:
        """The port, for sentences."""
        return self._way.port

    @property
    def down(self) -> Downlink:
        """What the board takes."""
        found = self._dialect.downlink
        assert found is not None  # it said HELLO
        return found

    def limit(self, name: str) -> int | None:
        """Return a limit that the board told; None where it did not."""
        found = self.info.extra.get("limits", {}).get(name)
        return found if isinstance(found, int) else None

    def close(self) -> None:
        """Close the port; a second time does nothing."""
        self._way.close()

    def meet(self) -> None:
        """Ask who it is until it says so.

        Raises:
            NoAnswer: It does not.
        """
        now = self._clock.now_ns()
        patience, ask_at, self._met = Patience(self._clock, MEET_S), now, False
        while not self._met:
            now = self._clock.now_ns()
            if patience.over() or self._dialect.refused:
                why = self._dialect.refused or "no native board answered"
                raise NoAnswer(why, self.port, "check power, port and firmware")
            if now >= ask_at:
                ask_at = now + round(_ASK_S * 1e9)
                self._outbox.add(self._dialect.send(Message(Kind.IDENTIFY)))
            self.heard()

    def command(self, command: Message) -> None:
        """Have a command done; it is sent again where no answer comes.

        Raises:
            UsageError: The board refuses it.
            NoAnswer: It does not answer.
        """
        for _ in range(_TRIES):
            self._outbox.add(self._dialect.send(command))
            end = self._clock.now_ns() + 1_000_000_000
            while self._clock.now_ns() < end:
                found = self.heard()
                for at, message in enumerate(found):
                    if message.kind == Kind.ACK and message.of == command.kind:
                        self._held = found[at + 1 :]
                        return
                    if message.kind == Kind.NAK and message.of == command.kind:
                        raise UsageError(f"the board refuses {command.kind.name}: {said(message)}", self.port)
        raise NoAnswer(f"the board did not answer {command.kind.name}", self.port, "check the link")

    def lead(self, work: Work, told: Callable[[], None] | None = None) -> None:
        """Talk until the work is done or cannot go on; `told` is called after every answer.

        Raises:
            BridgeError: The link was lost.
        """
        while not (work.done or work.failed):
            for message in work.due(self._clock.now_ns()):
                self._outbox.add(self._dialect.send(message))
            for message in self.heard():
                work.take(message, self._clock.now_ns())
                if told is not None:
                    told()

    def heard(self) -> list[Message]:
        """Write what waits, wait a moment for an answer, and return what came.

        Raises:
            BridgeError: The link was lost.
        """
        for _ in self._outbox.write(self._transport.write, self._clock.now_ns):
            pass
        if self._outbox.give_up(self._clock.now_ns()):
            raise NoAnswer("the board takes no bytes", self.port, "check its flow control")
        found, self._held = self._held, []
        for heard in self._dialect.feed(self._transport.read(_WAIT_S), self._clock.now_ns()):
            if isinstance(heard, Described):
                self.info, self._met = heard.info, True
            elif isinstance(heard, Text):
                self.said.append(heard.text)
            elif isinstance(heard, Answer):
                found.append(heard.message)
        return found
