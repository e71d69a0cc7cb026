"""What of A and B may be compared: the same unit, rate, range and condition, and figures that do not grow with time.

Rule of this room: every refusal says what to record instead. A whole stream is refused where the readings themselves
mean something else (unit, rate, range); single figures are refused where only their condition differs.
"""

from dataclasses import dataclass

import numpy as np

from firmware_bridge.streams import Stream
from hil.measure.catalogue import METRICS
from hil.measure.comparison import Ruling
from hil.measure.figure import Figure

__all__ = ["Pair", "figure_refusal", "full_scale", "stream_refusal"]

_RATE = 0.02
"""Nominal rates further apart than this are different settings, not different clocks."""
_LONGER = 0.1
"""Durations further apart than this spoil figures that grow with time."""
_MOVED = 20.0
"""Shares of rest (in percent) further apart than this are different conditions."""

GROWING = frozenset({
    "minimum", "maximum", "codes_used", "missing_codes", "gaps", "reboots", "samples_lost", "longest_stuck", "beats",
    "peaks", "poses", "jitter_worst", "deviation_least", "warm_up", "turned",
})  # fmt: skip
"""Metrics that depend on how long was recorded."""

SHOWN_ONLY = {
    "deviation_least": "it is the least point of a curve, picked by chance; judge noise_density and bias_instability",
    "rate": "its interval leaves out the board's clock; judge drift",
    "stuck": "runs of equal readings come together and are no independent draws; see longest_stuck and codes_used",
}
"""Metrics whose intervals are no ground for a verdict, and what to look at instead."""

_STILL_SOURCES = ("tick", "numbers", "ledger", "clock", "events", "times", "exchange", "at rest", "rest detection",
                  "calibration", "slope", "noise density", "codes")  # fmt: skip
"""Sources of figures that do not depend on how the board is moved (or are taken at rest only)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The circumstances under which a stream was measured on both sides.

    Attributes:
        stream: Name of the stream; empty for figures of the whole board.
        length: Seconds recorded, A and B.
        rest: Share of the time at rest in percent, A and B; None where it is not known.
    """

    stream: str
    length: tuple[float, float]
    rest: tuple[float | None, float | None] = (None, None)


def full_scale(stream: Stream) -> tuple[tuple[float, float], ...] | None:
    """Return the range of every channel in its unit; None where readings are floating-point and have no range."""
    kind = np.dtype(stream.dtype)
    if kind.kind not in "iu":
        return None
    ends = np.array([np.iinfo(kind).min, np.iinfo(kind).max], np.float64)
    scale = np.broadcast_to(np.asarray(stream.scale, np.float64), (len(stream.channels),))
    offset = np.broadcast_to(np.asarray(stream.offset, np.float64), (len(stream.channels),))
    return tuple((float(low), float(high)) for low, high in np.outer(scale, ends) + offset[:, None])


def stream_refusal(a: Stream, b: Stream) -> Ruling | None:
    """Return why two streams cannot be compared at all, None where they can."""
    shared = [name for name in b.channels if name in a.channels]
    if a.shape != b.shape and (a.is_image or b.is_image):
        what = f"a frame is {_by(a.shape)} in A and {_by(b.shape)} in B"
        return Ruling(b.name, what, "record both with the same resolution")
    if not shared:
        what = f"no channel is the same: A has {', '.join(a.channels)}, B has {', '.join(b.channels)}"
        return Ruling(b.name, what, "record the same channels, or import one of them with other names")
    units = [(name, a.units[a.channels.index(name)], b.units[b.channels.index(name)]) for name in shared]
    for name, one, other in units:
        if one != other:
            what = f"{name} is in {one} in A and in {other} in B"
            return Ruling(b.name, what, "decode or import one of them with the unit of the other")
    if a.rate_hz and b.rate_hz and abs(b.rate_hz / a.rate_hz - 1) > _RATE:
        what = f"A samples at {a.rate_hz:g} Hz and B at {b.rate_hz:g} Hz, which changes noise, spectra and jitter"
        return Ruling(b.name, what, f"record one of them again, both at {min(a.rate_hz, b.rate_hz):g} Hz")
    return _range_refusal(a, b, shared)


def _range_refusal(a: Stream, b: Stream, shared: list[str]) -> Ruling | None:
    ranges = full_scale(a), full_scale(b)
    if ranges[0] is None or ranges[1] is None:
        return None
    for name in shared:
        one, other = ranges[0][a.channels.index(name)], ranges[1][b.channels.index(name)]
        if not np.allclose(one, other, rtol=1e-3, atol=0):
            unit = b.units[b.channels.index(name)]
            what = f"{name} has the range {_ends(one)} {unit} in A and {_ends(other)} {unit} in B"
            return Ruling(b.name, what, "record one of them again, both set to the same range")
    return None


def figure_refusal(pair: Pair, a: Figure | None, b: Figure | None) -> str:
    """Return why two figures cannot be compared and what to record instead; empty where they can."""
    if a is None or b is None:
        return f"{'A' if a is None else 'B'} has no such figure"
    if a.unit != b.unit:
        return f"A is in {a.unit}, B in {b.unit}"
    unknown = [(side, figure) for side, figure in (("A", a), ("B", b)) if not figure.known]
    if unknown:
        why = [f"{side} is {figure.condition}" for side, figure in unknown]
        return why[0] if len(why) == 1 else f"in both {a.condition}" if a.condition == b.condition else "; ".join(why)
    if b.metric in SHOWN_ONLY:
        return f"it is shown and not judged: {SHOWN_ONLY[b.metric]}"
    metric = METRICS.get(b.metric)
    if b.metric in GROWING and not _alike(*pair.length):
        one, other = pair.length
        return (
            f"it depends on how long was recorded, {one:.0f} s in A and {other:.0f} s in B; record both for "
            f"{max(pair.length):.0f} s"
        )
    if metric is not None and not any(word in metric.source for word in _STILL_SOURCES):
        return _rest_refusal(pair)
    return ""


def _rest_refusal(pair: Pair) -> str:
    one, other = pair.rest
    if one is None or other is None or abs(one - other) <= _MOVED:
        return ""
    moving = "A" if one < other else "B"
    return (
        f"A was at rest {one:.0f} % of the time and B {other:.0f} %: motion is no noise; record {moving} as the other "
        "one was, both at rest or both in the same motion"
    )


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= _LONGER * max(one, other)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _ends(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4g} to {ends[1]:.4g}"
