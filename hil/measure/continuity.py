"""Where a stream goes on without a gap, from portion to portion, and what it is in blocks of about a second.

Rule of this room: nothing is joined over a missing sample or a reboot. Where the board does not number its samples,
a step in time that is far too long ends a stretch too (only there, because numbers say more).
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hil.recording.arrays import StreamArrays

__all__ = ["Blocks", "Continuity", "Stretch", "block_size"]

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive samples inside a portion.

    Attributes:
        piece: Which.
        goes_on: Whether the first one follows the last sample of the portion before.
    """

    piece: slice
    goes_on: bool


class Continuity:
    """Splits portions where samples are missing.

    Args:
        late: Ticks from which a step ends a stretch, where the board does not number its samples.
    """

    def __init__(self, late: float = np.inf) -> None:
        self._late = late
        self._last: tuple[int, int, int] | None = None

    def split(self, portion: StreamArrays) -> list[Stretch]:
        """Return the stretches of the next portion in order."""
        if not len(portion):
            return []
        numbers, boots, times = portion.numbers, portion.boot, portion.ticks
        late = np.inf if portion.stream.counted else self._late
        breaks = np.flatnonzero((np.diff(numbers) != 1) | (np.diff(boots) != 0) | (np.diff(times) > late)) + 1
        edges = [0, *breaks.tolist(), len(portion)]
        goes_on = False
        if self._last is not None:
            number, boot, time = self._last
            goes_on = number + 1 == int(numbers[0]) and boot == int(boots[0]) and int(times[0]) - time <= late
        self._last = int(numbers[-1]), int(boots[-1]), int(times[-1])
        return [Stretch(slice(start, stop), goes_on and start == 0) for start, stop in pairwise(edges)]


def block_size(rate_hz: float | None, seconds: float = 1.0) -> int:
    """Return how many samples a block of about `seconds` has; one where nobody knows the rate."""
    return max(1, round((rate_hz or 1.0) * seconds))


@dataclass
class Blocks:
    """Means and variances of blocks of consecutive samples, kept for the whole recording.

    Attributes:
        size: Samples a block; shorter rests at the end of a stretch are left out.
        channels: How many.
        times: float64 per block, middle, seconds since the recording's first sample.
        means: float64 `(channels,)` per block.
        variances: float64 `(channels,)` per block, about the block's own mean.
        follows: Per block whether it follows the one before without a gap.
    """

    size: int
    channels: int = 1
    times: list[Float] = field(default_factory=list)
    means: list[Float] = field(default_factory=list)
    variances: list[Float] = field(default_factory=list)
    follows: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    _rest: Float | None = None
    _rest_t: Float | None = None
    _joined: bool = False

    def add(self, values: Float, t_s: Float, stretches: list[Stretch]) -> None:
        """Take the next portion: `values` `(N, C)`, times `(N,)`."""
        for stretch in stretches:
            part, when = values[stretch.piece], t_s[stretch.piece]
            joined = stretch.goes_on and self._joined
            if stretch.goes_on and self._rest is not None and self._rest_t is not None:
                part, when = np.concatenate((self._rest, part)), np.concatenate((self._rest_t, when))
            full = len(part) - len(part) % self.size
            self._rest, self._rest_t = part[full:], when[full:]
            self._joined = full > 0 or joined
            if full:
                cut = part[:full].reshape(full // self.size, self.size, -1)
                self.times.append(when[:full].reshape(-1, self.size).mean(axis=1))
                self.means.append(cut.mean(axis=1))
                self.variances.append(cut.var(axis=1))
                follows = np.ones(full // self.size, bool)
                follows[0] = joined
                self.follows.append(follows)

    def __len__(self) -> int:
        return sum(len(part) for part in self.times)

    def arrays(self) -> tuple[Float, Float, Float, npt.NDArray[np.bool_]]:
        """Return times `(B,)`, means `(B, C)`, variances `(B, C)` and follows `(B,)`."""
        if not self.times:
            nothing = np.empty((0, self.channels))
            return np.empty(0), nothing, nothing, np.empty(0, bool)
        return (
            np.concatenate(self.times), np.concatenate(self.means), np.concatenate(self.variances),
            np.concatenate(self.follows),
        )  # fmt: skip
