"""A dataset whose truth is known, and a generator that learnt it in a second or two."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from hil.models.data_config import DataConfig, NpzLayout
from hil.models.datasets import Dataset, Series
from hil.models.generate.config import FlowTraining, GenerateConfig
from hil.models.generate.file import GeneratorPackage
from hil.models.generate.fit import train_generator
from hil.models.generate.shape import Widths

RATE, LABELS = 50.0, ("slow", "fast")
HERTZ = {"slow": 1.5, "fast": 6.0}
STRENGTH = {"1": 0.5, "2": 1.0, "3": 2.0}
"""How strongly each person moves."""


def toy(people: Sequence[str] = ("1", "2", "3"), samples: int = 400, seed: int = 0) -> Dataset:
    """Two channels: a movement at the label's frequency, and gravity; and the noise of a sensor."""
    chance = np.random.default_rng(seed)
    series = []
    for person in people:
        for kind, label in enumerate(LABELS):
            for _ in range(2):
                t = np.arange(samples) / RATE
                wave = STRENGTH[person] * np.sin(2 * np.pi * (HERTZ[label] * t + chance.random()))
                values = np.stack((wave, np.ones_like(t)), 1) + 0.05 * chance.standard_normal((samples, 2))
                labels = np.full(samples, kind, np.int64)
                series.append(Series(person, values.astype(np.float32), labels, f"toy[{len(series)}]"))
    return Dataset(tuple(series), ("x", "z"), ("g", "g"), RATE, LABELS)


def toy_config(steps: int = 150, seed: int = 0) -> GenerateConfig:
    """The smallest generator that learns the toy."""
    data = DataConfig(npz=NpzLayout(file="toy.npz", units=("g", "g"), rate_hz=RATE), source="a sine", licence="none")
    return GenerateConfig(
        name="toy", stream="imu", seed=seed, window=64, steps=12, data=data, network=Widths(widths=(16, 16, 16)),
        training=FlowTraining(steps=steps, batch=16, lr=1e-2, average=0.95),
    )  # fmt: skip


@cache
def learnt() -> GeneratorPackage:
    """A generator that has met 1 and 3, and not 2."""
    return train_generator(toy_config(), toy(), ["2"])
