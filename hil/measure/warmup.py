"""How readings follow a temperature, and what warming up did to them.

Rule of this room: only means of blocks that have a temperature nearby are used; below `LEAST_K` of change nothing can
be told. Blocks depend on each other, so the interval comes from the slopes of separate stretches being jackknifed,
never from the scatter of blocks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from hil.measure.figure import Figure
from hil.measure.make import Maker

__all__ = ["LEAST_K", "Temperature", "warm_up_figures"]

Float = npt.NDArray[np.float64]

LEAST_K = 2.0
"""Change of temperature below which no coefficient is given, kelvin."""

_GROUPS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Temperature:
    """A temperature stream in block means.

    Attributes:
        name: `STREAM.CHANNEL` it is from.
        t_s: float64 `(B,)`, seconds since the recording's first sample.
        values: float64 `(B,)`, in kelvin or degC.
    """

    name: str
    t_s: Float
    values: Float

    def at(self, t_s: Float) -> Float:
        """Return the temperature at some times; NaN more than 10 s or three blocks away from any reading."""
        if not len(self.t_s):
            return np.full(len(t_s), np.nan)
        reach = max(10.0, 3 * float(np.median(np.diff(self.t_s)))) if len(self.t_s) > 1 else 10.0
        after = np.searchsorted(self.t_s, t_s)
        before, after = np.maximum(after - 1, 0), np.minimum(after, len(self.t_s) - 1)
        nearest = np.minimum(np.abs(t_s - self.t_s[before]), np.abs(t_s - self.t_s[after]))
        found: Float = np.where(nearest <= reach, np.interp(t_s, self.t_s, self.values), np.nan)
        return found


def warm_up_figures(
    make: Maker, channels: tuple[str, ...], t_s: Float, means: Float, temperature: Temperature | None
) -> list[Figure]:
    """Return coefficient and warm-up drift of every channel.

    Args:
        make: Of the stream.
        channels: Names.
        t_s: float64 `(B,)`, times of the blocks.
        means: float64 `(B, C)`, means of the blocks.
        temperature: A temperature of the same board; None where there is none.
    """
    keys = ("temperature_coefficient", "warm_up")
    if temperature is None:
        why = "the board has no temperature stream"
        return [make.unknown(key, why, channel) for channel in channels for key in keys]
    degrees = temperature.at(t_s)
    have = np.isfinite(degrees)
    t_s, means, degrees = t_s[have], means[have], degrees[have]
    span = float(np.ptp(np.percentile(degrees, [2, 98]))) if len(degrees) else 0.0
    if len(degrees) < 2 * _GROUPS or span < LEAST_K:
        why = f"{temperature.name} changes by {span:.2f} K in {len(degrees)} blocks, {LEAST_K:.0f} K are needed"
        return [make.unknown(key, why, channel, n=len(degrees)) for channel in channels for key in keys]
    figures = []
    for place, channel in enumerate(channels):
        slope, error = _slope(degrees, means[:, place])
        half = float(stats.t.ppf(0.975, _GROUPS - 1)) * error
        told = f"{temperature.name} from {degrees.min():.1f} to {degrees.max():.1f} degC; everything else as it was"
        figures.append(make("temperature_coefficient", slope, slope - half, slope + half, channel=channel, n=len(t_s),
                            condition=told, method="regression on block means, block jackknife"))  # fmt: skip
        tenth = max(2, len(degrees) // 10)
        early, late = means[:tenth, place], means[-tenth:, place]
        change = float(late.mean() - early.mean())
        spread = 1.96 * float(np.hypot(_of_mean(early), _of_mean(late)))
        warmed = degrees[-tenth:].mean() - degrees[:tenth].mean()
        figures.append(make("warm_up", change, change - spread, change + spread, channel=channel, n=len(degrees),
                            condition=f"{temperature.name} changed by {warmed:+.2f} K meanwhile",
                            method="last tenth less first tenth, scatter of block means"))  # fmt: skip
    return figures


def _of_mean(blocks: Float) -> float:
    return float(blocks.std(ddof=1) / np.sqrt(len(blocks)))


def _slope(x: Float, y: Float) -> tuple[float, float]:
    """Return slope and its jackknife error over successive groups."""

    def fitted(keep: npt.NDArray[np.bool_]) -> float:
        away = x[keep] - x[keep].mean()
        return float(away @ y[keep] / (away @ away))

    everything = np.ones(len(x), bool)
    group = np.arange(len(x)) * _GROUPS // len(x)
    parts = np.array([fitted(group != one) for one in range(_GROUPS)])
    error = np.sqrt((_GROUPS - 1) / _GROUPS * ((parts - parts.mean()) ** 2).sum())
    return fitted(everything), float(error)
