"""Ticks of a board into UTC: one timebase a tick rate, and what to do where a board sends no ticks.

A board without ticks gets the arrival time for both. Values no clock can have (a damaged frame whose checksum agrees by
chance) are clamped, so that nothing here overflows.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from firmware_bridge.timebase import ClockFit, Timebase
from firmware_bridge.wire.dialect import Samples

__all__ = ["Clockwork", "DatePlain", "Times"]

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
DatePlain = Callable[[Int64, Int64], Int64]
"""UTC of unwrapped ticks and of the reads that brought them; see `Timebase.date_plain`."""


class Clockwork(Protocol):
    """What is needed of a timebase; `timebase.Timebase` is one."""

    def reset(self) -> None:
        """The board started anew."""

    def unwrap(self, ticks: UInt64, bits: int, now_ns: int) -> Int64:
        """Return ticks that no longer wrap."""

    def exchange(self, sent_ns: int, tick: int, received_ns: int) -> None:
        """Take a ping."""

    def arrived(self, tick: int, now_ns: int) -> None:
        """Take one-way evidence."""

    def to_ns(self, ticks: Int64, now_ns: int) -> Int64:
        """Return UTC of ticks."""

    def fit(self, now_ns: int) -> ClockFit | None:
        """Return what is known of the clock."""


class Times:
    """The clocks of one board.

    Args:
        make: Makes a timebase for a tick rate.
    """

    def __init__(self, make: Callable[[float | None], Clockwork] | None = None) -> None:
        self._make: Callable[[float | None], Clockwork] = make or Timebase
        self._clocks: dict[float, Clockwork] = {}

    def reset(self) -> None:
        """The board started anew: its counters begin again."""
        for clock in self._clocks.values():
            clock.reset()

    def of(self, samples: Samples, part: slice, now: int) -> tuple[Int64, Int64]:
        """Return unwrapped ticks and UTC of some samples that arrived at `now`, both int64 `(N,)`."""
        if samples.ticks is None or not samples.stream.tick_hz:
            if samples.arrived is not None:
                arrival = samples.arrived[part]
            else:
                arrival = np.full(len(samples.raw[part]), now, np.int64)
            return arrival, arrival
        hz = samples.stream.tick_hz
        clock = self._clock(hz)
        ticks = samples.ticks[part]
        if samples.tick_bits > 32:
            ticks = np.minimum(ticks, _most(hz))
        unwrapped = clock.unwrap(ticks, samples.tick_bits, now)
        here = now if samples.arrived is None else int(samples.arrived[part][-1])
        clock.arrived(int(unwrapped[-1]), here)
        return unwrapped, clock.to_ns(unwrapped, now)

    def is_plain(self, hz: float, ticks: UInt64, bits: int, came_ns: Int64) -> bool:
        """Whether ticks of many reads can be taken at once (see `Timebase.is_plain`)."""
        clock = self._clocks.get(hz)
        return isinstance(clock, Timebase) and clock.is_plain(np.minimum(ticks, _most(hz)), bits, came_ns)

    def plain(self, samples: Samples) -> tuple[Int64, DatePlain]:
        """Return unwrapped ticks of samples of many reads, of which `is_plain` holds, and what dates parts of them."""
        assert samples.ticks is not None
        assert samples.stream.tick_hz is not None
        clock = self._clocks[samples.stream.tick_hz]
        assert isinstance(clock, Timebase)
        most = _most(samples.stream.tick_hz)
        return clock.unwrapped(np.minimum(samples.ticks, most), samples.tick_bits), clock.date_plain

    def answered(self, hz: float, sent_ns: int, ticks: tuple[int, int], bits: int, now: int) -> tuple[int, int]:
        """Take the answer to a ping.

        Args:
            hz: Ticks a second.
            sent_ns: UTC when the ping left.
            ticks: The board's clock when the ping came and when the answer left, as sent.
            bits: Width at which they wrap.
            now: UTC when the answer came.

        Returns:
            The first tick unwrapped, and when the answer would have come had the board not taken its time.
        """
        received_ns = _received_ns(hz, sent_ns, ticks, bits, now)
        clock = self._clock(hz)
        tick = min(ticks[0], int(hz * 4e9))
        unwrapped = int(clock.unwrap(np.array([tick], np.uint64), bits, now)[0])
        clock.exchange(sent_ns, unwrapped, received_ns)
        return unwrapped, received_ns

    def foresee(self, hz: float | None, answers: Sequence[tuple[int, tuple[int, int], int, int]]) -> None:
        """Prepare for answers that will be taken next, so that all at once cost less (see `Timebase.foresee`).

        Args:
            hz: Ticks a second; None: the board has no clock.
            answers: `sent_ns`, `ticks`, `bits` and `now` of each, as for `answered`.
        """
        clock = self._clocks.get(hz) if hz else None
        if not hz or not isinstance(clock, Timebase) or not answers:
            return
        received_ns = [_received_ns(hz, *one) for one in answers]
        ticks = np.array([min(one[1][0], int(hz * 4e9)) for one in answers], np.uint64)
        clock.foresee([one[0] for one in answers], ticks, answers[0][2], received_ns)

    def fit(self, now: int) -> ClockFit | None:
        """Return the fit with the most evidence, stated for `now`."""
        fits = [fit for clock in self._clocks.values() if (fit := clock.fit(now)) is not None]
        return max(fits, key=lambda fit: fit.exchanges, default=None)

    def _clock(self, hz: float) -> Clockwork:
        clock = self._clocks.get(hz)
        if clock is None:
            clock = self._clocks[hz] = self._make(hz)
        return clock


def _received_ns(hz: float, sent_ns: int, ticks: tuple[int, int], bits: int, now: int) -> int:
    """Return when an answer would have come had the board not taken its time; see `Times.answered`."""
    inside = round(((ticks[1] - ticks[0]) % 2**bits) / hz * 1e9)
    return now - inside if inside < now - sent_ns else now


def _most(hz: float) -> np.uint64:
    """Ticks of 126 years: no clock shows more."""
    return np.uint64(min(2**62, int(hz * 4e9)))
