"""The reference board in C, what it is built with, and what it can be run on: `firmware://native` is a port.

The C lies in `core` (portable), `boards` (what is sensed) and `port` (one folder a machine); `images` are prebuilt.
Rule of this room: nothing here opens a port or knows of serial lines; `emulated` does.
"""

from firmware_bridge.firmware.kinds import can_start, startable

__all__ = ["can_start", "startable"]
