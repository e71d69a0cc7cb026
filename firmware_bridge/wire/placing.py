"""A network put onto a board that goes on sampling: sent, asked for who it is now, run on its own samples; and ended.

Rule of this room: pure. It is told what was heard and when, and gives the messages to write; what may be said twice is
said again until its answer comes. IDENTIFY comes before the first result: a HELLO that names the network tells
everybody who listens, and whoever replays this later, which one the results are of.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Self

from firmware_bridge.events import Item, Reply
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.deploying import Upload, chunk_room, said
from firmware_bridge.wire.inject import Downlink
from firmware_bridge.wire.messages import Kind, Message

__all__ = ["NO_MORE", "Placing", "Stopping", "answers_in", "held"]

_PATIENCE_NS = 500_000_000
_TRIES = 12
NO_MORE = Message(Kind.STREAM_INFER, {"stream": 0, "on": 0, "hop": 0})
"""Run on your own samples no longer; the network stays."""


def held(info: BoardInfo | None) -> int | None:
    """Return the CRC-32 of the network that a board holds, as it said when it was met; None: it said of none."""
    found = {} if info is None else info.extra.get("network", {})
    crc32 = found.get("crc32") if isinstance(found, dict) else None
    return crc32 if isinstance(crc32, int) else None


def answers_in(items: Iterable[Item]) -> Iterator[Message]:
    """Yield what a board acknowledged and refused."""
    for item in items:
        if isinstance(item, Reply) and item.kind in (Kind.ACK.name, Kind.NAK.name):
            yield Message(Kind[item.kind], item.fields, item.data)


class Placing:
    """One network on its way.

    Args:
        upload: Sends it.
        crc32: Of it.
        stream: Wire id of the stream that it reads.
        hop: Samples between two of its windows.

    Attributes:
        upload: As given.
        done: Whether the board runs it and says that it holds it.
    """

    def __init__(self, upload: Upload, crc32: int, stream: int, hop: int) -> None:
        self.upload, self.done, self._failed, self._unanswered = upload, False, "", False
        self._crc32 = crc32
        self._judge = Message(Kind.STREAM_INFER, {"stream": stream, "on": 1, "hop": hop})
        self._met = False
        self._tries = self._ask_at = 0

    @classmethod
    def onto(cls, info: BoardInfo, downlink: Downlink, blob: bytes, stream: str, hop: int) -> Self:
        """Return a network on its way to a board.

        Args:
            info: Who the board is.
            downlink: What it takes.
            blob: An op list.
            stream: Name of the stream that it reads.
            hop: Samples between two of its windows.
        """
        room = info.extra.get("limits", {}).get("rx_buffer", 0)
        upload = Upload(blob, chunk_room(downlink.max_frame, downlink.crc_bits), room)
        return cls(upload, zlib.crc32(blob), downlink.ids[stream], hop)

    @property
    def failed(self) -> str:
        """One sentence where it cannot go on."""
        return self._failed or self.upload.failed

    @property
    def unanswered(self) -> bool:
        """Whether the board said nothing."""
        return self._unanswered or self.upload.unanswered

    def take(self, message: Message, now: int) -> None:
        """Take an answer of the board (any message).

        Args:
            message: In their order.
            now: Nanoseconds.
        """
        if not self.upload.done:
            self.upload.take(message, now)
        elif self._met and message.kind in (Kind.ACK, Kind.NAK) and message.of == Kind.STREAM_INFER:
            if message.kind == Kind.NAK:
                self._failed = f"the board refuses STREAM_INFER: {said(message)}"
            else:
                self.done = True

    def met(self, info: BoardInfo | None) -> None:
        """Take who the board says it is, as known now."""
        if self.upload.done and not self._met and held(info) == self._crc32:
            self._met, self._tries, self._ask_at = True, 0, 0

    def due(self, now: int) -> list[Message]:
        """Return what to write now; ask again after every answer, and a few times a second without one."""
        if self.done or self.failed:
            return []
        if not self.upload.done:
            return self.upload.due(now)
        if now < self._ask_at:
            return []
        question = self._judge if self._met else Message(Kind.IDENTIFY)
        if self._tries >= _TRIES:
            self._failed = f"the board did not answer {question.kind.name} in {_TRIES * _PATIENCE_NS / 1e9:g} s"
            self._unanswered = True
            return []
        self._tries, self._ask_at = self._tries + 1, now + _PATIENCE_NS
        return [question]


class Stopping:
    """A network that is to run on the board's own samples no longer; it stays on the board.

    Attributes:
        done: Whether the board has ended it.
        failed: One sentence where it has not.
        unanswered: Whether the board said nothing.
    """

    def __init__(self) -> None:
        self.done, self.failed, self.unanswered = False, "", False
        self._tries = self._ask_at = 0

    def take(self, message: Message, now: int) -> None:
        """Take an answer of the board (any message)."""
        del now
        if message.kind in (Kind.ACK, Kind.NAK) and message.of == Kind.STREAM_INFER:
            if message.kind == Kind.NAK:
                self.failed = f"the board refuses STREAM_INFER: {said(message)}"
            else:
                self.done = True

    def met(self, info: BoardInfo | None) -> None:
        """Who the board is changes nothing."""

    def due(self, now: int) -> list[Message]:
        """Return what to write now; ask again a few times a second without an answer."""
        if self.done or self.failed or now < self._ask_at:
            return []
        if self._tries >= _TRIES:
            self.failed = f"the board did not answer {NO_MORE.kind.name} in {_TRIES * _PATIENCE_NS / 1e9:g} s"
            self.unanswered = True
            return []
        self._tries, self._ask_at = self._tries + 1, now + _PATIENCE_NS
        return [NO_MORE]
