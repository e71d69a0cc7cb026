"""What an accelerometer tells of gravity, of its attitudes at rest, and of its own scale, bias and misalignment.

Rule of this room: only means over stretches at rest count; stretches closer than `SAME_DEG` to each other are one
attitude. Local gravity is not known: the standard 9.80665 m/s2 is taken, and a tenth of a percent of scale is within
what it varies over the Earth, which the condition says. A magnetometer is calibrated by free rotation with an unknown
field, from the means of its blocks while it turned slowly.
"""

import numpy as np
import numpy.typing as npt

from hil.measure.calibration import LEAST_FREE, PAIRS, Calibration, free_rotation, six_position, well_spread
from hil.measure.figure import Figure
from hil.measure.intervals import batch_interval, of_batches
from hil.measure.kinds import Triad
from hil.measure.make import Maker
from hil.measure.motion import Motion, MotionResult
from hil.measure.resting import Rest, to_g

__all__ = ["calibration_figures", "gravity_figures", "magnetometer_figures"]

Float = npt.NDArray[np.float64]

SAME_DEG = 10.0
_MOST_BLOCKS = 4000


def gravity_figures(result: MotionResult, motion: Motion, triad: Triad, rest: Rest) -> None:
    """Add gravity, attitudes and the accelerometer's calibration."""
    make = motion.make
    _, means, _, _ = motion.blocks.arrays()
    axes = list(triad.channels)
    still = means[rest.still][:, axes] if len(rest.still) == len(means) else np.empty((0, 3))
    if len(still) < 3:
        why = "it was never at rest for three seconds"
        result.figures += [make.unknown(key, why) for key in ("gravity", "poses", "calibration_residual")]
        result.figures += _unknown(make, triad, why)
        return
    norms = np.linalg.norm(still, axis=1)
    gravity = float(norms.mean())
    ends = batch_interval(gravity, of_batches(lambda part: float(norms[part].mean()), len(norms)))
    spans = [means[start:stop][:, axes].mean(axis=0) for start, stop in rest.stretches]
    poses = _attitudes(np.array(spans))
    standard = 1 / to_g(triad.unit)
    off = 100 * (gravity / standard - 1)
    result.figures += [
        make("gravity", gravity, *ends, condition=f"at rest for {len(still) * rest.block_s:.0f} s", n=len(still),
             method="length of the mean, batches", note=f"{off:+.3f} % from the standard {standard:.6g} {triad.unit}"),
        make("poses", len(poses), condition=f"attitudes at rest more than {SAME_DEG:.0f} degrees apart", n=len(spans),
             method="count"),
    ]  # fmt: skip
    found = None
    if len(poses) >= 6:
        found = free_rotation(poses, standard) if well_spread(poses) else six_position(poses, standard)
    if found is None:
        why = (
            f"attitudes at rest: {len(poses)}, which do not determine it: show each of the six faces, "
            f"or {LEAST_FREE} attitudes all around, for three seconds each"
        )
        result.figures += [make.unknown("calibration_residual", why), *_unknown(make, triad, why)]
        return
    told = f"{found.method}, {found.poses} attitudes; gravity taken as {standard:.6g} {triad.unit}"
    result.figures += calibration_figures(make, motion, triad, found, told)


def calibration_figures(make: Maker, motion: Motion, triad: Triad, found: Calibration, told: str) -> list[Figure]:
    """Return the figures of a calibration."""
    names = [motion.stream.channels[place] for place in triad.channels]
    free = 3 * found.poses - 12 if found.method == "six positions" else found.poses - 9
    method = f"{found.method}, least squares with {free} degrees of freedom, Student"
    figures = []
    for place, channel in enumerate(names):
        scale = 100 * (found.scale[place] - 1)
        figures += [
            make("scale_error", *scale.tolist(), channel=channel, condition=told, n=found.poses, method=method),
            make("bias", *found.bias[place].tolist(), channel=channel, condition=told, n=found.poses, method=method),
        ]
    figures += [
        make("misalignment", *found.misalignment_deg[place].tolist(), channel=f"{names[one]}~{names[other]}",
             condition=told, n=found.poses, method=method)
        for place, (one, other) in enumerate(PAIRS)
    ]  # fmt: skip
    residual = make("calibration_residual", found.residual, channel="", condition=told, n=found.poses, method="rms")
    return [*figures, residual]


def magnetometer_figures(result: MotionResult, motion: Motion, triad: Triad) -> None:
    """Add the calibration of a magnetometer by free rotation in an unknown but constant field."""
    make = motion.make
    _, means, variances, _ = motion.blocks.arrays()
    axes = list(triad.channels)
    readings, scatter = means[:, axes], np.sqrt(variances[:, axes].sum(axis=1))
    size = float(np.median(np.linalg.norm(readings, axis=1))) if len(readings) else 0.0
    slow = readings[scatter < 0.05 * size]
    slow = slow[:: max(1, len(slow) // _MOST_BLOCKS)]
    poses = _attitudes(slow) if len(slow) else slow
    found = free_rotation(poses, None) if len(poses) >= LEAST_FREE else None
    if found is None:
        why = (
            f"attitudes in slow motion: {len(poses)}, which do not determine it: "
            f"turn the board slowly until {LEAST_FREE} or more point all around"
        )
        result.figures += [make.unknown("calibration_residual", why), *_unknown(make, triad, why)]
        return
    told = f"free rotation, {found.poses} attitudes; the field's strength is unknown, so the mean scale is taken as 1"
    result.figures += calibration_figures(make, motion, triad, found, told)


def _unknown(make: Maker, triad: Triad, why: str) -> list[Figure]:
    stream = make.stream
    names = [stream.channels[place] for place in triad.channels] if stream else []
    figures = [make.unknown(key, why, channel) for channel in names for key in ("scale_error", "bias")]
    return figures + [make.unknown("misalignment", why, f"{names[one]}~{names[other]}") for one, other in PAIRS]


def _attitudes(readings: Float) -> Float:
    """Return the mean reading of each attitude: those closer than `SAME_DEG` to an earlier one join it."""
    if not len(readings):
        return readings
    centre = (readings.max(axis=0) + readings.min(axis=0)) / 2 if well_spread(readings) else np.zeros(3)
    directions: list[Float] = []
    members: list[list[Float]] = []
    for reading in readings:
        away = reading - centre
        unit = away / max(float(np.linalg.norm(away)), 1e-300)
        near = np.flatnonzero(np.array([unit @ one for one in directions]) > np.cos(np.radians(SAME_DEG)))
        if len(near):
            members[int(near[0])].append(reading)
        else:
            directions.append(unit)
            members.append([reading])
    return np.array([np.mean(one, axis=0) for one in members])
