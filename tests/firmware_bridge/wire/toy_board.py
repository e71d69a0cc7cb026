"""A scripted native board for the tests of the wire: it says exactly what it is told to say."""

from typing import Any

import numpy as np

from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.description import describe
from firmware_bridge.wire.encode import Encoder
from firmware_bridge.wire.messages import STATUS_ROW, Flag, Kind, Message

IMU = Stream("imu", ("x", "y"), ("g", "g"), "<i2", (2,), 1000.0, scale=(0.5,))
PPG = Stream("ppg", ("p",), ("?",), "<u4", (1,), 100.0)
CAM = Stream("cam", ("cam",), ("degC",), "<u2", (24, 32), 10.0)
INFO = BoardInfo("toy", "S1", "fw-1", (IMU, PPG, CAM), "native", extra={"limits": {"tx": 64}})


class ToyBoard:
    """Encodes what a board would say; sample k of stream s holds values made from k and s alone."""

    def __init__(self, crc_bits: int = 32, max_frame: int = 512, info: BoardInfo = INFO, tick_hz: int = 1_000_000):
        self.encoder = Encoder(crc_bits, max_frame)
        self.info = info
        self.tick_hz = tick_hz

    def say(self, kind: Kind, tail: bytes = b"", flags: Flag = Flag.NONE, **fields: int) -> bytes:
        return self.encoder.encode(Message(kind, fields, tail, flags))

    def hello(self, nonce: int = 0, version: int = 1, **changed: int) -> bytes:
        fields = {
            "version": version, "crc_bits": self.encoder.crc_bits, "max_frame": self.encoder.max_frame,
            "tick_hz": self.tick_hz, "nonce": nonce,
        }  # fmt: skip
        return self.say(Kind.HELLO, describe(self.info), **{**fields, **changed})

    def raw(self, first: int, count: int, stream: int = 0) -> np.ndarray[Any, Any]:
        what = self.info.streams[stream]
        numbers = np.arange(first, first + count).reshape(-1, *[1] * len(what.shape))
        cells = np.arange(int(np.prod(what.shape))).reshape(1, *what.shape)
        return ((numbers * 3 + cells + stream) % 30000).astype(what.dtype)

    def samples(self, first: int, count: int, stream: int = 0, n: int = 5, tick0: int = 0, **how: Any) -> bytes:
        step = self.tick_hz / (self.info.streams[stream].rate_hz or 1.0)
        ticks = tick0 + (np.arange(first, first + count) * step).astype(np.int64)
        return self.encoder.samples(stream, first, ticks, self.raw(first, count, stream), n=n, **how)

    def status(self, nonce: int, *rows: tuple[int, int, int]) -> bytes:
        tail = b"".join(STATUS_ROW.pack(stream, produced, dropped, 0, 0, 0) for stream, produced, dropped in rows)
        return self.say(Kind.STATUS, tail, nonce=nonce, tick=0, refused=0)

    def ack(self, of: Kind, of_seq: int = 0) -> bytes:
        return self.say(Kind.ACK, of=of, of_seq=of_seq)
