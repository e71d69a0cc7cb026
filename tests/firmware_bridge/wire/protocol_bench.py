"""Parts that tests of the conversation share: a session and a scripted board with a clock that the test moves."""

from collections.abc import Iterable
from typing import Any

from toy_board import ToyBoard

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Arrival,
    Item,
)
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session

T0 = 1_700_000_000_000_000_000


MS = 1_000_000


NONCE = 77


class Bench:
    """A session and a scripted board with a clock that the test moves."""

    def __init__(self, board: ToyBoard | None = None, **how: Any) -> None:
        self.board = board or ToyBoard()
        self.session = Session("toy", NativeDialect(), nonce=NONCE, **how)
        self.now = T0
        self.history: list[Arrival] = []
        self.open()

    def apply(self, kind: str, data: bytes) -> list[Item]:
        self.now += MS
        arrival = self.session.apply(Arrival("toy", len(self.history), self.now, kind, data))
        self.history.append(arrival)
        return list(arrival.items)

    def open(self) -> list[Item]:
        return self.apply("open", b"virtual://toy")

    def hear(self, *pieces: bytes) -> list[Item]:
        return self.apply("rx", b"".join(pieces))

    def write(self, message: Message) -> bytes:
        data = self.session.dialect.send(message)
        self.apply("tx", data)
        return data

    def start(self, nonce: int = NONCE) -> "Bench":
        self.hear(self.board.hello())
        self.write(Message(Kind.START, {"nonce": nonce, "streams": 0, "injected": 0}))
        self.hear(self.board.ack(Kind.START))
        return self

    def said(self) -> list[Kind]:
        """What `due` proposes now."""
        data, _ = self.session.due(self.now)
        probe = NativeDialect()
        probe._sent.crc_bits = self.session.dialect._sent.crc_bits
        return [message.kind for message in probe.sent(data)]


def kinds(items: Iterable[Item]) -> list[str]:
    return [type(item).__name__ for item in items]


def numbers(items: Iterable[Item], stream: str = "imu") -> list[int]:
    return [
        number for item in items if isinstance(item, Batch) and item.stream.name == stream
        for number in range(item.first, item.end)
    ]  # fmt: skip


def books(bench: Bench, stream: str = "imu", boot: int = 0):
    made = bench.session.books()
    assert made.closes() == []
    return made.streams[stream, boot]


def only(items: Iterable[Item], kind: type) -> Any:
    found = [item for item in items if isinstance(item, kind)]
    assert len(found) == 1
    return found[0]
