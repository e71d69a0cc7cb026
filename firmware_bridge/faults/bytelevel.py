"""Byte faults: bits that flip, bytes that vanish, come twice or are replaced, by their offset in the stream."""

import numpy as np

from firmware_bridge.faults import draws
from firmware_bridge.faults.schedule import Fault, Schedule

__all__ = ["ByteFault"]


class ByteFault:
    """One byte fault.

    Args:
        fault: Which.
        schedule: It is part of.
        board: Role, part of what is drawn.
    """

    def __init__(self, fault: Fault, schedule: Schedule, board: str) -> None:
        self._fault, self._seed = fault, schedule.seed
        self._series = schedule.series(fault, board)
        self._offset = 0
        self._left = 0

    def apply(self, data: bytes, seconds: float) -> bytes:
        """Return what becomes of bytes that arrive at `seconds` since the board's first sample."""
        fault, first, n = self._fault, self._offset, len(data)
        self._offset += n
        if not n or not fault.from_s <= seconds < fault.to_s:
            self._left = 0
            return data
        chance = draws.uniforms(self._seed, self._series, first, n)[:, 0]
        hits = np.flatnonzero(chance < fault["rate"])
        if not len(hits) and not self._left:
            return data
        made = np.frombuffer(data, np.uint8).copy()
        how = draws.uniforms(self._seed, self._series + "/how", first, n)[:, 0]
        match fault.kind:
            case "byte.flip":
                made[hits] ^= np.left_shift(1, (how[hits] * 8).astype(np.uint8)).astype(np.uint8)
            case "byte.drop":
                made = np.delete(made, hits)
            case "byte.duplicate":
                made = np.insert(made, hits, made[hits])
            case "byte.burst":
                length = int(fault["length"])
                replaced = np.zeros(n, np.bool_)
                for begin in (self._left - length, *hits.tolist()):
                    replaced[max(0, begin) : max(0, begin + length)] = True
                last = int(hits[-1]) + length - n if len(hits) else 0
                self._left = max(0, self._left - n, last)
                made[replaced] = (how[replaced] * 256).astype(np.uint8)
        return made.tobytes()
