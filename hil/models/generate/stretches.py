"""Readings as a generator learns them: stretches of one label, and the style of each.

Rule of this room: no torch here. A style is what a person, a wrist and a mounting do to a whole stretch: the mean of
every channel (which way is down) and the logarithm of its standard deviation (how strong it is), so that anybody's
style can be read off a few seconds of readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.dsp.spectrum import welch
from hil.models.datasets import NONE, Series
from hil.models.generate.shape import COLOURS

__all__ = ["Stretch", "colour_of", "constants", "stretches", "style_of"]

Float = npt.NDArray[np.float32]

_LEAST = 1e-3
"""Least standard deviation of a style: a channel that does not move has a finite logarithm."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Continuous readings of one label.

    Attributes:
        person: Whose.
        label: Index into the labels.
        values: float32 `(N, C)`, in units.
        source: Where it comes from.
    """

    person: str
    label: int
    values: Float
    source: str


def stretches(series: Sequence[Series], labels: Sequence[str], window: int) -> list[Stretch]:
    """Return all stretches of one label that are as long as a window.

    Args:
        series: Labelled readings.
        labels: Their labels.
        window: Samples.

    Raises:
        UsageError: A label has none: what was never seen cannot be drawn.
    """
    found = [one for item in series for one in _of(item) if len(one.values) >= window]
    if missing := [name for at, name in enumerate(labels) if all(one.label != at for one in found)]:
        raise UsageError(
            f"no stretch of {', '.join(missing)} has {window} samples among those to learn from", "data",
            "hold out fewer people, record more, name fewer labels, or use a shorter window",
        )  # fmt: skip
    return found


def _of(item: Series) -> Iterator[Stretch]:
    edges = np.flatnonzero(np.diff(item.labels)) + 1
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(item.labels)], strict=True):
        label = int(item.labels[begin])
        if label != NONE:
            yield Stretch(item.person, label, item.values[begin:end], f"{item.source}[{begin}:{end}]")


def constants(found: Sequence[Stretch]) -> tuple[Float, Float]:
    """Return mean and standard deviation of every channel."""
    values = np.concatenate([one.values for one in found]).astype(np.float64)
    std = values.std(axis=0)
    return values.mean(axis=0).astype(np.float32), np.where(std > 0, std, 1.0).astype(np.float32)


def style_of(values: npt.NDArray[np.floating], mean: Float, std: Float) -> Float:
    """Return the style of a stretch, `(2 C,)`.

    Args:
        values: `(N, C)`, in units.
        mean: Of every channel, over everyone.
        std: Of every channel, over everyone.
    """
    scaled = (values.astype(np.float64) - mean) / std
    return np.concatenate((scaled.mean(axis=0), np.log(np.maximum(scaled.std(axis=0), _LEAST)))).astype(np.float32)


def colour_of(found: Sequence[Stretch], mean: Float, std: Float) -> Float:
    """Return the amplitude of every channel by frequency, `(C, COLOURS)`: 1 everywhere would be white noise.

    It is the geometric mean over stretches: what is quiet at a frequency in most of them begins quiet.

    Args:
        found: Each at least 32 samples long.
        mean: Of every channel.
        std: Of every channel.
    """
    grid = np.linspace(0, 0.5, COLOURS)
    logs = []
    for one in found:
        scaled = (one.values.astype(np.float64) - mean) / std
        spectrum = welch(scaled, 1.0, min(2 * (COLOURS - 1), len(scaled)))
        # One-sided at a rate of 1, white noise of variance 1 has 2. The mean was taken out: 0 is as its neighbour.
        density = spectrum.density[1:] / 2
        logs.append(
            [np.interp(grid, spectrum.frequency_hz[1:], np.log(density[:, c] + 1e-12)) for c in range(len(std))]
        )
    colour: Float = np.exp(np.mean(logs, axis=0) / 2).astype(np.float32)
    return colour
