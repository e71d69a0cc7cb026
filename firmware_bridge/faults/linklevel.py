"""Link faults: bytes that come late, all at once, not at all, or as rubbish, by the time since the first sample."""

from collections import deque

import numpy as np

from firmware_bridge.faults import draws
from firmware_bridge.faults.episodes import episode
from firmware_bridge.faults.schedule import Fault, Schedule

__all__ = ["LinkFaults"]

_SLOT_S = 0.01
"""A delay is drawn anew so often."""
_LONGEST = 4.0
"""Times the mean: no byte is later than that."""


class LinkFaults:
    """The link faults of one board; all times are seconds since its first sample.

    Args:
        schedule: Link faults of this board.
        board: Role, part of what is drawn.
    """

    def __init__(self, schedule: Schedule, board: str) -> None:
        self._schedule, self._board = schedule, board
        self._faults = [one for one in schedule.faults if one.level == "link"]
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._released = -1e18
        self._offset = 0

    def __bool__(self) -> bool:
        return bool(self._faults)

    def push(self, data: bytes, seconds: float) -> None:
        """Take bytes that come at a time."""
        if self.down(seconds) is not None:
            return
        due = max(self._released, seconds)
        for fault in self._faults:
            runs = episode(fault, seconds)
            if runs is None:
                continue
            if fault.kind == "link.stall":
                due = max(due, runs[1])
            elif fault.kind == "link.delay":
                due = max(due, seconds + self._delay(fault, seconds))
            elif fault.kind == "link.garbage":
                data = self._garbage(fault, data)
        self._offset += len(data)
        self._released = due
        self._waiting.append((due, data))

    def pull(self, seconds: float) -> bytes:
        """Return what has come through by now."""
        out = []
        while self._waiting and self._waiting[0][0] <= seconds:
            out.append(self._waiting.popleft()[1])
        return b"".join(out)

    def next_s(self) -> float | None:
        """Return when bytes that wait come through."""
        return self._waiting[0][0] if self._waiting else None

    def cut(self, after_s: float) -> float | None:
        """Return when the connection will be lost next, at `after_s` or later; None: never."""
        soonest = None
        for fault in self._faults:
            if fault.kind != "link.disconnect":
                continue
            every, begin = fault["every_s"], fault.from_s
            if after_s > begin:
                if not every:
                    continue
                begin += -(-(after_s - begin) // every) * every
            if begin < fault.to_s and (soonest is None or begin < soonest):
                soonest = begin
        return soonest

    def down(self, seconds: float) -> float | None:
        """Return until when the connection is lost; None: it is not."""
        ends = [
            runs[1] for one in self._faults if one.kind == "link.disconnect" and (runs := episode(one, seconds))
        ]  # fmt: skip
        return max(ends, default=None)

    def lose(self) -> None:
        """The connection is lost: what waits is gone."""
        self._waiting.clear()
        self._released = -1e18

    def _delay(self, fault: Fault, seconds: float) -> float:
        slot = int(seconds / _SLOT_S)
        series = self._schedule.series(fault, self._board)
        drawn = draws.chosen("exponential", self._schedule.seed, series, np.array([slot]))
        return min(float(drawn[0, 0]), _LONGEST) * fault["ms"] / 1000

    def _garbage(self, fault: Fault, data: bytes) -> bytes:
        series = self._schedule.series(fault, self._board)
        drawn = draws.uniforms(self._schedule.seed, series, self._offset, len(data))[:, 0]
        return (drawn * 256).astype(np.uint8).tobytes()
