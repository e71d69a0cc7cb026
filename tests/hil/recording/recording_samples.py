"""Streams, batches and arrivals for the tests of recordings."""

from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.streams import BoardInfo, Stream
from hil.recording.header import BoardSetup, Header

T0 = 1_700_000_000_000_000_000

IMU = Stream("imu", ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3, "<i2", (6,), 1000.0,
             scale=(1 / 2048, 1 / 2048, 1 / 2048, 0.00106, 0.00106, 0.00106))  # fmt: skip
FLOATS = Stream("wave", tuple(f"c{i}" for i in range(8)), ("V",) * 8, "<f4", (8,), 1000.0)
THERMAL = Stream("thermal", ("temperature",), ("degC",), "<i2", (8, 8), 10.0, scale=(0.1,))
INFO = BoardInfo("hil-test", "0001", "fw-1", (IMU, FLOATS, THERMAL), "native")


def random_raw(stream: Stream, count: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return any bit patterns (no NaN) in the stream's dtype."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(stream.dtype)
    if dtype.kind == "f":
        return rng.normal(size=(count, *stream.shape)).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, (count, *stream.shape), dtype.newbyteorder("="), endpoint=True).astype(
        dtype
    )


def batch(stream: Stream, first: int, count: int, board: str = "watch", boot: int = 0, seed: int = 0) -> Batch:
    """Return a batch whose times follow from its numbers."""
    numbers = np.arange(first, first + count, dtype=np.int64)
    period = int(1e9 / (stream.rate_hz or 100.0))
    raw = random_raw(stream, count, seed + first)
    return Batch(board, stream, boot, first, numbers * (period // 1000) + 5, T0 + numbers * period, raw)


def arrivals(
    stream: Stream, sizes: list[int], board: str = "watch", first: int = 0, info: BoardInfo = INFO
) -> list[Arrival]:
    """Return arrivals that hold batches of these sizes end to end, with some bytes each."""
    out = [Arrival(board, 0, T0, "open", b"virtual://test", (Connected(board, T0, info, 0),))]
    for seq, size in enumerate(sizes, 1):
        part = batch(stream, first, size, board)
        out.append(Arrival(board, seq, int(part.t_ns[-1]) + 1000, "rx", bytes(part.raw.tobytes()[:64]), (part,)))
        first += size
    return out


def header(**about: str) -> Header:
    """Return a small header."""
    return Header(T0, (BoardSetup("watch", "virtual://test", None, 7),), about=about, versions={}, environment={})
