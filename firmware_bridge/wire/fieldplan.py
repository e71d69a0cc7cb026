"""The `[frame]` of a board file made ready: where fields stand in a frame and what they become.

Rules. Places in `[frame]` count from the frame's beginning, places of fields from the payload (`payload` bytes after
the beginning), places in a `repeat` from the group. Fields of different types become the smallest type that holds all
of them exactly; where there is none, the file must say `dtype`. All mistakes are collected as sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from firmware_bridge.wire.entries import dtype_of, shape_of, units_of
from firmware_bridge.wire.schema import FieldEntry, FrameTable, Place, Repeat, StreamTable
from firmware_bridge.wire.sums import SUMS

__all__ = ["FramePlan", "Spot", "StreamPlan", "describe_frames"]

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Spot:
    """A number, or a row of equal numbers, in a block of bytes.

    Attributes:
        at: Its first byte.
        kind: `u8` to `f64`.
        big: Whether the most significant byte comes first.
        bits: Lowest and highest bit to take, or None for all.
        count: How many numbers.
    """

    at: int
    kind: str
    big: bool
    bits: tuple[int, int] | None = None
    count: int = 1

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return int(self.kind[1:]) // 8

    @property
    def end(self) -> int:
        """First byte after it."""
        return self.at + self.size * self.count

    def take(self, block: Bytes) -> npt.NDArray[Any]:
        """Return the numbers of uint8 `(N, W)` as `(N, count)`."""
        size, order = self.size, ">" if self.big else "<"
        part = np.ascontiguousarray(block[:, self.at : self.end])
        if size == 3:
            wide = np.zeros((len(part), self.count, 4), np.uint8)
            # The three bytes go to the top, so that shifting down brings the sign with them.
            wide[:, :, slice(0, 3) if self.big else slice(1, 4)] = part.reshape(len(part), self.count, 3)
            numbers = wide.reshape(len(part), -1).view(f"{order}{self.kind[0]}4") >> 8
        else:
            numbers = part.view(f"{order}{self.kind[0]}{size}")
        if self.bits is not None:
            low, high = self.bits
            shifted = numbers.astype(np.int64) >> low & ((1 << (high - low + 1)) - 1)
            sign = 1 << (high - low)
            numbers = (shifted ^ sign) - sign if self.kind[0] == "i" else shifted
        return numbers

    def narrow(self) -> np.dtype[Any]:
        """Return the smallest NumPy type that holds it."""
        width = self.size * 8 if self.bits is None else self.bits[1] - self.bits[0] + 1
        fits = next(bits for bits in (8, 16, 32, 64) if bits >= width)
        return np.dtype(f"{self.kind[0]}{fits // 8}")


@dataclass(frozen=True, slots=True)
class Tick:
    """The board's time: where, width, ticks between the samples of a frame, whether each group has its own."""

    spot: Spot
    bits: int
    step: float
    group: bool


@dataclass(frozen=True, slots=True)
class Count:
    """The sample counter; `frames` when it counts frames."""

    spot: Spot
    bits: int
    frames: bool
    group: bool


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the board says whether it trusts a sample."""

    spot: Spot
    mask: int | None
    equals: tuple[float, ...]
    group: bool


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How one stream is read from the payloads of its frames."""

    stream: Stream
    ids: frozenset[int]
    spots: tuple[Spot, ...]
    repeat: Repeat | None
    count: Spot | None
    where: tuple[Spot, tuple[int, ...]] | None
    tick: Tick | None
    counter: Count | None
    valid: Trust | None
    needs: int
    """Bytes of payload that a frame must have."""


@dataclass(frozen=True, slots=True)
class FramePlan:
    """How frames are found and which streams they hold.

    Attributes:
        table: What the file says.
        sync: First bytes of a frame.
        ignore: Kinds of messages that the file names and does not read.
        overhead: Bytes of a frame that are no payload.
        tail: Bytes of the checksum at the end of a frame.
        streams: What is read.
    """

    table: FrameTable
    sync: bytes
    ignore: frozenset[int]
    overhead: int
    tail: int
    streams: tuple[StreamPlan, ...]


def describe_frames(
    table: FrameTable, streams: Sequence[StreamTable], mistakes: list[str]
) -> tuple[FramePlan | None, tuple[Stream, ...]]:
    """Return the plan and streams of a `[frame]` file; what is wrong is added to `mistakes`."""
    sync = bytes.fromhex(table.sync)
    length = table.length
    if table.stuffing == "none" and length is None:
        mistakes.append("frame.length: this key is missing, give a number of bytes or where the length stands")
    if table.stuffing == "none" and not sync and not isinstance(length, int):
        mistakes.append("frame.sync: this key is missing, frames of varying length need bytes that they begin with")
    overhead = len(sync) + (table.id.size if table.id is not None else 0)
    if length is not None and not isinstance(length, int):
        overhead += int(length.type[1:]) // 8
    tail = 0
    if table.checksum is not None:
        size = SUMS[table.checksum.kind].size
        overhead += size
        place = table.checksum.at if table.checksum.at is not None else -size
        tail = -place if place < 0 else 0
    ignore = frozenset(_id(text, table, "frame.ignore", mistakes) for text in table.ignore)
    plans = []
    for number, stream in enumerate(streams, 1):
        plan = _plan(table, stream, f"stream.{number}", mistakes)
        if plan is not None:
            plans.append(plan)
    if mistakes:
        return None, ()
    made = tuple(plan.stream for plan in plans)
    return FramePlan(table, sync, ignore, overhead, tail, tuple(plans)), made


def _id(text: str, table: FrameTable, where: str, mistakes: list[str]) -> int:
    found = bytes.fromhex(text)
    if table.id is None:
        mistakes.append(f"{where}: {text!r} was found, but [frame] has no `id` that says where the kind stands")
    elif len(found) != table.id.size:
        mistakes.append(f"{where}: {text!r} was found, {table.id.size} bytes are needed as in frame.id.size")
    return int.from_bytes(found, "big")


def _spot(place: Any, big: bool, where: str, mistakes: list[str]) -> Spot | None:
    if place.at is None or place.type is None:
        mistakes.append(f"{where}: `at` and `type` are needed for a board with a [frame]")
        return None
    if place.at < 0:
        mistakes.append(f"{where}.at: {place.at} was found, 0 or more is allowed")
        return None
    bits = place.bits if isinstance(place, Place) else None
    width = int(place.type[1:])
    if bits is not None and (bits[0] > bits[1] or bits[1] >= width or place.type[0] == "f"):
        mistakes.append(f"{where}.bits: {bits} was found, [low, high] within 0 to {width - 1} of an integer is allowed")
        return None
    return Spot(place.at, place.type, big, (bits[0], bits[1]) if bits is not None else None)


def _plan(table: FrameTable, entry: StreamTable, where: str, mistakes: list[str]) -> StreamPlan | None:
    before = len(mistakes)
    big = table.endian == "big"
    mistakes += [
        f"{where}.{key}: this key belongs to boards with [lines], here a [frame] was found"
        for key in ("columns", "tag", "line")
        if getattr(entry, key)
    ]
    texts = [entry.id] if isinstance(entry.id, str) else entry.id
    ids = frozenset(_id(text, table, f"{where}.id", mistakes) for text in texts)
    labels: list[str] = []
    spots: list[Spot | None] = []
    if entry.fields and (entry.at is not None or entry.type is not None):
        mistakes.append(f"{where}.fields: give either `fields`, or `at`, `type` and `shape`, not both")
    elif entry.fields:
        for number, each in enumerate(entry.fields, 1):
            spots.append(_spot(each, big, f"{where}.fields.{number}", mistakes))
            labels.append(each.name)
        shape = shape_of(entry, len(spots))
        if shape != (len(spots),):
            mistakes.append(f"{where}.shape: {list(shape)} was found, {len(spots)} fields make [{len(spots)}]")
    elif entry.at is None or entry.type is None:
        mistakes.append(f"{where}: `fields` are missing, or `at`, `type` and `shape` for an array")
        return None
    else:
        shape = shape_of(entry, 1)
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        spots.append(Spot(entry.at, entry.type, big, None, count))
        labels = [entry.name] if count == 1 else []
    entry = _per_field(entry, where, mistakes)
    described = units_of(entry, labels, shape, where, mistakes) if len(mistakes) == before else None
    known = [spot for spot in spots if spot is not None]
    kind = _common(entry, known, where, mistakes)
    tick = counter = trust = None
    tick_hz = None
    if entry.tick is not None:
        spot = _spot(entry.tick, big, f"{where}.tick", mistakes)
        for key, allowed in (("format", "number"), ("unit", None), ("column", None)):
            if getattr(entry.tick, key) != allowed:
                mistakes.append(f"{where}.tick.{key}: this key belongs to boards with [lines], here give `hz`")
        if entry.tick.hz is None:
            mistakes.append(f"{where}.tick.hz: this key is missing, give ticks a second")
        if spot is not None:
            tick = Tick(spot, entry.tick.bits or spot.size * 8, entry.tick.step or 0.0, entry.tick.group)
            tick_hz = entry.tick.hz
    if entry.counter is not None:
        spot = _spot(entry.counter, big, f"{where}.counter", mistakes)
        if spot is not None:
            per_frame = entry.counter.per == "frame"
            counter = Count(spot, entry.counter.bits or spot.size * 8, per_frame, entry.counter.group)
    if entry.valid is not None:
        spot = _spot(entry.valid, big, f"{where}.valid", mistakes)
        equals = entry.valid.equals if isinstance(entry.valid.equals, list) else [entry.valid.equals]
        if spot is not None:
            trust = Trust(spot, entry.valid.mask, tuple(equals), entry.valid.group)
    chosen = None
    if entry.where is not None and (spot := _spot(entry.where, big, f"{where}.where", mistakes)) is not None:
        wanted = entry.where.equals
        chosen = (spot, tuple(wanted) if isinstance(wanted, list) else (wanted,))
    counts = None
    if entry.repeat is not None and isinstance(entry.repeat.count, Place):
        counts = _spot(entry.repeat.count, big, f"{where}.repeat.count", mistakes)
    in_group = [*known, *([chosen[0]] if chosen else [])]
    in_frame = [counts] if counts is not None else []
    for part in (tick, counter, trust):
        if part is not None:
            (in_group if part.group else in_frame).append(part.spot)
    if entry.repeat is None:
        needs = max((spot.end for spot in [*in_group, *in_frame]), default=0)
    else:
        needs = max([entry.repeat.at, *(spot.end for spot in in_frame)])
        if any(spot.end > entry.repeat.size for spot in in_group):
            mistakes.append(f"{where}.repeat.size: {entry.repeat.size} was found, the fields of a group reach further")
    if len(mistakes) > before or described is None:
        return None
    channels, units, scale, offset = described
    stream = Stream(
        entry.name, channels, units, kind, shape, entry.rate, scale, offset, counted=counter is not None,
        checked=table.checksum is not None, tick_hz=tick_hz,
    )  # fmt: skip
    return StreamPlan(stream, ids, tuple(known), entry.repeat, counts, chosen, tick, counter, trust, needs)


def _per_field(entry: StreamTable, where: str, mistakes: list[str]) -> StreamTable:
    """Return the entry with unit, scale and offset of its fields as lists, where the fields say them."""
    changes: dict[str, Any] = {}
    for key in ("unit", "scale", "offset"):
        default = FieldEntry.model_fields[key].default
        if any(getattr(each, key) != default for each in entry.fields):
            if getattr(entry, key) != default:
                mistakes.append(f"{where}.{key}: it is said by the stream and by its fields, say it once")
            changes[key] = [getattr(each, key) for each in entry.fields]
    return entry.model_copy(update=changes)


def _common(entry: StreamTable, spots: Sequence[Spot], where: str, mistakes: list[str]) -> str:
    if not spots:
        return "<f8"
    common = np.result_type(*(spot.narrow() for spot in spots))
    exact = all(spot.kind[0] == "f" or common.kind != "f" or spot.narrow().itemsize < common.itemsize for spot in spots)
    if entry.dtype is not None:
        if entry.dtype in ("u24", "i24"):
            mistakes.append(f"{where}.dtype: {entry.dtype!r} was found, kept are i8 to i64, u8 to u64, f32 or f64")
        elif not np.can_cast(common, np.dtype(dtype_of(entry.dtype)), "safe") and entry.dtype != "f64":
            mistakes.append(f"{where}.dtype: {entry.dtype!r} was found, which does not hold all values of the fields")
        return dtype_of(entry.dtype)
    if not exact:
        mistakes.append(
            f"{where}.dtype: this key is missing, no type holds all these fields exactly; say f64 or split them"
        )
    return common.newbyteorder("<").str.replace("|", "|")
