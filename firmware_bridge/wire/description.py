"""The JSON description in HELLO: who a board is and what it sends.

Keys: `model`, `serial`, `firmware` (text), `streams` (below), `limits` (an object); all else is kept in
`BoardInfo.extra`. A stream: `id` (0 to 255, as in SAMPLES; its place in the list where absent), `name`, `channels` and
`units` (one text a channel), `dtype` (such as `<i2` or `i2`), `shape` (`[C]` or `[H, W]`), `rate_hz` (the rate that
holds now, number or null),
`scale` and `offset` (one number for all, or a list with one a channel). Only `name` and `dtype` must be there, and
`shape` or `channels`. Whatever is wrong is told in a sentence and never raised: these bytes come from a board.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from firmware_bridge.streams import BoardInfo, Stream

__all__ = ["describe", "understand"]

_DTYPES = {"i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"}
_LARGEST_SAMPLE = 1 << 22
"""Values in one sample: beyond it a description is taken for an error (4 million pixels)."""


class _Wrong(Exception):
    """Internal: the sentence that `understand` returns."""


def describe(info: BoardInfo) -> bytes:
    """Return the description of a board as HELLO carries it (stream k has id k)."""
    streams = [{"id": index, **stream.as_dict()} for index, stream in enumerate(info.streams)]
    plain = {"model": info.model, "serial": info.serial, "firmware": info.firmware, "streams": streams, **info.extra}
    return json.dumps(plain, separators=(",", ":")).encode()


def understand(text: bytes, tick_hz: int, dialect: str = "native") -> tuple[BoardInfo, dict[int, Stream]] | str:
    """Return a board's identity and its streams by wire id, or one sentence that says what is wrong.

    Args:
        text: The description, UTF-8 JSON.
        tick_hz: Tick rate in HELLO; 0: the board has no clock.
        dialect: Name to put into the identity.
    """
    try:
        plain = json.loads(text.decode("utf-8"), parse_constant=_refuse)
        if not isinstance(plain, dict):
            raise _Wrong("the description is no JSON object")
        listed = plain.pop("streams", [])
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise _Wrong("`streams` is no list of objects")
        streams: dict[int, Stream] = {}
        for place, entry in enumerate(listed):
            wire_id, stream = _stream(entry, place, float(tick_hz) or None)
            if wire_id in streams or any(stream.name == other.name for other in streams.values()):
                raise _Wrong(f"two streams share the id or name of `{stream.name}`")
            streams[wire_id] = stream
        info = BoardInfo(
            model=str(plain.pop("model", "unknown")), serial=str(plain.pop("serial", "")),
            firmware=str(plain.pop("firmware", "")), streams=tuple(streams.values()), dialect=dialect, extra=plain,
        )  # fmt: skip
        return info, streams
    except _Wrong as wrong:
        return str(wrong)
    except (ValueError, RecursionError) as error:
        return f"the description is no JSON ({error})"


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _stream(entry: Mapping[str, Any], place: int, tick_hz: float | None) -> tuple[int, Stream]:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise _Wrong(f"stream {place} has no name")
    wire_id = entry.get("id", place)
    if not isinstance(wire_id, int) or isinstance(wire_id, bool) or not 0 <= wire_id <= 255:
        raise _Wrong(f"the id of stream `{name}` is not 0 to 255")
    dtype = str(entry.get("dtype", "")).lstrip("<|=")
    if dtype not in _DTYPES:
        raise _Wrong(f"the dtype of stream `{name}` is none of {', '.join(sorted(_DTYPES))}")
    channels = _texts(entry, "channels", name)
    shape = entry.get("shape", [len(channels)] if channels else None)
    if (
        not isinstance(shape, list) or len(shape) not in (1, 2)
        or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in shape)
        or math.prod(shape) > _LARGEST_SAMPLE
    ):  # fmt: skip
        raise _Wrong(f"the shape of stream `{name}` is neither [C] nor [H, W]")
    width = shape[0] if len(shape) == 1 else 1
    channels = channels or ((name,) if width == 1 else tuple(f"{name}{index}" for index in range(width)))
    units = _texts(entry, "units", name) or ("?",) * width
    if len(channels) != width or len(units) != width or len(set(channels)) != width:
        raise _Wrong(f"stream `{name}` needs {width} different channels and {width} units")
    rate = entry.get("rate_hz")
    if rate is not None and not (_is_number(rate) and 1e-6 <= rate <= 1e9):
        raise _Wrong(f"the rate_hz of stream `{name}` is no number from 1e-6 to 1e9")
    stream = Stream(
        name, channels, units, f"<{dtype}" if dtype[1] != "1" else dtype, tuple(shape),
        None if rate is None else float(rate), _numbers(entry, "scale", 1.0, width, name),
        _numbers(entry, "offset", 0.0, width, name), tick_hz=tick_hz,
    )  # fmt: skip
    return wire_id, replace(stream, rate_inferred=entry.get("rate_inferred") is True)


def _texts(entry: Mapping[str, Any], key: str, name: str) -> tuple[str, ...]:
    found = entry.get(key, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise _Wrong(f"`{key}` of stream `{name}` is no list of texts")
    return tuple(found)


def _numbers(entry: Mapping[str, Any], key: str, default: float, width: int, name: str) -> tuple[float, ...]:
    found = entry.get(key, default)
    listed: Sequence[Any] = found if isinstance(found, list) else [found]
    if len(listed) not in (1, width) or not all(_is_number(number) for number in listed):
        raise _Wrong(f"`{key}` of stream `{name}` is neither one number nor one a channel")
    return tuple(float(number) for number in listed)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
