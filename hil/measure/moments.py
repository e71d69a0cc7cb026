"""Sums over all readings of a stream: mean, spread, shape of the distribution, correlation of channels.

Rule of this room: sums are taken about the first reading, so that a small noise on a large level keeps its digits.
Correlation is that of the steps from sample to sample: what the channels share of noise, not of slow signals.
"""

import numpy as np
import numpy.typing as npt

from hil.measure.continuity import Stretch

__all__ = ["Moments", "Together"]

Float = npt.NDArray[np.float64]


class Moments:
    """Sums of the first four powers, and extremes, of every channel.

    Args:
        channels: How many.
    """

    def __init__(self, channels: int) -> None:
        self.n = 0
        self._about: Float | None = None
        self._sums = np.zeros((4, channels))
        self.least = np.full(channels, np.inf)
        self.greatest = np.full(channels, -np.inf)

    def add(self, values: Float) -> None:
        """Take readings `(N, C)`."""
        if not len(values):
            return
        if self._about is None:
            self._about = values[: min(len(values), 1000)].mean(axis=0)
        self.n += len(values)
        away = values - self._about
        power = np.ones_like(away)
        for place in range(4):
            power *= away
            self._sums[place] += power.sum(axis=0)
        self.least = np.minimum(self.least, values.min(axis=0))
        self.greatest = np.maximum(self.greatest, values.max(axis=0))

    @property
    def mean(self) -> Float:
        """Of every channel, `(C,)`."""
        mean: Float = (0.0 if self._about is None else self._about) + self._sums[0] / max(1, self.n)
        return mean

    def central(self) -> tuple[Float, Float, Float]:
        """Return the second, third and fourth central moment of every channel."""
        first, second, third, fourth = self._sums / max(1, self.n)
        two = np.maximum(second - first**2, 0.0)
        three = third - 3 * first * second + 2 * first**3
        four = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
        return two, three, four


class Together:
    """Sums of products of the steps of all channels, in batches for the interval.

    Args:
        channels: How many.
    """

    def __init__(self, channels: int) -> None:
        self._last: Float | None = None
        self.batches: list[Float] = []
        self.total = np.zeros((channels, channels))
        self.n = 0

    def add(self, values: Float, stretches: list[Stretch]) -> None:
        """Take the next portion `(N, C)`."""
        if not stretches or not len(values):
            return
        steps = np.diff(values, axis=0)
        cuts = [stretch.piece.start - 1 for stretch in stretches[1:]]
        if cuts:
            steps = np.delete(steps, cuts, axis=0)
        if stretches[0].goes_on and self._last is not None:
            steps = np.concatenate((values[:1] - self._last, steps))
        self._last = values[-1:].copy()
        # At least eight batches a portion: the interval of a short recording needs some.
        for part in np.array_split(steps, 8):
            # Not `@`: its threads cost more than they save on arrays this narrow.
            product = np.einsum("ni,nj->ij", part, part)
            self.batches.append(product)
            self.total += product
            self.n += len(part)

    def correlation(self) -> Float:
        """Return the matrix of correlations `(C, C)`; NaN for a channel that never changes."""
        return _scaled(self.total)

    def leave_out(self, most: int = 64) -> Float:
        """Return the correlations without one group of batches at a time, `(G, C, C)`, for a jackknife."""
        groups = np.array_split(np.array(self.batches), min(most, len(self.batches)))
        return np.array([_scaled(self.total - group.sum(axis=0)) for group in groups])


def _scaled(product: Float) -> Float:
    size = np.sqrt(np.diag(product))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled: Float = product / np.outer(size, size)
    return scaled
