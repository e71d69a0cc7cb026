"""Orientation of a board and how sure it is, as a stream of its own: batch in, batch out, by `vqf`.

Rule of this room: sample by sample, whatever the batches were; a gap begins anew, for nobody knows how far the board
was turned meanwhile. Without magnetometer (6D): the heading counts from the beginning of the segment. The filter
(Laidig and Seel, Information Fusion 2023) estimates the gyroscope's bias and how sure it is of it. What that leaves is
stated: heading is off by the sum of what the bias may be, inclination by what it may be over the filter's time constant
and by how far the measured force is from gravity.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.events import Arrival, Item
from firmware_bridge.streams import Stream
from hil.measure.kinds import triads
from hil.measure.resting import to_deg, to_g

__all__ = ["CHANNELS", "Orientation", "OrientationStage", "with_orientation"]

Float = npt.NDArray[np.float64]

CHANNELS = ("qw", "qx", "qy", "qz", "inclination_sd", "heading_sd")
"""Of the derived stream: the quaternion from sensor to earth (z up), and two standard deviations in degrees."""

_TAU_S = 3.0
"""Time constant with which the filter follows the accelerometer (the library's own)."""

_GRAVITY = 9.80665


class Orientation:
    """Derives the orientation of one stream.

    Args:
        source: A stream with a gyroscope and an accelerometer.
        where: For messages.

    Raises:
        UsageError: It has not both, or nobody said its rate.
        MissingPart: vqf is not installed.
    """

    def __init__(self, source: Stream, where: str) -> None:
        found = {one.kind: one for one in triads(source)}
        if not {"gyroscope", "accelerometer"} <= found.keys():
            has = ", ".join(f"{name} ({unit})" for name, unit in zip(source.channels, source.units, strict=False))
            raise UsageError(
                f"its orientation needs three axes of a gyroscope and of an accelerometer (it has {has})", where,
                "name the stream that has both",
            )  # fmt: skip
        if not source.rate_hz:
            raise UsageError("its rate is unknown", where, "give rate_hz in a board file")
        try:
            from vqf import VQF
        except ImportError:
            raise MissingPart("vqf is not installed", "orientation", "pip install 'hil-testbench[measure]'") from None
        self.stream = Stream(
            f"{source.name}.orientation", CHANNELS, ("1", "1", "1", "1", "deg", "deg"), "<f4", (len(CHANNELS),),
            source.rate_hz, rate_inferred=source.rate_inferred, counted=source.counted, checked=source.checked,
            tick_hz=source.tick_hz,
        )  # fmt: skip
        self._source = source
        self._step_s = 1.0 / source.rate_hz
        gyro, accel = found["gyroscope"], found["accelerometer"]
        self._gyro, self._to_rad = list(gyro.channels), np.radians(to_deg(gyro.unit))
        self._accel, self._to_ms2 = list(accel.channels), to_g(accel.unit) * _GRAVITY
        self._filter = VQF(self._step_s, tauAcc=_TAU_S)
        self._kept = float(np.exp(-self._step_s / _TAU_S))
        self._next: tuple[int, int] | None = None
        self._heading = self._force = 0.0

    def batch(self, batch: Batch) -> Batch:
        """Return the orientation after each sample of a batch, under the same numbers and times."""
        if self._next != (batch.boot, batch.first):
            self._filter.resetState()
            self._heading = self._force = 0.0
        self._next = (batch.boot, batch.end)
        values = self._source.values(batch.raw).astype(np.float64)
        rates = np.ascontiguousarray(values[:, self._gyro]) * self._to_rad
        forces = np.ascontiguousarray(values[:, self._accel]) * self._to_ms2
        found = self._filter.updateBatch(rates, forces)
        made = np.empty((len(values), len(CHANNELS)), np.float32)
        made[:, :4] = found["quat6D"]
        bias = np.asarray(found["biasSigma"], np.float64)
        odd = np.square(np.linalg.norm(forces, axis=1) / _GRAVITY - 1.0)
        made[:, 4] = np.degrees(np.sqrt(np.square(bias * _TAU_S) + self._followed(odd)))
        made[:, 5] = np.degrees(self._turned(bias))
        return Batch(batch.board, self.stream, batch.boot, batch.first, batch.ticks, batch.t_ns, made)

    def _followed(self, odd: Float) -> Float:
        """Return what the filter has followed lately of the force's odd part, one sample after the other."""
        found = np.empty(len(odd))
        state, kept = self._force, self._kept
        for at, value in enumerate(odd.tolist()):
            state = kept * state + (1.0 - kept) * value
            found[at] = state
        self._force = state
        return found

    def _turned(self, bias: Float) -> Float:
        """Return the sum of what the bias may be: it is one bias, so it adds up and does not average out."""
        steps = np.concatenate(([self._heading], bias * self._step_s))
        found = np.cumsum(steps)[1:]
        self._heading = float(found[-1]) if len(found) else self._heading
        return found


def with_orientation(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, and behind each batch of a stream with gyroscope and accelerometer its orientation.

    Raises:
        MissingPart: vqf is not installed.
    """
    known: dict[tuple[str, str], Orientation | None] = {}
    for item in items:
        yield item
        if isinstance(item, Batch) and len(item) and (one := _of(known, item)) is not None:
            yield one.batch(item)


class OrientationStage:
    """Adds orientations to what passes a pipeline (a `hil.pipeline.Stage`); stands before the models that read them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Orientation | None] = {}

    def process(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Return the arrivals, each followed by the orientations of its batches."""
        found = []
        for arrival in arrivals:
            found.append(arrival)
            batches = [item for item in arrival.items if isinstance(item, Batch) and len(item)]
            made = [one.batch(item) for item in batches if (one := _of(self._known, item)) is not None]
            if made:
                found.append(Arrival(arrival.board, -1, arrival.t_ns, "note", items=tuple(made)))
        return found

    def reset(self) -> None:
        """Begin anew: the source jumped."""
        self._known.clear()

    def finish(self) -> list[Arrival]:
        """Nothing is held back."""
        return []


def _of(known: dict[tuple[str, str], Orientation | None], batch: Batch) -> Orientation | None:
    """Return what derives the orientation of a batch's stream; None where it has none."""
    key = (batch.board, batch.stream.name)
    if key not in known:
        try:
            known[key] = Orientation(batch.stream, f"{batch.board}/{batch.stream.name}")
        except UsageError:
            known[key] = None
    return known[key]
