"""Which stream of a board takes the recorded readings, and how their raw values look in its scale.

Rule of this room: pure. A stream fits where shape and units agree; a different dtype or scale is converted, to the
nearest step, and what the board's range cannot hold is cut at its end and counted. Nothing is resampled and no axis
moved: where nothing fits, a sentence says what is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import BoardInfo, Stream
from hil.stimulus.readings import Readings

__all__ = ["Fit", "fit"]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A stream that takes the readings.

    Attributes:
        stream: Of the board.
        readings: What is pushed.
        raw: `(N, *shape)` in the board's dtype and scale, read-only.
        exact: Whether the values are the recorded ones, bit for bit.
        cut: Values that the board's range cannot hold.
    """

    stream: Stream
    readings: Readings
    raw: npt.NDArray[Any]
    exact: bool
    cut: int


def fit(given: Sequence[Readings], info: BoardInfo) -> Fit | str:
    """Return the best fit of recorded streams and a board's, or one sentence why there is none.

    Args:
        given: Streams of the recorded board.
        info: Who the board is.
    """
    if info.dialect != "native":
        return (
            f"readings cannot be pushed into {info.model}: its dialect ({info.dialect}) has no INJECT, "
            "only boards of the native protocol take samples in place of their sensor's"
        )
    pairs = [(one, stream) for one in given for stream in info.streams if _agrees(one.stream, stream)]
    if not pairs:
        there = ", ".join(_told(stream) for stream in info.streams) or "none"
        recorded = ", ".join(_told(one.stream) for one in given)
        return f"no stream of {info.model} fits the recorded readings: it has {there}, and recorded is {recorded}"
    readings, stream = max(pairs, key=lambda pair: _likeness(pair[0].stream, pair[1]))
    raw, cut = _converted(readings, stream)
    raw.flags.writeable = False
    return Fit(stream, readings, raw, _same_numbers(readings.stream, stream), cut)


def _agrees(recorded: Stream, stream: Stream) -> bool:
    return recorded.shape == stream.shape and recorded.units == stream.units


def _likeness(recorded: Stream, stream: Stream) -> tuple[bool, ...]:
    """Return what makes a fit better, the weightiest first."""
    return recorded.name == stream.name, recorded.channels == stream.channels, _same_numbers(recorded, stream)


def _same_numbers(recorded: Stream, stream: Stream) -> bool:
    def numbers(one: Stream) -> tuple[Any, ...]:
        scale, offset = (np.broadcast_to(part, len(one.channels)).tolist() for part in (one.scale, one.offset))
        return np.dtype(one.dtype), scale, offset

    return numbers(recorded) == numbers(stream)


def _converted(readings: Readings, stream: Stream) -> tuple[npt.NDArray[Any], int]:
    recorded = readings.stream
    if _same_numbers(recorded, stream):
        return np.array(readings.raw), 0
    values = readings.raw.astype(np.float64) * np.asarray(recorded.scale) + np.asarray(recorded.offset)
    steps = (values - np.asarray(stream.offset)) / np.asarray(stream.scale)
    dtype = np.dtype(stream.dtype)
    if dtype.kind == "f":
        return steps.astype(dtype), 0
    ends = np.iinfo(dtype)
    nearest = np.rint(steps)
    held = np.clip(nearest, ends.min, ends.max)
    # Of 64 bits the last steps have no double of their own; casting a bound up would wrap around.
    safe = np.minimum(held, np.nextafter(float(ends.max), 0.0)) if dtype.itemsize == 8 else held
    return safe.astype(dtype), int((nearest != held).sum())


def _told(stream: Stream) -> str:
    units = "/".join(dict.fromkeys(stream.units))
    return f"{stream.name} {'x'.join(map(str, stream.shape))} in {units}"
