"""Orientation by `vqf` (Laidig and Seel, Information Fusion 2023), and what it shows at rest.

Rule of this room: without magnetometer (6D), because a heading by an uncalibrated magnetometer says more of iron than
of the sensor. Heading then drifts with what bias the filter leaves: that is the figure. The filter runs over portions
with its state kept; one attitude a block is all that stays. Where `vqf` is not installed the figures say so.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from hil.measure.figure import Figure, PlotData
from hil.measure.intervals import batch_interval
from hil.measure.kinds import Triad
from hil.measure.make import Maker
from hil.measure.motion import Motion, MotionResult, Reading
from hil.measure.resting import Rest, to_deg, to_g

__all__ = ["orientation_figures"]

Float = npt.NDArray[np.float64]

_KEYS = ("tilt_noise", "heading_drift", "turned")
_SETTLE_S = 10.0
"""From the start, until the filter knows its attitude."""

_PAUSE_S = 1.0
"""From the start of each stretch at rest, until motion has died away."""

_LEAST_S = 20.0
_MISSING = "the library vqf is not installed: pip install 'hil-testbench[measure]'"


def orientation_figures(
    result: MotionResult, gyro: tuple[Motion, Triad], accel: tuple[Motion, Triad], rest: Rest, work: Reading
) -> None:
    """Add the orientation of a board with gyroscope and accelerometer, and what it shows at rest."""
    motion = gyro[0]
    make = motion.make
    try:
        from vqf import VQF
    except ImportError:
        result.figures += [make.unknown(key, _MISSING) for key in _KEYS]
        return
    attitudes = _Attitudes(VQF(1 / motion.rate_hz), motion.blocks.size)
    why = _run(attitudes, gyro, accel, work)
    t_s, quaternions = attitudes.arrays()
    if not why and len(t_s) < 3:
        why = "it is shorter than three seconds"
    if why:
        result.figures += [make.unknown(key, why) for key in _KEYS]
        return
    roll, pitch, heading = _angles(quaternions)
    turned = np.degrees(2 * np.arccos(np.clip(np.abs(quaternions @ quaternions[0]), 0, 1)))
    result.figures += [
        *_at_rest(make, t_s, quaternions, heading, rest),
        make("turned", float(turned.max()), condition="6D: heading drifts without a magnetometer", n=len(t_s),
             method="vqf, one attitude a second"),
    ]  # fmt: skip
    result.plots[f"orientation.{make.board}.{motion.stream.name}"] = PlotData(
        "orientation", "orientation by vqf, 6D", make.place, "", "time, s", "angle, deg",
        {"x": t_s, "roll": roll, "pitch": pitch, "heading": np.degrees(np.unwrap(np.radians(heading)))},
    )  # fmt: skip


class _Attitudes:
    """Runs the filter and keeps one attitude a block."""

    def __init__(self, filter_: Any, every: int) -> None:
        self._filter, self._every = filter_, every
        self._seen = 0
        self._t: list[Float] = []
        self._q: list[Float] = []

    def add(self, t_s: Float, rates: npt.NDArray[Any], accelerations: npt.NDArray[Any]) -> None:
        """Take readings in rad/s and m/s2, each `(N, 3)`."""
        made = self._filter.updateBatch(*(np.ascontiguousarray(each, np.float64) for each in (rates, accelerations)))
        made = made["quat6D"]
        where = slice((-self._seen - 1) % self._every, None, self._every)
        self._t.append(t_s[where])
        self._q.append(np.array(made[where]))
        self._seen += len(t_s)

    def arrays(self) -> tuple[Float, Float]:
        """Return times `(B,)` and attitudes `(B, 4)`."""
        if not self._t:
            return np.empty(0), np.empty((0, 4))
        return np.concatenate(self._t), np.concatenate(self._q)


def _run(attitudes: _Attitudes, gyro: tuple[Motion, Triad], accel: tuple[Motion, Triad], work: Reading) -> str:
    """Feed the filter; return why it cannot be, empty where it could."""
    (turning, rate_axes), (falling, force_axes) = gyro, accel
    to_rad, to_ms2 = np.radians(to_deg(rate_axes.unit)), to_g(force_axes.unit) * 9.80665
    together = turning.stream.name == falling.stream.name
    other = None if together else falling.portions(work)
    for arrays, _ in turning.portions(work):
        values = turning.stream.values(arrays.raw)
        forces = values
        if other is not None:
            beside, _ = next(other, (None, None))
            if beside is None or not np.array_equal(beside.numbers, arrays.numbers):
                return f"{turning.stream.name} and {falling.stream.name} do not share their samples one by one"
            forces = falling.stream.values(beside.raw)
        attitudes.add(
            arrays.t_s, values[:, list(rate_axes.channels)] * to_rad, forces[:, list(force_axes.channels)] * to_ms2
        )
    return ""


def _at_rest(make: Maker, t_s: Float, quaternions: Float, heading: Float, rest: Rest) -> list[Figure]:
    """Return tilt noise and heading drift in the stretches at rest, the filter's settling left out."""
    drifts, weights, tilts, lasted = [], [], [], 0.0
    for low, high in rest.times():
        low = max(low + _PAUSE_S, float(t_s[0]) + _SETTLE_S)
        inside = (t_s >= low) & (t_s < high)
        if inside.sum() < 10:
            continue
        minutes = t_s[inside] / 60
        # In pieces of a tenth of the stretch at most, so that one long stretch has an interval too.
        for piece in np.array_split(np.arange(int(inside.sum())), min(10, int(inside.sum()) // 10) or 1):
            angles = np.degrees(np.unwrap(np.radians(heading[inside][piece])))
            drifts.append(float(np.polyfit(minutes[piece], angles, 1)[0]))
            weights.append(len(piece))
        up = _up(quaternions[inside])
        middle = up.mean(axis=0)
        middle /= np.linalg.norm(middle)
        tilts.append(np.degrees(np.arccos(np.clip(up @ middle, -1, 1))))
        lasted += high - low
    if lasted < _LEAST_S:
        why = f"at rest for {lasted:.0f} s after the filter settled, {_LEAST_S:.0f} s are needed"
        return [make.unknown(key, why) for key in ("tilt_noise", "heading_drift")]
    told = f"at rest for {lasted:.0f} s, the first {_SETTLE_S:.0f} s left out; vqf's own bias estimate is at work"
    away = np.concatenate(tilts)
    tilt = float(np.sqrt((away**2).mean() / 2))
    tilt_ends = batch_interval(tilt, [np.sqrt((part**2).mean() / 2) for part in np.array_split(away, 10)])
    drift = float(np.average(drifts, weights=weights))
    return [
        make("tilt_noise", tilt, *tilt_ends, condition=told, n=len(away), method="inclination about its mean, an axis"),
        make("heading_drift", drift, *batch_interval(drift, drifts), condition=told, n=len(drifts),
             method="slope of the 6D heading, pieces of stretches"),
    ]  # fmt: skip


def _up(quaternions: Float) -> Float:
    """Return the vertical in the sensor's frame, `(N, 3)`."""
    w, x, y, z = quaternions.T
    return np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z], axis=1)


def _angles(quaternions: Float) -> tuple[Float, Float, Float]:
    """Return roll, pitch and heading in degrees."""
    w, x, y, z = quaternions.T
    roll = np.degrees(np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)))
    pitch = np.degrees(np.arcsin(np.clip(2 * (w * y - z * x), -1, 1)))
    heading = np.degrees(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
    return roll, pitch, heading
