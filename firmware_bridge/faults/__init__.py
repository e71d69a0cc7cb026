"""Seeded faults at five levels, all pure: what comes in, a time or a sample number, and a seed decide what comes out.

    sensor, clock   readings and ticks by sample number: before encoding on a virtual board, behind the dialect else
    frame           native SAMPLES frames by sample number, between board and recorder
    byte, link      any bytes by offset and by time, between frame level and recorder

Seconds count from the board's first sample. Everything random is drawn from the schedule's seed, the fault's key, and
a sample number or byte offset (Philox, counter-based): how reads were split changes nothing.
"""

from firmware_bridge.faults.kinds import KINDS, LEVELS, KindOf
from firmware_bridge.faults.schedule import Fault, Schedule, read_schedule

__all__ = ["KINDS", "LEVELS", "Fault", "KindOf", "Schedule", "read_schedule"]
