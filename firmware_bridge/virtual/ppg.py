"""A virtual pulse oximeter: two photodiode currents with a realistic pulse, 100 Hz.

Each beat adds one pulse: a systolic peak and a smaller dicrotic one, in time that scales with the beat. Beats vary with
respiration (sinus arrhythmia) and at random; the level wanders with respiration and slowly; white noise comes on top.
`perfusion` is the pulse's height in percent of the level, as an oximeter would say; the red pulse is smaller than the
infrared one by the ratio that belongs to `spo2` on the usual line 110 - 25 R.
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

__all__ = ["PARAMETERS", "Heart", "make"]

Float = npt.NDArray[np.float64]
_BREATH_HZ = 0.25
_CHUNK = 64
_LEAST_BIT_UA = 0.001
_LEVEL_UA = np.array([20.0, 16.0])

PARAMETERS = (
    *LINK,
    Parameter("bpm", 72.0, "mean heart rate, beats a minute", 30, 220),
    Parameter("hrv_ms", 40.0, "standard deviation of the time between beats, ms", 0, 200),
    Parameter("perfusion", 2.0, "height of the infrared pulse, percent of its level", 0, 20),
    Parameter("spo2", 97.0, "oxygen saturation, percent", 60, 100),
    Parameter("wander", 1.0, "slow wander of the level, percent", 0, 20),
    Parameter("noise", 0.02, "white noise, percent of the level", 0, 5),
)  # fmt: skip
"""What `virtual://ppg` takes."""


class Heart:
    """When a heart beats.

    Args:
        seed: Of the variation.
        bpm: Mean rate.
        hrv_ms: Standard deviation of the interval: half of its variance with respiration, half at random.
    """

    def __init__(self, seed: int, bpm: float, hrv_ms: float) -> None:
        self._seed = seed
        self._mean = 60.0 / bpm
        self._spread = min(hrv_ms / 1000, 0.3 * self._mean) / math.sqrt(2)
        self._beats = np.array([-2 * self._mean, -self._mean, 0.0])
        self._chunk = 0

    def beats(self, until_s: float) -> Float:
        """Return the times of all beats up to the first after `until_s`, seconds, from two beats before 0."""
        while self._beats[-1] <= until_s:
            drawn = generator(self._seed, "ppg/beats", self._chunk).standard_normal(_CHUNK)
            self._chunk += 1
            about = self._beats[-1] + self._mean * np.arange(_CHUNK)
            breath = math.sqrt(2) * np.sin(2 * math.pi * _BREATH_HZ * about)
            steps = self._mean + self._spread * (breath + np.clip(drawn, -3, 3))
            self._beats = np.append(self._beats, self._beats[-1] + np.cumsum(np.maximum(steps, 0.25 * self._mean)))
        end = int(np.searchsorted(self._beats, until_s, side="right")) + 1
        return self._beats[:end]

    def phase(self, t: Float) -> Float:
        """Return where in its beat each time lies, 0 to 1."""
        beats = self.beats(float(t[-1]))
        at = np.searchsorted(beats, t, side="right") - 1
        phase: Float = (t - beats[at]) / (beats[at + 1] - beats[at])
        return phase


def _pulse(phase: Float) -> Float:
    """Return the height of the pulse, about 0 to 1; the tails of the beats before and after keep it continuous."""
    height = np.zeros_like(phase)
    for shift in (-1.0, 0.0, 1.0):
        x = phase + shift
        height += np.exp(-(((x - 0.22) / 0.1) ** 2) / 2) + 0.38 * np.exp(-(((x - 0.5) / 0.13) ** 2) / 2)
    return height


def make(given: Mapping[str, str]) -> NativeBoard:
    """Return the board of `virtual://ppg?...`."""
    values = read_parameters("ppg", given, PARAMETERS)
    seed, rate = values["seed"], values["rate"] or 100.0
    heart = Heart(seed, values["bpm"], values["hrv_ms"])
    ratio = (110.0 - values["spo2"]) / 25.0
    depth = values["perfusion"] / 100 * np.array([1.0, ratio])
    starts = generator(seed, "ppg/wander", 0).uniform(0, 2 * math.pi, 3)
    stream = Stream("ppg", ("ir", "red"), ("uA", "uA"), "<u2", (2,), rate, (_LEAST_BIT_UA,))

    def block(first: int, n: int) -> npt.NDArray[np.uint16]:
        t = np.arange(first, first + n) / rate
        slow = sum(
            np.sin(2 * math.pi * hz * t + start) for hz, start in zip((0.03, 0.011, 0.0047), starts, strict=True)
        )
        drift = values["wander"] / 100 * (0.4 * slow + 0.3 * np.sin(2 * math.pi * _BREATH_HZ * t))
        blood = _pulse(heart.phase(t))[:, None] * depth  # more blood, less light
        grain = values["noise"] / 100 * normal(seed, "ppg/white", first, n, 2)
        current = _LEVEL_UA * (1 + drift[:, None] - blood + grain)
        reading: npt.NDArray[np.uint16] = np.clip(np.rint(current / _LEAST_BIT_UA), 0, 65535).astype(np.uint16)
        return reading

    who = Identity("hil-ppg", values["serial"] or f"VIRTUAL-{seed:04d}", "virtual-1")
    return NativeBoard(who, [BlockSensor(stream, block, length(2))], settings_from(values))
