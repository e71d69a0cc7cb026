"""Orientation of a board and how sure it is, as a stream of its own: batch in, batch out, by `vqf`.

Rule of this room: sample by sample, whatever the batches were; a gap begins anew, for nobody knows how far the board
was turned meanwhile. Without magnetometer (6D): the heading counts from the beginning of the segment. The filter
(Laidig and Seel, Information Fusion 2023) estimates the gyroscope's bias and how sure it is of it. What that leaves is
stated: heading is off by the sum of what the bias may be, inclination by what it may be over the filter's time constant
and by how far the measured force is from gravity.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.events import Arrival, Connected, Disconnected, Gap, Item, RateChanged
from firmware_bridge.streams import Stream
from hil.measure.kinds import triads
from hil.measure.resting import to_deg, to_g

__all__ = ["CHANNELS", "UNITS", "Orientation", "OrientationStage", "Orientations", "derived_name", "with_orientation"]

Float = npt.NDArray[np.float64]

CHANNELS = ("qw", "qx", "qy", "qz", "inclination", "inclination_sd", "heading_sd")
"""Of the derived stream: the quaternion from sensor to earth (z up); in degrees how far the sensor's z is from up, and
the standard deviations of inclination and heading."""

UNITS = ("1", "1", "1", "1", "deg", "deg", "deg")

_TAU_S = 3.0
"""Time constant with which the filter follows the accelerometer (the library's own)."""

_GRAVITY = 9.80665


def derived_name(stream: str) -> str:
    """Return the name of the stream that is derived from a stream of that name."""
    return f"{stream}.orientation"


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
            derived_name(source.name), CHANNELS, UNITS, "<f4", (len(CHANNELS),), source.rate_hz,
            rate_inferred=source.rate_inferred, counted=source.counted, checked=source.checked, tick_hz=source.tick_hz,
        )  # fmt: skip
        self.source = source
        self._step_s = 1.0 / source.rate_hz
        gyro, accel = found["gyroscope"], found["accelerometer"]
        self._gyro, self._to_rad = list(gyro.channels), np.radians(to_deg(gyro.unit))
        self._accel, self._to_ms2 = list(accel.channels), to_g(accel.unit) * _GRAVITY
        self._filter = VQF(self._step_s, tauAcc=_TAU_S)
        self._kept = float(np.exp(-self._step_s / _TAU_S))
        self._next: tuple[int, int] | None = None
        self._heading = self._force = 0.0
        self.resting = False
        """Whether the board lay still at the end of the newest batch, as the filter sees it."""

    def cut(self) -> None:
        """End the segment: the next sample begins anew."""
        self._next = None

    def batch(self, batch: Batch) -> Batch:
        """Return the orientation after each sample of a batch, under the same numbers and times."""
        if self._next != (batch.boot, batch.first):
            self._filter.resetState()
            self._heading = self._force = 0.0
        self._next = (batch.boot, batch.end)
        values = self.source.values(batch.raw).astype(np.float64)
        rates = np.ascontiguousarray(values[:, self._gyro]) * self._to_rad
        forces = np.ascontiguousarray(values[:, self._accel]) * self._to_ms2
        found = self._filter.updateBatch(rates, forces)
        self.resting = bool(found["restDetected"][-1]) if len(values) else self.resting
        made = np.empty((len(values), len(CHANNELS)), np.float32)
        turned = np.asarray(found["quat6D"], np.float64)
        made[:, :4] = turned
        # Of sine and cosine, for an angle from its cosine alone is coarse where the sensor lies flat.
        flat, up = np.hypot(turned[:, 1], turned[:, 2]), np.hypot(turned[:, 0], turned[:, 3])
        made[:, 4] = np.degrees(2.0 * np.arctan2(flat, up))
        bias = np.asarray(found["biasSigma"], np.float64)
        odd = np.square(np.linalg.norm(forces, axis=1) / _GRAVITY - 1.0)
        made[:, 5] = np.degrees(np.sqrt(np.square(bias * _TAU_S) + self._followed(odd)))
        made[:, 6] = np.degrees(self._turned(bias))
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


class Orientations:
    """Derives the orientations of the streams of many boards.

    Args:
        asked: The stream of each board; None: every stream with a gyroscope and an accelerometer.
    """

    def __init__(self, asked: Mapping[str, str] | None = None) -> None:
        self._asked = asked
        self._known: dict[tuple[str, str], Orientation | None] = {}

    def derive(self, item: Item) -> Item | None:
        """Return what belongs behind an item: of a batch the orientation, of a gap the same gap; None where nothing.

        Raises:
            UsageError: A stream that was asked for has no orientation.
            MissingPart: vqf is not installed.
        """
        if isinstance(item, Batch):
            one = self._of(item.board, item.stream) if len(item) else None
            return None if one is None else one.batch(item)
        if isinstance(item, Gap | RateChanged):
            one = self._known.get((item.board, item.stream))
            if one is not None:
                one.cut()
            wanted = one is not None or (self._asked is not None and self._asked.get(item.board) == item.stream)
            return replace(item, stream=derived_name(item.stream)) if wanted else None
        if isinstance(item, Disconnected):
            for (board, _), one in self._known.items():
                if one is not None and board == item.board and not one.source.counted:
                    one.cut()
        return None

    def greeted(self, event: Connected) -> Connected:
        """Return what a board says of itself, with the streams that will be derived.

        Raises:
            UsageError: A stream that was asked for has no orientation.
            MissingPart: vqf is not installed.
        """
        streams = event.info.streams
        found = [self._of(event.board, stream) for stream in streams if stream.rate_hz]
        more = tuple(one.stream for one in found if one is not None)
        return replace(event, info=replace(event.info, streams=(*streams, *more))) if more else event

    def _of(self, board: str, stream: Stream) -> Orientation | None:
        """Return what derives the orientation of a stream as it is now; None where it has none."""
        key = (board, stream.name)
        if self._asked is not None and self._asked.get(board) != stream.name:
            return None
        if key in self._known:
            one = self._known[key]
            if one is None or one.source is stream or _same(one.source, stream):
                return one
        try:
            self._known[key] = Orientation(stream, f"{board}/{stream.name}")
        except UsageError:
            if self._asked is not None:
                raise
            self._known[key] = None
        return self._known[key]


def with_orientation(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, and behind each batch of a stream with gyroscope and accelerometer its orientation.

    Raises:
        MissingPart: vqf is not installed.
    """
    known = Orientations()
    for item in items:
        yield item
        if (made := known.derive(item)) is not None:
            yield made


class OrientationStage:
    """Adds orientations to what passes a pipeline (a `hil.pipeline.pipeline.Stage`), before the models that read them.

    Nothing behind it may write down what it adds: a recording holds what follows from its bytes.
    """

    def __init__(self) -> None:
        self._known = Orientations()

    def process(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Return the arrivals, each followed by the orientations of its batches."""
        found = []
        for arrival in arrivals:
            found.append(arrival)
            made = [one for item in arrival.items if (one := self._known.derive(item)) is not None]
            if made:
                found.append(Arrival(arrival.board, -1, arrival.t_ns, "note", items=tuple(made)))
        return found

    def reset(self) -> None:
        """Begin anew: the source jumped."""
        self._known = Orientations()

    def finish(self) -> list[Arrival]:
        """Nothing is held back."""
        return []


def _same(before: Stream, now: Stream) -> bool:
    """Whether a stream is what it was; a better estimate of its rate alone is no break."""
    return now == before or (now.rate_inferred and replace(now, rate_hz=before.rate_hz) == before)
