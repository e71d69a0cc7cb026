"""Recorded streams spoken by a native board: the base of the watch and of every replay.

Readings with recorded ticks and numbers keep their times and their gaps and end with the last; readings without ticks
are sampled at the stream's rate, over and over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Stream
from firmware_bridge.errors import UsageError
from firmware_bridge.virtual.native import NativeBoard
from firmware_bridge.virtual.sampling import Played
from firmware_bridge.virtual.sensors import ArraySensor
from firmware_bridge.virtual.settings import Identity, Notes, Settings

__all__ = ["PlaybackBoard", "Series"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One stream to play.

    Attributes:
        stream: What it is.
        raw: `(N, *shape)` in the stream's dtype.
        seconds: float64 `(N,)`, when each was taken since the common start, never decreasing; None: at the stream's
            rate for ever.
        numbers: int64 `(N,)`, increasing sample numbers from 0 on; None: no gaps.
    """

    stream: Stream
    raw: npt.NDArray[Any]
    seconds: npt.NDArray[np.float64] | None = None
    numbers: npt.NDArray[np.int64] | None = None


class PlaybackBoard(NativeBoard):
    """A native board whose sensors are recordings.

    Args:
        identity: Who it says it is.
        series: One a stream.
        settings: How it behaves.
        notes: Lines to log at sample numbers.
        speed: How much faster than recorded; only for series with `seconds`.

    Raises:
        UsageError: A series is empty or has no rate, or its arrays differ in length.
    """

    def __init__(
        self, identity: Identity, series: Sequence[Series], settings: Settings | None = None,
        notes: Notes | None = None, speed: float = 1.0,
    ) -> None:  # fmt: skip
        for one in series:
            sizes = {len(array) for array in (one.raw, one.seconds, one.numbers) if array is not None}
            if len(sizes) != 1 or 0 in sizes:
                raise UsageError("nothing to play, or arrays of different lengths", f"stream {one.stream.name}",
                                 "give at least one sample and one time and number a sample")  # fmt: skip
            if one.seconds is None and not one.stream.rate_hz:
                raise UsageError("neither times nor a rate", f"stream {one.stream.name}", "give one of them")
        super().__init__(identity, [ArraySensor(one.stream, one.raw) for one in series], settings, notes)
        self._series = list(series)
        self._speed = speed

    def _begin(self, index: int, tick: int) -> None:
        one = self._series[index]
        if one.seconds is None:
            super()._begin(index, tick)
            return
        start = min(float(other.seconds[0]) for other in self._series if other.seconds is not None)
        ticks = np.rint((one.seconds - start) * self.hz / self._speed).astype(np.int64)
        feed = self._feeds[index]
        shift = tick - (int(ticks[feed.at]) if 0 < feed.at < len(ticks) else 0)
        feed.timeline = Played(ticks, one.numbers, shift)


def identity_from(described: Mapping[str, Any]) -> Identity:
    """Return the identity in a board's JSON description (or in `BoardInfo.as_dict()`)."""
    return Identity(str(described.get("model", "")), str(described.get("serial", "")),
                    str(described.get("firmware", "")), dict(described.get("extra", {})))  # fmt: skip
