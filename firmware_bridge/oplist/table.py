"""The format of an op list, version 1 ("HILN"): one table, from which Python and C are both made.

A blob is `header | records of the ops | arrays`, little-endian, packed without padding. A tensor lies in the arena the
caller gives, time-major: row t of C channels is `arena[offset + t * C]` and the C - 1 bytes behind it, one int8 each,
worth `scale * (q - zero)`. Op 0 turns raw readings into the first tensor; every later op reads tensors and writes one;
the last one's tensor is the answer. An op's number is its layer in RESULT and TAP.

Arithmetic, the same on every board and in NumPy, bit for bit:

- INPUT, for channel c: `q = floor((raw * mult[c] + offset[c]) / 2^shift[c] + 1/2)` in 64 bits; the zero point is in
  `offset`. Then q is limited to `low .. high`: a reading beyond the range saturates.
- CONV and LINEAR, for output o: `acc = bias[o] + sum of x * weight` in 32 bits, where `bias` already holds
  `- zero * sum of weights` and a padded row counts as rows of `in_zero`. Then it is *rescaled*:
  `q = out_zero + floor(acc * mult[o] / 2^(32 + shift[o]) + 1/2)`, limited to `low .. high`.
- AVERAGE_POOL: `acc = 2^7 * sum of (x - in_zero)`, padded rows counting as zero, rescaled by the record's mult, shift.
- MAX_POOL: the largest x of the window's rows, limited to `low .. high`; with a kernel of 1 it is a mere clamp.
- ADD: `q = out_zero + floor(((x - in_zero) * mult + (y - in2_zero) * mult2) / 2^shift + 1/2)` in 32 bits, limited.

The rounding is *half up* of the exact 64-bit product, once. It was chosen because a Cortex-M3 gets it in three
instructions: since at least 33 bits are dropped, only the high word of SMULL is looked at, and adding
`2^(shift - 1)` to it before the shift is exact. (A doubling high multiply with rounding away from zero, as gemmlowp has
it, rounds twice and needs a branch on the sign.) Limits on load keep every sum within its 32 or 64 bits.

The table is frozen: what is here keeps its code, order and width; a new op may be added.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum

__all__ = [
    "ADD_MULT_MAX", "ADD_SHIFT_MAX", "ARRAYS", "BIAS_MAX", "ELEMENTS_MAX", "FIRST_CHECKED", "HEADER",
    "INPUT_OFFSET_MAX", "INPUT_SHIFT_MAX", "LIMITS", "MAGIC", "NAMES", "OPS_MAX", "POOL_BITS", "RAW_DTYPES",
    "READINGS_MAX", "RECORD", "SHIFT_MAX", "VERSION", "Code", "Raw", "Reason", "header_struct", "record_struct",
]  # fmt: skip

MAGIC = int.from_bytes(b"HILN", "little")
VERSION = 1


class Code(IntEnum):
    """What an op does."""

    INPUT = 0
    CONV = 1
    LINEAR = 2
    ADD = 3
    MAX_POOL = 4
    AVERAGE_POOL = 5


NAMES: Mapping[Code, str] = {
    Code.INPUT: "input", Code.CONV: "conv1d", Code.LINEAR: "linear", Code.ADD: "add", Code.MAX_POOL: "max_pool",
    Code.AVERAGE_POOL: "average_pool",
}  # fmt: skip
"""Names for people."""


class Raw(IntEnum):
    """Type of the raw readings in a window, little-endian."""

    I8 = 0
    I16 = 1
    I32 = 2
    U8 = 4
    U16 = 5


RAW_DTYPES: Mapping[Raw, str] = {Raw.I8: "|i1", Raw.I16: "<i2", Raw.I32: "<i4", Raw.U8: "|u1", Raw.U16: "<u2"}


class Reason(IntEnum):
    """Why a blob is refused; the first that applies, op after op."""

    FINE = 0
    SHORT = 1
    MAGIC = 2
    VERSION = 3
    SIZE = 4
    CHECKSUM = 5
    HEADER = 6
    NO_ROOM = 7
    UNKNOWN_OP = 8
    SHAPE = 9
    NUMBERS = 10
    REGION = 11
    ARRAYS = 12
    ANSWER = 13


HEADER: tuple[tuple[str, str, str], ...] = (
    ("magic", "I", '"HILN"'),
    ("crc32", "I", "CRC-32 (IEEE) of everything behind it"),
    ("version", "H", "1"),
    ("ops", "H", "number of records, 1 to 254"),
    ("size", "I", "bytes of the whole blob"),
    ("arena", "I", "bytes of RAM the tensors need"),
    ("window", "H", "rows of raw readings in a window"),
    ("columns", "H", "readings in a row, in the stream's order"),
    ("outputs", "H", "elements of the last tensor"),
    ("raw", "B", "type of a reading"),
    ("reserved", "B", "0"),
)

RECORD: tuple[tuple[str, str, str], ...] = (
    ("code", "B", "what it does"),
    ("in_zero", "b", "zero point of the input"),
    ("in2_zero", "b", "zero point of the second input (ADD)"),
    ("out_zero", "b", "zero point of the output"),
    ("low", "b", "least output: above -128 where a relu is fused"),
    ("high", "b", "largest output"),
    ("shift", "B", "of ADD and AVERAGE_POOL"),
    ("reserved", "B", "0"),
    ("in_rows", "H", "rows read"),
    ("in_channels", "H", "channels read"),
    ("out_rows", "H", "rows written"),
    ("out_channels", "H", "channels written"),
    ("kernel", "H", "taps (CONV), rows of a pool, all rows (LINEAR); else 1"),
    ("stride", "H", "rows between two windows"),
    ("dilation", "H", "rows between two taps"),
    ("pad_left", "H", "rows of zero before the first"),
    ("pad_right", "H", "rows of zero behind the last"),
    ("groups", "H", "groups of channels that don't mix (CONV); all: depthwise"),
    ("input", "I", "where the input begins in the arena"),
    ("input2", "I", "where the second input begins (ADD)"),
    ("output", "I", "where the output begins; ADD may write onto an input"),
    ("mult", "i", "of ADD and AVERAGE_POOL"),
    ("mult2", "i", "of the second input (ADD)"),
    ("data", "I", "where the arrays begin in the blob"),
    ("out_scale", "f", "what one step of the output is worth; boards don't read it"),
)

ARRAYS: Mapping[Code, tuple[tuple[str, str, str], ...]] = {
    Code.INPUT: (("column", "H", "out_channels"), ("mult", "i", "out_channels"), ("shift", "B", "out_channels"),
                 ("offset", "q", "out_channels")),
    Code.CONV: (("bias", "i", "out_channels"), ("mult", "i", "out_channels"), ("shift", "B", "out_channels"),
                ("weight", "b", "out_channels * kernel * (in_channels / groups), in this order")),
    Code.LINEAR: (("bias", "i", "out_channels"), ("mult", "i", "out_channels"), ("shift", "B", "out_channels"),
                  ("weight", "b", "out_channels * kernel * in_channels, in this order")),
    Code.ADD: (), Code.MAX_POOL: (), Code.AVERAGE_POOL: (),
}  # fmt: skip
"""Arrays of an op, one behind the other from `data`: name, struct code, number of elements."""

OPS_MAX = 254
"""Layer 255 means none."""
ELEMENTS_MAX = 65535
"""Of a tensor (one RESULT can carry it), and of the weights behind one output (their sum stays below 2^30)."""
READINGS_MAX = 1 << 24
"""In a window, all columns: their bytes are counted in 32 bits."""
BIAS_MAX = 1 << 30
SHIFT_MAX = 30
"""Of the rescaling: 1 to this, on top of 32."""
POOL_BITS = 7
ADD_MULT_MAX = 1 << 21
ADD_SHIFT_MAX = 28
INPUT_OFFSET_MAX = 1 << 61
INPUT_SHIFT_MAX = 60

LIMITS: Mapping[str, int] = {
    "OPS_MAX": OPS_MAX, "ELEMENTS_MAX": ELEMENTS_MAX, "READINGS_MAX": READINGS_MAX, "BIAS_MAX": BIAS_MAX,
    "SHIFT_MAX": SHIFT_MAX, "POOL_BITS": POOL_BITS, "ADD_MULT_MAX": ADD_MULT_MAX, "ADD_SHIFT_MAX": ADD_SHIFT_MAX,
    "INPUT_SHIFT_MAX": INPUT_SHIFT_MAX,
}  # fmt: skip
"""What the C header repeats."""


def _struct(fields: tuple[tuple[str, str, str], ...]) -> struct.Struct:
    return struct.Struct("<" + "".join(code for _, code, _ in fields))


header_struct = _struct(HEADER)
record_struct = _struct(RECORD)

FIRST_CHECKED = 8
"""The checksum covers the blob from here on."""
