"""Sensor and clock faults of one board on the samples it sends, by sample number.

The same object works at both ends: a virtual board asks it before encoding, `dialect` asks it behind any dialect. It is
fed samples in order of arrival; what it does to one depends on its key alone (and, for a stuck sensor, on the sample at
which the episode began).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.faults.episodes import active
from firmware_bridge.faults.keys import Keys
from firmware_bridge.faults.readings import Readings
from firmware_bridge.faults.schedule import Fault, Schedule
from firmware_bridge.faults.ticks import Ticks
from firmware_bridge.streams import Stream

__all__ = ["SampleFaults"]

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
Float = npt.NDArray[np.float64]


class SampleFaults:
    """Sensor and clock faults of one board.

    Args:
        schedule: Any schedule; what concerns other boards and levels is left out.
        board: Role.
    """

    def __init__(self, schedule: Schedule, board: str = "") -> None:
        self._schedule = schedule.of(board, ("sensor", "clock"))
        self._board = board
        self._ticks = Ticks(self._schedule, board)
        self._reboots = [one for one in self._schedule.faults if one.kind == "clock.reboot"]
        self._done = {one.key: -1 for one in self._reboots}
        self._keys: dict[str, Keys] = {}
        self._readings: dict[str, Readings] = {}
        self._last: tuple[int, float] | None = None
        self._began_ns: int | None = None

    def __bool__(self) -> bool:
        return bool(self._schedule)

    def place(
        self, stream: Stream, number: UInt64 | None, bits: int, n: int, now_ns: int
    ) -> tuple[Int64, Float]:  # fmt: skip
        """Return the keys of samples and the seconds since the first, both `(n,)`.

        Seconds are key over nominal rate; where nobody said the rate, the time of arrival since the first sample.
        """
        keys = self._keys.setdefault(stream.name, Keys()).of(number, bits, n)
        if self._began_ns is None:
            self._began_ns = now_ns
        if stream.rate_hz:
            return keys, keys / stream.rate_hz
        return keys, np.full(n, (now_ns - self._began_ns) / 1e9)

    def reboot(self, seconds: Float) -> int | None:
        """Return the index of the first sample that a restart of the board keeps back, and take note of the restart."""
        first: int | None = None
        told = {one.key: _which(one, seconds) for one in self._reboots}
        for key, which in told.items():
            due = which > self._done[key]
            if due.any() and (first is None or int(due.argmax()) < first):
                first = int(due.argmax())
        if first is not None:
            for key, which in told.items():
                self._done[key] = max(self._done[key], int(which[first]))
            self._ticks.restart()
        return first

    def damage(
        self, stream: Stream, keys: Int64, seconds: Float, ticks: UInt64 | None, raw: npt.NDArray[Any]
    ) -> tuple[UInt64 | None, npt.NDArray[Any]]:
        """Return (ticks, raw) as a faulty board sends them; ticks modulo 2**64."""
        readings = self._readings.get(stream.name)
        if readings is None:
            readings = self._readings[stream.name] = Readings(self._schedule, self._board, stream.name)
        if readings:
            raw = readings.apply(stream, keys, seconds, raw)
        if ticks is None or not stream.tick_hz or not self._ticks:
            return ticks, raw
        off = self._ticks.samples(stream.name, stream.tick_hz, stream.rate_hz, keys, seconds, int(ticks[0]))
        self._last = int(ticks[-1]), float(seconds[-1])
        return ticks + off.view(np.uint64), raw

    def shown(self, tick: int, hz: float) -> int | None:
        """Return what the board's clock says where it would say `tick`; None: it had better say nothing yet."""
        if not self._ticks or not hz:
            return tick
        if self._ticks.wraps and not self._ticks.anchored:
            return None
        seconds = 0.0
        if self._last is not None:
            since = (tick - self._last[0] + 2**31) % 2**32 - 2**31  # modulo the counter, forward or back
            seconds = self._last[1] + since / hz
        return tick + int(self._ticks.shown(hz, np.array([seconds]))[0])


def _which(fault: Fault, seconds: Float) -> Int64:
    """Return how many restarts were due before the last one that is due at each time, -1 where none is."""
    since = seconds - fault.from_s
    every = fault["every_s"]
    which = np.floor(since / every) if every else np.zeros(len(seconds))
    return np.where(active(fault, seconds), which, -1).astype(np.int64)
