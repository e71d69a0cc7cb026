"""Decoding frames: our two decoders against the C extension into tuples and against naive Python, in one run.

Frames as in a live stream: 4 bytes of header, 32 of payload, CRC-32, COBS. All decoders take the same bytes and are
first proven to find the same frames. The naive decoder is what one writes in an afternoon: byte by byte, with a table
for the CRC. Times are CPU times of the thread: decoding waits for nothing.
"""

from functools import partial
from zlib import crc32

import numpy as np
from cobs import cobs

from firmware_bridge.wire.bulk import decode_bulk
from firmware_bridge.wire.checksum import CRC32
from firmware_bridge.wire.frames import Frames
from firmware_bridge.wire.framing import decode_live, frame
from firmware_bridge.wire.messages import HEADER, Kind
from hil.bench.row import Row, judge, paired

__all__ = ["cross_over", "decode_naive", "decode_tuples", "run", "stream"]

PAYLOAD = 32
TICK_FRAMES = 160
BUFFER_BYTES = 1 << 20
Found = list[tuple[int, int, int, bytes]]
"""(kind, flags, sequence number, payload) of each frame."""

_TABLE = []
for _value in range(256):
    for _ in range(8):
        _value = _value >> 1 ^ (0xEDB88320 if _value & 1 else 0)
    _TABLE.append(_value)


def stream(count: int, seed: int = 1) -> bytes:
    """Return `count` frames with random payloads."""
    payloads = np.random.default_rng(seed).integers(0, 256, (count, PAYLOAD)).astype(np.uint8)
    return b"".join(
        frame(HEADER.pack(Kind.SAMPLES, 0, index & 0xFFFF) + payload.tobytes(), CRC32)
        for index, payload in enumerate(payloads)
    )


def decode_tuples(buffer: bytes) -> Found:
    """Decode with the `cobs` C extension and `zlib.crc32`, one tuple a frame."""
    found = []
    for part in buffer.split(b"\0"):
        if not part:
            continue
        try:
            body = cobs.decode(part)
        except cobs.DecodeError:
            continue
        if len(body) >= 8 and crc32(body[:-4]) == int.from_bytes(body[-4:], "little"):
            found.append((*HEADER.unpack_from(body), body[4:-4]))
    return found


def decode_naive(buffer: bytes) -> Found:
    """Decode byte by byte in Python."""
    found: Found = []
    body = bytearray()
    left, full, first = 0, True, True
    for byte in buffer:
        if byte == 0:
            if left == 0 and len(body) >= 8:
                crc = 0xFFFFFFFF
                for each in body[:-4]:
                    crc = _TABLE[(crc ^ each) & 0xFF] ^ crc >> 8
                if crc ^ 0xFFFFFFFF == int.from_bytes(body[-4:], "little"):
                    found.append((body[0], body[1], body[2] | body[3] << 8, bytes(body[4:-4])))
            body = bytearray()
            left, full, first = 0, True, True
        elif left == 0:
            if not first and not full:
                body.append(0)
            left, full, first = byte - 1, byte == 255, False
        else:
            body.append(byte)
            left -= 1
    return found


def _listed(frames: Frames) -> Found:
    bodies = (frames.body(index) for index in range(len(frames)))
    return [(*HEADER.unpack_from(body), body[4:]) for body in bodies]


def _agree(buffer: bytes) -> None:
    wanted = decode_naive(buffer)
    for name, found in (
        ("tuples", decode_tuples(buffer)),
        ("bulk", _listed(decode_bulk(buffer, CRC32))),
        ("live", _listed(decode_live(buffer, CRC32))),
    ):
        if found != wanted:
            raise AssertionError(f"the {name} decoder found other frames than the naive one; nothing can be compared")


def cross_over(counts: tuple[int, ...] = (160, 320, 640, 1000, 1820, 3640), rounds: int = 9) -> dict[int, float]:
    """Return, by number of frames in a buffer, how many times longer the live decoder takes than the bulk decoder."""
    ratios = {}
    for count in counts:
        buffer = stream(count)
        ours, theirs = partial(decode_bulk, buffer, CRC32), partial(decode_live, buffer, CRC32)
        pairs = paired(ours, theirs, rounds, repeat=max(1, 4000 // count), cpu=True)
        ratios[count] = float(np.median(pairs.ratios))
    return ratios


def run(quick: bool = False) -> list[Row]:
    """Measure both decoders against both peers.

    Args:
        quick: Fewer rounds (still enough for an interval).
    """
    rounds = 9 if quick else 15
    whole = stream(BUFFER_BYTES // 42 + 1)[:BUFFER_BYTES]
    whole = whole[: whole.rfind(b"\0") + 1]
    tick = stream(TICK_FRAMES)
    _agree(whole)
    _agree(tick)
    rows = []
    for name, decoder, buffer, repeat, bars in (
        ("bulk decode, 1 MiB", decode_bulk, whole, 3, (3.0, 40.0)),
        ("live decode, 160-frame ticks", decode_live, tick, 100, (1.2, 15.0)),
    ):
        count = buffer.count(0)
        for peer, against, bar, fewer in (
            (decode_tuples, "cobs C + zlib into tuples", bars[0], 1),
            (decode_naive, "naive per-byte Python", bars[1], 10),
        ):
            pairs = paired(
                partial(decoder, buffer, CRC32), partial(peer, buffer), rounds,
                repeat=repeat, repeat_theirs=max(1, repeat // fewer), cpu=True,
            )  # fmt: skip
            rows.append(judge(name, count / pairs.ours_s / 1e6, "Mframes/s", against, pairs.ratios, bar))
    return rows
