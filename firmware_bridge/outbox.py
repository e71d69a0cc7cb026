"""What is still to be written to one board, in order; never blocks and gives up what a board does not take.

Whoever queued a command holds a future: it gets the bytes once all of them were written, or the reason why not.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from firmware_bridge.errors import NoAnswer
from firmware_bridge.plan import MS

__all__ = ["Outbox"]

_STUCK_NS = 5_000 * MS


class Outbox:
    """Bytes waiting to be written."""

    def __init__(self) -> None:
        self._entries: deque[tuple[bytes, bytes, Future[bytes] | None]] = deque()
        self._stuck_since: int | None = None

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, data: bytes, future: "Future[bytes] | None" = None) -> None:
        """Queue bytes."""
        self._entries.append((data, data, future))

    def write(self, write: Callable[[bytes], int], now_ns: Callable[[], int]) -> Iterator[tuple[bytes, int]]:
        """Write what fits.

        Yields:
            What was really written and when, just before the write.
        """
        while self._entries:
            rest, whole, future = self._entries[0]
            before = now_ns()
            count = write(rest)
            if count < len(rest):
                self._entries[0] = (rest[count:], whole, future)
                self._stuck_since = before if count or self._stuck_since is None else self._stuck_since
                if count:
                    yield rest[:count], before
                return
            self._entries.popleft()
            self._stuck_since = None
            if future is not None:
                future.set_result(whole)
            yield rest, before

    def give_up(self, now: int) -> int:
        """Forget everything if nothing could be written for 5 s; return how many bytes that were, 0 if none."""
        if self._stuck_since is None or now - self._stuck_since < _STUCK_NS:
            return 0
        count = sum(len(rest) for rest, _, _ in self._entries)
        self.fail("", "the board takes no bytes")
        return count

    def fail(self, board: str, reason: str) -> None:
        """Forget everything and tell those who wait why."""
        for _, _, future in self._entries:
            if future is not None:
                future.set_exception(NoAnswer("the command was not sent", board, reason))
        self._entries.clear()
        self._stuck_since = None
