"""A virtual 6-axis inertial sensor whose noise is known in closed form.

Each axis reads truth + white noise + bias random walk, rounded to the least bit and cut at full scale. With a one-sided
noise density n (unit/sqrt(Hz)), a walk K (unit/sqrt(s)) and a least bit q, one sample has the white variance
n**2 * rate / 2 + q**2 / 12 (the rounding error is white while the noise exceeds about half a bit), and the Allan
variance over m samples is that variance / m plus K**2 / rate * (2 m**2 + 1) / (6 m): exact for samples, and
n**2 / (2 tau) + K**2 tau / 3 in the limit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.virtual.native import NativeBoard
from firmware_bridge.virtual.noise import Walk, length, normal
from firmware_bridge.virtual.parameters import LINK, Parameter, read_parameters, settings_from
from firmware_bridge.virtual.sensors import BlockSensor
from firmware_bridge.virtual.settings import Identity

__all__ = ["AxisNoise", "allan_deviation", "make"]

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AxisNoise:
    """Noise of one axis.

    Attributes:
        density: One-sided white noise density, unit/sqrt(Hz).
        walk: Bias random walk, unit/sqrt(s).
        least_bit: Step of the quantisation, unit.
    """

    density: float
    walk: float
    least_bit: float


def allan_deviation(noise: AxisNoise, tau_s: npt.ArrayLike, rate_hz: float) -> Float:
    """Return the true Allan deviation of an axis.

    Args:
        noise: Of the axis.
        tau_s: Averaging times in seconds, whole numbers of samples.
        rate_hz: Samples a second.

    Returns:
        float64 in the axis' unit, the shape of `tau_s`.
    """
    m = np.asarray(tau_s, np.float64) * rate_hz
    white = noise.density**2 * rate_hz / 2 + noise.least_bit**2 / 12
    deviation: Float = np.sqrt(white / m + noise.walk**2 / rate_hz * (2 * m**2 + 1) / (6 * m))
    return deviation


PARAMETERS = (
    *LINK,
    Parameter("noise_ug", 100.0, "accelerometer noise density, ug/sqrt(Hz), one-sided", 0, 1e6),
    Parameter("noise_mdps", 5.0, "gyroscope noise density, mdeg/s/sqrt(Hz), one-sided", 0, 1e6),
    Parameter("walk_ug", 20.0, "accelerometer bias random walk, ug/sqrt(s)", 0, 1e6),
    Parameter("walk_mdps", 1.0, "gyroscope bias random walk, mdeg/s/sqrt(s)", 0, 1e6),
    Parameter("range_g", 8.0, "full scale of the accelerometer, g", 0.1, 1000),
    Parameter("range_dps", 2000.0, "full scale of the gyroscope, deg/s", 1, 100_000),
    Parameter("motion", "still", "what happens to it", choices=("still", "swing", "shake")),
)
"""What `virtual://imu` takes."""


def axes(values: Mapping[str, float]) -> tuple[AxisNoise, AxisNoise]:
    """Return the noise of an accelerometer axis (g) and of a gyroscope axis (rad/s) under these parameters."""
    rad = math.radians(1e-3)
    return (
        AxisNoise(values["noise_ug"] * 1e-6, values["walk_ug"] * 1e-6, values["range_g"] / 32768),
        AxisNoise(values["noise_mdps"] * rad, values["walk_mdps"] * rad, math.radians(values["range_dps"]) / 32768),
    )


def make(given: Mapping[str, str]) -> NativeBoard:
    """Return the board of `virtual://imu?...`."""
    values = read_parameters("imu", given, PARAMETERS)
    rate = values["rate"] or 1000.0
    accel, gyro = axes(values)
    noise = [accel] * 3 + [gyro] * 3
    bits = np.array([axis.least_bit for axis in noise])
    white = np.array([axis.density for axis in noise]) * math.sqrt(rate / 2)
    step = np.array([axis.walk for axis in noise]) / math.sqrt(rate)
    walk = Walk(values["seed"], "imu/walk", 6)
    stream = Stream("imu", ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3, "<i2", (6,), rate,
                    tuple(float(bit) for bit in bits))  # fmt: skip

    def block(first: int, n: int) -> npt.NDArray[np.int16]:
        truth = _motion(values["motion"], np.arange(first, first + n) / rate)
        signal = truth + white * normal(values["seed"], "imu/white", first, n, 6) + step * walk(first, n)
        reading: npt.NDArray[np.int16] = np.clip(np.rint(signal / bits), -32768, 32767).astype(np.int16)
        return reading

    sensor = BlockSensor(stream, block, length(6))
    told = {"noise": {"density": [axis.density for axis in noise], "walk": [axis.walk for axis in noise]}}
    who = Identity("hil-imu", values["serial"] or f"VIRTUAL-{values['seed']:04d}", "virtual-1", told)
    return NativeBoard(who, [sensor], settings_from(values))


def _motion(kind: str, t: Float) -> Float:
    """Return the true readings `(len(t), 6)` in g and rad/s: a board that lies still, swings or is shaken."""
    truth = np.zeros((len(t), 6))
    if kind == "swing":
        angle, speed = 0.5, 2 * math.pi * 0.5
        tilt = angle * np.sin(speed * t)
        truth[:, 1], truth[:, 2] = np.sin(tilt), np.cos(tilt)
        truth[:, 3] = angle * speed * np.cos(speed * t)
        return truth
    truth[:, 2] = 1.0
    if kind == "shake":
        truth[:, 0] = 12.0 * np.sin(2 * math.pi * 8.0 * t)
    return truth
