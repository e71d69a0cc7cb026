"""The two checksums of the wire, one frame at a time in C or a whole group of frames at once in NumPy.

CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) and CRC-32 (as in zlib), both appended little-endian. A CRC is
affine: the checksum of n bytes is a constant of n, XOR one table entry a byte, where the table depends only on how far
the byte is from the end. So frames of equal length, laid out as columns, need one table look-up and one XOR a position.
"""

from binascii import crc_hqx
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

__all__ = ["CRC16", "CRC32", "CRC32_RESIDUE", "append", "checksum", "columns"]

CRC16, CRC32 = 16, 32
CRC32_RESIDUE = 0x2144DF1C
"""What zlib.crc32 gives for any bytes followed by their own CRC-32."""

Column = npt.NDArray[np.uint8]


def checksum(body: bytes, bits: int) -> int:
    """Return the CRC of `body`, `bits` being 16 or 32."""
    return crc32(body) if bits == CRC32 else crc_hqx(body, 0xFFFF)


def append(body: bytes, bits: int) -> bytes:
    """Return `body` with its CRC behind it."""
    return body + checksum(body, bits).to_bytes(bits // 8, "little")


@cache
def _table(bits: int, behind: int) -> npt.NDArray[Any]:
    """Return what each value of a byte with `behind` bytes after it adds to the CRC (with its zero case taken out)."""
    dtype = np.uint32 if bits == CRC32 else np.uint16
    if behind == 0:
        # The zero-start CRC of one byte: for CRC-32 the start and final inversion are taken out by XOR with that of 0.
        if bits == CRC32:
            zero = crc32(b"\0")
            return np.array([crc32(bytes([value])) ^ zero for value in range(256)], dtype)
        return np.array([crc_hqx(bytes([value]), 0) for value in range(256)], dtype)
    before, one = _table(bits, behind - 1), _table(bits, 0)
    if bits == CRC32:  # reflected: the low byte leaves first
        table: npt.NDArray[Any] = (before >> np.uint32(8)) ^ one[before & np.uint32(0xFF)]
    else:
        table = (before << np.uint16(8)) ^ one[before >> np.uint16(8)]
    return table


@cache
def _constant(bits: int, length: int) -> int:
    return checksum(bytes(length), bits)


def columns(cols: Column, bits: int) -> npt.NDArray[Any]:
    """Return the CRCs of many messages of one length.

    Args:
        cols: uint8 `(L, n)`, message k in column k, rows contiguous.
        bits: 16 or 32.

    Returns:
        uint16 or uint32 `(n,)`.
    """
    length, n = cols.shape
    dtype = np.uint32 if bits == CRC32 else np.uint16
    total = np.full(n, _constant(bits, length), dtype)
    part = np.empty(n, dtype)
    for place in range(length):
        # An index is a byte, so clipping never acts; it only spares the check that `raise` would make.
        np.take(_table(bits, length - 1 - place), cols[place], out=part, mode="clip")
        np.bitwise_xor(total, part, out=total)
    return total
