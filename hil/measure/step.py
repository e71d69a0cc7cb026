"""How fast an array answers a step: the strongest lasting change of its mean, 10 to 90 %.

Rule of this room: a step must stand `LEAST` times above the noise of the mean on both sides and last; what merely
wanders has no answer time. Sampling bounds it: an answer within one frame is known only as at most that.
"""

import numpy as np
import numpy.typing as npt

from hil.measure.figure import Figure
from hil.measure.make import Maker

__all__ = ["step_response"]

Float = npt.NDArray[np.float64]

LEAST = 10.0
_SIDE = 12
_MOST = 0.8


def step_response(make: Maker, t_s: Float, level: Float) -> Figure:
    """Return the time of the strongest step.

    Args:
        make: Of the stream.
        t_s: float64 `(N,)`.
        level: float64 `(N,)`, mean of each frame.
    """
    if len(level) < 4 * _SIDE:
        return make.unknown("step_response", f"there are fewer than {4 * _SIDE} frames", n=len(level))
    sums = np.concatenate(([0.0], np.cumsum(level)))
    before = (sums[_SIDE : -2 * _SIDE] - sums[: -3 * _SIDE]) / _SIDE
    after = (sums[3 * _SIDE :] - sums[2 * _SIDE : -_SIDE]) / _SIDE
    change = after - before
    at = int(np.argmax(np.abs(change)))
    left, right = level[at : at + _SIDE], level[at + 2 * _SIDE : at + 3 * _SIDE]
    size = float(change[at])
    around = max(float(left.std()), float(right.std()))
    if abs(size) < LEAST * max(around, 1e-12):
        why = f"no step stands {LEAST:.0f} times above the scatter beside it (the best: {size:.3g} over {around:.2g})"
        return make.unknown("step_response", why, n=len(level))
    low, high = at + _SIDE - 1, at + 2 * _SIDE + 1
    share = (level[low:high] - left.mean()) / size
    when = t_s[low:high]
    ten, ninety = _crossing(when, share, 0.1), _crossing(when, share, 0.9)
    frame = float(np.median(np.diff(t_s)))
    took = max(ninety - ten, 0.0)
    if took > _MOST * _SIDE * frame:
        why = f"the strongest change takes {took:.2g} s, {took / frame:.0f} frames: a scene that moves, not a step"
        return make.unknown("step_response", why, n=len(level))
    told = f"one step of {size:.3g} at {when[0]:.2f} s"
    if took < frame:
        return make("step_response", frame, 0.0, frame, condition=f"{told}; at most one frame", n=1, method="bound")
    return make("step_response", took, max(0.0, took - frame), took + frame, condition=told, n=1,
                method="10 to 90 %, linear between frames; a frame either way")  # fmt: skip


def _crossing(t_s: Float, share: Float, level: float) -> float:
    """Return when the share first passes a level, linear between frames."""
    above = np.flatnonzero(share >= level)
    place = int(above[0]) if len(above) else len(share) - 1
    if place == 0:
        return float(t_s[0])
    low, high = float(share[place - 1]), float(share[place])
    part = (level - low) / (high - low) if high > low else 1.0
    return float(t_s[place - 1] + part * (t_s[place] - t_s[place - 1]))
