"""Readings that do not change, and single readings far from both neighbours.

Rule of this room: a run of equal readings is stuck only when chance cannot make it: how often two neighbours are equal
is taken from the short runs, and a run must be so long that less than one in a thousand recordings had it. A signal
that hardly ever changes leaves it unknown. An outlier is judged by the second difference, so that slow signals have
none and a step has none: only what goes away and comes back. (`hil.dsp.robust` judges whole arrays; what is here goes
portion by portion over recordings of any length.)
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.dsp.robust import outliers
from hil.measure.continuity import Stretch

__all__ = ["Runs", "Spikes", "StuckJudgement"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

_CAP = 4096
_SHORT = 5
_COARSE = 0.8
_CHANCE = 1e-3
_FAR = 8.0
"""Robust standard deviations of the second difference beyond which a single reading is an outlier."""
_FEWEST = 64
"""Readings in a row below which none is judged."""


@dataclass(frozen=True, slots=True)
class StuckJudgement:
    """Which runs are stuck.

    Attributes:
        readings: How many readings are in such runs; None: unknown.
        longest: Length of the longest run of equal readings, stuck or not.
        shortest: From this length on a run is stuck.
        why: Why it is unknown.
    """

    readings: int | None
    longest: int
    shortest: int
    why: str = ""


class Runs:
    """Counts the lengths of runs of equal readings in one channel."""

    def __init__(self) -> None:
        self._lengths: Int = np.zeros(_CAP + 1, np.int64)
        self._long: list[int] = []
        self._open = 0
        self._value: object = None
        self._total = 0

    def add(self, raw: npt.NDArray[np.generic], stretches: list[Stretch]) -> None:
        """Take the next portion of readings `(N,)`."""
        for stretch in stretches:
            part = raw[stretch.piece]
            self._total += len(part)
            edges = np.flatnonzero(part[1:] != part[:-1]) + 1
            lengths = np.diff(np.concatenate(([0], edges, [len(part)])))
            if stretch.goes_on and self._open and part[0] == self._value:
                lengths[0] += self._open
            else:
                self._close(self._open)
            self._count(lengths[:-1])
            self._open, self._value = int(lengths[-1]), part[-1]

    def _close(self, length: int) -> None:
        if length:
            self._count(np.array([length]))

    def _count(self, lengths: Int) -> None:
        self._lengths += np.bincount(np.minimum(lengths, _CAP), minlength=_CAP + 1)
        self._long += lengths[lengths >= _CAP].tolist()

    def judge(self) -> StuckJudgement:
        """Return which runs are stuck."""
        self._close(self._open)
        self._open = 0
        sizes = np.arange(_CAP + 1)
        longest = max(self._long, default=int(sizes[self._lengths > 0].max(initial=0)))
        if self._total < 10:
            return StuckJudgement(None, longest, 0, "there are too few readings")
        # Runs of one and two: their ratio is the chance of a repeat, whatever is stuck elsewhere.
        short = self._lengths[1 : _SHORT + 1].astype(float)
        if short.sum() < 10:
            return StuckJudgement(None, longest, 0, "the readings hardly ever change")
        repeat = float((short[1:] * np.arange(1, _SHORT)).sum() / (short * np.arange(1, _SHORT + 1)).sum())
        rarely = "the readings change too rarely for stuck ones to be told"
        if repeat > _COARSE or self._lengths[1] < self._lengths[2:].max(initial=0):
            return StuckJudgement(None, longest, 0, rarely)
        shortest = self._limit(repeat)
        for _ in range(8):  # the runs below the limit tell better how usual a repeat is than the shortest alone
            usual = self._lengths[1:shortest].astype(float)
            repeat = float((usual * np.arange(len(usual))).sum() / (usual * np.arange(1, len(usual) + 1)).sum())
            if repeat > _COARSE:
                return StuckJudgement(None, longest, shortest, rarely)
            wanted = self._limit(repeat)
            if wanted <= shortest:
                break
            shortest = wanted
        if shortest > _CAP:
            return StuckJudgement(None, longest, shortest, rarely)
        inside = int((self._lengths[shortest:_CAP] * sizes[shortest:_CAP]).sum()) + sum(self._long)
        return StuckJudgement(inside, longest, shortest)

    def _limit(self, repeat: float) -> int:
        """Return the length from which on a run is stuck, where neighbours are equal with this chance."""
        return max(_SHORT, math.ceil(math.log(_CHANCE / self._total) / math.log(max(repeat, 1e-3))) + 1)


class Spikes:
    """Counts single readings far from both neighbours, in all channels of a stream.

    Args:
        channels: How many.
    """

    def __init__(self, channels: int) -> None:
        self.hits: Int = np.zeros(channels, np.int64)
        self.worst: Float = np.zeros(channels)
        self.judged = 0
        self._held: Float | None = None

    def add(self, values: Float, stretches: list[Stretch]) -> None:
        """Take the next portion `(N, C)`, in units."""
        for stretch in stretches:
            part = values[stretch.piece]
            if stretch.goes_on and self._held is not None:
                part = np.concatenate((self._held, part))
            # The first and the last reading of a part have one neighbour: they are judged with the next part.
            self._held = part[-2:] if len(part) >= _FEWEST else part
            if len(part) < _FEWEST:
                continue
            self.judged += len(part) - 2
            for channel in range(part.shape[1]):
                column = part[:, channel]
                found = outliers(column, _FAR)
                self.hits[channel] += len(found)
                if len(found):
                    away = np.abs(column[found] - (column[found - 1] + column[found + 1]) / 2)
                    self.worst[channel] = max(self.worst[channel], float(away.max()))
