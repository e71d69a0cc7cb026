"""The reference board in C, what it is built with, and what it can be run on: `firmware://native` is a port.

The C lies in `core` (portable), `boards` (what is sensed) and `port` (one folder a machine); `images` are prebuilt.
Rule of this room: nothing here opens a port or knows of serial lines; `emulated` does.
"""

__all__ = ["can_start", "startable"]


def can_start(name: str) -> str:
    """Return why a kind cannot be started here, one sentence; empty where it can.

    Args:
        name: Such as `native`, or a whole port such as `firmware://native?seed=3`.
    """
    from firmware_bridge.firmware.kinds import can_start as answer

    return answer(name)


def startable() -> list[str]:
    """Return the names of the kinds that can be started here, the nearest to real hardware first."""
    from firmware_bridge.firmware.kinds import startable as answer

    return answer()
