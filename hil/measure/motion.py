"""What the rooms of inertial sensors share: a stream with its axes, when it was at rest, and its portions.

Rule of this room: no figures, only access; the second reading of a stream starts here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.measure.continuity import Blocks, Continuity, Stretch
from hil.measure.figure import Figure, PlotData
from hil.measure.kinds import Triad, triads
from hil.measure.make import Maker
from hil.measure.portions import portions
from hil.measure.resting import Rest, rest_of
from hil.recording.arrays import StreamArrays
from hil.recording.reader import Recording

__all__ = ["Motion", "MotionResult", "Reading", "axes_of", "resting"]

Float = npt.NDArray[np.float64]


class Reading(Protocol):
    """What is to be read of a board (see `board.BoardWork`)."""

    @property
    def recording(self) -> Recording:
        """The recording."""

    @property
    def board(self) -> str:
        """Role."""

    @property
    def start_s(self) -> float | None:
        """From this time on."""

    @property
    def end_s(self) -> float | None:
        """Before this time."""

    @property
    def read(self) -> Callable[[int], None]:
        """Called with the number of samples that were read."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """An inertial stream after its first pass.

    Attributes:
        make: Of the stream.
        stream: What is measured.
        rate_hz: Samples a second, measured; 0 where unknown.
        late: Ticks from which a step is a gap.
        blocks: Means and variances of blocks of about a second.
    """

    make: Maker
    stream: Stream
    rate_hz: float
    late: float
    blocks: Blocks

    @property
    def triads(self) -> list[Triad]:
        """Its three-axis sensors."""
        return triads(self.stream)

    def portions(self, work: Reading) -> Iterator[tuple[StreamArrays, list[Stretch]]]:
        """Read it once more, in portions split at gaps."""
        continuity = Continuity(self.late)
        for arrays in portions(work.recording, work.board, self.stream.name, work.start_s, work.end_s):
            work.read(len(arrays))
            if len(arrays):
                yield arrays, continuity.split(arrays)


@dataclass
class MotionResult:
    """Figures and curves of all inertial streams of a board."""

    figures: list[Figure] = field(default_factory=list)
    plots: dict[str, PlotData] = field(default_factory=dict)


def axes_of(motions: list[Motion], kind: str) -> tuple[Motion, Triad] | None:
    """Return the stream and axes of the first sensor of a kind; None where there is none."""
    return next(((motion, triad) for motion in motions for triad in motion.triads if triad.kind == kind), None)


def resting(motions: list[Motion]) -> dict[str, Rest]:
    """Return when each stream was at rest: a stream of its own rests only while the others do.

    Streams without accelerometer and gyroscope (a magnetometer) take the word of the others.
    """
    judging = {
        motion.stream.name: rest_of(motion.blocks, motion.triads, motion.rate_hz)
        for motion in motions
        if motion.rate_hz and any(triad.kind != "magnetometer" for triad in motion.triads)
    }
    found = {}
    for name, rest in judging.items():
        for other, one in judging.items():
            if other != name:
                rest = rest.both(one)
        found[name] = rest
    return found
