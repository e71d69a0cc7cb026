"""Where time comes from: an argument for pure code, one of two clocks for the shells.

All times are integer nanoseconds of UTC. `SystemClock` is the monotonic performance counter plus one offset taken when
the clock is made and never stepped again, so that differences are exact even when the wall clock is corrected.
`ManualClock` moves only when it is told to (or when somebody sleeps on it), so that no test ever waits.
"""

import threading
import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "Patience", "SystemClock"]

_LONGEST_S = 3600.0
"""Longest single wait: operating systems refuse waits of centuries."""
_LOOK_NS = 500_000_000
"""Whoever is patient looks more often than this; a longer time between two looks is a host that stood still."""


class Clock(Protocol):
    """What the shells need of time."""

    def now_ns(self) -> int:
        """Return UTC in nanoseconds."""

    def sleep_until_ns(self, when_ns: int) -> None:
        """Return once `now_ns()` is at least `when_ns`."""

    def wait_until_ns(self, when_ns: int, woken: threading.Event) -> None:
        """Return once `now_ns()` is at least `when_ns`, or as soon as `woken` is set."""


class SystemClock:
    """UTC by the performance counter."""

    def __init__(self) -> None:
        self.offset_ns = time.time_ns() - time.perf_counter_ns()

    def now_ns(self) -> int:
        """Return UTC in nanoseconds."""
        return time.perf_counter_ns() + self.offset_ns

    def sleep_until_ns(self, when_ns: int) -> None:
        """Sleep until `when_ns`; return at once if it has passed."""
        while (left := when_ns - self.now_ns()) > 0:
            time.sleep(left / 1e9)

    def wait_until_ns(self, when_ns: int, woken: threading.Event) -> None:
        """Wait until `when_ns` or until another thread sets `woken`."""
        while not woken.is_set() and (left := when_ns - self.now_ns()) > 0:
            woken.wait(min(left / 1e9, _LONGEST_S))


class ManualClock:
    """A clock that stands still until it is moved; sleeping on it moves it.

    Args:
        start_ns: The first reading.
    """

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now = start_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Return the present reading in nanoseconds."""
        return self._now

    def advance_ns(self, by_ns: int) -> None:
        """Move the clock forward by `by_ns`."""
        with self._lock:
            self._now += by_ns

    def sleep_until_ns(self, when_ns: int) -> None:
        """Move the clock to `when_ns` unless it is already later."""
        with self._lock:
            self._now = max(self._now, when_ns)

    def wait_until_ns(self, when_ns: int, woken: threading.Event) -> None:
        """Move the clock to `when_ns` unless it is already later or `woken` is set."""
        if not woken.is_set():
            self.sleep_until_ns(when_ns)


class Patience:
    """How long an answer is waited for: what a host that stood still let pass between two looks is nobody's delay.

    Args:
        clock: Time.
        seconds: How long, as far as it is seen to pass.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._left_ns = round(seconds * 1e9)
        self._seen_ns = clock.now_ns()

    def over(self) -> bool:
        """Look, and return whether it has been long enough."""
        now = self._clock.now_ns()
        self._left_ns -= min(now - self._seen_ns, _LOOK_NS)
        self._seen_ns = now
        return self._left_ns <= 0
