"""A first look at a stream: the usual step, how late is a gap, what its rate is, before all of it is read.

Rule of this room: readings decide over what the description says; where stamps come in bursts the mean step counts,
because the median is only the step inside a burst, and a late stamp is no gap before it is very late.
"""

from dataclasses import dataclass

import numpy as np

from hil.recording.arrays import StreamArrays

__all__ = ["Look", "look_at"]

_SHORT = 0.25
_OFTEN = 0.05
_LATE = 1.5
_LATE_BURST = 8.0


@dataclass(frozen=True, slots=True)
class Look:
    """What the first portion of a stream tells.

    Attributes:
        usual_s: The usual step, seconds; 0 where there is no telling.
        rate_hz: Samples a second; None where there is no telling.
        late: Ticks from which a step is a gap, where samples are not numbered.
        bursty: Whether steps differ so much that their median says nothing.
    """

    usual_s: float
    rate_hz: float | None
    late: float
    bursty: bool


def look_at(portion: StreamArrays) -> Look:
    """Return what the first portion of a stream tells about its time."""
    per_s = portion.stream.tick_hz or 1e9
    inside = (np.diff(portion.numbers) == 1) & (np.diff(portion.boot) == 0)
    steps = np.diff(portion.ticks)[inside] / per_s
    nominal = portion.stream.rate_hz
    if not len(steps) or steps.max() <= 0:
        return Look(1 / nominal if nominal else 0.0, nominal, np.inf, False)
    median = float(np.median(steps))
    mean = float(steps[steps <= max(float(np.percentile(steps, 99)), 1.5 * median)].mean())
    # Late samples make the mean longer than the median; only bursts make many steps far shorter than both.
    bursty = bool(np.mean(steps < _SHORT * mean) > _OFTEN)
    usual = mean if bursty or median <= 0 else median
    late = (_LATE_BURST if bursty else _LATE) * usual * per_s
    return Look(usual, 1 / usual if usual > 0 else nominal, late, bursty)
