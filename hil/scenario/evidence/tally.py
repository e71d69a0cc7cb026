"""What is counted of one stream while its samples pass: moments, noise, steps of its clock, in bounded memory.

Rule of this room: results depend on the samples and nothing else. Samples are summed in blocks of a fixed number, so
that the last bit of a mean is the same however the input was cut into batches.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch, Int64
from firmware_bridge.streams import Stream

__all__ = ["ChannelFigures", "StreamTally", "away_from_median", "percentile_of"]

BLOCK = 8192

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """Figures of one channel (of all pixels of an image), in its unit; `noise` None below three samples in a row."""

    minimum: float
    maximum: float
    mean: float
    sd: float
    noise: float | None
    saturation: float


class StreamTally:
    """Counts one stream of one board.

    Args:
        stream: As it was first seen.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.samples = 0
        self.steps: Counter[int] = Counter()
        """How often each step of the board's clock occurred between samples that follow each other."""
        self._next: tuple[int, int] | None = None
        self._tick = 0
        self._ticks: list[tuple[bool, Int64]] = []
        self._held: list[tuple[npt.NDArray[Any], Stream]] = []
        self._starts: list[int] = []
        self._waiting = 0
        self._count = 0
        self._mean = self._m2 = self._low = self._high = self._full = np.zeros(0)
        self._square = np.zeros(0)
        self._triples = 0
        self._tail = np.zeros((0, 0))

    def add(self, batch: Batch) -> None:
        """Count the samples of a batch."""
        if not len(batch):
            return
        follows = self._next == (batch.boot, batch.first)
        self._ticks.append((follows, batch.ticks))
        if not follows:
            self._starts.append(self._waiting)
        self._next = (batch.boot, batch.end)
        self.stream = batch.stream
        self.samples += len(batch)
        self._held.append((batch.raw.reshape(len(batch), -1), batch.stream))
        self._waiting += len(batch)
        if self._waiting >= BLOCK:
            self._sum(BLOCK)

    @property
    def rate_hz(self) -> float | None:
        """Samples a second by the board's clock, None below two in a row."""
        self._count_steps()
        ticks = sum(step * times for step, times in self.steps.items())
        count = sum(self.steps.values())
        return count * (self.stream.tick_hz or 1e9) / ticks if ticks > 0 else None

    def jitter_us(self, share: float) -> float | None:
        """Percentile of |step less the median step|, us."""
        self._count_steps()
        found = percentile_of(away_from_median(self.steps), share)
        return None if found is None else found * 1e6 / (self.stream.tick_hz or 1e9)

    def figures(self) -> dict[str, ChannelFigures]:
        """Return the figures of every channel."""
        if self._waiting:
            self._sum(self._waiting)
        if not self._count:
            return {}
        names = self.stream.channels[:1] if self.stream.is_image else self.stream.channels
        found = {}
        for at, name in enumerate(names):
            pick = slice(None) if self.stream.is_image else slice(at, at + 1)
            mean = float(self._mean[pick].mean())
            spread = float((self._m2[pick] / self._count + (self._mean[pick] - mean) ** 2).mean())
            noise = float(np.sqrt(self._square[pick].mean() / self._triples / 6.0)) if self._triples else None
            full = float(self._full[pick].mean()) / self._count * 100.0
            found[name] = ChannelFigures(
                float(self._low[pick].min()), float(self._high[pick].max()), mean, spread**0.5, noise, full
            )
        return found

    def _sum(self, size: int) -> None:
        """Sum up the first `size` waiting samples, as often as there are so many."""
        self._count_steps()
        values = np.concatenate([_scaled(raw, stream) for raw, stream in self._held])
        ends = np.concatenate([_at_end(raw) for raw, _ in self._held])
        done = 0
        while self._waiting - done >= size:
            starts = np.array([at - done for at in self._starts if done <= at < done + size], dtype=np.int64)
            self._block(values[done : done + size], ends[done : done + size], starts)
            done += size
        self._starts = [at - done for at in self._starts if at >= done]
        self._held = _rest(self._held, done)
        self._waiting -= done

    def _count_steps(self) -> None:
        """Count the steps between the ticks that wait; many batches at once, because a batch may be one sample."""
        if not self._ticks:
            return
        ticks = np.concatenate([part for _, part in self._ticks])
        begins = np.cumsum([0, *(len(part) for _, part in self._ticks[:-1])])
        kept = np.ones(len(ticks), dtype=np.bool_)
        kept[begins[[not follows for follows, _ in self._ticks]]] = False
        steps = np.diff(ticks, prepend=self._tick)[kept]
        for step, times in zip(*np.unique(steps, return_counts=True), strict=True):
            self.steps[int(step)] += int(times)
        self._tick, self._ticks = int(ticks[-1]), []

    def _block(self, values: Floats, ends: Floats, starts: npt.NDArray[np.int64]) -> None:
        size, width = values.shape
        if not self._count:
            self._mean, self._m2, self._full = np.zeros(width), np.zeros(width), np.zeros(width)
            self._low, self._high = np.full(width, np.inf), np.full(width, -np.inf)
            self._square, self._tail = np.zeros(width), np.zeros((0, width))
        mean = values.mean(axis=0)
        m2 = ((values - mean) ** 2).sum(axis=0)
        total = self._count + size
        away = mean - self._mean
        self._mean = self._mean + away * (size / total)
        self._m2 = self._m2 + m2 + away**2 * (self._count * size / total)
        self._count = total
        self._low, self._high = np.minimum(self._low, values.min(axis=0)), np.maximum(self._high, values.max(axis=0))
        self._full = self._full + ends.sum(axis=0)
        self._second_differences(values, starts)

    def _second_differences(self, values: Floats, starts: npt.NDArray[np.int64]) -> None:
        tail = len(self._tail)
        joined = np.concatenate([self._tail, values])
        begins = np.zeros(len(joined), dtype=np.bool_)
        begins[starts + tail] = True
        if len(joined) >= 3:
            whole = ~(begins[1:-1] | begins[2:])
            second = joined[2:] - 2.0 * joined[1:-1] + joined[:-2]
            self._square = self._square + (second[whole] ** 2).sum(axis=0)
            self._triples += int(whole.sum())
        keep = min(2, len(joined) - (int(np.flatnonzero(begins)[-1]) if begins.any() else 0))
        self._tail = joined[len(joined) - keep :]


def away_from_median(counts: Counter[int]) -> Counter[float]:
    """Return how often each distance from the median occurs."""
    median = percentile_of(counts, 0.5)
    away: Counter[float] = Counter()
    for value, times in counts.items():
        away[abs(value - (median or 0.0))] += times
    return away


def percentile_of(counts: Counter[Any], share: float) -> float | None:
    """Return the least value that at least `share` of the counted ones do not exceed; None where there are none."""
    total = sum(counts.values())
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= share * total:
            return float(value)
    return None


def _scaled(raw: npt.NDArray[Any], stream: Stream) -> Floats:
    scaled: Floats = raw.astype(np.float64) * np.asarray(stream.scale) + np.asarray(stream.offset)
    return scaled


def _at_end(raw: npt.NDArray[Any]) -> Floats:
    if raw.dtype.kind not in "iu":
        return np.zeros(raw.shape)
    ends = np.iinfo(raw.dtype)
    at_end: Floats = (((raw == ends.min) & (ends.min != 0)) | (raw == ends.max)).astype(np.float64)
    return at_end


def _rest(held: list[tuple[npt.NDArray[Any], Stream]], done: int) -> list[tuple[npt.NDArray[Any], Stream]]:
    rest = []
    for raw, stream in held:
        if done < len(raw):
            rest.append((raw[done:], stream))
        done = max(0, done - len(raw))
    return rest
