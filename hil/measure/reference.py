"""A stream against a reference stream: delay, gain, offset, differences, coherence.

Rule of this room: window by window over the time both have, so that memory is bounded; nothing is put into gaps of
either. The delay is taken off before anything else is judged, with one value for the whole recording. Intervals are by
batches of windows' parts, because differences depend on their neighbours. Differences are judged only in equal units.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Stream
from firmware_bridge.errors import UsageError
from hil.dsp.align import Common, common_times, delay
from hil.dsp.spectrum import coherence, welch
from hil.measure.figure import Figure, PlotData
from hil.measure.intervals import NONE, batch_interval
from hil.measure.make import Maker
from hil.recording.reader import Recording

__all__ = ["compare_streams"]

Float = npt.NDArray[np.float64]

_WINDOW = 1 << 16
_PARTS = 8
_LEAST = 64
_MOST_DELAYS = 8
_SHOWN = 4000
_KEYS = ("delay", "gain", "offset", "rmse", "agreement_bias", "agreement_low", "agreement_high", "coherence")


@dataclass
class _Pair:
    """What is added up of one channel and its reference."""

    delays: list[tuple[float, float, float]] = field(default_factory=list)
    sums: list[Float] = field(default_factory=list)
    coherences: list[tuple[float, float]] = field(default_factory=list)
    shown: tuple[Float, Float, Float] | None = None


def compare_streams(
    recording: Recording, wanted: Sequence[tuple[str, str]], reference: str, start_s: float | None, end_s: float | None
) -> tuple[list[Figure], dict[str, PlotData]]:
    """Return the figures of every wanted stream against the reference.

    Args:
        recording: The recording.
        wanted: `(board, stream)` to compare; the reference itself is left out.
        reference: `BOARD/STREAM`, `STREAM` or either with `/CHANNEL`.
        start_s: From this time on.
        end_s: Before this time.

    Raises:
        UsageError: There is no such reference.
    """
    key, channel = _find(recording, reference)
    figures: list[Figure] = []
    plots: dict[str, PlotData] = {}
    against = recording.stream(*key).stream
    for board, name in wanted:
        stream = recording.stream(board, name).stream
        if (board, name) == key or stream.is_image:
            continue
        make = Maker(board, stream)
        pairs = _pairs(stream, against, channel)
        if not pairs:
            why = f"no channel of {reference} belongs to it: name one as BOARD/STREAM/CHANNEL"
            figures += [make.unknown(key_, why, stream.channels[0]) for key_ in _KEYS]
            continue
        found = _read(recording, (board, name), key, pairs, start_s, end_s)
        for (own, other), pair in zip(pairs, found, strict=True):
            told = f"against {key[0]}/{key[1]}/{against.channels[other]}"
            same = stream.units[own] == against.units[other]
            figures += _figures(make, stream.channels[own], pair, told, same)
            if pair.shown is not None:
                t_s, mine, theirs = pair.shown
                plots[f"overlay.{board}.{name}.{stream.channels[own]}"] = PlotData(
                    "overlay", told, make.place, stream.channels[own], "time, s", f"reading, {stream.units[own]}",
                    {"x": t_s, "y": mine, "reference": theirs},
                )  # fmt: skip
    return figures, plots


def _find(recording: Recording, reference: str) -> tuple[tuple[str, str], str | None]:
    there = list(dict.fromkeys((known.board, known.stream.name) for known in recording.streams()))
    for board, name in there:
        for spelt in (f"{board}/{name}", name):
            if reference == spelt:
                return (board, name), None
            channels = recording.stream(board, name).stream.channels
            if reference.startswith(f"{spelt}/") and reference[len(spelt) + 1 :] in channels:
                return (board, name), reference[len(spelt) + 1 :]
    names = ", ".join(f"{board}/{name}" for board, name in there)
    raise UsageError(f"there is no reference {reference}", str(recording.path), f"streams are {names}")


def _pairs(stream: Stream, against: Stream, channel: str | None) -> list[tuple[int, int]]:
    """Return which channel is compared with which: by name, else one with all, else in order."""
    if channel is not None:
        return [(own, against.channels.index(channel)) for own in range(len(stream.channels))]
    named = [
        (own, against.channels.index(name)) for own, name in enumerate(stream.channels) if name in against.channels
    ]
    if named:
        return named
    if len(against.channels) == 1:
        return [(own, 0) for own in range(len(stream.channels))]
    same = len(stream.channels) == len(against.channels)
    return [(own, own) for own in range(len(stream.channels))] if same else []


def _read(
    recording: Recording, own: tuple[str, str], other: tuple[str, str], pairs: list[tuple[int, int]],
    start_s: float | None, end_s: float | None,
) -> list[_Pair]:  # fmt: skip
    """Read both streams twice, window by window: for the delay, then for what remains once it is taken off."""
    found = [_Pair() for _ in pairs]
    rates = [recording.stream(*key).stream.rate_hz or 1.0 for key in (own, other)]
    window = _WINDOW / max(rates)
    start = start_s or 0.0
    end = min(math.inf if end_s is None else end_s, recording.duration_s + 1e-9)
    starts = np.arange(start, end, window)
    chosen = starts[:: max(1, len(starts) // _MOST_DELAYS)]
    for low in chosen.tolist():
        both = _common(recording, own, other, low, min(end, low + window), 0)
        if both is None:
            continue
        for pair, (mine, theirs) in zip(found, pairs, strict=True):
            a, b = both.second[:, theirs], both.first[:, mine]
            good = np.isfinite(a) & np.isfinite(b)
            if good.sum() >= _LEAST and good.all() and np.ptp(a) > 0 and np.ptp(b) > 0:
                one = delay(a, b, both.rate_hz)
                if one.known:
                    pair.delays.append((one.seconds, one.low, one.high))
    for pair, which in zip(found, pairs, strict=True):
        shift = float(np.median([one[0] for one in pair.delays])) if pair.delays else 0.0
        for low in starts.tolist():
            _window(pair, which, recording, own, other, low, min(end, low + window), shift)
    return found


def _common(
    recording: Recording, own: tuple[str, str], other: tuple[str, str], low: float, high: float, shift: int
) -> Common | None:
    """Return both streams at common times, the own one earlier by `shift` ns; None where they share none."""
    mine, theirs = recording.read(*own, low, high), recording.read(*other, low, high)
    if len(mine) < 2 or len(theirs) < 2:
        return None
    try:
        return common_times(mine.t_ns - shift, mine.values, theirs.t_ns, theirs.values)
    except ValueError:
        return None


def _window(
    pair: _Pair, which: tuple[int, int], recording: Recording, own: tuple[str, str], other: tuple[str, str],
    low: float, high: float, shift_s: float,
) -> None:  # fmt: skip
    both = _common(recording, own, other, low, high, round(shift_s * 1e9))
    if both is None:
        return
    y, x = both.first[:, which[0]], both.second[:, which[1]]
    good = np.isfinite(x) & np.isfinite(y)
    if good.sum() < 2:
        return
    for part in np.array_split(np.flatnonzero(good), _PARTS):
        if len(part):
            a, b = x[part], y[part]
            pair.sums.append(np.array([len(part), a.sum(), b.sum(), (a * a).sum(), (a * b).sum(), (b * b).sum()]))
    if good.all() and len(x) >= 4 * _LEAST and np.ptp(x) > 0 and np.ptp(y) > 0:
        seen = coherence(x, y, both.rate_hz)
        power = welch(x, both.rate_hz, 2 * (len(seen.frequency_hz) - 1)).density[: len(seen.coherence)]
        inner = slice(1, None)
        weighted = float((seen.coherence[inner] * power[inner]).sum() / power[inner].sum())
        pair.coherences.append((weighted, seen.limit))
    if pair.shown is None:
        kept = slice(None, None, max(1, len(x) // _SHOWN))
        pair.shown = (both.t_ns[kept] - recording.start_ns) / 1e9, y[kept], x[kept]


def _line(sums: Float) -> tuple[float, float]:
    """Return gain and offset of the regression on the reference."""
    n, a, b, aa, ab, _ = sums
    spread = aa - a * a / n
    gain = float((ab - a * b / n) / spread) if spread > 0 else math.nan
    return gain, float(b / n - gain * a / n)


def _difference(sums: Float) -> tuple[float, float]:
    """Return mean and mean square of own less reference."""
    n, a, b, aa, ab, bb = sums
    return float((b - a) / n), float((bb - 2 * ab + aa) / n)


def _figures(make: Maker, channel: str, pair: _Pair, told: str, same: bool) -> list[Figure]:
    total = np.sum(pair.sums, axis=0) if pair.sums else np.zeros(6)
    n = int(total[0])
    if n < _LEAST:
        why = f"{n} readings at common times are too few ({told})"
        return [make.unknown(key, why, channel) for key in _KEYS]
    figures = [_delay(make, channel, pair, told)]
    groups = [np.sum(group, axis=0) for group in np.array_split(np.array(pair.sums), min(24, len(pair.sums)))]
    gain, offset = _line(total)
    lines = [_line(group) for group in groups]
    after = f"{told}, delay taken off"
    method = "least squares, batches"
    figures += [
        make("gain", gain, *batch_interval(gain, [one[0] for one in lines]), channel=channel, condition=after, n=n,
             method=method),
        make("offset", offset, *batch_interval(offset, [one[1] for one in lines]), channel=channel, condition=after,
             n=n, method=method),
    ]  # fmt: skip
    figures += _agreement(make, channel, total, groups, after) if same else [
        make.unknown(key, f"its unit is another than the reference's ({told})", channel) for key in _KEYS[3:7]
    ]  # fmt: skip
    if not pair.coherences:
        return [*figures, make.unknown("coherence", "no stretch common to both is without a gap", channel)]
    values = [one[0] for one in pair.coherences]
    mean = float(np.mean(values))
    figures.append(make("coherence", mean, *(batch_interval(mean, values) if len(values) > 1 else NONE), n=n,
                        channel=channel, condition=after, method="Welch, weighted by the reference's power",
                        note=f"unrelated streams stay below {pair.coherences[0][1]:.2f}"))  # fmt: skip
    return figures


def _delay(make: Maker, channel: str, pair: _Pair, told: str) -> Figure:
    if not pair.delays:
        return make.unknown("delay", f"the two share no signal beyond chance ({told})", channel)
    values = np.array([one[0] for one in pair.delays]) * 1e3
    value = float(np.median(values))
    ends = batch_interval(value, values)
    if ends == NONE:
        low, high = (1e3 * float(np.median([one[place] for one in pair.delays])) for place in (1, 2))
        ends = low, high
    return make("delay", value, *ends, channel=channel, condition=told, n=len(values),
                method="phase of the cross-spectrum, stretches")  # fmt: skip


def _agreement(make: Maker, channel: str, total: Float, groups: list[Float], told: str) -> list[Figure]:
    """Return RMSE and Bland-Altman limits."""
    n = int(total[0])
    bias, square = _difference(total)
    parts = [_difference(group) for group in groups]
    spread = math.sqrt(max(square - bias * bias, 0.0))
    spreads = [math.sqrt(max(one[1] - one[0] ** 2, 0.0)) for one in parts]
    rmse = math.sqrt(square)
    figures = [
        make("rmse", rmse, *batch_interval(rmse, [math.sqrt(one[1]) for one in parts]), channel=channel,
             condition=told, n=n, method="root mean square, batches"),
        make("agreement_bias", bias, *batch_interval(bias, [one[0] for one in parts]), channel=channel,
             condition=told, n=n, method="Bland-Altman, batches"),
    ]  # fmt: skip
    for key, sign in (("agreement_low", -1.96), ("agreement_high", 1.96)):
        limit = bias + sign * spread
        ends = batch_interval(
            limit, [one[0] + sign * wide for one, wide in zip(parts, spreads, strict=True)]
        )  # fmt: skip
        figures.append(make(key, limit, *ends, channel=channel, condition=told, n=n,
                            method="mean difference and 1.96 standard deviations, batches"))  # fmt: skip
    return figures
