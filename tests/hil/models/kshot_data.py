"""Small data for models of prototypes: gestures of several people, each class with its own tempo and axis."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hil.models.datasets import Dataset, Series
from hil.models.package import Package
from hil.models.train import train
from hil.models.training_config import TrainConfig

CHANNELS, UNITS, RATE, WINDOW, HOP = ("x", "y", "z"), ("g", "g", "g"), 50.0, 40, 10
CLASSES = ("shake", "wave", "turn", "nod", "tap")


def gesture(kind: int, person: int, count: int = 240, seed: int = 0) -> np.ndarray:
    """Readings `(count, 3)` of one class: tempo and axis are the class's, phase and strength the person's."""
    chance = np.random.default_rng([seed, kind, person])
    t = np.arange(count) / RATE
    tempo = (6.0, 3.0, 1.5, 4.5, 9.0)[kind] * (1 + 0.04 * person / 6)
    wave = (1 + 0.1 * person) * np.sin(2 * np.pi * tempo * t + person)
    axis = np.eye(3)[kind % 3] + 0.3 * np.eye(3)[(kind + 1) % 3]
    gravity = np.roll([1.0, 0.3, 0.0], kind)
    return (gravity + wave[:, None] * axis + 0.1 * chance.standard_normal((count, 3))).astype(np.float32)


def gestures(classes: Sequence[str] = CLASSES[:4], people: int = 6, count: int = 240) -> Dataset:
    """Two series of every class and person."""
    series = [
        Series(
            str(person), gesture(CLASSES.index(name), person, count, again), np.full(count, place),
            f"{name}/{person}/{again}",
        )
        for person in range(1, people + 1) for place, name in enumerate(classes) for again in (0, 1)
    ]  # fmt: skip
    return Dataset(tuple(series), CHANNELS, UNITS, RATE, tuple(classes))


def shots_config(**architecture: Any) -> TrainConfig:
    """A configuration of a model of prototypes; its data come from `gestures`."""
    return TrainConfig.model_validate({
        "name": "hands", "seed": 3, "window": WINDOW, "hop": HOP,
        "data": {"npz": {"file": "none.npz", "units": UNITS, "rate_hz": RATE}},
        "training": {"crop": WINDOW}, "architecture": {"name": "shots", "episodes": 0, **architecture},
    })  # fmt: skip


def hands(held_out: Sequence[str] = ("6",), **architecture: Any) -> Package:
    """A model of four classes that has not met person 6."""
    return train(shots_config(**architecture), gestures(), held_out)


def npz_of(dataset: Dataset, path: Path) -> None:
    """Write a dataset as `hil train` reads it."""
    np.savez(
        path, X=np.concatenate([one.values for one in dataset.series]),
        length=np.array([len(one.values) for one in dataset.series]),
        y=np.array([one.labels[0] for one in dataset.series]),
        subject=np.array([int(one.person) for one in dataset.series]), y_labels=np.array(dataset.labels),
        X_labels=np.array(dataset.channels),
    )  # fmt: skip
