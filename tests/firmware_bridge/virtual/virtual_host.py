"""A host for tests: talks to one virtual board by real bytes and a time of its own; nothing waits."""

from collections.abc import Sequence

import numpy as np

from firmware_bridge.virtual.board import NEVER, VirtualBoard
from firmware_bridge.wire.dialect import Answer, Described, Heard, Samples, Text
from firmware_bridge.wire.messages import Kind, Message, status_model, status_rows
from firmware_bridge.wire.native import NativeDialect

START_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Host:
    """One conversation; `heard` grows with everything the board said."""

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        self.dialect = NativeDialect()
        self.now = START_NS
        self.heard: list[Heard] = []
        self.bytes = b""
        board.receive(b"", self.now)
        self.listen()

    def listen(self) -> list[Heard]:
        data = self.board.poll(self.now)
        self.bytes += data
        new = list(self.dialect.feed(data, self.now))
        self.heard += new
        return new

    def send(self, kind: Kind, tail: bytes = b"", **fields: int) -> list[Heard]:
        self.board.receive(self.dialect.send(Message(kind, fields, tail)), self.now)
        return self.listen()

    def start(self, nonce: int = 7, streams: int = 0, injected: int = 0) -> list[Heard]:
        return self.send(Kind.START, nonce=nonce, streams=streams, injected=injected)

    def run(self, seconds: float, step_ns: int | None = None) -> list[Heard]:
        """Let time pass, listening whenever something is due, or every `step_ns`."""
        end = self.now + round(seconds * SECOND)
        new: list[Heard] = []
        while self.now < end:
            due = self.now + step_ns if step_ns else max(self.board.next_due_ns(), self.now + 1)
            self.now = min(due, end) if due < NEVER else end
            new += self.listen()
        return new

    def answers(self, kind: Kind) -> list[Message]:
        return [one.message for one in self.heard if isinstance(one, Answer) and one.message.kind == kind]

    def hello(self) -> Described:
        return [one for one in self.heard if isinstance(one, Described)][-1]

    def texts(self) -> list[str]:
        return [one.text for one in self.heard if isinstance(one, Text)]

    def status(self, wait_s: float = 0.0) -> dict[int, dict[str, int]]:
        """Ask for STATUS, wait for it; return its rows by stream number."""
        self.send(Kind.GET_STATUS)
        self.run(wait_s)
        return {row.pop("stream"): row for row in status_rows(self.answers(Kind.STATUS)[-1])}

    def judged(self) -> dict[str, int] | None:
        """Ask for STATUS; return what it says of a model on the board's own samples."""
        self.send(Kind.GET_STATUS)
        return status_model(self.answers(Kind.STATUS)[-1])


def samples(heard: Sequence[Heard], stream: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (numbers, ticks, raw) of one stream."""
    parts = [one for one in heard if isinstance(one, Samples) and one.stream.name == stream]
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return (
        np.concatenate([part.number for part in parts]).astype(np.int64),
        np.concatenate([part.ticks for part in parts]).astype(np.int64),
        np.concatenate([part.raw for part in parts]),
    )
