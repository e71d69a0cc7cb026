"""Samples as viewable messages at batch speed: one fixed ROS 2 CDR layout a stream, filled as one structured array.

Rule of this room: a whole batch becomes the bytes of its MCAP message records (opcode, length, channel, times, CDR
header, fields) without a Python loop, and what the wire sent can be had back exactly, bit for bit. A stream is stored
in the narrowest form that proves this:

    exact     the readings are what was sent (a float without scale): copied bits
    inverse   floats in the stream's unit from which the integers are recovered by rounding, proven for the whole range
    raw       what was sent as an array field, and the readings beside it
    image     `sensor_msgs/msg/Image` with constant `frame_id`, encoding and size, and a key message beside each frame

`log_time` is the time of the sample (so that plots are true), `publish_time` when its bytes had arrived; `number`,
`tick` and `boot` are fields. The MCAP sequence stays 0 ("not relevant"), because `number` says more. Readings come
first: the bytes that hardly change then lie together from one message to the next, which saves 2 bytes a sample.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Int64
from firmware_bridge.streams import Stream
from hil.recording.forms import ROS_TYPE, form_of, recovered, scaled

__all__ = ["KEY_SCHEMA", "RECORD_HEAD", "Layout", "Samples", "key_layout", "layout_of"]

RECORD_HEAD = np.dtype(
    [("op", "u1"), ("len", "<u8"), ("channel", "<u2"), ("sequence", "<u4"), ("log", "<u8"), ("publish", "<u8")]
)
"""An MCAP message record up to its data, packed (31 bytes)."""

_CDR_LE = b"\x00\x01\x00\x00"
_ENCODING = {"u1": "mono8", "i1": "8SC1", "u2": "16UC1", "i2": "16SC1", "i4": "32SC1", "f4": "32FC1", "f8": "64FC1"}
_SEPARATOR = "=" * 80
_TIME = f"{_SEPARATOR}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
_IMAGE = (
    "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\n"
    f"uint8[] data\n{_SEPARATOR}\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n{_TIME}"
)
_KEY_FIELDS = (("tick", "<i8"), ("number", "<i8"), ("boot", "<u4"))
_KEYS = "int64 tick\nint64 number\nuint32 boot\n"
KEY_SCHEMA = ("hil_msgs/msg/FrameKey", _KEYS)
"""Schema of the messages beside images: tick, number and boot of the frame with the same time."""

_WIDEST_NAMED = 64


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of one stream as arrays: `numbers`, `boot`, `ticks`, `t_ns` `(N,)` and `raw` `(N, *shape)`."""

    numbers: Int64
    boot: npt.NDArray[np.int32]
    ticks: Int64
    t_ns: Int64
    raw: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.numbers)

    def part(self, start: int, stop: int) -> "Samples":
        """Return samples `start` to `stop`, sharing memory."""
        piece = slice(start, stop)
        return Samples(self.numbers[piece], self.boot[piece], self.ticks[piece], self.t_ns[piece], self.raw[piece])


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How the samples of one stream lie in message records.

    Attributes:
        stream: The stream, or None for the keys beside an image.
        form: One of `form_of`, or `key`.
        schema_name: ROS 2 name of the message type.
        schema_text: Its definition (`ros2msg`).
        record: dtype of one whole MCAP message record; `record.itemsize` is what a sample costs before compression.
        template: One record with everything that is constant.
        fields: Field name of every channel, in order; empty for images and wide streams.
    """

    stream: Stream | None
    form: str
    schema_name: str
    schema_text: str
    record: np.dtype[np.void]
    template: npt.NDArray[np.uint8]
    fields: tuple[str, ...]

    def pack(self, channel: int, samples: Samples, published: Int64) -> npt.NDArray[np.void]:
        """Return message records `(N,)` of samples that arrived at `published` `(N,)`."""
        count = len(samples)
        rows = np.empty((count, self.record.itemsize), np.uint8)
        rows[:] = self.template
        records: npt.NDArray[np.void] = rows.view(self.record).reshape(count)
        records["channel"] = channel
        records["log"] = samples.t_ns
        records["publish"] = published
        if self.form == "image":
            records["sec"], records["nanosec"] = np.divmod(samples.t_ns, 1_000_000_000)
            size = self.record["image"].itemsize
            records["image"] = np.ascontiguousarray(samples.raw).reshape(count, -1).view(np.uint8).reshape(count, size)
            return records
        records["tick"], records["number"], records["boot"] = samples.ticks, samples.numbers, samples.boot
        if self.stream is not None:
            flat = samples.raw.reshape(count, -1)
            if "raw" in self.record.fields:  # type: ignore[operator]
                records["raw"] = flat.view(np.uint16) if flat.dtype.kind == "f" and flat.itemsize == 2 else flat
            with np.errstate(over="ignore"):  # what is too large for the plotted float32 is plotted as infinity
                records["value"] = flat if self.form.startswith("exact") else scaled(self.stream, flat)
        return records

    def unpack(self, records: npt.NDArray[np.void], keys: npt.NDArray[np.void] | None = None) -> Samples:
        """Return the samples in message records; for an image `keys` are the key records of the same frames."""
        key = records if keys is None else keys
        return Samples(
            key["number"].astype(np.int64), key["boot"].astype(np.int32), key["tick"].astype(np.int64),
            records["log"].astype(np.int64), self.raw(records),
        )  # fmt: skip

    def raw(self, records: npt.NDArray[np.void]) -> npt.NDArray[Any]:
        """Return what the wire sent, `(N, *shape)` in its dtype."""
        if self.stream is None:
            return np.empty((len(records), 0), np.uint8)
        shape = (len(records), *self.stream.shape)
        dtype = np.dtype(self.stream.dtype)
        if self.form == "image":
            return np.ascontiguousarray(records["image"]).view(dtype).reshape(shape)
        if self.form.startswith("raw"):
            stored = np.ascontiguousarray(records["raw"])
            return (stored.view(dtype) if dtype.kind == "f" else stored.astype(dtype, copy=False)).reshape(shape)
        value = records["value"]
        if self.form.startswith("exact"):
            return np.ascontiguousarray(value).astype(dtype, copy=False).reshape(shape)
        return recovered(self.stream, value, dtype).reshape(shape)


def _field_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Return one valid, distinct ROS 2 field name a channel (`Accel X` becomes `accel_x`)."""
    taken = {"tick", "number", "boot", "raw", "value"}
    names: list[str] = []
    for place, channel in enumerate(channels):
        plain = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", channel.lower())).strip("_")
        base = plain if plain and plain[0].isalpha() else f"c{plain or place}"
        name, again = base, 2
        while name in taken:
            name, again = f"{base}_{again}", again + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


def _type_name(text: str) -> str:
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))
    return name if name[:1].isalpha() and name.isascii() else f"Stream{name if name.isascii() else ''}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Fields:
    """Lays CDR fields one after the other: each aligned to its size, counted from the end of the CDR header."""

    def __init__(self) -> None:
        self.names: list[str] = list(RECORD_HEAD.names or ())
        self.formats: list[Any] = [RECORD_HEAD[name] for name in self.names]
        self.offsets: list[int] = [RECORD_HEAD.fields[name][1] for name in self.names]  # type: ignore[index]
        self.start = RECORD_HEAD.itemsize + len(_CDR_LE)
        self.end = self.start
        self.constants: list[tuple[int, bytes]] = [(RECORD_HEAD.itemsize, _CDR_LE)]

    def _align(self, size: int) -> None:
        self.end += -(self.end - self.start) % size

    def add(self, name: str, dtype: str, count: int | None = None) -> None:
        base = np.dtype(dtype)
        self._align(base.itemsize)
        self.names.append(name)
        self.formats.append(base if count is None else (base, (count,)))
        self.offsets.append(self.end)
        self.end += base.itemsize * (1 if count is None else count)

    def constant(self, data: bytes, align: int) -> None:
        self._align(align)
        self.constants.append((self.end, data))
        self.end += len(data)

    def text(self, text: str) -> None:
        data = text.encode() + b"\0"
        self.constant(len(data).to_bytes(4, "little") + data, 4)

    def layout(self, stream: Stream | None, form: str, name: str, text: str, fields: tuple[str, ...]) -> Layout:
        record: np.dtype[np.void] = np.dtype(
            {"names": self.names, "formats": self.formats, "offsets": self.offsets, "itemsize": self.end}
        )
        template = np.zeros(record.itemsize, np.uint8)
        for offset, data in self.constants:
            template[offset : offset + len(data)] = np.frombuffer(data, np.uint8)
        head = template.view(record)
        head["op"], head["len"] = 5, record.itemsize - 9
        return Layout(stream, form, name, text, record, template, fields)


@lru_cache(maxsize=1)
def key_layout() -> Layout:
    """Return the layout of the keys that lie beside images."""
    fields = _Fields()
    for name, dtype in _KEY_FIELDS:
        fields.add(name, dtype)
    return fields.layout(None, "key", *KEY_SCHEMA, ())


@lru_cache(maxsize=256)
def layout_of(stream: Stream, form: str | None = None) -> Layout:
    """Return how a stream's samples are stored.

    Args:
        stream: The stream.
        form: The form that a recording names; None chooses by `form_of`.

    Raises:
        ValueError: The stream's dtype is none that a recording can hold.
    """
    form = form or form_of(stream)
    return _image(stream) if form == "image" else _readings(stream, form)


def _image(stream: Stream) -> Layout:
    wire = np.dtype(stream.dtype)
    height, width = stream.shape
    size = height * width * wire.itemsize
    fields = _Fields()
    fields.add("sec", "<i4")
    fields.add("nanosec", "<u4")
    fields.text(stream.name)
    fields.constant(height.to_bytes(4, "little") + width.to_bytes(4, "little"), 4)
    fields.text(_ENCODING.get(f"{wire.kind}{wire.itemsize}", f"hil_{wire.kind}{wire.itemsize}"))
    fields.constant(b"\0", 1)
    fields.constant((width * wire.itemsize).to_bytes(4, "little") + size.to_bytes(4, "little"), 4)
    fields.add("image", "u1", size)
    return fields.layout(stream, "image", "sensor_msgs/msg/Image", _IMAGE, ())


def _readings(stream: Stream, form: str) -> Layout:
    wire = np.dtype(stream.dtype)
    code = f"{wire.kind}{wire.itemsize}"
    width = int(np.prod(stream.shape))
    value = "<f4" if form.endswith("32") else "<f8"
    fields = _Fields()
    text = ""
    if form.startswith("raw"):
        fields.add("raw", "<u2" if code == "f2" else wire.newbyteorder("<").str, width)
        text += f"{ROS_TYPE[code]}[{width}] raw\n"
    fields.add("value", value, width)
    ros = ROS_TYPE[value[1:]]
    names: tuple[str, ...] = ()
    if len(stream.channels) == width <= _WIDEST_NAMED:
        names = _field_names(stream.channels)
        units = stream.units if len(stream.units) == width else ("?",) * width
        text += "".join(f"{ros} {name}  # {_one_line(unit)}\n" for name, unit in zip(names, units, strict=True))
    else:
        text += f"{ros}[{width}] value\n"
    for name, dtype in _KEY_FIELDS:
        fields.add(name, dtype)
    text += _KEYS
    return fields.layout(stream, form, f"hil_msgs/msg/{_type_name(stream.name)}", text, names)
