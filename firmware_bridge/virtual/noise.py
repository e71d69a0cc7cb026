"""Random numbers by sample number: the same seed gives the same sample, whatever was asked for before.

Numbers come in blocks of `length(width)` samples; block k of a named series under a seed has its own counter-based
generator (Philox), so that any block can be made alone. A random walk is made the same way: the steps over whole
blocks are drawn first (one number a block), and inside a block the walk is a Brownian bridge to the block's end, which
is exactly a Brownian motion and costs nothing to jump ahead in.
"""

import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["Walk", "blocks", "exponential", "generator", "length", "normal"]

Float = npt.NDArray[np.float64]


def generator(seed: int, series: str, block: int) -> np.random.Generator:
    """Return the generator of one block of one named series."""
    return np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), zlib.crc32(series.encode())],
                                                counter=[0, 0, 0, block]))  # fmt: skip


@lru_cache(maxsize=64)
def _normal_block(seed: int, series: str, width: int, block: int) -> Float:
    made = generator(seed, series, block).standard_normal((length(width), width))
    made.flags.writeable = False
    return made


@lru_cache(maxsize=64)
def _exponential_block(seed: int, series: str, width: int, block: int) -> Float:
    made = generator(seed, series, block).standard_exponential((length(width), width))
    made.flags.writeable = False
    return made


def length(width: int) -> int:
    """Return the samples of a block for series of `width` numbers a sample (images get short blocks)."""
    return 1024 if width <= 16 else 16


def blocks(first: int, n: int, size: int) -> list[tuple[int, int, int]]:
    """Return (block, start, stop) for each block of `size` samples that `n` samples from `first` on touch."""
    spans = []
    while n > 0:
        block, start = divmod(first, size)
        count = min(n, size - start)
        spans.append((block, start, start + count))
        first += count
        n -= count
    return spans


def normal(seed: int, series: str, first: int, n: int, width: int = 1) -> Float:
    """Return standard normal numbers `(n, width)` of samples `first` on."""
    parts = [
        _normal_block(seed, series, width, block)[start:stop] for block, start, stop in blocks(first, n, length(width))
    ]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, width)), *parts])


def exponential(seed: int, series: str, first: int, n: int, width: int = 1) -> Float:
    """Return standard exponential numbers `(n, width)` of samples `first` on."""
    parts = [
        _exponential_block(seed, series, width, block)[start:stop]
        for block, start, stop in blocks(first, n, length(width))
    ]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, width)), *parts])


class Walk:
    """A random walk of `width` axes with unit variance a sample, zero before sample 0.

    Args:
        seed: Of the walk.
        series: Its name, so that several walks of one seed differ.
        width: Axes.
    """

    def __init__(self, seed: int, series: str, width: int) -> None:
        self._seed, self._series, self._width = seed, series, width
        self._ends = np.zeros((1, width))
        self._last: tuple[int, Float] | None = None

    def __call__(self, first: int, n: int) -> Float:
        """Return the walk at samples `first` to `first + n - 1`, `(n, width)`."""
        parts = [self._block(block)[start:stop] for block, start, stop in blocks(first, n, length(self._width))]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, self._width)), *parts])

    def _block(self, block: int) -> Float:
        if self._last is None or self._last[0] != block:
            start, end = self._end(block), self._end(block + 1)
            within = np.cumsum(_normal_block(self._seed, self._series, self._width, block), axis=0)
            part = np.arange(1, len(within) + 1)[:, None] / len(within)
            self._last = (block, start + within + part * ((end - start) - within[-1]))
        return self._last[1]

    def _end(self, block: int) -> Float:
        """Return the walk just before block `block`."""
        size = length(self._width)
        while len(self._ends) <= block:
            have = len(self._ends) - 1
            steps = normal(self._seed, self._series + "/ends", have, size - have % size, self._width)
            self._ends = np.concatenate([self._ends, self._ends[-1] + np.cumsum(steps, axis=0) * np.sqrt(size)])
        ends: Float = self._ends[block]
        return ends
