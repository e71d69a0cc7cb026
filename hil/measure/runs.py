"""Readings that do not change, and single readings far from both neighbours.

Rule of this room: a run of equal readings is stuck only when chance cannot make it: how often two neighbours are equal
is taken from the short runs, and a run must be so long that less than one in a thousand recordings had it. A signal
that hardly ever changes leaves it unknown. An outlier is judged by the second difference, so that slow signals have
none and a step has none: only what goes away and comes back.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

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
_SAMPLE = 4096


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
        if repeat > _COARSE or self._lengths[1] < self._lengths[2:].max(initial=0):
            return StuckJudgement(None, longest, 0, "the readings change too rarely for stuck ones to be told")
        repeat = max(repeat, 1e-3)
        shortest = max(_SHORT, math.ceil(math.log(_CHANCE / self._total) / math.log(repeat)) + 1)
        if shortest > _CAP:
            return StuckJudgement(None, longest, shortest, "the readings change too rarely for stuck ones to be told")
        inside = int((self._lengths[shortest:_CAP] * sizes[shortest:_CAP]).sum()) + sum(self._long)
        return StuckJudgement(inside, longest, shortest)


@dataclass
class Spikes:
    """Counts single readings far from both neighbours, in all channels of a stream.

    Attributes:
        channels: How many.
    """

    channels: int
    _scale: Float | None = None
    _held: Float | None = None
    hits: Int = field(init=False)
    judged: int = 0
    worst: Float = field(init=False)

    def __post_init__(self) -> None:
        self.hits = np.zeros(self.channels, np.int64)
        self.worst = np.zeros(self.channels)

    def add(self, values: Float, stretches: list[Stretch]) -> None:
        """Take the next portion `(N, C)`, in units."""
        for stretch in stretches:
            part = values[stretch.piece]
            if stretch.goes_on and self._held is not None:
                part = np.concatenate((self._held, part))
            self._held = part[-3:].copy()
            if len(part) < 4:
                continue
            bend = part[1:-1] - (part[:-2] + part[2:]) / 2
            # Its neighbours must agree with each other: they do not at a step or in fast motion.
            apart = np.abs(part[2:] - part[:-2])
            self._scale = self._spread(bend)
            far = (np.abs(bend) > _FAR * self._scale) & (apart < np.abs(bend) / 2)
            # The last bend of a portion is judged with the next one; three readings are held back for it.
            new = far[:-1]
            self.judged += len(new)
            self.hits += new.sum(axis=0)
            if new.any():
                self.worst = np.maximum(self.worst, np.where(new, np.abs(bend[:-1]), 0.0).max(axis=0))

    def _spread(self, bend: Float) -> Float:
        """Return the robust spread of second differences: of this portion, but never below what was usual before."""
        some = bend[:: max(1, len(bend) // _SAMPLE)]
        here = 1.4826 * np.median(np.abs(some), axis=0)
        # Where most second differences are 0 (coarse steps) the mean of the rest stands in.
        flat = here == 0
        if flat.any():
            here = np.where(flat, np.abs(some).mean(axis=0) * 4, here)
        here = np.where(here == 0, np.inf, here)
        if self._scale is None:
            return here
        known = np.where(np.isfinite(self._scale), self._scale, 0.0)
        return np.maximum(here, 0.5 * known)
