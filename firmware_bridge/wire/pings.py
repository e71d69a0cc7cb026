"""Pings under way: when each left, until its answer comes.

Rule of this room: few are remembered, and one that was forgotten is never answered.
"""

from collections.abc import Iterable

from firmware_bridge.wire.messages import Flag, Kind, Message

__all__ = ["Answered", "Pings"]

Answered = tuple[int, tuple[int, int], int, int]
"""When a ping left (UTC ns), the board's clock when it came and when it was answered, its width, when that came."""

_MOST = 256


class Pings:
    """Pings of one board."""

    def __init__(self) -> None:
        self._sent: dict[int, int] = {}

    def wrote(self, token: int, now: int) -> None:
        """A ping leaves."""
        self._sent[token] = now
        if len(self._sent) > _MOST:
            del self._sent[next(iter(self._sent))]

    def fits(self, more: int) -> bool:
        """Whether so many more can leave before one is forgotten."""
        return len(self._sent) + more <= _MOST

    def clear(self) -> None:
        """Forget all."""
        self._sent.clear()

    def answer(self, pong: Message, now: int) -> Answered | None:
        """Take an answer; None where its ping is not known."""
        sent_ns = self._sent.pop(pong.fields["token"], None)
        return None if sent_ns is None else _answered(pong, sent_ns, now)

    def coming(
        self, written: Iterable[tuple[int, Message, int]], heard: Iterable[tuple[Message, int]]
    ) -> list[Answered]:
        """Return what answers will be taken, most likely, and change nothing.

        Args:
            written: Messages that are about to be written, and when; see `together`.
            heard: Messages that are about to be heard, and when.
        """
        sent = self._sent | {message.fields["token"]: now for _, message, now in written if message.kind == Kind.PING}
        return [
            _answered(message, sent_ns, now)
            for message, now in heard
            if message.kind == Kind.PONG and (sent_ns := sent.get(message.fields["token"])) is not None
        ]


def _answered(pong: Message, sent_ns: int, now: int) -> Answered:
    told = pong.fields
    return sent_ns, (told["tick_received"], told["tick_sent"]), 64 if pong.flags & Flag.TICK64 else 32, now
