"""People who move by a formula, and a watch that is shown their readings hop by hop."""

import numpy as np

from hil.drift.watch import Watch

NAMES, UNITS, HOP, LOOK, RATE = ("ax", "ay", "wx", "wy"), ("g", "g", "rad/s", "rad/s"), 25, 100, 50.0


def session(person: int, seconds: float, seed: int = 0, pace: float = 1.0) -> np.ndarray:
    """Two movements that take turns: each channel follows the same swing in a way of its own, plus noise."""
    chance = np.random.default_rng([person, seed])
    t = np.arange(round(seconds * RATE)) / RATE
    size, pace = 1.0 + 0.1 * chance.standard_normal(), pace * (1.0 + 0.1 * chance.standard_normal())
    swing, turn = np.sin(2 * np.pi * 0.8 * pace * t), np.cos(2 * np.pi * 0.8 * pace * t)
    other = (t // 15 % 2)[:, None]
    one = np.stack((0.5 + 0.3 * swing, 0.1 * turn, turn, 0.3 * swing), axis=1)
    two = np.stack((0.4 * turn, -0.6 + 0.1 * swing, 0.4 * swing, -turn), axis=1)
    values = size * ((1 - other) * one + other * two) + 0.03 * chance.standard_normal((len(t), 4))
    return values.astype(np.float32)


def shown(watch: Watch, readings: np.ndarray, start_s: float = 0.0) -> None:
    for low in range(0, len(readings) - HOP + 1, HOP):
        watch.take(readings[low : low + HOP], round((start_s + (low + HOP) / RATE) * 1e9))
