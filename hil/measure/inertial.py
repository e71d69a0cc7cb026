"""All that inertial streams of one board add: rest, means at rest, noise, gravity, calibration, orientation.

Rule of this room: it says who measures what; a board's accelerometer, gyroscope and magnetometer may be channels of one
stream or streams of their own.
"""

import numpy as np

from hil.measure.attitudes import gravity_figures, magnetometer_figures
from hil.measure.intervals import batch_interval, of_batches
from hil.measure.kinds import ACCELERATION, RATE
from hil.measure.motion import Motion, MotionResult, Reading, axes_of, resting
from hil.measure.noise import noise_at_rest
from hil.measure.orientation import orientation_figures
from hil.measure.resting import Rest

__all__ = ["Motion", "measure_motion"]


def measure_motion(motions: list[Motion], work: Reading) -> MotionResult:
    """Return the figures and curves of the inertial streams of a board."""
    result = MotionResult()
    found = resting(motions)
    for motion in motions:
        rest = found.get(motion.stream.name)
        if rest is None:
            for triad in motion.triads:
                if triad.kind == "magnetometer":
                    magnetometer_figures(result, motion, triad)
            continue
        _rest(result, motion, rest)
        noise_at_rest(result, motion, rest, work)
        for triad in motion.triads:
            if triad.kind == "accelerometer":
                gravity_figures(result, motion, triad, rest)
            elif triad.kind == "magnetometer":
                magnetometer_figures(result, motion, triad)
    gyro, accel = axes_of(motions, "gyroscope"), axes_of(motions, "accelerometer")
    if gyro is not None and accel is not None and gyro[0].rate_hz:
        orientation_figures(result, gyro, accel, found[gyro[0].stream.name], work)
    return result


def _rest(result: MotionResult, motion: Motion, rest: Rest) -> None:
    """Add the share of rest and the means at rest."""
    make = motion.make
    spans = rest.times()
    longest = max((high - low for low, high in spans), default=0.0)
    told = f"{len(spans)} stretches, the longest {longest:.0f} s; blocks of {rest.block_s:.2g} s"
    result.figures.append(
        make("rest", 100 * rest.share, condition=told, n=len(rest.t_s), method="scatter and level of blocks")
        if len(rest.t_s)
        else make.unknown("rest", "it is shorter than a second")
    )
    _, means, _, _ = motion.blocks.arrays()
    if len(means) != len(rest.still):
        return
    still = means[rest.still]
    for place, unit in enumerate(motion.stream.units):
        if unit not in ACCELERATION and unit not in RATE:
            continue
        channel = motion.stream.channels[place]
        if len(still) < 3:
            result.figures.append(make.unknown("rest_mean", "it was never at rest for three seconds", channel))
            continue
        mean = float(np.mean(still[:, place]))
        parts = of_batches(lambda part, own=still[:, place]: float(own[part].mean()), len(still))  # type: ignore[misc]
        result.figures.append(make("rest_mean", mean, *batch_interval(mean, parts), channel=channel, n=len(still),
                                   condition=f"at rest for {len(still) * rest.block_s:.0f} s",
                                   method="mean, batch means"))  # fmt: skip
