"""Times of samples by the best offline fit of the board's clock, in place of those that were known live.

Rule of this room: only `t_ns` changes; numbers, ticks and readings stay. Each boot is fitted on its own; a boot without
enough exchanges, and a board without a clock, keep their live times.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from firmware_bridge import refit
from firmware_bridge.events import ClockReading
from hil.recording.arrays import StreamArrays

__all__ = ["refitted"]


def refitted(arrays: StreamArrays, readings: Sequence[ClockReading]) -> StreamArrays:
    """Return the samples with times by the offline fit over the clock exchanges of the recording."""
    if not len(arrays) or not readings or not arrays.stream.tick_hz:
        return arrays
    t_ns = arrays.t_ns.copy()
    before = np.searchsorted(arrays.t_ns, [reading.received_ns for reading in readings], "right") - 1
    boots = arrays.boot[np.maximum(before, 0)]
    for boot in np.unique(arrays.boot):
        fit = refit.refit([one for one, of in zip(readings, boots, strict=True) if of == boot], arrays.stream.tick_hz)
        if fit is not None:
            inside = arrays.boot == boot
            t_ns[inside] = fit.to_ns(arrays.ticks[inside])
    return replace(arrays, t_ns=t_ns)
