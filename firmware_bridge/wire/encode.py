"""Native messages to bytes, for the host and for boards: numbering, fragments, samples.

An `Encoder` is one direction of one connection: it gives every frame the next sequence number and cuts a payload that
does not fit `max_frame` into fragments (FRAGMENT and MORE flags, offset ahead of each part).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.checksum import CRC16
from firmware_bridge.wire.frames import MAX_FRAME
from firmware_bridge.wire.framing import crc_bits_of, frame
from firmware_bridge.wire.messages import HEADER, TABLE, Flag, Kind, Message, pack

__all__ = ["Encoder", "encode", "samples_frames"]

_MASK32, _MASK64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


class Encoder:
    """One direction of a connection.

    Args:
        crc_bits: 16 or 32, as HELLO names it.
        max_frame: Longest frame before stuffing, CRC included.
        seq: Sequence number of the first frame.
    """

    def __init__(self, crc_bits: int = CRC16, max_frame: int = MAX_FRAME, seq: int = 0) -> None:
        self.crc_bits = crc_bits
        self.max_frame = max_frame
        self.seq = seq & 0xFFFF

    def encode(self, message: Message) -> bytes:
        """Return the frame or frames of a message.

        Raises:
            KeyError, ValueError, struct.error: As `messages.pack`.
        """
        return self.payload(message.kind, message.flags, pack(message))

    def payload(self, kind: int, flags: int, payload: bytes) -> bytes:
        """Return the frame of a payload, or its fragments where it does not fit one frame."""
        room = self.max_frame - HEADER.size - crc_bits_of(kind, self.crc_bits) // 8
        if len(payload) <= room:
            return self._frame(kind, flags, payload)
        return b"".join(self._fragments(kind, flags, payload, room - 4))

    def samples(
        self, stream: int, first: int, ticks: npt.ArrayLike, raw: npt.NDArray[Any], *, n: int = 1, deltas: bool = False,
        tick64: bool = False,
    ) -> bytes:  # fmt: skip
        """Return SAMPLES frames.

        Args:
            stream: Wire id.
            first: Number of the first sample; sent modulo 2**32.
            ticks: `(N,)` integers, the board's clock.
            raw: `(N, *shape)` in the stream's dtype.
            n: Samples a frame, 1 to 255; the last frame has what is left.
            deltas: Whether each sample's tick is sent (16 bits of difference each).
            tick64: Whether ticks are sent with 64 bits.
        """
        flags = (Flag.DELTAS if deltas else Flag.NONE) | (Flag.TICK64 if tick64 else Flag.NONE)
        codec, clock = TABLE[Kind.SAMPLES].codec(flags), np.asarray(ticks)
        out = []
        for at in range(0, len(raw), n):
            part, when = raw[at : at + n], clock[at : at + n]
            steps = np.diff(when, prepend=when[:1]).astype("<u2").tobytes() if deltas else b""
            tick = int(when[0]) & (_MASK64 if tick64 else _MASK32)
            fixed = codec.pack(stream, len(part), (first + at) & _MASK32, tick)
            out.append(self.payload(Kind.SAMPLES, flags, fixed + steps + part.tobytes()))
        return b"".join(out)

    def _fragments(self, kind: int, flags: int, payload: bytes, room: int) -> Iterator[bytes]:
        if room < 1:
            raise ValueError(f"max_frame {self.max_frame} leaves no room for a fragment")
        for offset in range(0, len(payload), room):
            more = Flag.MORE if offset + room < len(payload) else Flag.NONE
            part = offset.to_bytes(4, "little") + payload[offset : offset + room]
            yield self._frame(kind, flags | Flag.FRAGMENT | more, part)

    def _frame(self, kind: int, flags: int, payload: bytes) -> bytes:
        header = HEADER.pack(kind, flags, self.seq)
        self.seq = (self.seq + 1) & 0xFFFF
        return frame(header + payload, self.crc_bits)


def encode(message: Message, seq: int, crc_bits: int, max_frame: int = MAX_FRAME) -> bytes:
    """Return the bytes of one message whose first frame has number `seq` (see `Encoder` for a whole conversation)."""
    return Encoder(crc_bits, max_frame, seq).encode(message)


def samples_frames(
    stream: int, first: int, ticks: npt.ArrayLike, raw: npt.NDArray[Any], crc_bits: int, seq: int, *, n: int = 1,
    deltas: bool = False, tick64: bool = False, max_frame: int = MAX_FRAME,
) -> bytes:  # fmt: skip
    """Return SAMPLES frames numbered from `seq`; arguments as `Encoder.samples`."""
    encoder = Encoder(crc_bits, max_frame, seq)
    return encoder.samples(stream, first, ticks, raw, n=n, deltas=deltas, tick64=tick64)
