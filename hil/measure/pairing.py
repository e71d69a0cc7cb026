"""Two streams read together, window by window, at common times: what `reference` makes its figures of.

Rule of this room: nothing is put into gaps of either stream; the delay is found first, in windows spread over the
recording, and taken off in the second reading. Memory is that of one window.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.dsp.align import Common, common_times, delay
from hil.dsp.spectrum import coherence, welch
from hil.recording.reader import Recording

__all__ = ["LEAST", "Pair", "find_reference", "pairs_of", "read_pairs"]

Float = npt.NDArray[np.float64]

LEAST = 64
"""Readings at common times below which nothing is judged."""

_WINDOW = 1 << 16
_PARTS = 8
_MOST_DELAYS = 8
_SHOWN = 4000


@dataclass
class Pair:
    """What is added up of one channel and its reference.

    Attributes:
        delays: Value, low, high in seconds, of windows in which the two share a signal.
        sums: float64 `(6,)` of each part of a window: n, sums of reference, own, and their products.
        coherences: Mean and limit of each window.
        shown: Times (s), own and reference readings of the first window.
    """

    delays: list[tuple[float, float, float]] = field(default_factory=list)
    sums: list[Float] = field(default_factory=list)
    coherences: list[tuple[float, float]] = field(default_factory=list)
    shown: tuple[Float, Float, Float] | None = None


def find_reference(recording: Recording, reference: str) -> tuple[tuple[str, str], str | None]:
    """Return board and stream of a reference, and its channel where one is named.

    Raises:
        UsageError: There is none of that name.
    """
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


def pairs_of(stream: Stream, against: Stream, channel: str | None) -> list[tuple[int, int]]:
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


def read_pairs(
    recording: Recording, own: tuple[str, str], other: tuple[str, str], pairs: list[tuple[int, int]],
    start_s: float | None, end_s: float | None,
) -> list[Pair]:  # fmt: skip
    """Read both streams twice, window by window: for the delay, then for what remains once it is taken off."""
    found = [Pair() for _ in pairs]
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
            if good.sum() >= LEAST and good.all() and np.ptp(a) > 0 and np.ptp(b) > 0:
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
    pair: Pair, which: tuple[int, int], recording: Recording, own: tuple[str, str], other: tuple[str, str],
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
    if good.all() and len(x) >= 4 * LEAST and np.ptp(x) > 0 and np.ptp(y) > 0:
        seen = coherence(x, y, both.rate_hz)
        power = welch(x, both.rate_hz, 2 * (len(seen.frequency_hz) - 1)).density[: len(seen.coherence)]
        inner = slice(1, None)
        weighted = float((seen.coherence[inner] * power[inner]).sum() / power[inner].sum())
        pair.coherences.append((weighted, seen.limit))
    if pair.shown is None:
        kept = slice(None, None, max(1, len(x) // _SHOWN))
        pair.shown = (both.t_ns[kept] - recording.start_ns) / 1e9, y[kept], x[kept]
