"""A stream against a reference stream: delay, gain, offset, differences, coherence.

Rule of this room: window by window over the time both have, so that memory is bounded; nothing is put into gaps of
either. The delay is taken off before anything else is judged, with one value for the whole recording. Intervals are by
batches of windows' parts, because differences depend on their neighbours. Differences are judged only in equal units.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hil.measure.figure import Figure, PlotData
from hil.measure.intervals import NONE, batch_interval
from hil.measure.make import Maker
from hil.measure.pairing import LEAST, Pair, find_reference, pairs_of, read_pairs
from hil.recording.reader import Recording

__all__ = ["compare_streams"]

Float = npt.NDArray[np.float64]

_KEYS = ("delay", "gain", "offset", "rmse", "agreement_bias", "agreement_low", "agreement_high", "coherence")


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
    key, channel = find_reference(recording, reference)
    figures: list[Figure] = []
    plots: dict[str, PlotData] = {}
    against = recording.stream(*key).stream
    for board, name in wanted:
        stream = recording.stream(board, name).stream
        if (board, name) == key or stream.is_image:
            continue
        make = Maker(board, stream)
        pairs = pairs_of(stream, against, channel)
        if not pairs:
            why = f"no channel of {reference} belongs to it: name one as BOARD/STREAM/CHANNEL"
            figures += [make.unknown(key_, why, stream.channels[0]) for key_ in _KEYS]
            continue
        found = read_pairs(recording, (board, name), key, pairs, start_s, end_s)
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


def _figures(make: Maker, channel: str, pair: Pair, told: str, same: bool) -> list[Figure]:
    total = np.sum(pair.sums, axis=0) if pair.sums else np.zeros(6)
    n = int(total[0])
    if n < LEAST:
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


def _delay(make: Maker, channel: str, pair: Pair, told: str) -> Figure:
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
