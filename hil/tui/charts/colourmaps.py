"""Colour maps: sixteen colours from little to much, made so that equal steps of a reading look like equal steps.

Each is a path through the OKLab colour space (Ottosson 2020: lightness, and two axes of colour), given by a few points
of lightness, chroma and hue, and walked in steps of equal length. A map whose lightness only rises reads the same for
eyes that confuse hues, and on paper; those that do, and the diverging one between blue and orange, are marked safe.

Rule of this room: pure arithmetic, computed once. Without colour, or with too few of them, the same levels are
characters: one ramp from little to much, and for a diverging map two, dots below the middle and blocks above it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hil.tui.charts.cells import HEAT_LEVELS

__all__ = ["COLOURMAPS", "RAMP", "SIGNED", "Colourmap", "colours", "is_light", "named", "number_of", "ramp"]

Point = tuple[float, float, float]
"""Lightness (0 to 1), chroma (0: grey, 0.3: as colourful as a screen can), hue in degrees."""

Float64 = npt.NDArray[np.float64]

RAMP = " .,:;-=+*oO#%&@█"
"""One character a level, from little to much."""

SIGNED = "⣿⡿⠿⠟⠏⠇⠃⠁▁▂▃▄▅▆▇█"
"""One character a level of a diverging map: dots below the middle, blocks above it, more of them farther away."""

FINE = 400
"""Steps in which a path is measured before it is walked evenly."""


@dataclass(frozen=True, slots=True)
class Colourmap:
    """One colour map.

    Attributes:
        name: What a person calls it.
        points: Where its path goes, from little to much.
        upper: The path above the middle, for a map that diverges from one; else empty.
        safe: Whether its levels are told apart with any colour vision.
    """

    name: str
    points: tuple[Point, ...]
    upper: tuple[Point, ...] = ()
    safe: bool = True

    @property
    def diverging(self) -> bool:
        """Whether it tells below from above a middle."""
        return bool(self.upper)


COLOURMAPS = (
    Colourmap("iron", ((0.14, 0.05, 285), (0.34, 0.15, 300), (0.52, 0.19, 350), (0.70, 0.17, 40), (0.86, 0.13, 80),
                       (0.98, 0.04, 105))),
    Colourmap("viridis-like", ((0.26, 0.12, 310), (0.42, 0.10, 265), (0.58, 0.09, 205), (0.74, 0.14, 155),
                               (0.92, 0.18, 108))),
    Colourmap("cividis-like", ((0.24, 0.08, 260), (0.42, 0.05, 262), (0.56, 0.01, 200), (0.74, 0.08, 95),
                               (0.92, 0.14, 100))),
    Colourmap("grey", ((0.12, 0, 0), (0.99, 0, 0))),
    Colourmap("diverging", ((0.38, 0.15, 262), (0.62, 0.12, 248), (0.92, 0.02, 240)),
              ((0.92, 0.03, 75), (0.66, 0.14, 58), (0.42, 0.12, 40))),
    Colourmap("rainbow", ((0.36, 0.16, 285), (0.58, 0.14, 245), (0.76, 0.13, 195), (0.82, 0.19, 145),
                          (0.88, 0.17, 105), (0.74, 0.17, 60), (0.58, 0.20, 32), (0.40, 0.16, 28)), safe=False),
)  # fmt: skip
"""The first is what a frame begins with. A number in this table is what inks know of a map."""

_NUMBERS = {one.name: number for number, one in enumerate(COLOURMAPS)}


def named(name: str) -> Colourmap | None:
    """Return the map of a name; None where there is none."""
    return COLOURMAPS[_NUMBERS[name]] if name in _NUMBERS else None


def number_of(name: str) -> int:
    """Return the number of a map by its name."""
    return _NUMBERS[name]


def ramp(number: int) -> str:
    """Return a character for each level of a map, from little to much."""
    return SIGNED if COLOURMAPS[number].diverging else RAMP


@lru_cache(len(COLOURMAPS))
def colours(number: int) -> tuple[str, ...]:
    """Return a colour for each level of a map, from little to much, as `#rrggbb`."""
    one = COLOURMAPS[number]
    if one.diverging:
        half = HEAT_LEVELS // 2
        return (*_walked(one.points, half), *_walked(one.upper, half))
    return _walked(one.points, HEAT_LEVELS)


def is_light(colour: str) -> bool:
    """Return whether black stands out from a colour more than white does, by the contrast of accessible web pages."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return bool(linear @ (0.2126, 0.7152, 0.0722) > math.sqrt(1.05 * 0.05) - 0.05)


def _walked(points: Sequence[Point], count: int) -> tuple[str, ...]:
    """Walk a path in steps that look equally long."""
    lightness, chroma, hue = np.array(points, np.float64).T
    # Hues go the short way round.
    hue = np.unwrap(hue, period=360.0)
    at, fine = np.linspace(0, 1, len(points)), np.linspace(0, 1, FINE)
    light, colour, angle = (np.interp(fine, at, values) for values in (lightness, chroma, np.radians(hue)))
    path = np.stack([light, colour * np.cos(angle), colour * np.sin(angle)], axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    even = np.linspace(0, length[-1], count)
    lab = np.stack([np.interp(even, length, path[:, axis]) for axis in range(3)], axis=1)
    return tuple("#" + "".join(f"{part:02x}" for part in row) for row in _screen(lab).tolist())


def _screen(lab: Float64) -> npt.NDArray[np.int64]:
    """Return OKLab colours `(N, 3)` as sRGB, 0 to 255; what a screen cannot show is paled until it can."""
    pale = np.linspace(1, 0, 101)
    rows = []
    for light, green_red, blue_yellow in lab:
        tried = _linear(np.stack([np.full(len(pale), light), green_red * pale, blue_yellow * pale], axis=1))
        fits = ((tried >= -1e-4) & (tried <= 1 + 1e-4)).all(axis=1)
        rows.append(np.clip(tried[int(np.argmax(fits))], 0, 1))
    linear = np.stack(rows)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.int64)


def _linear(lab: Float64) -> Float64:
    """Return OKLab `(N, 3)` as linear sRGB, by Ottosson's matrices; beyond 0 to 1 where a screen cannot show it."""
    cones = lab @ np.array([[1, 1, 1], [0.3963377774, -0.1055613458, -0.0894841775],
                            [0.2158037573, -0.0638541728, -1.2914855480]])  # fmt: skip
    found: Float64 = cones**3 @ np.array(
        [[4.0767416621, -1.2684380046, -0.0041960863], [-3.3077115913, 2.6097574011, -0.7034186147],
         [0.2309699292, -0.3413193965, 1.7076147010]])  # fmt: skip
    return found
