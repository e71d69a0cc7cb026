"""The key of a sample: its number counted from the board's first sample on, and on over restarts.

A fault is drawn from this key, so that the same sample is damaged whether the board speaks, its recording is decoded or
`virtual://replay` plays it again (which numbers from 0 and counts on where the recorded board started anew). Samples
without numbers are counted as they come. A number of more than 16 bits that steps back by more than 64, to one of the
first 64, is a restart (any other step back is a frame that came late or twice); narrower numbers just wrap.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["Keys"]

Int64 = npt.NDArray[np.int64]
_BACK = 64


class Keys:
    """Keys of the samples of one stream."""

    def __init__(self) -> None:
        self._offset = 0
        self._next: int | None = None
        self._high = 0

    def of(self, number: npt.NDArray[np.uint64] | None, bits: int, n: int) -> Int64:
        """Return the keys of `n` samples with these numbers, in order of arrival."""
        if number is None:
            first = self._high
            self._high += n
            return np.arange(first, first + n, dtype=np.int64)
        raw = number.astype(np.int64)
        if bits <= 16:
            keys = self._narrow(raw, 1 << bits)
        elif self._next is not None and int(raw[0]) == self._next and int(raw[-1]) == self._next + n - 1:
            keys = raw + self._offset
            self._next += n
        else:
            keys = np.fromiter((self.one(int(value)) for value in raw), np.int64, n)
        self._high = max(self._high, int(keys.max()) + 1)
        return keys

    def one(self, number: int) -> int:
        """Return the key of one sample with a number of more than 16 bits."""
        if self._next is None:
            self._offset = -number
        elif number < _BACK < self._next - number:
            self._offset = self._high - number
            self._next = number
        key = number + self._offset
        self._next = number + 1 if self._next is None else max(self._next, number + 1)
        self._high = max(self._high, key + 1)
        return key

    def _narrow(self, raw: Int64, circle: int) -> Int64:
        if self._next is None:
            self._next = int(raw[0])
        steps = np.diff(raw, prepend=self._next % circle) % circle
        steps[steps >= circle - circle // 4] -= circle
        keys = self._high + np.cumsum(steps)
        self._next = int(raw[-1]) + 1
        self._high = max(0, int(keys[-1]) + 1)
        kept: Int64 = np.maximum(keys, 0)
        return kept
