"""Figures of a stream for a screen: spectrum, spectrogram, histogram, one channel against another.

Rule of this room: pure, from readings to a `FigureView`. Nothing straddles a gap: a stretch of a spectrum that holds
one is left out, a column of a spectrogram stays empty. What goes in is bounded by `MOST`, and the figure says how much
time that was.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.dsp import segments
from hil.views.figure import HISTOGRAM, SPECTROGRAM, SPECTRUM, XY, Ask, FigureView

__all__ = ["MOST", "Stretch", "figure", "refused"]

MOST = 32768
"""Readings of a channel that go into a figure: the newest."""
LONGEST = 2048
"""Samples of a stretch of a spectrum, at most."""
SHORT = 256
"""Samples of a stretch of a spectrogram, at most."""
MOST_COLUMNS = 240
"""Columns of a spectrogram, at most."""
BINS = 96
"""Bins of a histogram, at most."""
GRID = 160
"""An XY figure keeps one reading in each field of so many by so many."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Readings of a stream of channels over some time.

    Attributes:
        stream: What was sampled.
        raw: `(N, C)` in the wire's dtype.
        t_ns: int64 `(N,)`.
        breaks: int64 `(B,)`, numbers of the samples before which others are missing.
        rate_hz: Samples a second; None while unknown.
        start_ns: Left edge of the time that was asked for.
        end_ns: Right edge.
    """

    stream: Stream
    raw: npt.NDArray[np.generic]
    t_ns: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.int64]
    rate_hz: float | None
    start_ns: int
    end_ns: int


def refused(ask: Ask, sentence: str) -> FigureView:
    """Return a figure that says why there is none."""
    return FigureView(ask, sentence=sentence)


def figure(ask: Ask, stretch: Stretch, columns: int) -> FigureView:
    """Return what was asked for.

    Args:
        ask: What is wanted.
        stretch: The readings.
        columns: Columns of a spectrogram.
    """
    channels = [channel for channel in ask.channels if 0 <= channel < len(stretch.stream.channels)]
    make = _MAKERS.get(ask.kind)
    if make is None or not channels or (ask.kind == XY and len(channels) < 2):
        return refused(ask, "there is no such figure of these channels")
    if ask.kind in (SPECTRUM, SPECTROGRAM) and not stretch.rate_hz:
        return refused(ask, "its rate is not known, so that there is no frequency")
    values = stretch.stream.values(stretch.raw)[:, channels].astype(np.float64)
    if not len(values):
        return refused(ask, "no readings here")
    return make(ask, stretch, values, columns)


def _told(stretch: Stretch) -> dict[str, float]:
    span = float(stretch.t_ns[-1] - stretch.t_ns[0]) / 1e9 if len(stretch.t_ns) else 0.0
    return {"seconds": span, "samples": len(stretch.t_ns)}


def _spectrum(ask: Ask, stretch: Stretch, values: Float64, _: int) -> FigureView:
    rate = float(stretch.rate_hz or 0.0)
    length = segments.segment_length(len(values), LONGEST)
    found = [segments.mean_density(values[:, at], rate, length, stretch.breaks) for at in range(values.shape[1])]
    density = [one for one in found if one is not None]
    if len(density) < len(found):
        return refused(ask, f"{length} readings in a row are needed, and there are not so many yet")
    frequency = segments.frequencies(length, rate)[1:]
    lines = np.sqrt(np.stack(density)[:, 1:])
    top = np.argmax(np.where(np.isfinite(lines), lines, -1.0), axis=1)
    marks = np.stack((frequency[top], lines[np.arange(len(lines)), top]), axis=1)
    return FigureView(ask, _small(frequency), _small(lines), _small(marks), **_told(stretch))  # type: ignore[arg-type]  # a span and a count


def _spectrogram(ask: Ask, stretch: Stretch, values: Float64, columns: int) -> FigureView:
    rate = float(stretch.rate_hz or 0.0)
    count = max(1, min(columns, MOST_COLUMNS))
    within = int((stretch.t_ns >= stretch.start_ns).sum())
    length = segments.segment_length(within, SHORT)
    width = (stretch.end_ns - stretch.start_ns) / count
    middles = stretch.start_ns + (np.arange(count) + 0.5) * width
    # The stretch of a column lies around its middle; one that is not there whole stays empty.
    starts = np.searchsorted(stretch.t_ns, middles.astype(np.int64)) - length // 2
    whole = (starts >= 0) & (starts + length <= len(values))
    ends = np.searchsorted(stretch.breaks, starts + length)
    whole &= ends == np.searchsorted(stretch.breaks, starts, side="right")
    density = np.full((length // 2, count), np.nan)
    if whole.any():
        density[:, whole] = segments.densities(values[:, 0], rate, starts[whole], length)[1:]
    frequency = segments.frequencies(length, rate)[1:]
    sentence = "" if whole.any() else f"{length} readings in a row are needed, and there are not so many yet"
    return FigureView(
        ask, _small(frequency), _small(density), seconds=length / rate, samples=within, start_ns=stretch.start_ns,
        end_ns=stretch.end_ns, sentence=sentence,
    )  # fmt: skip


def _histogram(ask: Ask, stretch: Stretch, values: Float64, _: int) -> FigureView:
    finite = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(finite).all():
        return refused(ask, "no reading here is a number")
    low, high = float(np.nanmin(finite)), float(np.nanmax(finite))
    scales = np.broadcast_to(np.abs(np.asarray(stretch.stream.scale, np.float64)), (len(stretch.stream.channels),))
    steps = {float(scales[channel]) for channel in ask.channels}
    edges = _edges(low, high, steps.pop() if len(steps) == 1 and stretch.raw.dtype.kind in "iu" else 0.0)
    counts = np.stack([np.histogram(column[np.isfinite(column)], edges)[0] for column in finite.T])
    marks = np.stack((np.nanmean(finite, axis=0), np.nanstd(finite, axis=0)), axis=1)
    return FigureView(ask, _small(edges), _small(counts), _small(marks), **_told(stretch))  # type: ignore[arg-type]  # a span and a count


def _edges(low: float, high: float, step: float) -> Float64:
    """Return edges of at most `BINS` bins, whole steps of an integer's scale, so that its grid makes no comb."""
    if step > 0 and (high - low) / step < 64 * BINS:
        number = round((high - low) / step) + 1
        each = math.ceil(number / BINS)
        bins = math.ceil(number / each)
        return low - step / 2 + each * step * np.arange(bins + 1, dtype=np.float64)
    room = (high - low) * 1e-9 or abs(low) * 1e-6 or 1.0
    return np.linspace(low - room, high + room, BINS + 1, dtype=np.float64)


def _xy(ask: Ask, stretch: Stretch, values: Float64, _: int) -> FigureView:
    pairs = values[np.isfinite(values[:, :2]).all(axis=1), :2]
    if not len(pairs):
        return refused(ask, "no reading here is a number")
    low, span = pairs.min(axis=0), np.ptp(pairs, axis=0)
    fields = ((pairs - low) / np.where(span > 0, span, 1.0) * (GRID - 1)).astype(np.int64)
    kept = np.unique(fields @ np.array([GRID, 1]), return_index=True)[1]
    x, y = pairs[np.sort(kept)].T
    return FigureView(ask, _small(x), _small(y[None]), _small(pairs[-1:]), **_told(stretch))  # type: ignore[arg-type]  # a span and a count


def _small(values: Float64 | npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


_MAKERS: Mapping[str, Callable[[Ask, Stretch, Float64, int], FigureView]] = {
    SPECTRUM: _spectrum, SPECTROGRAM: _spectrogram, HISTOGRAM: _histogram, XY: _xy,
}  # fmt: skip
