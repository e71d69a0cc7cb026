"""Figures of an image array: noise in time and from pixel to pixel, dead and blinking pixels, dropped frames, a step.

Rule of this room: a pixel is dead when it never changes, hardly has noise, or reads far from all its neighbours; it is
left out of every other figure. Fixed-pattern noise needs a uniform scene: what the mean picture spans is said beside
it, because what is left of a scene is in it. A step answers only where one stands far above the noise.
"""

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.measure.figure import Figure, PlotData
from hil.measure.intervals import NONE, batch_interval, count_interval, sd_interval, share_interval
from hil.measure.make import Maker
from hil.measure.pixels import Maps, Pixels, around
from hil.measure.step import step_response

__all__ = ["image_figures", "image_plots"]

Float = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_EFFICIENCY = 0.2
"""What second differences, trimming and the median of pixels leave of the information in all readings."""

_TOGETHER = 1.3
_QUIET = 0.1
_FAR = 10.0
_LEAST_FRAMES = 16
_KELVIN = ("degC", "°C", "C", "K")


def image_figures(make: Maker, stream: Stream, pixels: Pixels, missing: int, invalid: int) -> list[Figure]:
    """Return the figures of an image stream.

    Args:
        make: Of the stream.
        stream: What is measured.
        pixels: Its sums.
        missing: Frames whose numbers are not there.
        invalid: Of these, frames that were bad by their own checksum.
    """
    maps = pixels.maps()
    frames = _dropped(make, stream, maps.frames, missing, invalid)
    noise_keys = ("temporal_noise", "netd", "fixed_pattern_noise", "non_uniformity", "dead_pixels", "blinking_pixels",
                  "dead_rows", "step_response")  # fmt: skip
    if maps.frames < _LEAST_FRAMES or not np.isfinite(maps.noise).any():
        why = f"there are not {_LEAST_FRAMES} frames, or hardly three in a row without a gap"
        return [frames, *(make.unknown(key, why, n=maps.frames) for key in noise_keys)]
    step = float(stream.scale[0])
    dead, how = _dead(maps, step)
    alive = ~dead
    blinking = alive & _blinking(maps)
    return [
        frames, *_noise(make, stream, maps, alive & ~blinking), *_pattern(make, maps, alive & ~blinking),
        *_defects(make, maps, dead, blinking, how),
        step_response(make, np.concatenate(pixels.frame_times), np.concatenate(pixels.frame_means)),
    ]  # fmt: skip


def _dropped(make: Maker, stream: Stream, frames: int, missing: int, invalid: int) -> Figure:
    if not stream.counted and not invalid:
        why = "the board does not number its frames (see unequal_steps for late ones)"
        return make.unknown("frames_dropped", why, n=frames)
    gone, due = max(missing, invalid), frames + max(missing, invalid)
    told = "by the numbers of the frames" if stream.counted else "failed frames only: the board does not number frames"
    note = f"{invalid} of {gone} failed their checksum" if invalid else ""
    return make("frames_dropped", 100 * gone / due if due else None, *share_interval(gone, due), n=due, condition=told,
                method="share, Clopper-Pearson", note=note)  # fmt: skip


def _dead(maps: Maps, step: float) -> tuple[Mask, str]:
    usual = float(np.median(maps.noise))
    still = maps.greatest == maps.least
    quiet = maps.noise < _QUIET * usual
    away = np.abs(maps.mean - np.nanmedian(around(np.where(still, np.nan, maps.mean)), axis=0))
    away = np.where(np.isfinite(away), away, 0.0)
    spread = max(1.4826 * float(np.median(away)), usual, step)
    far = away > _FAR * spread
    said = ((still, "never change"), (quiet & ~still, "have hardly any noise"), (far & ~quiet & ~still, "read far off"))
    told = [f"{int(which.sum())} {what}" for which, what in said if which.any()]
    return still | quiet | far, ", ".join(told)


def _blinking(maps: Maps) -> Mask:
    least = max(5.0, 0.002 * maps.frames, 10 * float(np.median(maps.jumps)))
    return maps.jumps >= least


def _noise(make: Maker, stream: Stream, maps: Maps, good: Mask) -> list[Figure]:
    if not good.any():
        return [make.unknown(key, "no pixel is alive") for key in ("temporal_noise", "netd")]
    noise = float(np.median(maps.noise[good]))
    parts = np.array([np.median(part[good]) for part in maps.parts])
    low, high = batch_interval(noise, parts)
    if low is None:
        # Few parts: pixels are as many independent estimates, each of its number of frames.
        low, high = sd_interval(noise, max(2.0, _EFFICIENCY * maps.frames * good.sum()))
    told = f"{maps.frames} frames, {int(good.sum())} pixels; slow scenes left out"
    if maps.together > _TOGETHER:
        told += f"; pixels move together ({maps.together:.1f} times chance): the scene moved, an upper bound"
    if noise < 0.3 * float(stream.scale[0]):
        told += "; below a third of the quantisation step, so that it is only a bound"
    method = "second differences, trimmed; median of pixels"
    made = make("temporal_noise", noise, low, high, condition=told, n=maps.frames, method=method)
    if stream.units[0] not in _KELVIN or low is None or high is None:
        why = f"readings in {stream.units[0]} are no temperatures"
        return [made, make.unknown("netd", why)]
    return [made, make("netd", 1e3 * noise, 1e3 * low, 1e3 * high, condition=told, n=maps.frames, method=method)]


def _pattern(make: Maker, maps: Maps, good: Mask) -> list[Figure]:
    keys = ("fixed_pattern_noise", "non_uniformity")
    count = int(good.sum())
    if count < 9:
        return [make.unknown(key, f"{count} living pixels are too few, 9 are needed", n=count) for key in keys]
    local = maps.mean - np.nanmedian(around(np.where(good, maps.mean, np.nan)), axis=0)
    left = local[good & np.isfinite(local)]
    # The median of eight neighbours has noise of its own: 1.57 / 8 of the variance of one.
    pattern = 1.4826 * float(np.median(np.abs(left - np.median(left)))) / np.sqrt(1 + 1.57 / 8)
    whole = float(maps.mean[good].std(ddof=1))
    spans = f"the mean picture spans {np.ptp(maps.mean[good]):.3g}"
    scene = f"{spans}: hold a uniform scene before it, what is left of a scene is in it"
    noise = float(np.median(maps.noise[good])) / np.sqrt(maps.frames)
    return [
        make("fixed_pattern_noise", pattern, *sd_interval(pattern, 0.37 * count), condition=scene, n=count,
             method="deviation from the median of eight neighbours, robust",
             note=f"noise in time leaves {noise:.2g} in the mean picture"),
        make("non_uniformity", whole, *sd_interval(whole, count), condition=scene, n=count,
             method="standard deviation of the mean picture"),
    ]  # fmt: skip


def _defects(make: Maker, maps: Maps, dead: Mask, blinking: Mask, how: str) -> list[Figure]:
    told = f"{maps.frames} frames, {dead.size} pixels"
    lines = [f"row {row}" for row in np.flatnonzero(dead.all(axis=1))]
    lines += [f"column {column}" for column in np.flatnonzero(dead.all(axis=0))]
    few = "; fewer than 100 frames may hide a rare one" if maps.frames < 100 else ""
    return [
        make("dead_pixels", int(dead.sum()), condition=told, n=dead.size, method="count",
             note="; ".join(filter(None, (how, _places(dead))))),
        make("blinking_pixels", int(blinking.sum()), *(count_interval(int(blinking.sum())) if few else NONE),
             condition=told + few, n=dead.size, method="lone jumps beyond six times the noise", note=_places(blinking)),
        make("dead_rows", len(lines), condition=told, n=sum(dead.shape), method="count", note=", ".join(lines)),
    ]  # fmt: skip


def _places(mask: Mask, most: int = 12) -> str:
    found = [f"({row}, {column})" for row, column in np.argwhere(mask)]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return " ".join(found[:most]) + more


def image_plots(make: Maker, stream: Stream, pixels: Pixels) -> dict[str, PlotData]:
    """Return the mean picture and the noise map."""
    maps = pixels.maps()
    unit = stream.units[0]
    pictures = (("mean picture", "map", maps.mean), ("noise map", "noise", maps.noise))
    return {
        f"{kind}.{make.board}.{stream.name}": PlotData(
            "map", title, make.place, "", "column", f"row; {unit}", {"z": picture}
        )
        for title, kind, picture in pictures
    }
