"""The decoder for replay and imports: all frames of a buffer at once in NumPy.

COBS is undone by pointer jumping (one jump a round in every frame: as many rounds as the fullest frame has zeros), the
CRC by tables of places, in groups of equal length. It gives what `framing.decode_live` gives, byte for byte.
"""

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.checksum import checksum, columns
from firmware_bridge.wire.frames import (
    COBS,
    CRC,
    FIXED16,
    GOOD,
    IDLE,
    MAX_FRAME,
    OVERSIZE,
    SHORT,
    Bytes,
    Frames,
    Int64,
    stuffed_length,
)
from firmware_bridge.wire.messages import HEADER

__all__ = ["decode_bulk"]

_SMALL_GROUP = 64
"""Below so many frames of one length the C checksums are faster than columns."""
_LONG_FRAME = 512
"""Above this length the same (and a table a position would leave the cache)."""


def decode_bulk(buffer: bytes, crc_bits: int, max_frame: int = MAX_FRAME) -> Frames:
    """Decode with NumPy, all frames at once; arguments as `decode`."""
    flat = np.array(np.frombuffer(buffer, np.uint8))
    stop = np.flatnonzero(flat == 0)
    start = np.empty_like(stop)
    if len(stop):
        start[0] = 0
        np.add(stop[:-1], 1, out=start[1:])
    stuffed = stop - start
    verdict = np.zeros(len(stop), np.int8)
    verdict[stuffed == 0] = IDLE
    verdict[stuffed > stuffed_length(max_frame)] = OVERSIZE
    long = bool(len(stuffed)) and int(stuffed.max()) >= 255
    removed = _unstuff_all(flat, start, stop, verdict, long)
    if len(removed):  # codes behind full blocks stand for nothing: close the data up
        flat = np.delete(flat, removed)
        start = start - np.searchsorted(removed, start)
        stop = stop - np.searchsorted(removed, stop)
    good = np.flatnonzero(verdict == GOOD)
    start, length = start[good] + 1, stop[good] - start[good] - 1
    if len(good) and not length.all():
        verdict[good[length == 0]] = SHORT
        good, start, length = (each[length > 0] for each in (good, start, length))
    width = np.where(FIXED16[flat[start]], 2, crc_bits // 8)
    verdict[good] = np.where(length < HEADER.size + width, SHORT, np.where(length > max_frame, OVERSIZE, GOOD))
    keep = verdict[good] == GOOD
    if not keep.all():
        good, start, length, width = (each[keep] for each in (good, start, length, width))
    right = _checked(flat, start, length, width)
    if not right.all():
        verdict[good[~right]] = CRC
        good, start, length, width = (each[right] for each in (good, start, length, width))
    bad = np.flatnonzero(verdict)
    before = np.searchsorted(good, bad)
    damaged = tuple(zip(before.tolist(), verdict[bad].tolist(), (stuffed[bad] + 1).tolist(), strict=True))
    return Frames(flat, start, length - width, stuffed[good] + 1, damaged)


def _unstuff_all(flat: Bytes, start: Int64, stop: Int64, verdict: npt.NDArray[np.int8], long: bool) -> Int64:
    """Undo the stuffing in place by jumping from code to code in all frames at once.

    Each code becomes the zero it stands for (the first of a frame is ignored later). Returns the sorted places of codes
    that stand for nothing because the block before them was full; marks frames whose last jump misses their end.
    """
    which = np.flatnonzero(verdict == GOOD)
    place, end = start[which], stop[which]
    removed: list[Int64] = []
    while len(place):
        code = flat[place]
        flat[place] = 0
        after = place + code
        inside = after < end
        if long:
            removed.append(after[inside & (code == 255)])
        if inside.all():
            place = after
            continue
        verdict[which[after > end]] = COBS
        place, end, which = after[inside], end[inside], which[inside]
    return np.sort(np.concatenate(removed)) if removed else np.zeros(0, np.int64)


def _checked(flat: Bytes, start: Int64, length: Int64, width: Int64) -> npt.NDArray[np.bool_]:
    """Return which bodies carry the right CRC, group by group of equal length and CRC."""
    right = np.ones(len(start), np.bool_)
    if not len(start):
        return right
    key = length * 8 + width
    if (key == key[0]).all():
        _check_group(flat, start, int(length[0]), int(width[0]), right, slice(None))
        return right
    order = np.argsort(key, kind="stable")
    edges = np.flatnonzero(np.diff(key[order])) + 1
    for group in np.split(order, edges):
        _check_group(flat, start[group], int(length[group[0]]), int(width[group[0]]), right, group)
    return right


def _check_group(
    flat: Bytes, start: Int64, length: int, width: int, right: npt.NDArray[np.bool_], group: Int64 | slice
) -> None:
    bits, n = width * 8, len(start)
    if n < _SMALL_GROUP or length > _LONG_FRAME:
        bodies = [flat[at : at + length].tobytes() for at in start.tolist()]
        right[group] = [checksum(b[:-width], bits) == int.from_bytes(b[-width:], "little") for b in bodies]
        return
    stride = int(start[1] - start[0])
    if (start[1:] - start[:-1] == stride).all():
        cols = np.ascontiguousarray(np.ndarray((length, n), np.uint8, flat, int(start[0]), (1, stride)))
    else:
        cols = flat[start + np.arange(length)[:, None]]
    wanted = columns(cols[: length - width], bits)
    told = np.zeros(n, wanted.dtype)
    for byte in range(width):
        told |= cols[length - width + byte].astype(wanted.dtype) << wanted.dtype.type(8 * byte)
    right[group] = wanted == told
