"""The board's way out: a TX buffer that the host empties, delayed and paced as the settings say.

`delay_us` is the mean of a one-sided exponential delay, order kept; `baud` gives each byte 10 bits of line time. The
buffer counts the bytes that nobody has fetched, so that a host that stops reading makes it overflow.
"""

from collections import deque

from firmware_bridge.virtual.board import NEVER
from firmware_bridge.virtual.noise import generator
from firmware_bridge.virtual.settings import Settings

__all__ = ["Delay", "Uplink"]


class Delay:
    """One-sided exponential delays.

    Args:
        seed: Of the delays.
        direction: Name of the direction, so that both differ.
        mean_us: Mean in microseconds.
    """

    def __init__(self, seed: int, direction: str, mean_us: float) -> None:
        self._drawn = generator(seed, f"delay {direction}", 0)
        self._mean_us = mean_us

    def __call__(self) -> int:
        """Return the next delay in nanoseconds."""
        return round(self._drawn.standard_exponential() * self._mean_us * 1000) if self._mean_us else 0


class Uplink:
    """Bytes on their way to the host.

    Args:
        settings: `tx_buffer`, `delay_us`, `baud` and `seed` of the board.
    """

    def __init__(self, settings: Settings) -> None:
        self._room = settings.tx_buffer
        self._baud = settings.baud
        self._delay = Delay(settings.seed, "board to host", settings.delay_us)
        self.clear()

    def clear(self) -> None:
        """Forget what has not left yet."""
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._released = 0

    def queue(self, data: bytes, at_ns: int, reserve: int = 0) -> bool:
        """Take bytes made at `at_ns`; False (and nothing done) where the buffer is full.

        Args:
            data: Whole frames.
            at_ns: When.
            reserve: Room beyond the buffer, which answers to the host may use.
        """
        if self._held + len(data) > self._room + reserve:
            return False
        leaves = max(self._released, at_ns + self._delay())
        if self._baud:
            leaves += len(data) * 10**10 // self._baud
        self._released = leaves
        self._waiting.append((leaves, data))
        self._held += len(data)
        return True

    def fetch(self, now_ns: int) -> bytes:
        """Return and forget what has arrived at the host by `now_ns`."""
        out = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            out.append(self._waiting.popleft()[1])
        data = b"".join(out)
        self._held -= len(data)
        return data

    def next_ns(self) -> int:
        """Return when the next bytes arrive."""
        return self._waiting[0][0] if self._waiting else NEVER
