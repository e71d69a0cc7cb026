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
        turning: What gives their log ratios from the second moments and the mean of looks: `(turns, d * d)`,
            `(turns, d)`, `(turns,)`.
        together: `(d, 3 C + d + turns)`: filters, precision and the linear part of the turns as one product.
    """

    layout: Layout
    centre: Float
    spread: Float
    precision: Float
    directions: Float
    filters: Float
    reach: Float
    turns: tuple[Turn, ...]
    turning: tuple[Float, Float, Float]
    together: Float

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
        turning = _turning(turns, centre, spread, precision)
        together = np.ascontiguousarray(np.concatenate((filters, precision, turning[1])).T)
        return cls(layout, centre, spread, precision, directions, filters, reach, turns, turning, together)

    @property
    def names(self) -> list[tuple[str, tuple[str, ...]]]:
        """Kind and channels of every suspicion, in order: `bias`, `gain`, `noise`, then `swap` and `flip`."""
        found = [(kind, (channel,)) for kind in KINDS for channel in self.layout.channels]
        return found + [("swap" if len(turn.channels) == 2 else "flip", turn.channels) for turn in self.turns]

    def standard(self, look: Float) -> Float:
        """Return looks in standard deviations of training."""
        return (look - self.centre) / self.spread

    def oddness(self, standard: Float) -> Float:
        """Return the squared distance of standardised looks `(L, d)` from training's middle, in all entries: `(L,)`."""
        found: Float = np.einsum("ld,ld->l", standard @ self.precision, standard)
        return found

    def of_standard(self, standard: Float) -> Float:
        """Return every suspicion of a standardised look `(d,)`: `(3 C + turns,)`.

        Of channels in standard deviations, of turns as a log ratio.
        """
        shifts: Float = self.filters @ standard
        if not self.turns:
            return shifts
        return np.concatenate((shifts, np.minimum(np.maximum(self.ratios(standard[None]), -MOST), MOST)))

    def of_looks(self, standard: Float) -> tuple[Float, Float]:
        """Return every suspicion of standardised looks `(L, d)`, each look by itself, and their oddness.

        Returns:
            `(L, 3 C + turns)` and `(L,)`: what a look gives does not depend on those beside it, to the last bit.
        """
        shifts, ratios, odd = self.parts(standard)
        return np.concatenate((shifts, np.minimum(np.maximum(ratios, -MOST), MOST)), axis=1), odd

    def parts(self, standard: Float) -> tuple[Float, Float, Float]:
        """Return the suspicions of channels `(L, 3 C)`, log ratios of turns `(L, turns)` as they are, and oddness."""
        # One small product a look, not one for all: the sums of a larger one are ordered by how many looks there are.
        made = np.matmul(standard[:, None], self.together)[:, 0]
        shifts, size = self.directions.shape
        odd = (made[:, shifts : shifts + size] * standard).sum(axis=1)
        if not self.turns:
            return made[:, :shifts], made[:, :0], odd
        square, _, constant = self.turning
        second = (standard[:, :, None] * standard[:, None]).reshape(len(standard), 1, -1)
        ratios = np.matmul(second, square.T)[:, 0]
        ratios += made[:, shifts + size :]
        ratios += constant
        return made[:, :shifts], ratios, odd

    def ratios(self, standard: Float) -> Float:
        """Return how much better standardised looks `(L, d)` fit if turned: mean log ratio of each turn `(turns,)`."""
        second = (standard.T @ standard / len(standard)).ravel()
        square, linear, constant = self.turning
        found: Float = square @ second + linear @ standard.mean(axis=0) + constant
        return found


def _turning(turns: tuple[Turn, ...], centre: Float, spread: Float, precision: Float) -> tuple[Float, Float, Float]:
    """Return the log ratios as a quadratic form.

    A turned look is `A x + b` of the standardised look `x`, and its log ratio half of `x'Px - (A x + b)'P(A x + b)`.
    """
    size = len(centre)
    square, linear, constant = np.zeros((len(turns), size, size)), np.zeros((len(turns), size)), np.zeros(len(turns))
    for at, turn in enumerate(turns):
        moved = np.zeros((size, size))
        moved[np.arange(size), turn.order] = turn.sign * spread[turn.order] / spread
        offset = (turn.sign * centre[turn.order] - centre) / spread
        square[at] = 0.5 * (precision - moved.T @ precision @ moved)
        linear[at] = -offset @ precision @ moved
        constant[at] = -0.5 * offset @ precision @ offset
    return square.reshape(len(turns), -1), linear, constant
