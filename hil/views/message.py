"""Messages between the engine and its screens: a JSON header and raw arrays in one block of bytes.

Layout, little-endian: `u32` length of the header, the header (UTF-8 JSON), then the arrays one after another, each at a
multiple of eight bytes. Where a value of the header was an array stands `{"$array": i}`; the header's `$arrays` lists
dtype and shape of each. Nothing in a message can execute anything, and a block that lies about its lengths is refused
in a sentence. Pure: sockets live in `engine` and `attach`.
"""

import json
import struct
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError

__all__ = ["MAX_MESSAGE", "from_plain", "pack", "to_plain", "unpack"]

MAX_MESSAGE = 256 * 1024 * 1024
"""Longest block that is sent or accepted, bytes."""

_LENGTH = struct.Struct("<I")
_ALIGN = 8
_KINDS = "biuf"


def pack(plain: Mapping[str, Any]) -> bytes:
    """Return a message.

    Args:
        plain: JSON values and NumPy arrays of numbers, nested as wished. Floats must be finite (None says unknown).

    Raises:
        ValueError: A float outside an array is not finite, or an array holds objects.
    """
    arrays: list[npt.NDArray[Any]] = []
    header = {
        "body": _strip(plain, arrays),
        "$arrays": [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays],
    }
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + _LENGTH.size) % _ALIGN)
    parts = [_LENGTH.pack(len(text)), text]
    for array in arrays:
        parts += [array.tobytes(), bytes(-array.nbytes % _ALIGN)]
    return b"".join(parts)


def unpack(block: bytes) -> dict[str, Any]:
    """Return what `pack` was given; the arrays are read-only views of `block`.

    Raises:
        UsageError: The block is not a message.
    """
    try:
        (length,) = _LENGTH.unpack_from(block)
        header = json.loads(block[_LENGTH.size : _LENGTH.size + length])
        arrays, at = [], _LENGTH.size + length
        for row in header["$arrays"]:
            array = _array(block, at, np.dtype(row["dtype"]), tuple(int(side) for side in row["shape"]))
            arrays.append(array)
            at += array.nbytes + -array.nbytes % _ALIGN
        body = _fill(header["body"], arrays)
    except (struct.error, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise UsageError(
            f"the message cannot be read ({error})", "engine", "use the same version for engine and screen"
        ) from error
    if not isinstance(body, dict):
        raise UsageError("the message has no fields", "engine", "use the same version for engine and screen")
    return body


def _array(block: bytes, at: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if dtype.kind not in _KINDS or any(side < 0 for side in shape):
        raise ValueError(f"array of {dtype} {shape}")
    count = 1
    for side in shape:
        count *= side
    if at + count * dtype.itemsize > len(block):
        raise ValueError("array beyond the end")
    return np.frombuffer(block, dtype, count, at).reshape(shape)


def _strip(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _KINDS:
            raise ValueError(f"an array of {value.dtype} cannot be sent")
        arrays.append(np.ascontiguousarray(value))
        return {"$array": len(arrays) - 1}
    if isinstance(value, Mapping):
        return {str(key): _strip(inner, arrays) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strip(inner, arrays) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _fill(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if "$array" in value and len(value) == 1:
            return arrays[value["$array"]]
        for key, inner in value.items():
            if type(inner) not in _AS_IT_IS:
                value[key] = _fill(inner, arrays)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            if type(inner) not in _AS_IT_IS:
                value[at] = _fill(inner, arrays)
    return value


def to_plain(value: Any) -> Any:
    """Return a (frozen data) class, and all within it, as JSON values and arrays."""
    names = _NAMES.get(type(value))
    if names is None:
        if is_dataclass(value) and not isinstance(value, type):
            names = _NAMES[type(value)] = tuple(spec.name for spec in fields(value))
        else:
            return [to_plain(inner) for inner in value] if isinstance(value, tuple) else value
    plain: dict[str, Any] = {}
    for name in names:
        inner = getattr(value, name)
        plain[name] = inner if type(inner) in _AS_IT_IS else to_plain(inner)
    return plain


def from_plain(kind: Any, plain: Any) -> Any:
    """Build a value of type `kind` (data class, tuple, union with None, or plain) from what `to_plain` gave.

    Unknown keys are ignored and missing ones keep their defaults.
    """
    maker = _maker(kind)
    return plain if maker is None else maker(plain)


_AS_IT_IS = frozenset({str, int, float, bool, type(None)})

_NAMES: dict[type, tuple[str, ...]] = {}
"""Fields of each data class that was sent: ten screens a second ask for the same ones."""


@lru_cache(None)
def _maker(kind: Any) -> Callable[[Any], Any] | None:
    """Return what builds a `kind`, made once; None where values stay as they are."""
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        one = _maker(next(inner for inner in typing.get_args(kind) if inner is not type(None)))
        return None if one is None else lambda plain: None if plain is None else one(plain)
    if origin is tuple:
        return _tuple_maker(typing.get_args(kind))
    if is_dataclass(kind):
        return _class_maker(typing.cast("type", kind))
    return None


def _tuple_maker(inner: tuple[Any, ...]) -> Callable[[Any], Any]:
    if inner[-1] is Ellipsis:
        each = _maker(inner[0])
        return tuple if each is None else lambda plain: tuple([each(one) for one in plain])
    makers = [_maker(one) for one in inner]

    def make(plain: Any) -> Any:
        parts = zip(makers, plain, strict=True)
        return tuple([one if maker is None else maker(one) for maker, one in parts])

    return make


def _class_maker(kind: type) -> Callable[[Any], Any]:
    makers = [(name, _maker(hint)) for name, hint in typing.get_type_hints(kind).items()]
    known = frozenset(name for name, _ in makers)
    special = [(name, maker) for name, maker in makers if maker is not None]

    def make(plain: Any) -> Any:
        if not isinstance(plain, Mapping):
            raise TypeError(f"{type(plain).__name__} in place of the fields of {kind.__name__}")
        values = {name: value for name, value in plain.items() if name in known}
        for name, maker in special:
            if name in values:
                values[name] = maker(values[name])
        return kind(**values)

    return make
