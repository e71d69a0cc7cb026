"""Clock faults: how far the board's clock is off at each sample, and at anything else that tells its time.

All displacements are functions of the seconds since the board's first sample (its number over the nominal rate), so
that they fall on the same samples wherever the board is heard. Restarts are the business of `samples`.
"""

import numpy as np
import numpy.typing as npt

from firmware_bridge.faults import draws
from firmware_bridge.faults.episodes import active
from firmware_bridge.faults.schedule import Fault, Schedule

__all__ = ["Ticks"]

Int64 = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]

_LATEST = 0.8
"""Of a period: samples never overtake each other."""


class Ticks:
    """The clock faults of one board.

    Args:
        schedule: Clock faults of this board.
        board: Role, part of what is drawn.
    """

    def __init__(self, schedule: Schedule, board: str) -> None:
        self._schedule = schedule
        self._board = board
        self._faults = [one for one in schedule.faults if one.level == "clock" and one.kind != "clock.reboot"]
        self.wraps = any(one.kind == "clock.wrap" for one in self._faults)
        self._anchor: int | None = None

    def __bool__(self) -> bool:
        return bool(self._faults)

    @property
    def anchored(self) -> bool:
        """Whether the first sample has been seen: before it nobody knows where a wrap is to be."""
        return self._anchor is not None

    def restart(self) -> None:
        """The board started anew, and its counter with it: what is wrapped is anchored at its next sample."""
        self._anchor = None

    def samples(self, stream: str, hz: float, rate_hz: float | None, keys: Int64, seconds: Float, tick: int) -> Int64:
        """Return by how many ticks each sample's stamp is off, int64 `(N,)`.

        Args:
            stream: Its name.
            hz: Ticks a second.
            rate_hz: Nominal samples a second, None where nobody said.
            keys: Of the samples.
            seconds: Since the board's first sample.
            tick: Stamp of the first of them, as sent.
        """
        if self._anchor is None:
            self._anchor = tick
        off = self.shown(hz, seconds)
        for fault in self._faults:
            if fault.kind != "clock.jitter" or not fault.touches(self._board, stream):
                continue
            series = self._schedule.series(fault, self._board, stream)
            late = draws.chosen("exponential", self._schedule.seed, series, keys)[:, 0] * fault["us"] * 1e-6
            if rate_hz:
                late = np.minimum(late, _LATEST / rate_hz)
            off += np.where(active(fault, seconds), late * hz, 0.0).astype(np.int64)
        return off

    def shown(self, hz: float, seconds: Float) -> Int64:
        """Return by how many ticks the clock itself is off at these times."""
        off = np.zeros(len(seconds), np.int64)
        for fault in self._faults:
            off += self._clock(fault, hz, seconds)
        return off

    def _clock(self, fault: Fault, hz: float, seconds: Float) -> Int64:
        if fault.kind == "clock.ppm":
            since = np.clip(seconds - fault.from_s, 0.0, fault.to_s - fault.from_s)
            pace: Int64 = np.rint(since * fault["ppm"] * 1e-6 * hz).astype(np.int64)
            return pace
        if fault.kind == "clock.jump":
            return np.where(active(fault, seconds), round(fault["seconds"] * hz), 0).astype(np.int64)
        if fault.kind == "clock.wrap":
            return np.full(len(seconds), -(self._anchor or 0) - round(fault["after_s"] * hz), np.int64)
        return np.zeros(len(seconds), np.int64)
