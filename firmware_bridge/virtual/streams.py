"""The streams of a native board: their feeds, rates and next due times, and how they look on the wire."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.virtual.board import NEVER, BoardClock
from firmware_bridge.virtual.sampling import Chunk, Feed, Sensor
from firmware_bridge.virtual.settings import Settings
from firmware_bridge.virtual.timeline import Grid, Timeline
from firmware_bridge.wire.messages import STATUS_ROW, TABLE, Flag, Kind

__all__ = ["Plan", "Streams"]

_MASK = 0xFFFFFFFF
_MOST = 900
"""Bytes of samples that the usual frame holds."""

Plan = Callable[[int, int], Timeline]
"""(index of the next sample, tick at which it goes on) -> when it samples."""


class Streams:
    """All streams of one board.

    Args:
        sensors: One a stream.
        settings: Grouping, jitter and room for injection.
        hz: Ticks a second.
        plans: When each stream samples; None (or no plans): on a grid at its rate.
    """

    def __init__(
        self, sensors: Sequence[Sensor], settings: Settings, hz: int, plans: Sequence[Plan | None] = ()
    ) -> None:  # fmt: skip
        self._settings = settings
        self._hz = hz
        self._plans = list(plans) or [None] * len(sensors)
        self.feeds = [Feed(sensor, settings.group or _usual_group(sensor.stream), settings.room) for sensor in sensors]
        self.rates_mhz = [round((sensor.stream.rate_hz or 1.0) * 1000) for sensor in sensors]
        self.due = [NEVER] * len(sensors)
        """UTC at which the next frame of each stream is complete."""

    def reset(self) -> None:
        """The board starts anew."""
        for index, feed in enumerate(self.feeds):
            feed.begin(injecting=False)
            self.due[index] = NEVER

    def run(self, index: int, tick: int) -> None:
        """Let a stream go on with its next sample at `tick`."""
        feed, plan = self.feeds[index], self._plans[index]
        if plan is not None:
            feed.timeline = plan(feed.at, tick)
            return
        jitter = self._settings.jitter_us * self._hz / 1e6
        feed.timeline = Grid(feed.at, tick, self.rates_mhz[index], self._hz, jitter, self._settings.seed)

    def adjustable(self, index: int) -> bool:
        """Return whether a stream's rate can be set; that of recorded times cannot."""
        return self._plans[index] is None

    def schedule(self, index: int, clock: BoardClock) -> None:
        """Find out when a stream's next frame is complete."""
        tick = self.feeds[index].due_tick()
        self.due[index] = NEVER if tick is None else min(NEVER, clock.when_ns(tick))

    def payload(self, index: int, chunk: Chunk, uneven: bool = False) -> tuple[Flag, bytes]:
        """Return flags and payload of SAMPLES; `uneven` samples are sent with the tick of each."""
        flags, deltas = Flag.NONE, b""
        if self._settings.jitter_us or uneven:
            steps = np.diff(chunk.ticks, prepend=chunk.ticks[0])
            if steps.max() <= 0xFFFF:  # else only the first tick can be told
                flags, deltas = Flag.DELTAS, steps.astype("<u2").tobytes()
        fixed = TABLE[Kind.SAMPLES].codec().pack(
            index, len(chunk.raw), chunk.number & _MASK, int(chunk.ticks[0]) & _MASK
        )  # fmt: skip
        return flags, fixed + deltas + chunk.raw.tobytes()

    def described(self) -> tuple[Stream, ...]:
        """Return the streams with the rates that hold now."""
        rates = zip(self.feeds, self.rates_mhz, self._plans, strict=True)
        return tuple(
            feed.stream if plan is not None else replace(feed.stream, rate_hz=rate_mhz / 1000)
            for feed, rate_mhz, plan in rates
        )

    def status(self) -> bytes:
        """Return the rows of STATUS."""
        rows = []
        for index, feed in enumerate(self.feeds):
            counts = (feed.produced, feed.dropped, feed.starved, feed.credit, feed.consumed)
            rows.append(STATUS_ROW.pack(index, *(count & _MASK for count in counts)))
        return b"".join(rows)

    def injected(self, index: int, n: int, values: bytes) -> npt.NDArray[Any] | str:
        """Return the samples in an INJECT, or why they cannot be taken."""
        if index >= len(self.feeds):
            return "no such stream"
        stream = self.feeds[index].stream
        if len(values) != n * math.prod(stream.shape) * np.dtype(stream.dtype).itemsize:
            return "the values do not fill n samples"
        if not self.feeds[index].injecting:
            return "the stream was not started as injected"
        return np.frombuffer(values, stream.dtype).reshape(n, *stream.shape)


def _usual_group(stream: Stream) -> int:
    """Return the samples of about 10 ms, as far as they fit one frame."""
    size = math.prod(stream.shape) * np.dtype(stream.dtype).itemsize
    return max(1, min(200, _MOST // size, round((stream.rate_hz or 1.0) / 100)))
