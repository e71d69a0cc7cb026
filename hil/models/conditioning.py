"""A stream of other units, axes or rate becomes the one that a model reads: batch in, batch out.

Rule of this room: the same numbers, to the last bit, however the samples were split into batches, live or offline.
Columns, signs and units only change scale and offset, so that readings stay raw. Resampling is a causal polyphase FIR
filter whose phase follows the sample number: output `m` is made when sample `(m + 1) * down // up - 1` is there, of it
and of those before it, tap after tap in one order. After a gap nothing comes until the filter has seen as many
samples as it has taps; what is missed meanwhile shows as a gap of the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Event, Gap
from firmware_bridge.streams import Stream
from hil.measure.units import conversion
from hil.models.data_config import Conditioning

__all__ = ["Conditioned", "Wanted", "conditioned_stream", "ratio_of", "source_of"]

Float = npt.NDArray[np.float64]

MOST = 1000
"""Largest factor of a resampling: beyond it two rates are not simply related, and the filter would be endless."""

_HALF = 10
"""Periods of the slower rate on each side of the filter's middle."""

Wanted = Sequence[tuple[str, str]]
"""Channel and unit of what a model reads, in its order."""


def ratio_of(rate_hz: float, wanted_hz: float) -> Fraction | None:
    """Return the factor from one rate to another; None where whole numbers up to `MOST` do not give it."""
    found = Fraction(wanted_hz / rate_hz).limit_denominator(MOST)
    if not found or found.numerator > MOST or abs(float(found) * rate_hz / wanted_hz - 1.0) > 1e-6:
        return None
    return found


def source_of(number: int, ratio: Fraction) -> int:
    """Return the sample that completed the resampled sample `number`."""
    return (number + 1) * ratio.denominator // ratio.numerator - 1


def conditioned_stream(
    stream: Stream, wanted: Wanted, rate_hz: float, how: Conditioning, where: str
) -> tuple[Stream, tuple[int, ...], Fraction | None]:
    """Return the stream as the model reads it, the column of each of its channels, and the factor of a resampling.

    Raises:
        UsageError: A channel is missing, a unit does not convert, or the rate cannot be reached.
    """
    if stream.is_image:
        raise UsageError("it sends images, which are not conditioned", where, "name another stream")
    every = len(stream.channels)
    scale, offset = (np.broadcast_to(np.asarray(given, np.float64), every) for given in (stream.scale, stream.offset))
    columns, factors = [], []
    for channel, unit in wanted:
        source = how.axes.get(channel, channel)
        name = source.removeprefix("-")
        if stream.channels.count(name) != 1:
            has = ", ".join(stream.channels)
            raise UsageError(f"it has no one channel {name} (it has {has})", where, "correct conditioning.axes")
        column = stream.channels.index(name)
        factor = conversion(stream.units[column], unit)
        if stream.units[column] != unit and (how.units == "exact" or factor is None or _differ(stream, column, unit)):
            found = f"channel {name} is in {stream.units[column]!r} and is wanted in {unit!r}"
            raise UsageError(found, where, 'give the unit in a board file, or set conditioning.units = "convert"')
        columns.append(column)
        factors.append((factor or 1.0) * (-1.0 if source.startswith("-") else 1.0))
    if stream.rate_hz is None:
        raise UsageError("its rate is unknown", where, "give rate_hz in a board file")
    made = replace(
        stream,
        channels=tuple(channel for channel, _ in wanted),
        units=tuple(unit for _, unit in wanted),
        shape=(len(columns),),
        scale=tuple(float(scale[at] * factor) for at, factor in zip(columns, factors, strict=True)),
        offset=tuple(float(offset[at] * factor) for at, factor in zip(columns, factors, strict=True)),
    )
    if how.rate == "exact" or abs(stream.rate_hz / rate_hz - 1.0) < 1e-9:
        return made, tuple(columns), None
    ratio = ratio_of(stream.rate_hz, rate_hz)
    if ratio is None:
        found = f"it runs at {stream.rate_hz:g} Hz, from which {rate_hz:g} Hz cannot be made"
        raise UsageError(found, where, "set the board's rate, or give its nominal rate_hz in a board file")
    return replace(made, rate_hz=rate_hz, dtype="<f4", scale=(1.0,), offset=(0.0,)), tuple(columns), ratio


def _differ(stream: Stream, column: int, unit: str) -> bool:
    """Whether two units of temperature have another zero: only sizes are converted, and K is no degC."""
    return {stream.units[column], unit} & {"K", "mK"} != set() and {stream.units[column], unit} & {
        "degC",
        "°C",
    } != set()


class Conditioned:
    """Conditions one stream of one board.

    Args:
        stream: As the board sends it.
        wanted: Channels and units of the model.
        rate_hz: Its rate.
        how: What may be done.
        where: For messages.

    Raises:
        UsageError: See `conditioned_stream`.
    """

    def __init__(self, stream: Stream, wanted: Wanted, rate_hz: float, how: Conditioning, where: str) -> None:
        self.source = stream
        self.stream, self.columns, self.ratio = conditioned_stream(stream, wanted, rate_hz, how, where)
        self._plain = conditioned_stream(stream, wanted, stream.rate_hz or 0.0, how, where)[0]  # values before a filter
        self._taps = np.zeros((1, 1)) if self.ratio is None else _taps(self.ratio.numerator, self.ratio.denominator)
        self._held = np.zeros((0, len(self.columns)))
        self._next, self._boot = -1, -1

    @property
    def taps(self) -> int:
        """Samples that a resampled one is made of."""
        return int(self._taps.shape[1])

    def cut(self) -> None:
        """Forget what came before: the next sample follows a gap."""
        self._next = -1

    def event(self, event: Event) -> Event:
        """Return an event as it is in numbers of the conditioned stream."""
        if not isinstance(event, Gap) or event.stream != self.source.name:
            return event
        self.cut()
        if self.ratio is None or event.count is None:
            return event if self.ratio is None else replace(event, first=self._after(event.first))
        first = self._after(event.first)
        return replace(event, first=first, count=self._after(event.first + event.count) - first)

    def batch(self, batch: Batch) -> Batch | None:
        """Return a batch as the model reads it; None where it completes no sample."""
        raw = np.ascontiguousarray(batch.raw[:, self.columns])
        if self.ratio is None:
            raw.flags.writeable = False
            return replace(batch, stream=self.stream, raw=raw)
        # float64 all the way: rounding comes once, after the filter.
        values = raw.astype(np.float64) * np.asarray(self._plain.scale) + np.asarray(self._plain.offset)
        if batch.first != self._next or batch.boot != self._boot:
            self._held = values[:0]
        values = np.concatenate((self._held, values))
        begin, end = batch.end - len(values), batch.end  # numbers of `values`
        up, down, taps = self.ratio.numerator, self.ratio.denominator, self._taps.shape[1]
        made = np.arange(self._after(max(begin + taps - 1, batch.first)), self._after(end))
        phase = (made + 1) * down - up
        newest = phase // up
        summed = np.zeros((len(made), values.shape[1]))
        for tap in range(taps):
            summed += self._taps[phase % up, tap, None] * values[newest - tap - begin]
        self._held, self._next, self._boot = values[max(len(values) - taps + 1, 0) :], end, batch.boot
        if not len(made):
            return None
        at = newest - batch.first
        out = summed.astype(np.float32)
        out.flags.writeable = False
        return replace(
            batch, stream=self.stream, first=int(made[0]), ticks=batch.ticks[at], t_ns=batch.t_ns[at], raw=out
        )

    def _after(self, number: int) -> int:
        """Return the first resampled sample that sample `number`, or a later one, completes."""
        assert self.ratio is not None
        return -(-(number + 1) * self.ratio.numerator // self.ratio.denominator) - 1


@lru_cache(maxsize=32)
def _taps(up: int, down: int) -> Float:
    """Return the filter as `(up, taps)`, one branch a phase, each of sum 1: what rests stays what it is."""
    widest = max(up, down)
    place = np.arange(-_HALF * widest, _HALF * widest + 1)
    prototype = np.sinc(place / widest) * np.kaiser(len(place), 5.0)
    padded = np.zeros(-(-len(prototype) // up) * up)
    padded[: len(prototype)] = prototype
    branches = padded.reshape(-1, up).T
    found: Float = branches / branches.sum(axis=1, keepdims=True)
    return found
