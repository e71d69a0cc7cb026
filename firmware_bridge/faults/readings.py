"""Sensor faults: what becomes of readings on the wire's scale, sample by sample.

Amounts are given in the stream's unit and turned into wire values by its scale; integers are rounded and cut at the
ends of their type, as a converter does.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.faults import draws
from firmware_bridge.faults.episodes import active, episodes
from firmware_bridge.faults.schedule import Fault, Schedule
from firmware_bridge.streams import Stream

__all__ = ["Readings"]

Raw = npt.NDArray[Any]
Int64 = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


class Readings:
    """The sensor faults of one stream.

    Args:
        schedule: Sensor faults of this board.
        board: Role, part of what is drawn.
        stream: Name of the stream.
    """

    def __init__(self, schedule: Schedule, board: str, stream: str) -> None:
        self._schedule = schedule
        self._place = (board, stream)
        self._faults = [one for one in schedule.faults if one.level == "sensor" and one.touches(board, stream)]
        self._held: dict[str, tuple[int, Raw]] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def apply(self, stream: Stream, keys: Int64, seconds: Float, raw: Raw) -> Raw:
        """Return damaged readings.

        Args:
            stream: What they are.
            keys: `(N,)`, of the samples (see `keys`).
            seconds: `(N,)`, since the board's first sample.
            raw: `(N, *shape)`; left as it is.
        """
        for fault in self._faults:
            hit = active(fault, seconds)
            if hit.any():
                raw = self._damage(fault, stream, keys, seconds, raw, hit)
        return raw

    def _damage(
        self, fault: Fault, stream: Stream, keys: Int64, seconds: Float, raw: Raw, hit: npt.NDArray[np.bool_]
    ) -> Raw:
        where = np.broadcast_to(hit.reshape(-1, *[1] * (raw.ndim - 1)), raw.shape) & _channel(fault, stream)
        match fault.kind:
            case "sensor.stuck":
                return self._stuck(fault, stream, seconds, raw)
            case "sensor.dead" | "sensor.dead_row":
                dead = self._dead(fault, stream)
                return _kept(raw, np.full(raw.shape, fault["value"]), where & dead)
            case "sensor.saturate":
                scale, offset = _scale(stream), np.asarray(stream.offset)
                unit = raw.astype(np.float64) * scale + offset
                cut = (np.clip(unit, -fault["limit"], fault["limit"]) - offset) / scale
                return _kept(raw, cut, where & (np.abs(unit) > fault["limit"]))
        return _kept(raw, raw.astype(np.float64) + self._added(fault, keys, seconds, raw) / _scale(stream), where)

    def _added(self, fault: Fault, keys: Int64, seconds: Float, raw: Raw) -> Float:
        """Return what a fault adds in the stream's unit, to be broadcast over `raw`."""
        column = (-1, *[1] * (raw.ndim - 1))
        series, seed = self._schedule.series(fault, *self._place), self._schedule.seed
        if fault.kind == "sensor.bias":
            return np.full(column[1:] or (1,), fault["offset"])
        if fault.kind == "sensor.drift":
            return (fault["per_s"] * (seconds - fault.from_s)).reshape(column)
        width = int(np.prod(raw.shape[1:]))
        if fault.kind == "sensor.noise":
            return fault["sigma"] * draws.chosen("normal", seed, series, keys, width).reshape(raw.shape)
        assert fault.kind == "sensor.spike", fault.kind
        chance = draws.chosen("uniform", seed, series, keys)[:, 0]
        sign = np.where(chance < fault["rate"] / 2, -1.0, 1.0)
        return (np.where(chance < fault["rate"], sign * fault["height"], 0.0)).reshape(column)

    def _stuck(self, fault: Fault, stream: Stream, seconds: Float, raw: Raw) -> Raw:
        which = episodes(fault, seconds)
        held = raw.copy()
        mask = _channel(fault, stream)
        for number in np.unique(which[which >= 0]).tolist():
            at = np.flatnonzero(which == number)
            kept = self._held.get(fault.key)
            if kept is None or kept[0] != number:
                kept = self._held[fault.key] = (number, raw[at[0]].copy())
            held[at] = np.where(mask, kept[1], raw[at])
        return held

    def _dead(self, fault: Fault, stream: Stream) -> npt.NDArray[np.bool_]:
        series = self._schedule.series(fault, *self._place, "which")
        if fault.kind == "sensor.dead_row":
            dead = np.zeros(stream.shape, np.bool_)
            if stream.is_image:
                order = np.argsort(draws.uniforms(self._schedule.seed, series, 0, stream.shape[0])[:, 0])
                dead[order[: int(fault["rows"])]] = True
            return dead
        many = int(np.prod(stream.shape))
        chance = draws.uniforms(self._schedule.seed, series, 0, many)[:, 0]
        dead = chance < fault["share"]
        dead[int(chance.argmin())] = True
        return dead.reshape(stream.shape)


def _channel(fault: Fault, stream: Stream) -> npt.NDArray[np.bool_]:
    """Return which values of a sample a fault is meant for, `shape`."""
    if not fault.channel or stream.is_image:
        return np.ones(stream.shape, np.bool_)
    return np.array([name == fault.channel for name in stream.channels])


def _scale(stream: Stream) -> Float:
    scale = np.asarray(stream.scale, np.float64)
    return np.where(scale == 0, 1.0, scale)


def _kept(raw: Raw, wanted: Float, where: npt.NDArray[np.bool_]) -> Raw:
    """Return `wanted` as the wire can carry it, where it is wanted."""
    if raw.dtype.kind in "iu":
        limits = np.iinfo(raw.dtype)
        # in float64 the ends of 64-bit types round up: cut one step inside
        high = float(limits.max) if limits.bits < 64 else np.nextafter(float(limits.max), 0)
        wanted = np.clip(np.rint(wanted), float(limits.min), high)
    made: Raw = np.where(where, wanted.astype(raw.dtype), raw)
    return made
