"""A virtual thermal camera: a warm person walks through a room, 8x8 at 10 Hz or 24x32.

Every pixel reads room + person + its own fixed offset + white noise, in steps of the sensor's least bit. The person is
a trunk and a head, smooth in space, on a seeded path that never repeats in practice. `dead=N` pixels are stuck at
one value each, from the start.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.virtual.native import NativeBoard
from firmware_bridge.virtual.noise import generator, length, normal
from firmware_bridge.virtual.parameters import LINK, Parameter, read_parameters, settings_from
from firmware_bridge.virtual.sensors import BlockSensor
from firmware_bridge.virtual.settings import Identity

__all__ = ["PARAMETERS", "make"]

Float = npt.NDArray[np.float64]
_SIZES = {"8x8": (8, 8), "24x32": (24, 32)}
_LEAST_BIT_C = 0.02

PARAMETERS = (
    *LINK,
    Parameter("size", "8x8", "rows by columns", choices=tuple(_SIZES)),
    Parameter("room_c", 22.0, "temperature of the room, degC", -20, 60),
    Parameter("warmth_c", 9.0, "how much warmer the person is, degC", 0, 60),
    Parameter("noise_c", 0.15, "white noise of a pixel, degC", 0, 20),
    Parameter("dead", 0, "pixels that are stuck", 0, 768),
)
"""What `virtual://thermal` takes."""


def make(given: Mapping[str, str]) -> NativeBoard:
    """Return the board of `virtual://thermal?...`."""
    values = read_parameters("thermal", given, PARAMETERS)
    seed, rate = values["seed"], values["rate"] or (10.0 if values["size"] == "8x8" else 8.0)
    height, width = shape = _SIZES[values["size"]]
    pixels = height * width
    fixed = generator(seed, "thermal/fixed", 0)
    offsets = fixed.normal(0.0, 0.1, pixels)
    starts = fixed.uniform(0, 2 * math.pi, 4)
    dead = fixed.permutation(pixels)[: values["dead"]]
    stuck = fixed.choice([-20.0, 0.0, 120.0], len(dead))
    row = np.repeat((np.arange(height) + 0.5) / height, width)
    column = np.tile((np.arange(width) + 0.5) / width, height)
    stream = Stream("thermal", ("temperature",), ("degC",), "<i2", shape, rate, (_LEAST_BIT_C,))

    def block(first: int, n: int) -> npt.NDArray[np.int16]:
        t = np.arange(first, first + n) / rate
        x = 0.5 + 0.42 * np.sin(2 * math.pi * 0.05 * t + starts[0]) + 0.15 * np.sin(2 * math.pi * 0.013 * t + starts[1])
        y = 0.62 + 0.12 * np.sin(2 * math.pi * 0.021 * t + starts[2]) + 0.02 * np.sin(2 * math.pi * 1.6 * t + starts[3])
        heat = _blob(row, column, y, x, 0.24, 0.11) + 0.9 * _blob(row, column, y - 0.34, x, 0.08, 0.065)
        grain = values["noise_c"] * normal(seed, "thermal/white", first, n, pixels)
        picture = values["room_c"] + offsets + values["warmth_c"] * heat + grain
        picture[:, dead] = stuck
        reading: npt.NDArray[np.int16] = (
            np.clip(np.rint(picture / _LEAST_BIT_C), -32768, 32767).astype(np.int16).reshape(n, *shape)
        )
        return reading

    who = Identity("hil-thermal", values["serial"] or f"VIRTUAL-{seed:04d}", "virtual-1")
    return NativeBoard(who, [BlockSensor(stream, block, length(pixels))], settings_from(values))


def _blob(row: Float, column: Float, y: Float, x: Float, tall: float, wide: float) -> Float:
    """Return a smooth hump at (y, x) for each time, `(len(y), pixels)`."""
    away = ((row - y[:, None]) / tall) ** 2 + ((column - x[:, None]) / wide) ** 2
    hump: Float = np.exp(-away / 2)
    return hump
