"""What a stretch of readings looks like: levels, spreads, roughness and correlations of its channels, as one vector.

Rule of this room: a look is a function of its samples alone. Features are in the units of the readings, so that a look
of exchanged or turned axes is an exchange of its entries. A frame is looked at as four channels: its mean, spread,
lowest and highest pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["FRAME", "Layout", "Turn", "features", "longest_run", "may_stick", "reduced"]

Float = npt.NDArray[np.float64]

FRAME = ("mean", "spread", "lowest", "highest")
"""Channels of a frame."""

_CORRELATED = 8
"""With more channels there are too many pairs to learn from a few people."""

_FLOOR = 1e-3
"""Least spread that is told apart, as a share of the channel's own."""


_MOST = 0.97
"""Correlation beyond which all are one."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A wrong mounting that is tried: two channels exchanged, or one with its sign turned.

    Attributes:
        channels: The two exchanged, or the one that is turned.
        order: `(d,)`: entry of a look that stands at each place if it is so.
        sign: `(d,)`: 1 or -1 for each.
    """

    channels: tuple[str, ...]
    order: npt.NDArray[np.int64]
    sign: Float


@dataclass(frozen=True, slots=True)
class Layout:
    """Which entry of a look is what.

    Attributes:
        channels: Names.
        units: One a channel: only channels of one unit can have been exchanged.
        scales: Spread of each channel in training, in its unit.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    scales: tuple[float, ...]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Channels whose correlation is an entry, in order."""
        count = len(self.channels)
        return [(a, b) for a in range(count) for b in range(a + 1, count)] if count <= _CORRELATED else []

    @property
    def size(self) -> int:
        """Entries of a look."""
        return 3 * len(self.channels) + len(self.pairs)

    def turns(self) -> list[Turn]:
        """Return every exchange of two channels of one unit, and every change of a sign."""
        count, pairs = len(self.channels), self.pairs
        if not pairs:
            return []
        place = {pair: 3 * count + at for at, pair in enumerate(pairs)}
        found = []
        for a, b in pairs:
            if self.units[a] != self.units[b]:
                continue
            moved = {a: b, b: a}
            order = [moved.get(at % count, at % count) + at // count * count for at in range(3 * count)]
            order += [place[tuple(sorted((moved.get(i, i), moved.get(j, j))))] for i, j in pairs]  # type: ignore[index]
            found.append(Turn((self.channels[a], self.channels[b]), np.array(order), np.ones(self.size)))
        for a in range(count):
            sign = np.ones(self.size)
            sign[a] = -1.0
            sign[[place[pair] for pair in pairs if a in pair]] = -1.0
            found.append(Turn((self.channels[a],), np.arange(self.size), sign))
        return found


def features(readings: npt.NDArray[np.floating], layout: Layout) -> Float:
    """Return looks.

    Args:
        readings: `(L, N, C)`: stretches of `N` samples, in the units of the layout.
        layout: What they are.

    Returns:
        float64 `(L, d)`: means, logarithms of the standard deviations, logarithms of the roughness (second differences
        over sqrt(6): what is white), and correlations through `arctanh`.
    """
    # Channel by channel, so that the sums run along memory: with few channels that is most of the cost.
    x = readings.transpose(0, 2, 1).astype(np.float64, order="C")
    looks, count, samples = x.shape
    floor, pairs = _entries(layout)
    found = np.empty((looks, 3 * count + len(pairs)))
    mean = np.add.reduce(x, axis=2)
    mean /= samples
    found[:, :count] = mean
    line = x.reshape(-1)  # all channels as one: what spans the ends of two is not looked at
    step, bend = line[1:] - line[:-1], np.empty_like(x)
    np.subtract(step[1:], step[:-1], out=bend.reshape(-1)[:-2])
    bend = bend[:, :, :-2]
    x -= mean[:, :, None]
    covariance = np.matmul(x, x.transpose(0, 2, 1))
    covariance /= samples
    sizes = np.empty((looks, 2, count))  # spread and roughness
    sizes[:, 0] = covariance.reshape(looks, -1)[:, :: count + 1]
    np.divide(np.matmul(bend[:, :, None], bend[:, :, :, None])[:, :, 0, 0], 6 * (samples - 2), out=sizes[:, 1])
    np.sqrt(sizes, out=sizes)
    sizes += floor
    np.log(sizes.reshape(looks, -1), out=found[:, count : 3 * count])
    if len(pairs):
        covariance /= sizes[:, 0, :, None] * sizes[:, 0, None]
        ratio = covariance.reshape(looks, -1).take(pairs, axis=1)
        np.arctanh(np.minimum(np.maximum(ratio, -_MOST), _MOST), out=found[:, 3 * count :])
    return found


@lru_cache(maxsize=64)
def _entries(layout: Layout) -> tuple[Float, npt.NDArray[np.int64]]:
    """Return the least spread of each channel, and where in the `C * C` entries of a covariance each pair is."""
    pairs = np.array(layout.pairs, np.int64).reshape(-1, 2)
    return np.array(layout.scales) * _FLOOR, pairs @ np.array([len(layout.channels), 1])


def longest_run(readings: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Return how often at most each channel gave the same reading again without a break: `(N, C)` to `(C,)`."""
    same = readings[1:] == readings[:-1]
    if not same.any():
        return np.zeros(readings.shape[1], np.int64)
    counts = np.cumsum(same, axis=0)
    reset = np.maximum.accumulate(np.where(same, 0, counts), axis=0)
    found: npt.NDArray[np.int64] = (counts - reset).max(axis=0)
    return found


def may_stick(readings: npt.NDArray[np.floating], beyond: int) -> npt.NDArray[np.bool_]:
    """Return which stretches `(L, N, C)` may hold a run longer than `beyond`: `(L,)`; no such run is overlooked.

    A run of so many equal readings covers two of every so many, and those two are equal.
    """
    step = max((beyond + 2) // 2, 1)
    some = readings[:, ::step]
    found: npt.NDArray[np.bool_] = (some[:, 1:] == some[:, :-1]).any(axis=(1, 2))
    return found


def reduced(readings: npt.NDArray[np.floating], frame: Sequence[int] | None) -> npt.NDArray[np.floating]:
    """Return readings as channels: `(N, C)` as they are, `(N, pixels)` of frames as `FRAME`."""
    if frame is None:
        return readings
    low, high = readings.min(axis=1), readings.max(axis=1)
    return np.stack((readings.mean(axis=1), readings.std(axis=1), low, high), axis=1)
