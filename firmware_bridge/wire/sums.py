"""Checksums that boards put on their frames, for many frames of one length at a time.

Each takes uint8 `(N, L)` and returns uint64 `(N,)`. The names are those that data sheets use; CRCs follow the catalogue
of parametrised CRC algorithms and are tested by their check value over `123456789`.
"""

import binascii
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

__all__ = ["SUMS", "Sum"]

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

FEW = 24
"""Below so many frames a table is walked byte by byte in Python, above column by column in NumPy."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A checksum.

    Attributes:
        size: Bytes it takes in the frame.
        compute: From uint8 `(N, L)` to uint64 `(N,)`.
        in_order: Whether its bytes come in a fixed order (low part first), whatever the frame's endianness.
    """

    size: int
    compute: Callable[[Bytes], Words]
    in_order: bool = False


def _sum(frames: Bytes, bits: int, sign: int = 1) -> Words:
    total = frames.sum(axis=1, dtype=np.int64) * sign
    words: Words = (total & ((1 << bits) - 1)).astype(np.uint64)
    return words


def _xor(frames: Bytes) -> Words:
    words: Words = np.bitwise_xor.reduce(frames, axis=1).astype(np.uint64)
    return words


def _fletcher(frames: Bytes, modulus: int) -> Words:
    length = frames.shape[1]
    wide = frames.astype(np.int64)
    first = wide.sum(axis=1) % modulus
    second = (wide * np.arange(length, 0, -1)).sum(axis=1) % modulus
    words: Words = (first | second << 8).astype(np.uint64)
    return words


@lru_cache(maxsize=16)
def _table(width: int, poly: int, reflected: bool) -> tuple[int, ...]:
    if reflected:
        poly = int(f"{poly:0{width}b}"[::-1], 2)
    table = []
    top = 1 << (width - 1)
    for byte in range(256):
        value = byte if reflected else byte << (width - 8)
        for _ in range(8):
            if reflected:
                value = value >> 1 ^ (poly if value & 1 else 0)
            else:
                value = (value << 1 ^ (poly if value & top else 0)) & ((1 << width) - 1)
        table.append(value)
    return tuple(table)


def _crc(frames: Bytes, width: int, poly: int, init: int, reflected: bool, final: int) -> Words:
    table = _table(width, poly, reflected)
    shift = width - 8
    mask = (1 << width) - 1
    if len(frames) < FEW:
        values = []
        for frame in frames:
            value = init
            for byte in frame.tobytes():
                if reflected:
                    value = value >> 8 ^ table[(value ^ byte) & 0xFF]
                else:
                    value = (value << 8 ^ table[value >> shift ^ byte]) & mask
            values.append(value ^ final)
        return np.array(values, np.uint64)
    lookup = np.array(table, np.int64)
    state = np.full(len(frames), init, np.int64)
    for index in range(frames.shape[1]):
        byte_column = frames[:, index]
        if reflected:
            state = state >> 8 ^ lookup[(state ^ byte_column) & 0xFF]
        else:
            state = (state << 8 ^ lookup[state >> shift ^ byte_column]) & mask
    words: Words = (state ^ final).astype(np.uint64)
    return words


def _crc_ccitt(frames: Bytes, init: int) -> Words:
    return np.array([binascii.crc_hqx(frame.tobytes(), init) for frame in frames], np.uint64)


def _crc32(frames: Bytes) -> Words:
    return np.array([zlib.crc32(frame.tobytes()) for frame in frames], np.uint64)


SUMS: Mapping[str, Sum] = {
    "sum8": Sum(1, partial(_sum, bits=8)),
    "negated-sum8": Sum(1, partial(_sum, bits=8, sign=-1)),
    "xor8": Sum(1, _xor),
    "sum16": Sum(2, partial(_sum, bits=16)),
    "fletcher8": Sum(2, partial(_fletcher, modulus=256), in_order=True),
    "fletcher16": Sum(2, partial(_fletcher, modulus=255), in_order=True),
    "crc8": Sum(1, partial(_crc, width=8, poly=0x07, init=0, reflected=False, final=0)),
    "crc8-maxim": Sum(1, partial(_crc, width=8, poly=0x31, init=0, reflected=True, final=0)),
    "crc16-ccitt": Sum(2, partial(_crc_ccitt, init=0xFFFF)),
    "crc16-xmodem": Sum(2, partial(_crc_ccitt, init=0)),
    "crc16-kermit": Sum(2, partial(_crc, width=16, poly=0x1021, init=0, reflected=True, final=0)),
    "crc16-x25": Sum(2, partial(_crc, width=16, poly=0x1021, init=0xFFFF, reflected=True, final=0xFFFF)),
    "crc16-modbus": Sum(2, partial(_crc, width=16, poly=0x8005, init=0xFFFF, reflected=True, final=0)),
    "crc16-arc": Sum(2, partial(_crc, width=16, poly=0x8005, init=0, reflected=True, final=0)),
    "crc32": Sum(4, _crc32),
    "crc32-mpeg2": Sum(4, partial(_crc, width=32, poly=0x04C11DB7, init=0xFFFFFFFF, reflected=False, final=0)),
    "crc32c": Sum(4, partial(_crc, width=32, poly=0x1EDC6F41, init=0xFFFFFFFF, reflected=True, final=0xFFFFFFFF)),
}
"""By name. `fletcher8` is what u-blox calls its checksum; `crc16-ccitt` is the one that starts with FFFF."""
