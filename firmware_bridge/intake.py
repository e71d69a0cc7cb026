"""The one queue between the links and the pipeline: bounded by bytes, never drops.

When it is full, `put` holds the link that wants to add, so that the link stops reading its port; how long it was held
is returned and becomes a Stall. After `close` the bound no longer holds: what the links still have is taken, so that
they can end and nothing is lost.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival

__all__ = ["LIMIT_BYTES", "Intake", "weight"]

LIMIT_BYTES = 64 << 20
_OVERHEAD = 512
"""What an arrival costs beside its bytes and samples, roughly."""


def weight(arrival: Arrival) -> int:
    """Return the bytes of memory that an arrival counts for."""
    total = _OVERHEAD + len(arrival.data)
    for item in arrival.items:
        if isinstance(item, Batch):
            total += item.raw.nbytes + item.ticks.nbytes + item.t_ns.nbytes
        else:
            total += 64
    return total


class Intake:
    """A queue of arrivals from many threads to one.

    Args:
        limit_bytes: How much it holds before it makes links wait.
        now_ns: A monotonic clock in nanoseconds, by which stalls are measured.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES, now_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.limit_bytes = limit_bytes
        self._now_ns = now_ns
        self._items: deque[tuple[Arrival, int]] = deque()
        self._bytes = 0
        self._most = 0
        self._holding = 0
        self._closed = False
        self._taking = False
        lock = threading.Lock()
        self._some = threading.Condition(lock)
        self._room = threading.Condition(lock)

    def put(self, arrival: Arrival, *, force: bool = False) -> int:
        """Add an arrival, waiting for room unless `force`.

        Returns:
            How long the caller was held in ns; 0 where there was room.
        """
        size = weight(arrival)
        held = 0
        with self._room:
            if not force and not self._closed and self._items and self._bytes + size > self.limit_bytes:
                began = self._now_ns()
                self._holding += 1
                while not self._closed and self._items and self._bytes + size > self.limit_bytes:
                    self._room.wait()
                self._holding -= 1
                held = max(1, self._now_ns() - began)
            self._items.append((arrival, size))
            self._bytes += size
            self._most = max(self._most, self._bytes)
            if self._taking:
                self._some.notify()
        return held

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return everything that is there, in order; wait at most so long for the first, then return an empty list."""
        with self._some:
            if not self._items and not self._closed and max_wait_s > 0:
                self._taking = True
                self._some.wait(max_wait_s)
                self._taking = False
            taken = [arrival for arrival, _ in self._items]
            self._items.clear()
            self._bytes = 0
            self._room.notify_all()
        return taken

    def wake(self) -> None:
        """End a `take` that waits."""
        with self._some:
            self._some.notify_all()

    def close(self) -> None:
        """Lift the bound and let every waiting thread go on."""
        with self._some:
            self._closed = True
            self._some.notify_all()
            self._room.notify_all()

    @property
    def fill_bytes(self) -> int:
        """Bytes waiting now."""
        return self._bytes

    @property
    def holding(self) -> int:
        """How many links are held because there is no room."""
        return self._holding

    @property
    def most_bytes(self) -> int:
        """The most bytes that ever waited."""
        return self._most
