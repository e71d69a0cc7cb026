"""Recorded bytes sent again at their times, whatever they mean: boards whose dialect only talks one way.

The board takes no notice of the host. Bytes are fetched from their source one piece ahead, so that a long recording
needs no memory; when nobody reads, whole pieces beyond `room` are lost, as on a serial port.
"""

from collections.abc import Callable, Iterator

from firmware_bridge.virtual.board import NEVER

__all__ = ["BytesBoard"]

Pieces = Callable[[], Iterator[tuple[int, bytes]]]
"""Begins anew: (nanoseconds since any common start, bytes) in order of time."""


class BytesBoard:
    """Sends recorded bytes.

    Args:
        pieces: Where they come from.
        speed: How much faster than recorded.
        pause_s: Rest before they begin anew; None: once through.
        room: Bytes that wait for the host.
    """

    def __init__(
        self, pieces: Pieces, speed: float = 1.0, pause_s: float | None = None, room: int = 1 << 20
    ) -> None:  # fmt: skip
        self._pieces, self._speed, self._pause_s, self._room = pieces, speed, pause_s, room
        self._left = pieces()
        self._next = next(self._left, None)
        self._recorded_ns = self._next[0] if self._next else 0
        self._started_ns: int | None = None
        self._last_ns = 0
        self._out = bytearray()
        self.lost = 0
        """Bytes that nobody fetched in time."""

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take no notice of what the host says."""
        self._advance(now_ns)

    def poll(self, now_ns: int) -> bytes:
        """Return what was sent up to `now_ns`."""
        self._advance(now_ns)
        sent = bytes(self._out)
        self._out.clear()
        return sent

    def next_due_ns(self) -> int:
        """Return when the next bytes are sent."""
        if self._started_ns is None or self._out:
            return 0
        return NEVER if self._next is None else self._due(self._next[0])

    def _due(self, recorded_ns: int) -> int:
        assert self._started_ns is not None
        return self._started_ns + round((recorded_ns - self._recorded_ns) / self._speed)

    def _advance(self, now_ns: int) -> None:
        if self._started_ns is None:
            self._started_ns = now_ns
        while self._next is not None and (due := self._due(self._next[0])) <= now_ns:
            if len(self._out) + len(self._next[1]) <= self._room:
                self._out += self._next[1]
            else:
                self.lost += len(self._next[1])
            self._last_ns = due
            self._next = next(self._left, None)
            if self._next is None and self._pause_s is not None:
                self._left = self._pieces()
                self._next = next(self._left, None)
                self._started_ns = self._last_ns + max(1, round(self._pause_s * 1e9))
