"""Episodes of a fault: when one runs, told by the seconds since the board's first sample alone."""

import math

import numpy as np
import numpy.typing as npt

from firmware_bridge.faults.schedule import Fault

__all__ = ["active", "episode", "episodes"]


def active(fault: Fault, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return where a fault's time runs, bool as long as `seconds`."""
    inside: npt.NDArray[np.bool_] = (seconds >= fault.from_s) & (seconds < fault.to_s)
    return inside


def episodes(fault: Fault, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the number of the episode that runs at each time, -1 where none does."""
    since = seconds - fault.from_s
    every, hold = fault.params.get("every_s", 0.0), fault.params.get("hold_s", 0.0)
    which = np.floor(since / every).astype(np.int64) if every else np.zeros(len(since), np.int64)
    runs = active(fault, seconds)
    if hold:
        runs &= since - which * every < hold
    return np.where(runs, which, -1)


def episode(fault: Fault, seconds: float) -> tuple[int, float] | None:
    """Return (number, its end in seconds) of the episode that runs; None where none does."""
    if not fault.from_s <= seconds < fault.to_s:
        return None
    every, hold = fault.params.get("every_s", 0.0), fault.params.get("hold_s", 0.0)
    which = math.floor((seconds - fault.from_s) / every) if every else 0
    begin = fault.from_s + which * every
    end = min(fault.to_s, begin + hold) if hold else fault.to_s
    return (which, end) if seconds < end else None
