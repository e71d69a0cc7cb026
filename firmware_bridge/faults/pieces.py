"""SAMPLES frames cut at sample boundaries: a board may group its samples as it likes, a fault hits numbers.

Ticks of a frame without DELTAS lie on the stream's rate, so that the tick of a later piece is right to one tick.
"""

import struct
from dataclasses import dataclass

from firmware_bridge.wire.messages import HEADER, TABLE, Flag, Kind

__all__ = ["Head", "cut", "head"]

_MASK32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Head:
    """What a SAMPLES frame says about itself: wire id, samples, number of the first."""

    stream: int
    n: int
    first: int


def head(payload: bytes) -> Head | None:
    """Return the head of a SAMPLES payload (of the first fragment, without its offset); None where it has none."""
    if len(payload) < 6:
        return None
    return Head(payload[0], payload[1], int.from_bytes(payload[2:6], "little"))


def cut(body: bytes, start: int, stop: int, seq: int, ticks_a_sample: float) -> bytes:
    """Return the body of a frame with samples `start` to `stop` of another.

    Args:
        body: Header and payload of a whole SAMPLES frame.
        start: First sample that is wanted.
        stop: The one after the last.
        seq: Sequence number of the new frame.
        ticks_a_sample: Where the frame has no DELTAS: by what the ticks inside it advance.
    """
    kind, flags, _ = HEADER.unpack_from(body)
    codec = TABLE[Kind.SAMPLES].codec(Flag(flags))
    stream, n, first, tick = codec.unpack_from(body, HEADER.size)
    at = HEADER.size + codec.size
    deltas = b""
    if flags & Flag.DELTAS:
        steps = list(struct.unpack_from(f"<{n}H", body, at))
        at += 2 * n
        tick += sum(steps[1 : start + 1])
        deltas = struct.pack(f"<{stop - start}H", 0, *steps[start + 1 : stop])
    else:
        tick += round(start * ticks_a_sample)
    size = (len(body) - at) // n
    wide = (1 << 64) - 1 if flags & Flag.TICK64 else _MASK32
    fixed = codec.pack(stream, stop - start, (first + start) & _MASK32, tick & wide)
    return HEADER.pack(kind, flags, seq) + fixed + deltas + body[at + start * size : at + stop * size]
