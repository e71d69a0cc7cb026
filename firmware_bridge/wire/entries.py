"""What the streams of both kinds of board files have in common: types, shapes, channels with their units and scales."""

from collections.abc import Sequence

from firmware_bridge.wire.schema import StreamTable

__all__ = ["dtype_of", "shape_of", "units_of"]


def dtype_of(kind: str) -> str:
    """Return the little-endian NumPy dtype of a type's name, such as `<i2` of `i16`."""
    size = int(kind[1:]) // 8
    return f"{'|' if size == 1 else '<'}{kind[0]}{size}"


def shape_of(stream: StreamTable, count: int) -> tuple[int, ...]:
    """Return the shape of a stream's samples."""
    return tuple(stream.shape) if stream.shape is not None else (count,)


def units_of(
    stream: StreamTable, labels: Sequence[str], shape: tuple[int, ...], where: str, mistakes: list[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...], tuple[float, ...]] | None:
    """Return channels, units, factors and offsets of a stream."""
    count = 1 if len(shape) == 2 else shape[0]
    channels = tuple(stream.channels) or ((stream.name,) if len(shape) == 2 else tuple(labels))
    if not channels or (len(channels) != count and not stream.channels):
        channels = tuple(f"{stream.name}_{index}" for index in range(count))
    units = tuple(stream.unit) if isinstance(stream.unit, list) else (stream.unit,) * count
    scale = tuple(stream.scale) if isinstance(stream.scale, list) else (stream.scale,)
    offset = tuple(stream.offset) if isinstance(stream.offset, list) else (stream.offset,)
    good = True
    for key, given, allowed in (
        ("channels", channels, (count,)), ("unit", units, (count,)), ("scale", scale, (1, count)),
        ("offset", offset, (1, count)),
    ):  # fmt: skip
        if len(given) not in allowed:
            mistakes.append(f"{where}.{key}: {len(given)} were found, one for each of {count} channels is needed")
            good = False
    return (channels, units, scale, offset) if good else None
