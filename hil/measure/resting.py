"""When an inertial sensor lies still, told from blocks of about a second.

Rule of this room: a block is at rest when its scatter is near the least scatter seen, its rate near the usual one at
rest, and both are below what no still sensor exceeds; fewer than three such blocks in a row are none. Nothing is at
rest for certain: an even motion without vibration looks the same, and is told as such in the condition.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.measure.continuity import Blocks
from hil.measure.kinds import Triad

__all__ = ["Rest", "rest_of", "to_deg", "to_g"]

Float = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_NEAR = 2.5
"""Times the least scatter up to which a block may be at rest."""

_MOST = {"accelerometer": 0.08, "gyroscope": 4.0}
"""Scatter within a second, g and deg/s, that nothing at rest exceeds."""

_DRIFT = {"accelerometer": 0.02, "gyroscope": 1.0}
"""Change of the mean from block to block, g and deg/s, beyond which it moves."""

_FEWEST = 3


def to_g(unit: str) -> float:
    """Return the factor from a unit of acceleration to g."""
    return {"g": 1.0, "mg": 1e-3}.get(unit, 1 / 9.80665)


def to_deg(unit: str) -> float:
    """Return the factor from a unit of rate to deg/s."""
    return {"rad/s": 180 / np.pi, "mdps": 1e-3}.get(unit, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """When a stream was at rest.

    Attributes:
        t_s: float64 `(B,)`, middles of the blocks.
        still: bool `(B,)`.
        follows: bool `(B,)`, whether a block follows the one before without a gap.
        block_s: Length of a block.
    """

    t_s: Float
    still: Mask
    follows: Mask
    block_s: float

    @property
    def share(self) -> float:
        """Part of the blocks that is at rest, 0 to 1."""
        return float(self.still.mean()) if len(self.still) else 0.0

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """Blocks at rest that follow each other, as `(first, after the last)`."""
        on = self.still.astype(np.int8)
        starts = np.flatnonzero(self.still & (~self.follows | (np.concatenate(([0], on[:-1])) == 0)))
        ends = []
        for start in starts.tolist():
            breaks = np.flatnonzero(~self.still[start + 1 :] | ~self.follows[start + 1 :])
            ends.append(start + 1 + int(breaks[0]) if len(breaks) else len(on))
        return list(zip(starts.tolist(), ends, strict=True))

    def times(self) -> list[tuple[float, float]]:
        """Return the stretches in seconds, half a block shorter at ends that touch motion."""
        spans = []
        for start, stop in self.stretches:
            low = self.t_s[start] - self.block_s / 2
            high = self.t_s[stop - 1] + self.block_s / 2
            spans.append((low, high))
        return spans

    def both(self, other: "Rest") -> "Rest":
        """Return this one's blocks, at rest only where the other stream is at rest too."""
        if not len(other.t_s) or not len(self.t_s):
            return self
        after = np.clip(np.searchsorted(other.t_s, self.t_s), 0, len(other.t_s) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(other.t_s[before] - self.t_s) < np.abs(other.t_s[after] - self.t_s), before, after)
        near = np.abs(other.t_s[nearest] - self.t_s) <= self.block_s
        return Rest(self.t_s, lasting(self.still & (other.still[nearest] | ~near), self.follows), self.follows,
                    self.block_s)  # fmt: skip


def rest_of(blocks: Blocks, triads: list[Triad], rate_hz: float) -> Rest:
    """Return when a stream with these three-axis sensors was at rest."""
    t_s, means, variances, follows = blocks.arrays()
    still = np.ones(len(t_s), bool)
    for triad in triads:
        if triad.kind not in _MOST or not len(t_s):
            continue
        scale = to_g(triad.unit) if triad.kind == "accelerometer" else to_deg(triad.unit)
        axes = list(triad.channels)
        scatter = np.sqrt(variances[:, axes].sum(axis=1)) * scale
        level = means[:, axes] * scale
        floor = float(np.percentile(scatter, 2))
        still &= scatter <= min(_MOST[triad.kind], max(_NEAR * floor, 1e-9))
        step = np.abs(np.diff(level, axis=0, prepend=level[:1])).max(axis=1)
        still &= (step <= _DRIFT[triad.kind] + 4 * floor / np.sqrt(blocks.size)) | ~follows
        if triad.kind == "gyroscope" and still.any():
            usual = np.median(level[still], axis=0)
            still &= np.abs(level - usual).max(axis=1) <= _DRIFT[triad.kind] + 3 * floor
    return Rest(t_s, lasting(still, follows), follows, blocks.size / rate_hz)


def lasting(still: Mask, follows: Mask) -> Mask:
    """Return the flags without stretches shorter than three blocks."""
    kept = still.copy()
    edges = np.flatnonzero(np.concatenate(([True], (still[1:] != still[:-1]) | ~follows[1:], [True])))
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if stop - start < _FEWEST:
            kept[start:stop] = False
    return kept
