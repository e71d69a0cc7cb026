"""The beats of a pulse wave over a recording of any length, channel by channel.

Rule of this room: beats are sought in windows of a minute with some seconds of both neighbours, so that memory is
bounded and no filter's edge is judged; a gap ends a window. Figures are made of them in `ppg`.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hil.measure.beats import Beats, find_beats, pulse_wave, upright
from hil.measure.continuity import Stretch

__all__ = ["ChannelBeats", "Pulses"]

Float = npt.NDArray[np.float64]

_WINDOW_S = 60.0
_EDGE_S = 4.0
_LEAST_S = 6.0
LEAST_RATE_HZ = 20.0
"""Samples a second below which the shape of a pulse is lost."""


@dataclass
class ChannelBeats:
    """Beats of one channel.

    Attributes:
        rows: float64 `(B, 7)` pieces: time (s), height, level, likeness, power, rest, number of the stretch.
        judged_s: Seconds in which beats were sought.
        rising: Whether a pulse raises the readings; None before the first window.
    """

    rows: list[Float] = field(default_factory=list)
    judged_s: float = 0.0
    rising: bool | None = None

    def table(self) -> Float:
        """Return all rows `(B, 7)`."""
        return np.concatenate(self.rows) if self.rows else np.empty((0, 7))


class Pulses:
    """Finds the beats of every channel of a stream.

    Args:
        channels: How many.
        rate_hz: Samples a second.
    """

    def __init__(self, channels: int, rate_hz: float | None) -> None:
        self.rate_hz = rate_hz or 0.0
        self.channels = [ChannelBeats() for _ in range(channels)]
        self._held: Float | None = None
        self._times: Float = np.empty(0)
        self._lead = 0
        self._stretch = 0

    @property
    def fast_enough(self) -> bool:
        """Whether the rate shows the shape of a pulse."""
        return self.rate_hz >= LEAST_RATE_HZ

    def add(self, values: Float, t_s: Float, stretches: list[Stretch]) -> None:
        """Take the next portion `(N, C)` and its times."""
        if not self.fast_enough:
            return
        for stretch in stretches:
            if not stretch.goes_on:
                self.finish()
            part, when = values[stretch.piece], t_s[stretch.piece]
            self._held = part if self._held is None else np.concatenate((self._held, part))
            self._times = np.concatenate((self._times, when))
            self._windows()

    def _windows(self) -> None:
        """Judge all whole windows that are held."""
        core, edge = round(_WINDOW_S * self.rate_hz), round(_EDGE_S * self.rate_hz)
        while self._held is not None and len(self._held) >= self._lead + core + edge:
            self._judge(self._held[: self._lead + core + edge], self._times, self._lead, self._lead + core)
            drop = self._lead + core - edge
            self._held, self._times, self._lead = self._held[drop:], self._times[drop:], edge

    def finish(self) -> None:
        """Judge what is held: a gap follows, or the recording ends."""
        if self._held is not None and len(self._held) - self._lead >= _LEAST_S * self.rate_hz:
            self._judge(self._held, self._times, self._lead, len(self._held))
        self._held, self._times, self._lead = None, np.empty(0), 0
        self._stretch += 1

    def _judge(self, values: Float, times: Float, start: int, stop: int) -> None:
        for place, channel in enumerate(self.channels):
            column = values[:, place]
            channel.judged_s += (stop - start) / self.rate_hz
            if not np.isfinite(column).all() or np.ptp(column) == 0:
                continue
            wave = pulse_wave(column, self.rate_hz)
            if channel.rising is None:
                channel.rising = upright(wave)
            beats = find_beats(wave if channel.rising else -wave, self.rate_hz)
            inside = (beats.at >= start) & (beats.at < stop)
            if inside.any():
                channel.rows.append(self._rows(beats, inside, column, float(times[start]), start))

    def _rows(self, beats: Beats, inside: npt.NDArray[np.bool_], column: Float, t0: float, start: int) -> Float:
        # By the number of the sample from the window's start: stamps may come in bursts.
        when = t0 + (beats.at - start) / self.rate_hz
        half = round(self.rate_hz)
        sums = np.concatenate(([0.0], np.cumsum(column)))
        low = np.clip(np.rint(beats.at).astype(int) - half, 0, len(column) - 1)
        high = np.clip(np.rint(beats.at).astype(int) + half, 1, len(column))
        level = (sums[high] - sums[low]) / (high - low)
        stretch = np.full(len(beats), self._stretch, float)
        rows = np.stack([when, beats.height, level, beats.likeness, beats.power, beats.rest, stretch], axis=1)
        return rows[inside]
