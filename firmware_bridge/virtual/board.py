"""What every virtual board is: bytes and times in, bytes out, and a clock of its own.

A board opens nothing and waits for nothing. Whoever carries its bytes (pyserial handler, pty, test) calls `receive`
for bytes of the host, `poll` for everything that is due, and asks `next_due_ns` when to come again. Times are UTC in
nanoseconds and never go back. What a board samples depends on its seed and the sample number alone, never on how the
calls were split.
"""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["NEVER", "BoardClock", "VirtualBoard"]

NEVER = 2**62
"""`next_due_ns` of a board that has nothing to say (the year 2116)."""


class VirtualBoard(Protocol):
    """What a carrier needs of a board."""

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes of the host that arrive at `now_ns`."""

    def poll(self, now_ns: int) -> bytes:
        """Return all bytes that have left the board up to `now_ns` and were not returned before."""

    def next_due_ns(self) -> int:
        """Return when `poll` will next have something, as known now; `NEVER` where only the host can change that."""


@dataclass(frozen=True, slots=True)
class BoardClock:
    """A free-running counter: the board's own idea of time.

    Attributes:
        started_ns: UTC at which it stood at `start_tick`.
        start_tick: First reading (choose one near 2**32 to see the wrap).
        ppm: How much faster than true time it runs.
        hz: Nominal ticks a second.
    """

    started_ns: int
    start_tick: int = 0
    ppm: float = 0.0
    hz: int = 1_000_000

    def tick(self, now_ns: int) -> int:
        """Return the unwrapped reading at `now_ns`; exact integer arithmetic, so that years do not blur it."""
        return self.start_tick + (now_ns - self.started_ns) * self._pace // 10**18

    def when_ns(self, tick: int) -> int:
        """Return the first nanosecond at which the clock reads at least `tick`."""
        return self.started_ns - (-(tick - self.start_tick) * 10**18 // self._pace)

    @property
    def _pace(self) -> int:
        return self.hz * (10**9 + round(self.ppm * 1000))
