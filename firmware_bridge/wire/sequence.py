"""Sequence numbers of frames: which never came, which came twice.

Each direction of a connection numbers its frames modulo 65536. A step of 2 to 32767 means frames were lost between; a
repeated number is a repeated frame; a step back is a stale frame and moves nothing, unless so many come in a row that
the board must have started anew.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["FrameCounter"]

_RESTARTED = 16
"""After so many stale frames in a row the numbers are taken as they are."""


class FrameCounter:
    """Watches the numbers of one direction of a connection."""

    def __init__(self) -> None:
        self.lost = 0
        self.repeated = 0
        self._last: int | None = None
        self._stale = 0

    def restart(self, last: int | None = None) -> None:
        """Take the next frame as it comes, or the one after `last`."""
        self._last = last
        self._stale = 0

    def follows(self, numbers: npt.NDArray[np.uint16]) -> bool:
        """Whether these numbers go on from the last one, one by one."""
        expected = int(numbers[0]) if self._last is None else (self._last + 1) & 0xFFFF
        return int(numbers[0]) == expected and bool((numbers[1:] - numbers[:-1] == 1).all())

    def see(self, numbers: npt.NDArray[np.uint16]) -> None:
        """Take the numbers of consecutive frames."""
        if self.follows(numbers):
            self._last = int(numbers[-1])
            self._stale = 0
            return
        for number in numbers.tolist():
            self.step(number)

    def step(self, number: int) -> None:
        """Take the number of one frame."""
        last = self._last
        if last is None or number == (last + 1) & 0xFFFF:
            self._last = number
            self._stale = 0
            return
        step = (number - last) & 0xFFFF
        if step == 0:
            self.repeated += 1
            return
        if step >= 0x8000:
            self._stale += 1
            if self._stale < _RESTARTED:
                return
        else:
            self.lost += step - 1
        self._last = number
        self._stale = 0
