"""Pieces that sensors are made of: readings made in blocks and kept, and arrays that are played.

A sensor answers `raw(first, n)` by index alone; making a whole block at once keeps a 1 kHz board at a few microseconds
a frame.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.virtual.noise import blocks

__all__ = ["ArraySensor", "BlockSensor"]

Raw = npt.NDArray[Any]


class BlockSensor:
    """Readings that are made `size` at a time.

    Args:
        stream: What is sampled.
        make: (first, n) -> raw `(n, *shape)`; called for whole blocks only.
        size: Samples of a block.
    """

    def __init__(self, stream: Stream, make: Callable[[int, int], Raw], size: int) -> None:
        self.stream = stream
        self._make = make
        self._size = size
        self._kept: tuple[int, Raw] | None = None

    def raw(self, first: int, n: int) -> Raw:
        """Return samples `first` to `first + n - 1`."""
        spans = blocks(first, n, self._size)
        if len(spans) == 1:
            block, start, stop = spans[0]
            return self._block(block)[start:stop]
        parts = [self._block(block)[start:stop] for block, start, stop in spans]
        return np.concatenate([np.empty((0, *self.stream.shape), self.stream.dtype), *parts])

    def _block(self, block: int) -> Raw:
        if self._kept is None or self._kept[0] != block:
            raw = np.ascontiguousarray(self._make(block * self._size, self._size), self.stream.dtype)
            raw.flags.writeable = False
            self._kept = (block, raw)
        return self._kept[1]


class ArraySensor:
    """Readings of an array, over and over.

    Args:
        stream: What they are.
        readings: `(N, *shape)` in the stream's dtype, N at least 1.
    """

    def __init__(self, stream: Stream, readings: Raw) -> None:
        self.stream = stream
        self._readings = np.ascontiguousarray(readings, stream.dtype)

    def raw(self, first: int, n: int) -> Raw:
        """Return samples `first` to `first + n - 1`; after the last comes the first again."""
        total = len(self._readings)
        start = first % total
        if start + n <= total:
            return self._readings[start : start + n]
        return self._readings[np.arange(start, start + n) % total]
