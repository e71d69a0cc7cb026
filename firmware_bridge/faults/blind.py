"""What no host can see of a fault by construction, and which faults a board cannot have, each with the reason.

Rule of this room: sentences about kinds and streams; nothing is run here.
"""

from collections.abc import Collection, Mapping

from firmware_bridge.faults.kinds import BYTE, FRAME, LINK, KindOf
from firmware_bridge.streams import Stream

__all__ = ["absent", "blind"]

_LIMITS: Mapping[str, str] = {
    "sensor.stuck": "a reading that stays is a possible reading; a limit on `stuck` or `longest_stuck` sees it",
    "sensor.saturate": "readings at a limit are possible readings; a limit on `maximum`, `minimum` or `sd` sees it",
    "sensor.bias": "a shifted reading within the range is a possible reading; a limit on `mean` sees it",
    "sensor.drift": "a drifting reading within the range is a possible reading; a limit on `mean` sees it",
    "sensor.spike": "a single reading far off is a possible reading; a limit on `outliers` sees it",
    "sensor.noise": "a noisy reading is a possible reading; a limit on `noise` sees it",
    "sensor.dead": "one value is a possible reading; a limit on `stuck`, `sd` or (of images) `dead_pixels` sees it",
    "sensor.dead_row": "one value is a possible reading; a limit on `dead_pixels` or `dead_rows` sees it",
    "clock.jitter": "a stamp that is late within its period is a possible stamp; a limit on `jitter_p99` sees it",
    "clock.ppm": "every clock runs at some pace of its own; a limit on `clock.BOARD.drift` sees it",
    "clock.jump": "a jump shorter than an exchange can date is a possible pause; a limit on `jitter_worst` sees it",
}

_NO_SUM = {
    "byte.flip": "without a checksum a changed digit is another number",
    "byte.drop": "without a checksum a number that lacks a digit is another number",
    "byte.duplicate": "without a checksum a number with a digit twice is another number",
    "byte.burst": "without a checksum random bytes that look like a number are one",
    "link.garbage": "without a checksum random bytes that look like a reading are one",
}
_NO_COUNT = {
    "byte.flip": "without a counter a line that cannot be read leaves no gap in the numbers",
    "byte.drop": "without a counter two lines that run into one are one line",
    "byte.duplicate": "without a counter a line that comes twice is two readings",
    "byte.burst": "without a counter lines that cannot be read leave no gap in the numbers",
    "link.garbage": "without a counter what was lost meanwhile leaves no gap in the numbers",
    "link.disconnect": "without a counter what was lost meanwhile is unknown; only the cut itself is seen",
}


def blind(kind: KindOf, streams: Collection[Stream]) -> str:
    """Return why a host cannot see a fault by construction; empty where it can.

    Args:
        kind: Of the fault.
        streams: What the boards send.
    """
    if not kind.detectable:
        return _LIMITS[kind.name]
    reasons = [] if all(stream.checked for stream in streams) else [_NO_SUM.get(kind.name, "")]
    reasons += [] if all(stream.counted for stream in streams) else [_NO_COUNT.get(kind.name, "")]
    return "; ".join(filter(None, reasons))


def absent(kind: KindOf, streams: Collection[Stream]) -> str:
    """Return why boards with these streams cannot have a fault; empty where one of them can."""
    if kind.needs == "image" and not any(stream.is_image for stream in streams):
        return "no board sends images"
    if kind.needs == "ticks" and not any(stream.tick_hz for stream in streams):
        return "no board sends the time of its own clock"
    if kind.level == FRAME and not any(stream.checked and stream.counted for stream in streams):
        return "no board speaks in native frames"
    return "" if streams or kind.level in (BYTE, LINK) else "no board sends readings"
