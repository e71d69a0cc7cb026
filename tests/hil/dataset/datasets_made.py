"""A dataset of a made-up wrist: five people, two movements, and gravity that a gyroscope turns."""

from pathlib import Path

import numpy as np

RATE = 50.0
PEOPLE = ("Ada", "Bea", "Cal", "Dan", "Eve")
KINDS = ("swing", "shake")


def motion(kind: str, seconds: float, seed: int) -> np.ndarray:
    """Readings `(N, 6)` in g and rad/s: rotation about one axis, and what down then is, with noise."""
    chance = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    hertz, reach = (0.6, 0.9) if kind == "swing" else (1.9, 0.4)
    hertz *= 1 + 0.1 * chance.standard_normal()
    phase = 2 * np.pi * hertz * t + chance.uniform(0, 6)
    wander = 0.1 * np.cumsum(chance.standard_normal(len(t))) / RATE
    angle, rate = reach * np.sin(phase) + wander, reach * 2 * np.pi * hertz * np.cos(phase)
    down = np.stack((np.sin(angle), 0.1 * np.ones_like(t), np.cos(angle)), 1)
    turn = np.stack((0.05 * np.sin(t), -rate, 0.05 * np.cos(t)), 1)
    return np.concatenate((down, turn), 1) + 0.02 * chance.standard_normal((len(t), 6))


def series() -> list[tuple[str, str, np.ndarray]]:
    """Person, movement and readings of a clean dataset: two of each movement a person."""
    return [
        (person, kind, motion(kind, 24.0, 10 * at + 2 * turn + which))
        for at, person in enumerate(PEOPLE)
        for turn in range(2)
        for which, kind in enumerate(KINDS)
    ]


def write(folder: Path, made: list[tuple[str, str, np.ndarray]], rate: float = RATE) -> Path:
    """Write a dataset as an NPZ file with its TOML; return the TOML."""
    np.savez(
        folder / "made.npz", X=np.concatenate([one[2] for one in made]).astype(np.float32),
        length=np.array([len(one[2]) for one in made]), y=np.array([KINDS.index(one[1]) for one in made]),
        subject=np.array([one[0] for one in made]), y_labels=np.array(KINDS),
        X_labels=np.array(["ax", "ay", "az", "wx", "wy", "wz"]),
    )  # fmt: skip
    path = folder / "made.toml"
    path.write_text(
        f'[data.npz]\nfile = "made.npz"\nunits = ["g", "g", "g", "rad/s", "rad/s", "rad/s"]\nrate_hz = {rate}\n'
    )
    return path
