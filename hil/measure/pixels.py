"""Sums over the frames of an image stream, pixel by pixel: mean picture, noise map, jumps.

Rule of this room: noise in time is taken from second differences over three consecutive frames, so that slow scenes
drop out, and per portion with the wild tenth left out, so that somebody who walks by does not count as noise. Memory
is a few pictures, whatever the length.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from hil.measure.continuity import Stretch

__all__ = ["Maps", "Pixels", "around"]

Float = npt.NDArray[np.float64]

_BEND = 6.0
"""Variance of x[i-1] - 2 x[i] + x[i+1] over that of x, for white noise."""

_KEEP = 0.9
_FEWEST = 8
"""Second differences (three frames in a row each) below which noise is not judged."""

_JUMP = 6.0
_FRAMES = 256
"""Second differences that are judged together: their noise, and what a jump is."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What is known of every pixel.

    Attributes:
        mean: float64 `(H, W)`, mean in units.
        noise: float64 `(H, W)`, standard deviation in time, in units; NaN where there are too few frames.
        parts: float64 `(P, H, W)`, the same of each part of the recording.
        least: `(H, W)`, least reading.
        greatest: `(H, W)`, greatest reading.
        jumps: int64 `(H, W)`, lone jumps to and fro.
        frames: Frames seen.
        together: Noise of the mean of all pixels over what it would be if they were independent: above 1 the scene
            moves, or the array shares noise.
    """

    mean: Float
    noise: Float
    parts: Float
    least: Float
    greatest: Float
    jumps: npt.NDArray[np.int64]
    frames: int
    together: float


class Pixels:
    """Adds up frames.

    Args:
        shape: `(H, W)`.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._n = 0
        self._sum = np.zeros(shape)
        self._least = np.full(shape, np.inf)
        self._greatest = np.full(shape, -np.inf)
        self._jumps = np.zeros(shape, np.int64)
        self._parts: list[Float] = []
        self._bends: list[Float] = []
        self._last: Float | None = None
        self._mean_squares: list[float] = []
        self.frame_means: list[Float] = []
        self.frame_times: list[Float] = []

    def add(self, values: Float, t_s: Float, stretches: list[Stretch]) -> None:
        """Take the next portion of frames `(N, H, W)` and their times."""
        if not len(values):
            return
        self._n += len(values)
        self._sum += values.sum(axis=0)
        self._least = np.minimum(self._least, values.min(axis=0))
        self._greatest = np.maximum(self._greatest, values.max(axis=0))
        self.frame_means.append(values.mean(axis=(1, 2)))
        self.frame_times.append(t_s)
        for stretch in stretches:
            part = values[stretch.piece]
            if stretch.goes_on and self._last is not None:
                part = np.concatenate((self._last, part))
            self._last = part[-2:]
            if len(part) > 2:
                self._bends.append(part[:-2] - 2 * part[1:-1] + part[2:])
        if sum(map(len, self._bends)) >= _FRAMES:
            whole = np.concatenate(self._bends)
            full = len(whole) - len(whole) % _FRAMES
            for start in range(0, full, _FRAMES):
                self._judge(whole[start : start + _FRAMES])
            self._bends = [whole[full:]]

    def _finish(self) -> None:
        """Judge what is held although it is little: the recording ends."""
        if sum(map(len, self._bends)) >= _FEWEST:
            self._judge(np.concatenate(self._bends))
        self._bends = []

    def _judge(self, bend: Float) -> None:
        """Judge second differences `(K, H, W)` together; whole frames of them are consecutive within each stretch."""
        squares = np.sort(bend**2, axis=0)[: max(4, int(_KEEP * len(bend)))]
        noise = np.sqrt(squares.mean(axis=0) / (_BEND * _trimmed(len(squares) / len(bend))))
        self._parts.append(noise)
        self._mean_squares.append(float((bend.mean(axis=(1, 2)) ** 2).mean()) / _BEND)
        usual = max(float(np.median(noise)), 1e-12)
        wild = np.abs(bend) > _JUMP * np.sqrt(_BEND) * np.maximum(noise, usual)
        # A scene moves many pixels at once; a blinking one is alone among its neighbours.
        stirred = np.abs(bend) > _JUMP / 2 * np.sqrt(_BEND) * np.maximum(noise, usual)
        crowd = np.nanmean(around(stirred.astype(np.float64)), axis=0) > 0.1
        self._jumps += (wild & ~crowd).sum(axis=0)

    def maps(self) -> Maps:
        """Return what is known of every pixel."""
        self._finish()
        parts = np.array(self._parts) if self._parts else np.full((1, *self._shape), np.nan)
        noise: Float = np.median(parts, axis=0)
        alone = float((noise**2).sum()) / noise.size**2
        together = float(np.sqrt(np.median(self._mean_squares) / alone)) if self._parts and alone > 0 else 1.0
        return Maps(
            self._sum / max(1, self._n), noise, parts, self._least, self._greatest, self._jumps, self._n, together
        )  # fmt: skip


def around(pictures: Float) -> Float:
    """Return the eight neighbours of every pixel, `(8, ..., H, W)`; NaN beyond the edge."""
    height, width = pictures.shape[-2:]
    padded = np.pad(pictures, [(0, 0)] * (pictures.ndim - 2) + [(1, 1), (1, 1)], constant_values=np.nan)
    return np.array([
        padded[..., down : down + height, right : right + width]
        for down in range(3) for right in range(3) if (down, right) != (1, 1)
    ])  # fmt: skip


def _trimmed(kept: float) -> float:
    """Return the mean square of the share `kept` of normal values that are smallest by size."""
    edge = float(stats.norm.ppf((1 + kept) / 2))
    return 1.0 if kept >= 1 else 1 - 2 * edge * float(stats.norm.pdf(edge)) / kept
