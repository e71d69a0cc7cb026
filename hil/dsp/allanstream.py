"""Deviations of data that come in chunks: a growing plot, or a recording longer than memory.

Each averaging time m looks only at phase points that are multiples of its stride (m / overlap, a power of two), so what
has to be kept is a few hundred points for each octave, however long the data are: memory is bounded, and the sums are
those of `deviation(..., overlap=overlap)` on the whole array. With `overlap=None` every starting point counts, exactly
as without it there, and everything since the last gap is kept. A gap ends the stretch: no difference reaches over it.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hil.dsp.allan import Data, Deviation, assemble
from hil.dsp.averaging import Kind, difference_sums, starts, stride
from hil.dsp.confidence import LagSums

__all__ = ["AllanStream"]

Float = npt.NDArray[np.float64]
FAMILIES: dict[str, tuple[str, int, bool]] = {
    "adev": ("phase", 2, False),
    "oadev": ("phase", 2, True),
    "mdev": ("sum", 3, True),
    "tdev": ("sum", 3, True),
    "hdev": ("phase", 3, False),
    "ohdev": ("phase", 3, True),
}
"""By kind: what is differenced (phase or its running sum), how often, and whether averages overlap."""
OCTAVES = 32
"""Octaves of averaging time that are looked after: 50 days at 1 kHz."""
AT_ONCE = 1 << 16
"""Readings taken at a time, whatever the chunks are."""


@dataclass(slots=True)
class _Track:
    """Points of phase (or of its running sum) at multiples of `step`: those that later differences still need."""

    step: int
    keep: int | None
    tail: Float  # (C, n)
    first: int = 0  # index of the tail's first point, in steps

    def add(self, points: Float) -> int:
        """Append `points (C, n)` and return how many there were before."""
        before: int = self.tail.shape[1]
        self.tail = np.concatenate([self.tail, points], axis=1)  # always a copy: rebasing writes into it
        return before

    def trim(self) -> None:
        """Drop what no later difference needs."""
        if self.keep is not None and self.tail.shape[1] > self.keep:
            cut = self.tail.shape[1] - self.keep
            self.tail, self.first = self.tail[:, cut:].copy(), self.first + cut


@dataclass(slots=True)
class _Sums:
    """Squares of one kind of difference at one averaging time."""

    m: int
    step: int
    order: int
    total: Float
    count: int = 0


@dataclass(slots=True)
class _Family:
    """What belongs to one way of differencing: sums by averaging time, tracks by step."""

    source: str
    order: int
    overlapping: bool
    sums: list[_Sums] = field(default_factory=list)
    tracks: dict[int, _Track] = field(default_factory=dict)


class AllanStream:
    """Deviations at octave averaging times of `channels` series of readings, chunk by chunk.

    Args:
        rate_hz: Samples a second.
        channels: Series side by side.
        kinds: Deviations wanted, without `totdev` (which needs the whole record).
        overlap: Least starting points in each averaging time (a power of two is best), or None for all of them.
        data_type: `rate` for readings, `phase` for their integral.

    Raises:
        ValueError: An unknown kind, or an overlap below 1.
    """

    def __init__(
        self,
        rate_hz: float,
        channels: int = 1,
        kinds: tuple[Kind, ...] = ("oadev", "mdev", "ohdev"),
        overlap: int | None = 128,
        data_type: Data = "rate",
    ) -> None:
        unknown = [kind for kind in kinds if kind not in FAMILIES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} cannot grow with its data; take some of {', '.join(FAMILIES)}")
        if overlap is not None and overlap < 1:
            raise ValueError(f"an overlap of {overlap} starting points is none; give 1 or more, or None for all")
        self._rate, self._channels, self._overlap, self._integrate = rate_hz, channels, overlap, data_type == "rate"
        self._families = {kind: _Family(*FAMILIES[kind]) for kind in dict.fromkeys(kinds)}
        if "tdev" in self._families and "mdev" in self._families:
            self._families["tdev"] = self._families["mdev"]
        self._lags = [LagSums(channels) for _ in range(OCTAVES)]
        for family in self._families.values():
            steps = (stride(1 << octave, overlap, overlapping=family.overlapping) for octave in range(OCTAVES))
            family.sums = [_Sums(1 << k, step, family.order, np.zeros(channels)) for k, step in enumerate(steps)]
        self._reference: Float | None = None
        self.samples = 0
        self._begin()

    def _begin(self) -> None:
        self._points = 0  # phase points since the last gap
        self._phase, self._sum = np.zeros(self._channels), np.zeros(self._channels)
        for family in self._families.values():
            keep = None
            if self._overlap is not None or not family.overlapping:
                keep = family.order * (2 * (self._overlap or 1) if family.overlapping else 1)
            empty = np.empty((self._channels, 0))
            family.tracks = {sums.step: _Track(sums.step, keep, empty) for sums in family.sums}
        for lag in self._lags:
            lag.cut()

    def gap(self) -> None:
        """Say that samples are missing here: what follows does not join what was before."""
        self._begin()

    def append(self, chunk: npt.ArrayLike) -> None:
        """Take the next readings, `(n, C)` or `(n,)` for one channel, finite, without a gap before them.

        Raises:
            ValueError: Another number of channels, or NaN among the readings.
        """
        given = np.asarray(chunk, np.float64)
        columns = given[:, None] if given.ndim == 1 else given
        if columns.ndim != 2 or columns.shape[1] != self._channels:
            raise ValueError(f"a chunk of shape {given.shape} does not have {self._channels} channels; give (n, C)")
        if not np.isfinite(columns.sum()):
            raise ValueError("a chunk holds NaN or infinite readings; leave them out and call gap() in their place")
        for begin in range(0, len(columns), AT_ONCE):
            self._take(columns[begin : begin + AT_ONCE].T.copy())

    def _take(self, columns: Float) -> None:
        self.samples += columns.shape[1]
        phase = self._phase_points(columns)
        before, self._points = self._points, self._points + phase.shape[1]
        sums = np.cumsum(phase, axis=1)
        sums += self._sum[:, None]
        zero = np.zeros((self._channels, 0 if before else 1))  # the running sum begins with a point before the first
        summed, at = np.concatenate([zero, sums], axis=1), before + 1 if before else 0
        for octave, lag in enumerate(self._lags):
            lag.add(_multiples(phase, before, 1 << octave))
        for family in self._different():
            self._difference(family, *((phase, before) if family.source == "phase" else (summed, at)))
        self._phase, self._sum = phase[:, -1].copy(), sums[:, -1].copy()
        self._rebase()

    def _phase_points(self, columns: Float) -> Float:
        if not self._integrate:
            if self._reference is None or not self._points:
                self._reference = columns[:, 0].copy()
            columns -= self._reference[:, None]
            return columns
        if self._reference is None:
            self._reference = columns.mean(axis=1)
        columns -= self._reference[:, None]
        steps = np.cumsum(columns, axis=1)
        steps /= self._rate
        steps += self._phase[:, None]
        return steps if self._points else np.concatenate([np.zeros((self._channels, 1)), steps], axis=1)

    def _different(self) -> list[_Family]:
        return list({id(each): each for each in self._families.values()}.values())

    def _difference(self, family: _Family, points: Float, at: int) -> None:
        """Add the squares that `points (C, n)`, whose first has index `at`, complete."""
        for step, track in family.tracks.items():
            own = _multiples(points, at, step)
            if not own.shape[1]:
                continue
            before = track.first + track.add(own)
            after = before + own.shape[1]
            for sums in family.sums:
                if sums.step == step:
                    m = sums.m // step
                    done, all_ = starts(before, m, family.order, 1), starts(after, m, family.order, 1)
                    if all_ > done:
                        for c in range(self._channels):
                            sums.total[c] += difference_sums(track.tail[c], m, family.order, done - track.first)[0]
                        sums.count += all_ - done
            track.trim()

    def _rebase(self) -> None:
        """Take a constant off phase, and a line off its sum, which differences do not see: numbers stay small."""
        phase, total = self._phase, self._sum
        for family in self._different():
            for track in family.tracks.values():
                if family.source == "phase":
                    track.tail -= phase[:, None]
                else:
                    index = (track.first + np.arange(track.tail.shape[1])) * track.step - self._points
                    track.tail -= total[:, None] + np.outer(phase, index)
        for lag in self._lags:
            lag.shift(phase)
        if not self._integrate and self._reference is not None:
            self._reference = self._reference + phase
        self._phase, self._sum = np.zeros(self._channels), np.zeros(self._channels)

    def result(self, kind: Kind, confidence: float = 0.95) -> Deviation:
        """Return the curve so far, `deviation (K, C)`.

        Raises:
            ValueError: A kind that was not asked for at the start.
        """
        if kind not in self._families:
            raise ValueError(f"{kind!r} was not asked for at the start; there are {', '.join(self._families)}")
        family = self._families[kind]
        depth = 3 if kind in ("hdev", "ohdev") else 2
        rows = [sums for sums in family.sums if sums.count > 1]
        alpha = [lag.alpha(depth) for lag in self._lags]
        return assemble(
            kind, self._rate, self.samples,
            np.array([row.m for row in rows], np.int64), np.array([row.step for row in rows], np.int64),
            np.array([row.total for row in rows]).reshape(len(rows), self._channels),
            np.array([row.count for row in rows], np.int64),
            np.array(alpha[: len(rows)]).reshape(len(rows), self._channels), confidence,
        )  # fmt: skip


def _multiples(points: Float, at: int, step: int) -> Float:
    """Return the columns whose index is a multiple of `step`; the first column has index `at`."""
    return points[:, -at % step :: step]
