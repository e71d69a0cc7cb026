"""What may be wrong with a sensor, as directions in which a look moves: one number for each suspicion and look.

Rule of this room: a suspicion is judged given all else in the look. How a channel's level stands out is asked against
what the other channels say of the movement (a matched filter in the space where looks of training are round), so that
another movement, which moves all of them, raises no suspicion. A wrong mounting is a likelihood ratio: how much better
the look fits training with two channels exchanged or one turned.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.drift.looks import Layout, Turn

__all__ = ["KINDS", "MOST", "Suspicions"]

Float = npt.NDArray[np.float64]

KINDS = ("bias", "gain", "noise")
"""Kinds of each channel, in the order of the entries: all channels' bias first."""

MOST = 6.0
"""What one look can say at most: a single odd one is no drift."""


@dataclass(frozen=True, slots=True, eq=False)
class Suspicions:
    """Everything that is suspected of one model's sensors.

    Attributes:
        layout: Of the looks.
        centre: Mean look `(d,)`.
        spread: Of each entry `(d,)`.
        precision: `(d, d)` of standardised looks.
        directions: `(3 C, d)`: where each of `KINDS` moves a standardised look.
        filters: `(3 C, d)`: what gives the suspicion from it.
        reach: `(3 C,)`: what a filter gives for a move by one unit.
        turns: Wrong mountings.
        turning: What makes of a standardised look itself and how it would be in every turn: of each entry `(1 + turns,
            d)` from which it comes, by which it is multiplied, and what is added.
    """

    layout: Layout
    centre: Float
    spread: Float
    precision: Float
    directions: Float
    filters: Float
    reach: Float
    turns: tuple[Turn, ...]
    turning: tuple[npt.NDArray[np.int64], Float, Float]

    @classmethod
    def of(cls, layout: Layout, centre: Float, spread: Float, precision: Float) -> "Suspicions":
        """Make the filters of a reference's looks."""
        count = len(layout.channels)
        directions = np.zeros((3 * count, layout.size))
        for channel in range(count):
            level, width, rough = channel, count + channel, 2 * count + channel
            directions[channel, level] = 1.0 / spread[level]
            directions[count + channel, [width, rough]] = 1.0 / spread[[width, rough]]
            directions[2 * count + channel, rough] = 1.0 / spread[rough]
        filters = directions @ precision
        reach = np.sqrt(np.einsum("hd,hd->h", filters, directions))
        filters /= reach[:, None]
        turns = tuple(layout.turns())
        order = np.array([np.arange(layout.size), *(turn.order for turn in turns)])
        sign = np.array([np.ones(layout.size), *(turn.sign for turn in turns)])
        turning = order, sign * spread[order] / spread, (sign * centre[order] - centre) / spread
        return cls(layout, centre, spread, precision, directions, filters, reach, turns, turning)

    @property
    def names(self) -> list[tuple[str, tuple[str, ...]]]:
        """Kind and channels of every suspicion, in order: `bias`, `gain`, `noise`, then `swap` and `flip`."""
        found = [(kind, (channel,)) for kind in KINDS for channel in self.layout.channels]
        return found + [("swap" if len(turn.channels) == 2 else "flip", turn.channels) for turn in self.turns]

    def standard(self, look: Float) -> Float:
        """Return looks in standard deviations of training."""
        return (look - self.centre) / self.spread

    def oddness(self, standard: Float) -> Float:
        """Return the squared distance of standardised looks `(L, M, d)` from training's middle, in all entries.

        Returns:
            `(L, M)`: what a look gives does not depend on `L`, to the last bit.
        """
        found: Float = np.add.reduce(np.matmul(standard, self.precision) * standard, axis=2)
        return found

    def projected(self, standard: Float) -> Float:
        """Return what the filters give of standardised looks `(L, d)`, each by itself: `(L, 3 C)`."""
        # One small product a look, not one for all: the sums of a larger one are ordered by how many looks there are.
        found: Float = np.matmul(self.filters, standard[:, :, None])[:, :, 0]
        return found

    def of_looks(self, standard: Float) -> tuple[Float, Float]:
        """Return every suspicion of standardised looks `(L, d)`, each look by itself, and their oddness.

        Returns:
            `(L, 3 C + turns)` and `(L,)`: what a look gives does not depend on those beside it, to the last bit.
        """
        shifts, ratios, odd = self.parts(standard)
        return np.concatenate((shifts, np.minimum(np.maximum(ratios, -MOST), MOST)), axis=1), odd

    def parts(self, standard: Float) -> tuple[Float, Float, Float]:
        """Return the suspicions of channels `(L, 3 C)`, log ratios of turns `(L, turns)` as they are, and oddness.

        The log ratio of a turn is half of how much nearer to training's middle the turned look is.
        """
        order, factor, offset = self.turning
        turned = standard.take(order, axis=1)
        turned *= factor
        turned += offset
        odd = self.oddness(turned)
        return self.projected(standard), 0.5 * (odd[:, :1] - odd[:, 1:]), odd[:, 0]
