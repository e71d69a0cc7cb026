"""Which form of storing readings gives back exactly what the wire sent, and how it is given back.

Rule of this room: exactness is proven, not hoped for: every 8 and 16-bit value is tried, 32-bit ones have a bound, and
whatever cannot be proven is stored beside its reading as it came.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream

__all__ = ["ROS_TYPE", "form_of", "recovered", "scaled"]

ROS_TYPE = {"i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32", "i8": "int64",
            "u8": "uint64", "f2": "uint16", "f4": "float32", "f8": "float64", "b1": "uint8"}  # fmt: skip
"""Type in a ROS 2 message of every dtype that a recording can hold (16-bit floats as their bits)."""


def form_of(stream: Stream) -> str:
    """Return the narrowest form that gives back exactly what the wire sent: `exact`, `inverse`, `raw`, `image`.

    Forms of readings end in the width of their floats: `inverse32`, `raw64`.

    Raises:
        ValueError: The stream's dtype is none that a recording can hold.
    """
    wire = np.dtype(stream.dtype)
    if f"{wire.kind}{wire.itemsize}" not in ROS_TYPE:
        raise ValueError(f"stream {stream.name}: dtype {stream.dtype} cannot be recorded")
    if stream.is_image:
        return "image"
    plain = all(factor == 1 for factor in stream.scale) and not any(stream.offset)
    if plain and wire.kind == "f" and wire.itemsize >= 4:
        return f"exact{wire.itemsize * 8}"
    for stored in ("<f4", "<f8"):
        if _inverse_holds(stream, wire, np.dtype(stored)):
            return f"inverse{np.dtype(stored).itemsize * 8}"
    return "raw32" if wire.kind == "f" and wire.itemsize <= 4 else "raw64"


def scaled(stream: Stream, flat: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the readings of `flat` `(N, C)` in the stream's units, float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        out: npt.NDArray[np.float64] = flat.astype(np.float64) * np.asarray(stream.scale) + np.asarray(stream.offset)
    return out


def recovered(stream: Stream, value: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the integers whose stored readings are `value` `(N, C)`."""
    with np.errstate(all="ignore"):  # readings of a damaged definition may be anything
        back = value.astype(np.float64)
        if any(stream.offset):
            back -= np.asarray(stream.offset)
        back /= np.asarray(stream.scale)
        np.rint(back, out=back)
        recovered: npt.NDArray[Any] = back.astype(dtype)
    return recovered


def _inverse_holds(stream: Stream, dtype: np.dtype[Any], stored: np.dtype[Any]) -> bool:
    """Whether every integer of `dtype` comes back from a reading stored as `stored`."""
    if dtype.kind not in "iu":
        return False
    scale, offset = np.broadcast_arrays(np.asarray(stream.scale, np.float64), np.asarray(stream.offset, np.float64))
    if not (np.all(np.isfinite(scale)) and np.all(np.isfinite(offset)) and np.all(scale != 0)):
        return False
    if dtype.itemsize <= 2:
        info = np.iinfo(dtype)
        every = np.arange(info.min, info.max + 1, dtype=np.float64)[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            value = (every * scale.ravel() + offset.ravel()).astype(stored).astype(np.float64)
            back = np.rint((value - offset.ravel()) / scale.ravel())
        return bool(np.array_equal(back, np.broadcast_to(every, back.shape)))
    # Four roundings of 2**-53 each, of |raw| or |offset / scale|: a quarter of a count is far above their sum here.
    size = np.abs(scale)
    with np.errstate(over="ignore"):  # a quotient beyond all numbers is beyond the bound, too
        safe = (size > 1e-150) & (size < 1e150) & (np.abs(offset / scale) < 2.0**45)
    return stored.itemsize == 8 and dtype.itemsize == 4 and bool(np.all(safe))
