"""Figures of a pulse wave: beats, heart rate, perfusion, signal to noise, motion artefacts, agreement of channels.

Rule of this room: where no regular pulse is found everything is unknown and says so. Perfusion needs a level that means
light: it is unknown for a wave without one. A beat is an artefact when its shape is not the usual one of its minute or
its height is three times off; time without any beat counts as well.
"""

import math

import numpy as np
import numpy.typing as npt

from hil.measure.figure import Figure
from hil.measure.intervals import NONE, Interval, batch_interval, of_batches, sd_interval, share_interval
from hil.measure.make import Maker
from hil.measure.pulses import LEAST_RATE_HZ, ChannelBeats, Pulses

__all__ = ["ppg_figures"]

Float = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FEWEST = 8
_LIKE = 0.8
_REGULAR = 0.6
_AGREE_S = 0.15
_NO_BEAT_S = 3.0
_KEYS = ("beats", "heart_rate", "perfusion", "signal_to_noise", "motion_artefacts")
_PAIR = ("beat_agreement", "beat_delay", "beat_spread")
_REFERENCE = ("ecg", "reference", "ref")


def ppg_figures(make: Maker, channels: tuple[str, ...], pulses: Pulses) -> list[Figure]:
    """Return the figures of all channels of a pulse stream.

    Args:
        make: Of the stream.
        channels: Names.
        pulses: Their beats.
    """
    if not pulses.fast_enough:
        why = f"{pulses.rate_hz:.3g} Hz are too slow for the shape of a pulse, {LEAST_RATE_HZ:.0f} Hz are needed"
        return [make.unknown(key, why, channel) for channel in channels for key in (*_KEYS, *_PAIR)]
    pulses.finish()
    figures: list[Figure] = []
    good: dict[str, Float] = {}
    for channel, found in zip(channels, pulses.channels, strict=True):
        table = found.table()
        why = _irregular(table, found)
        if why:
            figures += [make.unknown(key, why, channel, n=len(table)) for key in _KEYS]
            continue
        good[channel] = table
        figures += _channel(make, channel, found, table)
    return figures + _agreement(make, channels, good)


def _irregular(table: Float, found: ChannelBeats) -> str:
    if len(table) < _FEWEST:
        return f"{len(table)} beats in {found.judged_s:.0f} s without a gap are too few, {_FEWEST} are needed"
    like = float(np.nanmedian(table[:, 3]))
    if not like >= _REGULAR:
        return f"no regular pulse: a usual beat resembles the mean one by {like:.2f} only, {_REGULAR} is needed"
    return ""


def _artefacts(table: Float) -> Mask:
    usual = float(np.median(table[:, 1]))
    odd: Mask = (table[:, 3] < _LIKE) | (table[:, 1] > 3 * usual) | (table[:, 1] < usual / 3)
    return odd


def _intervals(table: Float, keep: Mask) -> Float:
    """Return the times between neighbouring good beats without a gap between them, seconds."""
    steps = np.diff(table[:, 0])
    both = keep[1:] & keep[:-1] & (np.diff(table[:, 6]) == 0)
    kept: Float = steps[both & (steps > 0.25) & (steps < _NO_BEAT_S)]
    return kept


def _channel(make: Maker, channel: str, found: ChannelBeats, table: Float) -> list[Figure]:
    keep = ~_artefacts(table)
    told = f"{found.judged_s:.0f} s judged; a pulse {'raises' if found.rising else 'lowers'} the readings"
    between = _intervals(table, keep)
    n = len(table)
    figures = [make("beats", n, channel=channel, condition=told, n=n, method="two moving averages (Elgendi)")]
    if len(between) < _FEWEST:
        few = f"{len(between)} undisturbed times between beats are too few"
        return [
            *figures,
            *(make.unknown(key, few, channel) for key in _KEYS[1:4]),
            _motion(make, channel, found, table),
        ]
    rate = 60 / float(np.median(between))
    rates = of_batches(lambda part: 60 / float(np.median(between[part])), len(between))
    varies = f"the time between beats varies by {1e3 * between.std(ddof=1):.0f} ms"
    figures.append(make("heart_rate", rate, *batch_interval(rate, rates), channel=channel, condition=told,
                        n=len(between), method="median time between good beats, batches", note=varies))  # fmt: skip
    return [*figures, _perfusion(make, channel, table[keep]), _noise(make, channel, table, told),
            _motion(make, channel, found, table)]  # fmt: skip


def _perfusion(make: Maker, channel: str, table: Float) -> Figure:
    height, level = table[:, 1], table[:, 2]
    if float(np.median(level)) <= float(np.median(height)):
        return make.unknown("perfusion", "the wave has no level above its pulse: it seems to be AC coupled", channel)
    index = 100 * height / level
    value = float(np.median(index))
    ends = batch_interval(value, of_batches(lambda part: float(np.median(index[part])), len(index)))
    return make("perfusion", value, *ends, channel=channel, n=len(index), method="median of good beats, batches",
                condition="only where no light reads 0; foot to peak within 0.5 to 8 Hz")  # fmt: skip


def _noise(make: Maker, channel: str, table: Float, told: str) -> Figure:
    seen = np.isfinite(table[:, 3])
    power, rest = table[seen, 4], table[seen, 5]

    def ratio(part: slice) -> float:
        above, below = float(power[part].mean()), float(rest[part].mean())
        return 10 * math.log10(above / below) if above > 0 and below > 0 else math.nan

    value = ratio(slice(None))
    ends: Interval = batch_interval(value, of_batches(ratio, len(power)))
    return make("signal_to_noise", value, *ends, channel=channel, condition=f"{told}; artefacts count as noise",
                n=len(power), method="mean pulse against the rest, 0.5 to 8 Hz, batches")  # fmt: skip


def _motion(make: Maker, channel: str, found: ChannelBeats, table: Float) -> Figure:
    odd = _artefacts(table)
    steps = np.diff(table[:, 0], append=table[-1, 0])
    own = np.minimum(steps, float(np.median(steps[:-1])) if len(steps) > 1 else 1.0)
    # Time without a beat is lost as well, beyond what a pause of the heart is.
    silent = np.clip(steps[:-1] - _NO_BEAT_S, 0, None)[np.diff(table[:, 6]) == 0].sum()
    lost = min(found.judged_s, float(own[odd].sum() + silent))
    hits = lost / found.judged_s * len(table)
    return make("motion_artefacts", 100 * lost / found.judged_s, *share_interval(hits, len(table)), channel=channel,
                condition=f"{found.judged_s:.0f} s judged", n=len(table), note=f"{int(odd.sum())} odd beats",
                method=f"likeness below {_LIKE}, height three times off, no beat for {_NO_BEAT_S:.0f} s")  # fmt: skip


def _agreement(make: Maker, channels: tuple[str, ...], good: dict[str, Float]) -> list[Figure]:
    """Return how the beats of each other channel agree with those of the reference channel."""
    if len(channels) < 2:
        return [make.unknown(key, "there is no second channel to compare with", channels[0]) for key in _PAIR]
    named = [channel for channel in channels if channel.lower() in _REFERENCE]
    reference = (named or list(channels))[0]
    others = [channel for channel in channels if channel != reference]
    if reference not in good:
        why = f"the reference {reference} shows no regular pulse"
        return [make.unknown(key, why, channel) for channel in others for key in _PAIR]
    figures = []
    for channel in others:
        if channel not in good:
            figures += [make.unknown(key, "no regular pulse", channel) for key in _PAIR]
            continue
        figures += _pair(make, channel, reference, good[channel][:, 0], good[reference][:, 0])
    return figures


def _pair(make: Maker, channel: str, reference: str, own: Float, other: Float) -> list[Figure]:
    after = np.clip(np.searchsorted(other, own), 1, len(other) - 1)
    nearest = np.where(own - other[after - 1] < other[after] - own, after - 1, after)
    apart = own - other[nearest]
    # A steady delay of the pulse is no disagreement: it is told apart.
    delay = float(np.median(apart))
    match = np.abs(apart - delay) <= _AGREE_S
    hits = len(np.unique(nearest[match]))
    score = 2 * hits / (len(own) + len(other))
    told = f"against {reference}"
    close = apart[match]
    figures = [
        make("beat_agreement", 100 * score, *share_interval(score * len(other), len(other)), channel=channel,
             condition=told, n=len(other), method="F1 of beats within 150 ms, median delay taken off"),
    ]  # fmt: skip
    if len(close) < _FEWEST:
        return [*figures, *(make.unknown(key, f"{len(close)} common beats are too few", channel) for key in _PAIR[1:])]
    spread = 1e3 * float(close.std(ddof=1))
    medians = of_batches(lambda part: 1e3 * float(np.median(close[part])), len(close))
    ends = batch_interval(1e3 * delay, medians)
    return [
        *figures,
        make("beat_delay", 1e3 * delay, *ends, channel=channel, condition=told, n=len(close), method="median, batches"),
        make("beat_spread", spread, *(sd_interval(spread, len(close)) if spread else NONE), channel=channel,
             condition=told, n=len(close), method="standard deviation, chi-squared"),
    ]  # fmt: skip
