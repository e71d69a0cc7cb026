"""Scale, bias and misalignment of a three-axis sensor from readings of a vector of constant length.

A reading is `a = K f + b + noise`: row i of the sensor matrix K is the direction and gain of axis i, b its bias. Two
ways to find them. Six positions: each axis pointed up and down, f known; K and b follow by linear least squares and K
holds the mounting as well. Free rotation: only the length of f is known; nine unknowns (K up to a rotation) follow by
least squares on the length: no fixture is needed. Scale is the length of a row, misalignment the angle of two rows
less 90 degrees; neither depends on the rotation left open. Intervals are Student's from the covariance of the fit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

__all__ = ["Calibration", "free_rotation", "six_position", "well_spread"]

Float = npt.NDArray[np.float64]

PAIRS = ((0, 1), (0, 2), (1, 2))
LEAST_FREE = 12
"""Attitudes a free rotation needs: nine unknowns and something left to judge them by."""

_FACE_DEG = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a three-axis sensor is like.

    Attributes:
        scale: float64 `(3, 3)`: value, low, high of the gain of each axis in rows; 1 is right.
        bias: float64 `(3, 3)`: value, low, high of the bias of each axis, in the readings' unit.
        misalignment_deg: float64 `(3, 3)`: value, low, high for the pairs xy, xz, yz.
        residual: Root mean square that is left, in the readings' unit.
        poses: How many readings it rests on.
        method: `six positions` or `free rotation`.
        matrix: K, float64 `(3, 3)`.
    """

    scale: Float
    bias: Float
    misalignment_deg: Float
    residual: float
    poses: int
    method: str
    matrix: Float

    def correct(self, readings: Float) -> Float:
        """Return readings `(N, 3)` with bias, scale and misalignment taken off."""
        corrected: Float = (readings - self.bias[:, 0]) @ np.linalg.inv(self.matrix).T
        return corrected


def well_spread(readings: Float) -> bool:
    """Whether readings `(N, 3)` point in enough directions for nine unknowns: on no cone or plane, and both ways."""
    if len(readings) < LEAST_FREE:
        return False
    centre = (readings.max(axis=0) + readings.min(axis=0)) / 2
    away = readings - centre
    length = np.linalg.norm(away, axis=1, keepdims=True)
    if np.median(length) <= 0:
        return False
    units = away / np.where(length > 0, length, 1)
    spread = np.linalg.eigvalsh(units.T @ units / len(units))
    reach = np.ptp(readings, axis=0) / np.median(np.linalg.norm(readings, axis=1))
    return bool(spread[0] > 0.12 and reach.min() > 1.2)


def six_position(readings: Float, length: float = 1.0) -> Calibration | None:
    """Calibrate by six (or more) positions in which one axis points up or down.

    Args:
        readings: float64 `(N, 3)`, mean reading of each position.
        length: Length of the true vector (gravity), in the readings' unit.

    Returns:
        The calibration; None where one of the six faces is missing or a position is far from all of them.
    """
    axis = np.argmax(np.abs(readings), axis=1)
    sign = np.sign(readings[np.arange(len(readings)), axis])
    truth = np.zeros_like(readings)
    truth[np.arange(len(readings)), axis] = sign
    cosine = np.abs(readings[np.arange(len(readings)), axis]) / np.linalg.norm(readings, axis=1)
    faces = {(int(one), int(way)) for one, way in zip(axis, sign, strict=True)}
    if len(faces) < 6 or cosine.min() < np.cos(np.radians(_FACE_DEG)):
        return None
    design = np.concatenate([truth * length, np.ones((len(truth), 1))], axis=1)
    solved, *_ = np.linalg.lstsq(design, readings, rcond=None)
    left = readings - design @ solved
    freedom = 3 * len(readings) - 12
    variance = float((left**2).sum()) / max(1, freedom)
    one_axis: Float = np.asarray(np.linalg.inv(design.T @ design) * variance, np.float64)
    # Rows of K with their bias, axis by axis.
    covariance: Float = np.asarray(np.kron(np.eye(3), one_axis), np.float64)

    def split(flat: Float) -> tuple[Float, Float]:
        rows = flat.reshape(3, 4)
        return rows[:, :3], rows[:, 3]

    return _told(solved.T.ravel(), covariance, split, freedom, left, len(readings), "six positions")


def free_rotation(readings: Float, length: float | None = 1.0) -> Calibration | None:
    """Calibrate by attitudes all over the sphere, whatever they are.

    Args:
        readings: float64 `(N, 3)`, mean reading of each attitude.
        length: Length of the true vector in the readings' unit; None where nobody knows: the mean gain is then 1.

    Returns:
        The calibration; None where the attitudes do not determine it.
    """
    if not well_spread(readings):
        return None
    centre = (readings.max(axis=0) + readings.min(axis=0)) / 2
    known = float(np.median(np.linalg.norm(readings - centre, axis=1))) if length is None else length
    lower = np.tril_indices(3)

    def split(flat: Float) -> tuple[Float, Float]:
        matrix = np.zeros((3, 3))
        matrix[lower] = flat[:6]
        return matrix, flat[6:]

    def left(flat: Float) -> Float:
        matrix, bias = split(flat)
        try:
            vectors = np.linalg.solve(matrix, (readings - bias).T)
        except np.linalg.LinAlgError:
            return np.full(len(readings), 1e6)
        missing: Float = np.linalg.norm(vectors, axis=0) - known
        return missing

    start = np.concatenate((np.eye(3)[lower], centre))
    fit = optimize.least_squares(left, start, method="lm", x_scale=np.r_[np.ones(6), np.full(3, known)])
    freedom = len(readings) - 9
    variance = float((fit.fun**2).sum()) / max(1, freedom)
    try:
        covariance = np.linalg.inv(fit.jac.T @ fit.jac) * variance
    except np.linalg.LinAlgError:
        return None
    return _told(fit.x, covariance, split, freedom, fit.fun, len(readings), "free rotation", relative=length is None)


def _told(
    flat: Float, covariance: Float, split: Callable[[Float], tuple[Float, Float]], freedom: int, left: Float,
    poses: int, method: str, relative: bool = False,
) -> Calibration:  # fmt: skip
    """Return scale, bias and misalignment with intervals: the delta method on the fit's own unknowns."""

    def wanted(values: Float) -> Float:
        matrix, bias = split(values)
        gains = np.linalg.norm(matrix, axis=1)
        units = matrix / gains[:, None]
        angles = [np.degrees(np.arccos(np.clip(units[i] @ units[j], -1, 1))) - 90 for i, j in PAIRS]
        return np.concatenate((gains / (gains.mean() if relative else 1.0), bias, angles))

    value = wanted(flat)
    slopes = np.empty((len(value), len(flat)))
    for place in range(len(flat)):
        step = 1e-6 * max(1e-3, abs(flat[place]))
        moved = flat.copy()
        moved[place] += step
        slopes[:, place] = (wanted(moved) - value) / step
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, covariance, slopes), 0.0))
    half = float(stats.t.ppf(0.975, max(1, freedom))) * error
    table = np.stack([value, value - half, value + half], axis=1)
    residual = float(np.sqrt((left**2).sum() / max(1, freedom)))
    return Calibration(table[:3], table[3:6], table[6:], residual, poses, method, split(flat)[0])
