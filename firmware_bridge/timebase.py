"""A board's ticks as host time: unwrapped, fitted by exchanges, never later than now and never running back.

One `Timebase` serves one boot of one board. Rules:

- It is causal: what `to_ns` returned is never corrected afterwards. A new fit holds for ticks beyond all that were
  converted before; earlier ticks (a slower stream of the same board) keep the line they belong to. So times never
  decrease within a stream, and the same calls give the same times, live or replayed.
- Exchanges (pings) date the board's clock both ways; see `envelope` for the fit. A board that cannot be pinged is dated
  by the arrival of its ticks alone, which leaves the least delay in the offset, and says so.
- Evidence older than `WINDOW_S` is forgotten (but never the last 300 exchanges), because crystals wander with
  temperature. Memory is bounded, and a fit is made at most every `EVERY_S` seconds: between them a call costs a few
  microseconds.
- An exchange that contradicts the one before (a damaged tick) is passed over; three in a row are a clock that was set.
- After a silence of more than half a wrap the wrap is chosen by host time and counted as inferred.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.dating import Dating
from firmware_bridge.envelope import FEWEST, Line
from firmware_bridge.evidence import Evidence
from firmware_bridge.foresight import Foresight
from firmware_bridge.refit import Refit, refit

__all__ = ["ClockFit", "Refit", "Timebase", "refit"]

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]

WINDOW_S = 120.0
EVERY_S = 0.25
_PRIOR = 300e-6
"""How far clocks are usually off: a slope known worse than this is shrunk to nominal, so that early times stay sane."""
_ODD = 3
"""Exchanges in a row that contradict all before until the board's clock is taken to have been set."""
_SLACK_NS, _BACKLOG_NS = 10_000_000, 2_000_000_000
"""How far an exchange, or an arrival out of a backlog, may be from what the one before lets expect."""
_AHEAD_NS = 1_000_000_000
"""A time so far ahead of its arrival is a damaged tick's."""


@dataclass(frozen=True, slots=True)
class ClockFit:
    """What is known of a board's clock.

    Attributes:
        offset_ns: UTC less the board's nominal time (tick / tick_hz) at `at_ns`.
        at_ns: UTC for which this is stated.
        drift_ppm: How much faster than nominal the board's clock runs.
        drift_low: Lower end of its 95 % interval, ppm.
        drift_high: Upper end, ppm.
        uncertainty_ns: Half width of the 95 % interval of the offset, if least delays are equal both ways.
        asymmetry_ns: Half of the least round trip (of the distance between both envelopes where that is more): the
            most the offset can be wrong because least delays are not equal. None for a board that is not pinged: its
            least delay is unknown and contained in the offset.
        exchanges: Exchanges (or arrivals, one-way) the fit rests on.
        inferred_wraps: How often since the boot the counter's wrap was chosen by host time alone.
        span_s: Time between the first and the last of them.
    """

    offset_ns: int
    at_ns: int
    drift_ppm: float
    drift_low: float
    drift_high: float
    uncertainty_ns: int
    asymmetry_ns: int | None
    exchanges: int
    inferred_wraps: int
    span_s: float

    @property
    def two_way(self) -> bool:
        """Whether the board was pinged."""
        return self.asymmetry_ns is not None


class Timebase:
    """The clock of one board; see the module's rules.

    Args:
        tick_hz: Nominal ticks a second; None where ticks are host nanoseconds already.
    """

    def __init__(self, tick_hz: float | None) -> None:
        self.tick_hz = tick_hz
        self._ns_per_tick = 1e9 / tick_hz if tick_hz else 1.0
        self.reset()

    def reset(self) -> None:
        """Forget everything: the board started anew."""
        self.inferred_wraps = 0
        self._latest: tuple[int, int] | None = None
        self._two_way = Evidence(2)
        self._one_way = Evidence(1)
        self._odd: list[tuple[int, int, int]] = []
        self._bucket = -1
        self._line: Line | None = None
        self._fitted_ns = -(2**62)
        self._dating = Dating()
        self._foresight = Foresight()

    # ------------------------------------------------------------------ ticks

    def unwrap(self, ticks: UInt64, bits: int, now_ns: int) -> Int64:
        """Return ticks that no longer wrap.

        Args:
            ticks: uint64 `(N,)` as sent, in order of arrival; they may step back by less than half a wrap.
            bits: Width at which they wrap.
            now_ns: UTC of arrival.

        Returns:
            int64 `(N,)`. After a silence of more than half a wrap the wrap is chosen by host time, and
            `inferred_wraps` counts it.
        """
        if not len(ticks):
            return np.empty(0, np.int64)
        raw = ticks.astype(np.int64)
        if bits < 63:
            wrap, half = 1 << bits, 1 << (bits - 1)
            if len(raw) > 1:
                steps = raw[1:] - raw[:-1]
                if steps.min() < -half or steps.max() >= half:  # the counter wrapped inside
                    raw[1:] = raw[0] + np.cumsum((steps + half) % wrap - half)
            if self._latest is not None and (wraps := self._wraps(int(raw[0]), int(raw[-1]), wrap, now_ns)):
                raw += wraps * wrap
        last = int(raw.max())
        if self._latest is None or last > self._latest[0]:
            self._latest = (last, now_ns)
        return raw

    def _wraps(self, tick: int, last: int, wrap: int, now_ns: int) -> int:
        """Return how many wraps to add to a batch from `tick` to `last` that is here now."""
        assert self._latest is not None
        before, when_ns = self._latest
        passed = (now_ns - when_ns) / self._ns_per_tick - (last - tick) if self.tick_hz else 0.0
        near = (before - tick + wrap // 2) // wrap  # the wrap that lands nearest to the tick before
        if passed <= wrap // 2:
            return near
        chosen = round((before + passed - tick) / wrap)
        self.inferred_wraps += 1
        return max(near, chosen)

    # ------------------------------------------------------------------ evidence

    def exchange(self, sent_ns: int, tick: int, received_ns: int) -> None:
        """Take one ping: sent and answered in UTC, and what the board's clock (unwrapped) read between."""
        if received_ns < sent_ns:
            return
        self._take(self._two_way, sent_ns, tick, received_ns, _SLACK_NS)

    def _take(self, evidence: Evidence, sent_ns: int, tick: int, received_ns: int, slack_ns: int) -> None:
        if evidence.agrees(sent_ns, tick, received_ns, self._ns_per_tick, slack_ns):
            self._odd.clear()
            evidence.add(sent_ns, tick, received_ns)
        else:
            self._odd.append((sent_ns, tick, received_ns))
            if len(self._odd) < _ODD:
                return
            self._begin_anew(evidence, self._odd)
        if _is_due(evidence, received_ns - self._fitted_ns):
            self._fit(evidence, received_ns)

    def foresee(self, sent_ns: Sequence[int], ticks: UInt64, bits: int, received_ns: Sequence[int]) -> None:
        """Fit the lines for pings that will be taken next, all at once; nothing that is told depends on it.

        Args:
            sent_ns: UTC when each was sent.
            ticks: uint64 `(N,)`, what the board's clock read, as sent.
            bits: Width at which they wrap.
            received_ns: UTC when each was answered.
        """
        raw = self.unwrapped(ticks, bits)
        coming, fitted_ns, windows = self._two_way.copy(), self._fitted_ns, []
        for sent, tick, received in zip(sent_ns, raw.tolist(), received_ns, strict=True):
            if received < sent or not coming.agrees(sent, tick, received, self._ns_per_tick, _SLACK_NS):
                break
            coming.add(sent, tick, received)
            if _is_due(coming, received - fitted_ns):
                coming.forget(received - int(WINDOW_S * 1e9))
                fitted_ns = received
                windows.append(coming.window())
        self._foresight = Foresight(windows, self._ns_per_tick)

    def _begin_anew(self, evidence: Evidence, odd: list[tuple[int, int, int]]) -> None:
        """The board's clock was set: only the exchanges since then count, and times go on from the last one given."""
        self._odd = []
        self._dating.begin_anew(odd[-1][1], odd[-1][2], self._ns_per_tick)
        evidence.clear()
        for sent_ns, tick, received_ns in odd:
            evidence.add(sent_ns, tick, received_ns)

    def arrived(self, tick: int, now_ns: int) -> None:
        """Take one-way evidence: bytes made at `tick` (unwrapped) are here. Ignored once pings are answered."""
        if len(self._two_way):
            return
        bucket = now_ns // 50_000_000
        if bucket == self._bucket:
            self._one_way.keep_earlier(tick, now_ns, self._ns_per_tick)
            return
        self._bucket = bucket
        self._take(self._one_way, now_ns, tick, now_ns, _BACKLOG_NS)

    def _fit(self, evidence: Evidence, now_ns: int) -> None:
        evidence.forget(now_ns - int(WINDOW_S * 1e9))
        self._fitted_ns = now_ns
        self._line = line = self._foresight.line(evidence.rows(), self._ns_per_tick)
        if line is None:
            tick, t_ns = evidence.best(self._ns_per_tick)
            slope = 0.0
        else:
            tick, t_ns = line.tick, line.t_ns
            usual = max(_PRIOR, abs(line.stretch))
            slope = line.stretch * usual**2 / (usual**2 + line.stretch_error**2)
        self._dating.hold(tick, t_ns, self._ns_per_tick * (1 + round(slope, 9)))

    # ------------------------------------------------------------------ answers

    def to_ns(self, ticks: Int64, now_ns: int) -> Int64:
        """Return UTC of ticks by what is known now.

        Args:
            ticks: int64 `(N,)`, unwrapped, never decreasing.
            now_ns: UTC; no time after it is returned.

        Returns:
            int64 `(N,)`, never decreasing for one stream whose calls are in order.
        """
        if not len(ticks):
            return np.empty(0, np.int64)
        last = int(ticks[-1])
        if not self._dating:
            self._dating.hold(last, now_ns, self._ns_per_tick)
        made = self._dating(ticks)
        if made[-1] <= now_ns + _AHEAD_NS:  # else a damaged tick, which must not fix the line for all ticks before it
            self._dating.saw(last)
        return np.minimum(made, now_ns, out=made)

    def is_plain(self, ticks: UInt64, bits: int, came_ns: Int64) -> bool:
        """Whether ticks of many reads can be taken at once: pings date the clock, and nothing wraps or waits long.

        Args:
            ticks: uint64 `(N,)` as sent.
            bits: Width at which they wrap.
            came_ns: int64 `(N,)`, UTC of the read that brought each.
        """
        if not len(self._two_way) or self._latest is None or not self._dating:
            return False
        if len(ticks) > 1 and bool((ticks[1:] < ticks[:-1]).any()):
            return False
        if bits >= 63:
            return True
        first, last = int(ticks[0]), int(ticks[-1])
        (before, when_ns), wrap = self._latest, 1 << bits
        away = (before - first + wrap // 2) % wrap - wrap // 2
        waited = (int(came_ns[-1]) - when_ns) / self._ns_per_tick
        return max(last - first, abs(away), waited) < wrap // 8

    def unwrapped(self, ticks: UInt64, bits: int) -> Int64:
        """Return ticks for which `is_plain` holds without their wraps, and take nothing."""
        raw = ticks.astype(np.int64)
        if bits < 63 and self._latest is not None:
            wrap = 1 << bits
            raw += (self._latest[0] - raw + wrap // 2) // wrap * wrap
        return raw

    def date_plain(self, ticks: Int64, came_ns: Int64) -> Int64:
        """Return UTC of `unwrapped` ticks that came with many reads, as `unwrap` and `to_ns` give it read by read."""
        last, now_ns = int(ticks[-1]), int(came_ns[-1])
        assert self._latest is not None
        if last > self._latest[0]:  # the time of the first read that brought it
            self._latest = (last, int(came_ns[np.searchsorted(ticks, last)]))
        made = self._dating(ticks)
        if made[-1] <= now_ns + _AHEAD_NS:
            self._dating.saw(last)
        elif len(sane := np.flatnonzero(made <= came_ns + _AHEAD_NS)):
            self._dating.saw(int(ticks[sane[-1]]))
        return np.minimum(made, came_ns, out=made)

    def fit(self, now_ns: int) -> ClockFit | None:
        """Return what is known of the clock, stated for `now_ns`; None before there are `envelope.FEWEST` exchanges."""
        evidence = self._two_way if len(self._two_way) else self._one_way
        if self._line is None:
            return None
        return _state(self._line, evidence, now_ns, self.inferred_wraps)


def _is_due(evidence: Evidence, passed_ns: int) -> bool:
    """Whether a fit is to be made, so long after the one before."""
    return len(evidence) < 3 * FEWEST or passed_ns >= EVERY_S * 1e9


def _state(line: Line, evidence: Evidence, now_ns: int, wraps: int) -> ClockFit:
    per_tick = line.ns_per_tick * (1 + line.stretch)
    tick = line.tick + round((now_ns - line.t_ns) / per_tick)
    t_ns = line.t_ns + round((tick - line.tick) * per_tick)
    reach = line.quantile * line.stretch_error
    # whole-number arithmetic where a tick is a whole number of ns: floats would blur years of ticks
    nominal = tick * int(line.ns_per_tick) if line.ns_per_tick.is_integer() else round(tick * line.ns_per_tick)
    offset = t_ns - nominal
    least = evidence.least_round_trip()
    asymmetry = None if least is None else math.ceil(max(least, line.round_trip_ns) / 2)
    return ClockFit(
        offset_ns=offset, at_ns=now_ns, drift_ppm=_faster(line.stretch), drift_low=_faster(line.stretch + reach),
        drift_high=_faster(line.stretch - reach), uncertainty_ns=math.ceil(line.uncertainty_ns(tick)),
        asymmetry_ns=asymmetry, exchanges=len(evidence),
        inferred_wraps=wraps, span_s=evidence.span_ns() / 1e9,
    )  # fmt: skip


def _faster(stretch: float) -> float:
    """Return by how many ppm the board is fast when its nominal second lasts `1 + stretch` host seconds."""
    return -stretch / (1 + stretch) * 1e6
