"""Places in a recording, as people name them: seconds, marks, ranges."""

import math

from firmware_bridge.errors import UsageError
from hil.recording.reader import Recording

__all__ = ["checked_range", "mark_time"]


def mark_time(recording: Recording, place: str) -> float:
    """Return a place in seconds from the first sample: a number, or the name of a mark (its first).

    Raises:
        UsageError: It is neither.
    """
    try:
        seconds = float(place)
        if math.isfinite(seconds):
            return seconds
    except ValueError:
        for mark in recording.marks:
            if mark.text == place:
                return (mark.t_ns - recording.start_ns) / 1e9
    known = ", ".join(sorted({mark.text for mark in recording.marks})) or "none"
    raise UsageError(f"there is no mark {place!r}", str(recording.path), f"give seconds or one of its marks: {known}")


def checked_range(recording: Recording, from_s: float | None, to_s: float | None) -> tuple[float, float]:
    """Return a range in seconds from the first sample; infinite where it has no end.

    Raises:
        UsageError: It holds nothing of the recording.
    """
    duration = recording.duration_s
    start, stop = max(0.0, from_s or 0.0), math.inf if to_s is None else to_s
    if not start < stop or (start >= duration > 0):
        raise UsageError(
            f"the range {start:g} s to {'the end' if to_s is None else f'{stop:g} s'} holds nothing",
            str(recording.path), f"the recording lasts {duration:.1f} s",
        )  # fmt: skip
    return start, stop
