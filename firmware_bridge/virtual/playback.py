"""Recorded streams spoken by a native board: the base of the watch and of every replay.

Readings with recorded times and numbers keep their times and their gaps and end with the last, unless they are looped;
readings without times are sampled at the stream's rate, over and over. What a recording was told of (labels) can be
logged at its sample numbers.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from firmware_bridge.virtual.native import NativeBoard
from firmware_bridge.virtual.sensors import ArraySensor
from firmware_bridge.virtual.settings import Identity, Notes, Settings
from firmware_bridge.virtual.streams import Plan
from firmware_bridge.virtual.timeline import Played

__all__ = ["PlaybackBoard", "Series", "notes_at"]


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
        pause_s: Rest before series with `seconds` begin anew; None: they do not.

    Raises:
        UsageError: A series is empty or has no rate, or its arrays differ in length.
    """

    def __init__(
        self, identity: Identity, series: Sequence[Series], settings: Settings | None = None,
        notes: Notes | None = None, speed: float = 1.0, pause_s: float | None = None,
    ) -> None:  # fmt: skip
        for one in series:
            sizes = {len(array) for array in (one.raw, one.seconds, one.numbers) if array is not None}
            if len(sizes) != 1 or 0 in sizes:
                raise UsageError("nothing to play, or arrays of different lengths", f"stream {one.stream.name}",
                                 "give at least one sample and one time and number a sample")  # fmt: skip
            if one.seconds is None and not one.stream.rate_hz:
                raise UsageError("neither times nor a rate", f"stream {one.stream.name}", "give one of them")
        timed = [one.seconds for one in series if one.seconds is not None]
        start = min((float(seconds[0]) for seconds in timed), default=0.0)
        ends = (float(one.seconds[-1]) + 1 / (one.stream.rate_hz or 100) for one in series if one.seconds is not None)
        lap = max(ends, default=start) - start
        period = 0 if pause_s is None else round((lap / speed + pause_s) * self.hz)
        plans = [_plan(one, start, self.hz / speed, period) for one in series]
        super().__init__(identity, [ArraySensor(one.stream, one.raw) for one in series], settings, notes, plans)


def _plan(series: Series, start_s: float, ticks_a_second: float, period: int) -> Plan | None:
    if series.seconds is None:
        return None
    ticks = np.rint((series.seconds - start_s) * ticks_a_second).astype(np.int64)

    def plan(at: int, tick: int) -> Played:
        if at:  # stopped and started again: the next sample is due now
            lap, within = divmod(at, len(ticks)) if period else (0, min(at, len(ticks) - 1))
            tick -= int(ticks[within]) + lap * period
        return Played(ticks, series.numbers, tick, period)

    return plan


def notes_at(numbers: Sequence[int], texts: Sequence[str], period: int = 0, stream: int = 0) -> Notes:
    """Return notes that are logged at sample numbers of one stream.

    Args:
        numbers: Increasing sample numbers.
        texts: One line a number.
        period: After so many samples they come again; 0: once.
        stream: The stream whose numbers they are.
    """

    def notes(index: int, first: int, stop: int) -> Iterator[tuple[int, str]]:
        lap = first // period * period if period else 0
        while index == stream and lap < stop:
            for place in range(bisect_left(numbers, first - lap), bisect_left(numbers, stop - lap)):
                yield lap + numbers[place], texts[place]
            if not period:
                return
            lap += period

    return notes
