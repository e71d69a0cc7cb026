"""One board measured: each stream read once for what every stream has and what its kind adds, then the board's own.

Rule of this room: temperature streams are read first, because the others are held against them. Accelerometer and
gyroscope may be channels of one stream or streams of their own; `inertial` takes both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from firmware_bridge.streams import Stream
from hil.measure.clock import Clock, clock_of
from hil.measure.common import Common
from hil.measure.figure import Figure, PlotData
from hil.measure.image import image_figures, image_plots
from hil.measure.inertial import Motion, measure_motion
from hil.measure.kinds import is_temperature, kind_of
from hil.measure.look import look_at
from hil.measure.losses import Told, link_figures, loss_figures, told_by
from hil.measure.make import Maker
from hil.measure.pixels import Pixels
from hil.measure.portions import portions
from hil.measure.ppg import ppg_figures
from hil.measure.pulses import Pulses
from hil.measure.values import correlation_figures, value_figures, value_plots
from hil.measure.warmup import Temperature, warm_up_figures
from hil.recording.reader import Recording

__all__ = ["BoardResult", "BoardWork", "measure_board"]


@dataclass(frozen=True, slots=True)
class BoardWork:
    """What is to be measured of a board.

    Attributes:
        recording: The recording.
        board: Role.
        streams: Names.
        start_s: From this time on; None: from its start.
        end_s: Before this time; None: to its end.
        kinds: What streams are, where the user said so.
        read: Called with the number of samples that were read.
    """

    recording: Recording
    board: str
    streams: list[str]
    start_s: float | None
    end_s: float | None
    kinds: Mapping[tuple[str, str], str]
    read: Callable[[int], None]

    @property
    def part(self) -> str:
        """Which part of the recording, for conditions; empty for all of it."""
        if self.start_s is None and self.end_s is None:
            return ""
        end = "the end" if self.end_s is None else f"{self.end_s:g} s"
        return f"from {self.start_s or 0:g} s to {end}"


@dataclass
class BoardResult:
    """What came of it."""

    figures: list[Figure] = field(default_factory=list)
    plots: dict[str, PlotData] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    streams: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Read:
    """One stream after its pass."""

    make: Maker
    stream: Stream
    kind: str
    common: Common
    pixels: Pixels | None
    pulses: Pulses | None


def measure_board(work: BoardWork) -> BoardResult:
    """Return the figures and curves of a board."""
    result = BoardResult()
    told = told_by(work.recording, work.board, work.start_s, work.end_s)
    done: list[_Read] = []
    for name in work.streams:
        one = _read(work, name)
        if one is None:
            result.remarks.append(f"{work.board}/{name} has no samples in this part of the recording")
        else:
            done.append(one)
    clock = _clock(work, done)
    temperature = _temperature(done)
    for one in done:
        _stream(result, one, told, clock, temperature)
    motion = measure_motion(_motions(work, done), work)
    result.figures += motion.figures
    result.plots |= motion.plots
    result.figures += [*clock.figures, *link_figures(Maker(work.board, told=work.part), told)]
    if clock.plot is not None:
        result.plots[f"clock.{work.board}"] = clock.plot
    return result


def _read(work: BoardWork, name: str) -> _Read | None:
    """Read a stream once; None where it has no samples."""
    stream = work.recording.stream(work.board, name).stream
    kind = work.kinds.get((work.board, name)) or kind_of(stream)
    make = Maker(work.board, stream, work.part)
    one: _Read | None = None
    for arrays in portions(work.recording, work.board, name, work.start_s, work.end_s):
        if not len(arrays):
            continue
        if one is None:
            look = look_at(arrays)
            common = Common(stream, look, arrays, work.recording.count(work.board, name))
            pixels = Pixels(stream.shape) if kind == "image" and stream.is_image else None
            pulses = Pulses(len(stream.channels), look.rate_hz) if kind == "ppg" and not stream.is_image else None
            one = _Read(make, stream, kind, common, pixels, pulses)
        portion = one.common.portion(arrays)
        one.common.add(portion)
        if one.pixels is not None:
            one.pixels.add(portion.values, portion.t_s, portion.stretches)
        if one.pulses is not None:
            one.pulses.add(portion.values, portion.t_s, portion.stretches)
        work.read(len(arrays))
    return one


def _stream(result: BoardResult, one: _Read, told: Told, clock: Clock, temperature: Temperature | None) -> None:
    make, common, timing = one.make, one.common, one.common.timing
    result.figures += timing.figures(make, clock.drift_ppm)
    result.figures += loss_figures(make, one.stream, told, timing.samples, timing.missing)
    result.figures += value_figures(make, common)
    if common.psd is not None:
        result.figures += common.psd.figures(make, one.stream, timing.unequal_share)
        result.plots |= common.psd.plots(make, one.stream)
    correlations, maps = correlation_figures(make, common)
    result.figures += correlations
    times, means, _, _ = common.blocks.arrays()
    own = temperature is not None and temperature.name.startswith(f"{one.stream.name}.")
    if one.kind != "temperature" and not own:
        result.figures += warm_up_figures(make, common.channels, times, means, temperature)
    result.plots |= maps | value_plots(make, common)
    if one.pixels is not None:
        invalid = told.gaps.get((one.stream.name, "invalid"), 0)
        result.figures += image_figures(make, one.stream, one.pixels, timing.missing, invalid)
        result.plots |= image_plots(make, one.stream, one.pixels)
    if one.pulses is not None:
        result.figures += ppg_figures(make, one.stream.channels, one.pulses)
    result.streams.append(
        {
            "name": make.place, "kind": one.kind, "samples": timing.samples, "rate_hz": timing.rate_hz,
            "nominal_hz": one.stream.rate_hz, "channels": list(one.stream.channels), "units": list(one.stream.units),
            "dtype": one.stream.dtype, "shape": list(one.stream.shape),
        }
    )  # fmt: skip


def _clock(work: BoardWork, done: list[_Read]) -> Clock:
    hertz = next((one.stream.tick_hz for one in done if one.stream.tick_hz), None)
    readings = work.recording.clock(work.board)
    if work.start_s is not None or work.end_s is not None:
        low = (work.start_s or 0.0) * 1e9 + work.recording.start_ns
        high = np.inf if work.end_s is None else work.end_s * 1e9 + work.recording.start_ns
        readings = tuple(one for one in readings if low <= one.received_ns < high)
    return clock_of(Maker(work.board, told=work.part), readings, hertz)


def _temperature(done: list[_Read]) -> Temperature | None:
    """Return the board's temperature in block means: of a stream of its own, or a channel among others."""
    for one in sorted(done, key=lambda one: one.kind != "temperature"):
        if one.stream.is_image:
            continue
        for place, unit in enumerate(one.stream.units):
            if is_temperature(unit) and place < len(one.common.channels):
                times, means, _, _ = one.common.blocks.arrays()
                if len(times):
                    return Temperature(f"{one.stream.name}.{one.stream.channels[place]}", times, means[:, place])
    return None


def _motions(work: BoardWork, done: list[_Read]) -> list[Motion]:
    return [
        Motion(one.make, one.stream, one.common.look.rate_hz or 0.0, one.common.look.late, one.common.blocks)
        for one in done
        if one.kind == "inertial" or any(unit in ("uT", "µT") for unit in one.stream.units)
    ]
