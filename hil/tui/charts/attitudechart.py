"""The attitude of a board as cells: a board of wire, turned as the real one is, and how sure that is in words.

Rule of this room: pure, the same figure and size give the same cells. x, y and z of the sensor are written at their
ends, so that it reads without colour; the crossed face is the upper side of the board.
"""

import math

import numpy as np

from hil.tui.charts import canvas, dots
from hil.tui.charts.cells import DIM, GOOD, TEXT, WARN, Cells, Line, Run, blank, channel_ink, put
from hil.tui.charts.chart import Panel
from hil.tui.charts.figuretitle import fitted, head, nothing
from hil.views.figure import FigureView
from hil.views.stream import StreamView

__all__ = ["angles", "draw", "legend", "turned"]

Float64 = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

HALF = np.array([1.0, 0.62, 0.12])
"""Half of the board's length, width and height."""

REACH = 1.5
"""How far from its middle anything of the board can be seen."""

AZIMUTH, ELEVATION = math.radians(-60.0), math.radians(25.0)
"""Where the eye stands."""


def turned(quaternion: Float64, points: Float64) -> Float64:
    """Return points `(N, 3)` of the board in the frame of the earth."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    rotation = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    found: Float64 = points @ rotation.T
    return found


def angles(quaternion: Float64) -> tuple[float, float, float]:
    """Return roll, pitch and heading in degrees (turned about z, then y, then x)."""
    w, x, y, z = (float(part) for part in quaternion / np.linalg.norm(quaternion))
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
    heading = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return math.degrees(roll), math.degrees(pitch), math.degrees(heading)


def legend(figure: FigureView | None, stream: StreamView, panel: Panel, width: int) -> Line:
    """Return the title: the angles, how sure they are, and whether the board lies still."""
    first = head(stream, "attitude")
    if figure is None or figure.sentence:
        return first
    state: Run = (" at rest", GOOD) if figure.resting else (" MOVES", WARN)
    roll, pitch, heading = angles(figure.x.astype(np.float64))
    _, tilt_sd, heading_sd = figure.marks[0].tolist()
    parts: list[Run] = [
        (f" roll {roll:+.1f}° pitch {pitch:+.1f}°", TEXT), (f" ±{tilt_sd:.1f}°", DIM),
        (f" heading {heading:+.1f}°", TEXT), (f" ±{heading_sd:.1f}° since first looked at", DIM),
    ]  # fmt: skip
    brief: list[Run] = [
        (f" {name}{round(angle):+d}°", TEXT) for name, angle in (("roll", roll), ("pitch", pitch), ("head", heading))
    ]
    return fitted([*first, state], parts, width, brief)


def draw(figure: FigureView | None, width: int, height: int) -> Cells:
    """Draw the board, `width` by `height` cells."""
    cells = blank(width, height)
    if height <= 0 or width <= 2 or nothing(cells, figure) or figure is None:
        return cells
    quaternion = figure.x.astype(np.float64)
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float64)
    corners = _seen(turned(quaternion, signs * HALF))
    edges = [(a, b) for a in range(8) for b in range(a + 1, 8) if np.abs(signs[a] - signs[b]).sum() == 2]
    top = [at for at in range(8) if signs[at, 2] > 0]
    axes = _seen(turned(quaternion, np.vstack([np.zeros(3), np.eye(3) * (HALF + 0.35)])))
    centre = np.array([width - 0.5, 2 * height - 0.5])
    scale = np.array([1.0, -1.0]) * min(width, 2 * height) / REACH
    grid = dots.grid(width, height)
    at, ends = centre + corners * scale, centre + axes * scale
    dots.lines(grid, np.array([[at[a], at[b]] for a, b in edges]))
    dots.lines(grid, np.array([[at[top[0]], at[top[3]]], [at[top[1]], at[top[2]]]]), 0.5)
    bits = dots.packed(grid)
    cells.codes[:] = np.where(bits > 0, bits.astype(np.uint32) + canvas.BRAILLE, 0x20)
    cells.inks[:] = TEXT
    for axis in range(3):
        arm = dots.grid(width, height)
        dots.lines(arm, np.array([[ends[0], ends[axis + 1]]]))
        bits = dots.packed(arm)
        held = np.where(cells.codes >= canvas.BRAILLE, cells.codes - canvas.BRAILLE, 0)
        cells.codes[:] = np.where(bits > 0, (bits | held) + canvas.BRAILLE, cells.codes)
        cells.inks[bits > 0] = channel_ink(axis)
    for axis, name in enumerate("xyz"):
        column, row = int(ends[axis + 1, 0]) // 2, int(ends[axis + 1, 1]) // 4
        if 0 <= column < width and 0 <= row < height:
            put(cells, column, row, name, channel_ink(axis))
    return cells


def _seen(points: Float64) -> Float64:
    """Return points `(N, 3)` of the earth (z up) as they are seen: to the right and upwards, `(N, 2)`."""
    right = np.array([-math.sin(AZIMUTH), math.cos(AZIMUTH), 0.0])
    up = np.array([-math.cos(AZIMUTH) * math.sin(ELEVATION), -math.sin(AZIMUTH) * math.sin(ELEVATION),
                   math.cos(ELEVATION)])  # fmt: skip
    return np.stack((points @ right, points @ up), axis=1)
