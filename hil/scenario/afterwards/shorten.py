"""A kept recording that is larger than one wants to keep: the seconds around the failure stay.

Rule of this room: evidence that is small stays whole. What is cut begins with the first words of each connection, so
that it still follows from its own bytes; what was left out, and above which size, is said in a sentence. Where no
moment stands for what failed, all of it is the evidence, and all of it stays.
"""

from collections.abc import Sequence
from pathlib import Path

from firmware_bridge.errors import BridgeError
from hil.recording.reader import Recording
from hil.replay.cutting import cut

__all__ = ["shorten"]

BEFORE_S, AFTER_S = 30.0, 10.0
"""What stays around the moment of a failure, where so much is below the limit."""

LEAST_S = 0.5
"""What stays before and after it however small the limit is."""


def shorten(path: Path, limit_bytes: int, moments: Sequence[tuple[int, str]]) -> tuple[str, str]:
    """Cut a recording that is larger than the limit to the seconds around the first moment.

    Args:
        path: The recording; the shorter one takes its place.
        limit_bytes: What it exceeds.
        moments: Time (UTC ns) of each failure and what failed, the most important first.

    Returns:
        The part that stayed, empty where all of it did, and a sentence.
    """
    size = path.stat().st_size
    told = f"the recording has {size / 1e6:.1f} MB, more than the {limit_bytes / 1e6:g} MB of --keep-most"
    if not moments:
        return "", f"{told}; no moment stands for what failed, so all of it is kept"
    at_ns, metric = moments[0]
    whole = path.with_suffix(".whole.mcap")
    path.rename(whole)
    try:
        with Recording(whole) as recording:
            length, at_s = recording.duration_s, (at_ns - recording.start_ns) / 1e9
        at_s = min(max(0.0, at_s), length)
        share = min(1.0, limit_bytes / size * length / (BEFORE_S + AFTER_S))
        begin = max(0.0, at_s - max(LEAST_S, share * BEFORE_S))
        end = min(length, at_s + max(LEAST_S, share * AFTER_S))
        cut(whole, path, begin or None, end)
    except BridgeError as error:
        path.unlink(missing_ok=True)
        whole.rename(path)
        return "", f"{told}, and could not be cut ({error}); all of it is kept"
    whole.unlink()
    return (f"{begin:.1f} s to {end:.1f} s of {length:.1f} s",
            f"{told}: kept are {at_s - begin:.1f} s before and {end - at_s:.1f} s after {metric}")  # fmt: skip
