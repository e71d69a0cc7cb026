"""Channels that say nothing or too little: dead, stuck, saturated, or no numbers.

Rule of this room: each recording is looked at alone, and a channel is judged by its own readings only.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hil.data.finding import ERROR, NOTE, WARNING, Finding
from hil.models.labelled import TWICE, Part

__all__ = ["channels"]

_STUCK_S = 2.0
_SATURATED = (0.002, 0.05)
"""Share of readings at an end from which a channel is told, and from which it is an error."""
_LEVELS = 32
"""Different readings below which a channel is too coarse to tell."""
_CROWDED = 5
"""How often more than its neighbours an end must be read."""
_AT_END = 3
"""Readings in a row at the very same end that make a plateau."""


def channels(parts: Sequence[Part]) -> Iterator[Finding]:
    """Yield dead, stuck and saturated channels, readings that are no numbers, and how many are missing."""
    for part in parts:
        yield from _one(part)
    for cause in dict.fromkeys(cause for part in parts for cause in part.left_out if cause != TWICE):
        count = sum(part.left_out[cause] for part in parts)
        told = f"{count} readings are left out: their checksum failed" if cause == "invalid" else f"{count} {cause}"
        if cause not in ("invalid", "gaps of unknown length"):
            told = f"{count} readings are missing ({cause})"
        yield Finding(NOTE, "missing", "all recordings", told, "nothing: no window reaches over a gap")


def _one(part: Part) -> Iterator[Finding]:
    values = np.concatenate([one.values for one in part.stretches]) if part.stretches else np.zeros((0, 0), np.float32)
    if not values.size:
        yield Finding(ERROR, "empty", part.path, "it has no readings", "take it out")
        return
    finite = np.isfinite(values)
    for at, name in enumerate(part.channels):
        where = f"{part.path}, {name}"
        if (bad := 1.0 - float(finite[:, at].mean())) > 0:
            yield Finding(ERROR, "no number", where, f"{bad:.2%} of its readings are no numbers", "take them out")
            continue
        column = values[:, at]
        low, high = float(column.min()), float(column.max())
        if low == high:
            yield Finding(ERROR, "dead channel", where, f"it always reads {low:g}", "mend the sensor, or leave it out")
            continue
        yield from _stuck(part, at, where)
        yield from _saturated(part, at, where)


def _stuck(part: Part, at: int, where: str) -> Iterator[Finding]:
    """Yield the longest time in which a channel stood still to the last bit while most others moved."""
    if len(part.channels) < 2:
        return
    most, begin = 0, 0.0
    for stretch in part.stretches:
        same = np.diff(stretch.values, axis=0) == 0
        others = np.delete(same, at, axis=1).mean(axis=1) < 0.5
        run, start = _longest(same[:, at] & others)
        if run > most:
            most, begin = run, stretch.start_s + start / part.rate_hz
    if most >= max(_STUCK_S * part.rate_hz, 8):
        yield Finding(WARNING, "stuck channel", where,
                      f"it stands still for {most / part.rate_hz:.1f} s at {begin:.1f} s while the others move",
                      "take that stretch out, or see to the sensor")  # fmt: skip


def _saturated(part: Part, at: int, where: str) -> Iterator[Finding]:
    column = np.concatenate([one.values[:, at] for one in part.stretches])
    levels, counts = np.unique(column, return_counts=True)
    if len(levels) < _LEVELS:  # of a slow or coarse channel the ends are levels like others
        return
    for place, beside, name in ((-1, slice(-4, -1), "greatest"), (0, slice(1, 4), "least")):
        count = sum(_in_plateaus(one.values[:, at] == levels[place]) for one in part.stretches)
        if count / len(column) >= _SATURATED[0] and counts[place] >= _CROWDED * counts[beside].max():
            level = ERROR if count / len(column) >= _SATURATED[1] else WARNING
            what = f"{count / len(column):.1%} of its readings are its {name} one ({levels[place]:.4g}), in runs"
            yield Finding(level, "saturated channel", where, what, "widen the range, or leave the recording out")


def _in_plateaus(hit: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    """Return how many of the readings lie in runs of at least `_AT_END`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], hit.astype(np.int8), [0]))))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= _AT_END].sum())


def _longest(hit: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> tuple[int, int]:
    """Return the length of the longest run and where it begins."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], hit.astype(np.int8), [0]))))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    at = int(np.argmax(lengths))
    return int(lengths[at]), int(edges[::2][at])
