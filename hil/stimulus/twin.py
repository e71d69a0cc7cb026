"""A virtual board that takes what was recorded: one stream of the same shape, units and scale, and nothing else."""

import math
from dataclasses import replace

import numpy as np

from firmware_bridge.virtual.native import NativeBoard
from firmware_bridge.virtual.sensors import ArraySensor
from firmware_bridge.virtual.settings import Identity, Settings
from hil.stimulus.readings import Readings

__all__ = ["twin_of"]

_OVERHEAD = 64
"""Bytes of a frame beside its values, at most."""


def twin_of(readings: Readings, serial: str, seed: int = 0) -> NativeBoard:
    """Return a native board that samples at the rate of the readings; its own sensor reads 0.

    Args:
        readings: What it is to take.
        serial: Its serial number.
        seed: Of everything random about it.
    """
    dtype = np.dtype(readings.stream.dtype).newbyteorder("<")
    stream = replace(
        readings.stream, dtype=dtype.str.lstrip("|"), rate_hz=readings.rate_hz, rate_inferred=False, counted=True,
        checked=True, tick_hz=float(NativeBoard.hz),
    )  # fmt: skip
    rest = ArraySensor(stream, np.zeros((1, *stream.shape), dtype))
    frame = math.prod(stream.shape) * dtype.itemsize + _OVERHEAD
    settings = Settings(seed=seed, max_frame=max(Settings().max_frame, frame))
    return NativeBoard(Identity("hil-twin", serial, "virtual-1"), [rest], settings)
