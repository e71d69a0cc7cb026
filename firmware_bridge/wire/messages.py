"""The native messages, version 1: one table, from which Python and C are both made.

A frame is `COBS( type:u8 | flags:u8 | seq:u16 | payload | crc )` and one zero byte, little-endian throughout. This room
knows only payloads: fixed fields, then for most messages a tail whose length the frame gives. Framing, checksums and
the meaning of a conversation live elsewhere.

The table is frozen: a new message or a new flag may be added, nothing here may change its code, order or width.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from functools import cache
from typing import Any

__all__ = ["HEADER", "OFFSET", "REASONS", "STATUS_ROW", "TABLE", "VERSION", "Flag", "Kind", "Message", "Shape",
           "name_of", "pack", "status_rows", "unpack"]  # fmt: skip

VERSION = 1
HEADER = struct.Struct("<BBH")
"""type, flags, sequence number (counts every frame of one direction, wraps at 65536)."""
OFFSET = struct.Struct("<I")
"""Ahead of the bytes of a fragment: their place in the whole payload."""


class Kind(IntEnum):
    """Message codes. Board to host below 0x40, host to board from 0x40."""

    HELLO = 0x01
    SAMPLES = 0x02
    RESULT = 0x03
    CREDIT = 0x04
    PONG = 0x05
    ACK = 0x06
    NAK = 0x07
    LOG = 0x08
    STATUS = 0x09
    IDENTIFY = 0x40
    START = 0x41
    STOP = 0x42
    SET_RATE = 0x43
    PING = 0x44
    GET_STATUS = 0x45
    INJECT = 0x46
    MODEL_BEGIN = 0x47
    MODEL_CHUNK = 0x48
    MODEL_END = 0x49
    INFER = 0x4A
    STREAM_INFER = 0x4B
    TAP = 0x4C
    RESET = 0x4D


class Flag(IntFlag):
    """Bits of the second byte.

    FRAGMENT: the payload starts with `offset:u32`, the place of this part in the whole payload. Other frames may come
        between two parts, but no part of another message of the same kind.
    MORE: further fragments of this message follow.
    DELTAS: SAMPLES has one `u16` a sample after the fixed fields: ticks since the sample before (first: 0).
    TICK64: every field named `tick*` is u64 instead of u32.
    """

    NONE = 0
    MORE = 0x01
    FRAGMENT = 0x02
    DELTAS = 0x04
    TICK64 = 0x08


@dataclass(frozen=True, slots=True)
class Shape:
    """One row of the table.

    Attributes:
        fields: Fixed fields in order, name and struct code (`B`, `H`, `I`).
        tail: Name of the bytes that follow, or empty where none may.
        crc16: Whether the frame carries CRC-16 whatever HELLO says.
        about: What it says.
    """

    fields: tuple[tuple[str, str], ...]
    tail: str
    about: str
    crc16: bool = False

    def codec(self, flags: Flag = Flag.NONE) -> struct.Struct:
        """Return the layout of the fixed fields under `flags`."""
        return _CODECS[self.fields, bool(flags & Flag.TICK64)]


_B, _H, _I = "B", "H", "I"

TABLE: Mapping[Kind, Shape] = {
    Kind.HELLO: Shape(
        (("version", _B), ("crc_bits", _B), ("max_frame", _H), ("tick_hz", _I), ("nonce", _I)), "description",
        "who the board is: protocol version, CRC of all later frames, longest frame before stuffing, tick rate, the "
        "nonce of the running session (0: none), and a JSON description", crc16=True),
    Kind.SAMPLES: Shape(
        (("stream", _B), ("n", _B), ("first", _I), ("tick", _I)), "values",
        "n samples of one stream: number of the first, its tick, packed values"),
    Kind.RESULT: Shape(
        (("keyed_by", _B), ("stream", _B), ("key", _I), ("tick", _I), ("elapsed", _I), ("instructions", _I),
         ("layer", _B), ("dtype", _B), ("n", _H)), "outputs",
        "n outputs of a network: keyed by window id (0) or by the number of the window's last sample (1); tick when it "
        "was ready, elapsed ticks it took; layer 255 is the last; dtype 0 i8, 1 i16, 2 i32, 3 f32; instructions 0 "
        "where not counted"),
    Kind.CREDIT: Shape(
        (("stream", _B), ("total", _I)), "",
        "injected samples of a stream that the board has had room for, counted since START"),
    Kind.PONG: Shape(
        (("token", _I), ("tick_received", _I), ("tick_sent", _I)), "",
        "answer to PING: the board's clock when it came and when this left"),
    Kind.ACK: Shape((("of", _B), ("of_seq", _H)), "", "a command was done"),
    Kind.NAK: Shape(
        (("of", _B), ("of_seq", _H), ("reason", _B), ("detail", _I)), "text",
        "a command was refused: 1 unknown, 2 bad checksum, 3 bad argument, 4 busy, 5 no room, 6 out of order (detail: "
        "the sample or offset expected next)", crc16=True),
    Kind.LOG: Shape((("level", _B), ("tick", _I)), "text", "a line for people: 0 debug, 1 info, 2 warning, 3 error"),
    Kind.STATUS: Shape(
        (("nonce", _I), ("tick", _I), ("refused", _I)), "streams",
        "the board's own books; refused: frames of the host it could not read; then one STATUS_ROW for each stream"),
    Kind.IDENTIFY: Shape((), "", "say HELLO", crc16=True),
    Kind.START: Shape(
        (("nonce", _I), ("streams", _I), ("injected", _I)), "",
        "ACK, then send these streams (bit mask, 0: all) under this nonce, numbered from 0; those in `injected` take "
        "their samples from INJECT in place of the sensor; the nonce that runs already changes nothing"),
    Kind.STOP: Shape((), "", "send no more samples"),
    Kind.SET_RATE: Shape((("stream", _B), ("rate_mhz", _I)), "", "sample a stream at this rate in millihertz"),
    Kind.PING: Shape((("token", _I),), "", "answer with PONG at once"),
    Kind.GET_STATUS: Shape((), "", "answer with STATUS"),
    Kind.INJECT: Shape(
        (("stream", _B), ("n", _B), ("first", _I)), "values",
        "samples to use in place of the sensor's, in the stream's dtype and scale; first counts from 0 since START"),
    Kind.MODEL_BEGIN: Shape(
        (("size", _I), ("crc32", _I)), "",
        "an op list of so many bytes follows, and the one before is forgotten; NAK no room tells how many there is "
        "room for"),
    Kind.MODEL_CHUNK: Shape(
        (("offset", _I),), "data",
        "part of a model: ACK where it follows or is there already, NAK out of order tells the offset wanted"),
    Kind.MODEL_END: Shape(
        (("crc32", _I),), "",
        "check and use it; NAK out of order tells the offset wanted while bytes are missing, bad checksum that of what "
        "came, bad argument why the op list is refused (detail: reason | operator << 8 | op << 16), no room the bytes "
        "that a window takes"),
    Kind.INFER: Shape(
        (("window", _I), ("stream", _B), ("n", _H)), "values",
        "run the model on one window of n samples in the stream's dtype and scale; RESULT comes back under this id; "
        "fragments where it is longer than a frame: NAK out of order tells the offset wanted, and it is sent anew"),
    Kind.STREAM_INFER: Shape(
        (("stream", _B), ("on", _B), ("hop", _H)), "",
        "run the model on the board's own samples, whenever the number of the last one and one is a multiple of hop; "
        "what comes due together with the next is skipped and told in LOG"),
    Kind.TAP: Shape((("layer", _B),), "", "send the output of this layer ahead of each RESULT (255: none)"),
    Kind.RESET: Shape((), "", "start anew"),
}  # fmt: skip

STATUS_ROW = struct.Struct("<BIIIII")
"""One for each stream in the tail of STATUS, counted since START: stream, produced (number of the next sample it will
send; all before it were sent ahead of this STATUS or dropped), dropped (of these, never sent), starved (injected
samples that were due and not there), credit (as CREDIT.total), consumed (injected samples used)."""

REASONS = {1: "unknown", 2: "bad checksum", 3: "bad argument", 4: "busy", 5: "no room", 6: "out of order"}
"""What `reason` in NAK means."""


def name_of(kind: int) -> str:
    """Return the name of a message code, known or not."""
    return Kind(kind).name if kind in _CODES else f"command 0x{kind:02x}"


def _codec(fields: tuple[tuple[str, str], ...], tick64: bool) -> struct.Struct:
    return struct.Struct(
        "<"
        + "".join("Q" if tick64 and name.startswith("tick") and name != "tick_hz" else code for name, code in fields)
    )


_CODECS = {(shape.fields, wide): _codec(shape.fields, wide) for shape in TABLE.values() for wide in (False, True)}


_CODES = frozenset(map(int, Kind))


@dataclass(frozen=True, slots=True)
class Message:
    """One message, either way.

    Attributes:
        kind: Which.
        fields: Its fixed fields by name.
        tail: The bytes after them.
        flags: Bits that change its layout (TICK64, DELTAS); fragments are put together before a Message exists.
    """

    kind: Kind
    fields: Mapping[str, int] = field(default_factory=dict)
    tail: bytes = b""
    flags: Flag = Flag.NONE

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None


def pack(message: Message) -> bytes:
    """Return the payload of a message.

    Raises:
        KeyError: A fixed field is missing.
        ValueError: The message has a tail and its kind allows none.
        struct.error: A value does not fit its field.
    """
    shape = TABLE[message.kind]
    if message.tail and not shape.tail:
        raise ValueError(f"{message.kind.name} takes no tail")
    return shape.codec(message.flags).pack(*(message.fields[name] for name, _ in shape.fields)) + message.tail


def unpack(kind: int, flags: int, payload: bytes) -> Message | None:
    """Return the message in a payload, or None where the kind is unknown or the payload has the wrong length."""
    form = _form(kind, flags & 0x0F)
    if form is None:
        return None
    known, meant, codec, names, tail = form
    extra = len(payload) - codec.size
    if extra < 0 or (extra and not tail):
        return None
    values = codec.unpack_from(payload)
    return Message(known, dict(zip(names, values, strict=True)), payload[codec.size :], meant)


@cache
def _form(kind: int, flags: int) -> tuple[Kind, Flag, struct.Struct, tuple[str, ...], bool] | None:
    """Return how a payload is read: kind, flags, its fixed part, the names there, and whether a tail may follow."""
    if kind not in _CODES:
        return None
    shape, meant = TABLE[Kind(kind)], Flag(flags)
    return Kind(kind), meant, shape.codec(meant), tuple(name for name, _ in shape.fields), bool(shape.tail)


def status_rows(status: Message) -> list[dict[str, int]]:
    """Return the rows of a STATUS: stream (wire id), produced, dropped, starved, credit, consumed."""
    names = ("stream", "produced", "dropped", "starved", "credit", "consumed")
    whole = len(status.tail) // STATUS_ROW.size * STATUS_ROW.size
    return [dict(zip(names, row, strict=True)) for row in STATUS_ROW.iter_unpack(status.tail[:whole])]
