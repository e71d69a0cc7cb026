"""What the golden version-1 recording holds. It was written once by `python recording_golden.py NEW.mcap` and stays.

A later version of the program must read that file for ever: what it holds is derived here without reading it.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from recording_samples import T0

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, ClockReading, Connected, Event, Gap, Log, Mark, Prediction
from firmware_bridge.ledger import Books
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.dialect import DialectSpec
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

STREAMS = (
    Stream("imu", ("ax", "ay", "wz"), ("g", "g", "rad/s"), "<i2", (3,), 100.0, (1 / 2048, 1 / 2048, 0.00106)),
    Stream("wave", ("c0", "c1"), ("V", "V"), "<f4", (2,), 100.0),
    Stream("count", ("pulses",), ("1",), "<i4", (1,), 100.0, (0.25,), (-3.0,)),
    Stream("wide", ("total",), ("1",), "<i8", (1,), 10.0),
    Stream("scaled", ("p",), ("Pa",), "<f8", (1,), 10.0, (100.0,), (1.0,)),
    Stream("thermal", ("temperature",), ("degC",), "<u2", (4, 5), 10.0, (0.1,), (-40.0,)),
)
INFO = BoardInfo("hil-golden", "0001", "fw-1", STREAMS, "native")
EVENTS: tuple[Event, ...] = (
    Connected("watch", T0, INFO, 0),
    Gap("watch", T0 + 9, "imu", 0, 40, 5, "lost"),
    Log("watch", T0 + 10, "info", "label: squat \u00b5"),
)
MARKS = (Mark("watch", T0 + 11, "squat", "start", "ann"), Mark("watch", T0 + 12, "squat", "stop", "ann", "tired"))
PREDICTION = Prediction("watch", T0 + 13, "exercise", "imu", 0, 39, "squat", 0.1 + 0.2, (0.1 + 0.2, 1 / 3, 0.25))
READING = ClockReading("watch", T0 + 14, T0 + 1, 123_456, T0 + 14)
BOOKS = Books(bytes_received=12, buckets={"frames": 12})
SETUP = BoardSetup("watch", "virtual://watch", DialectSpec("native", {}), 7, INFO)
HEADER = Header(
    T0, (SETUP,), about={"person": "9", "note": "\u00fc"},
    seeds={"imu": 1}, versions={"python": "3.11"}, environment={"machine": "x86_64"},
)  # fmt: skip
RAW = ((0, "open", b"virtual://watch"), (1, "tx", b"\x01\x02\x00"), (2, "rx", bytes(range(256))), (3, "close", b"gone"))


def batch(stream: Stream, first: int, count: int) -> Batch:
    """Return a batch by arithmetic alone, which no library's random numbers can change."""
    numbers = np.arange(first, first + count, dtype=np.int64)
    places = numbers[:, None] * int(np.prod(stream.shape)) + np.arange(int(np.prod(stream.shape)))
    if stream.dtype[1] == "f":
        raw = (places * 0.375 - 5.0).astype(stream.dtype)
    else:
        raw = ((places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(3)).astype(stream.dtype)
    period = round(1e9 / (stream.rate_hz or 1.0))
    return Batch(
        "watch", stream, 0, first, numbers * 10_000 + 5, T0 + numbers * period, raw.reshape(count, *stream.shape)
    )


def samples(stream: Stream) -> dict[str, Any]:
    """Return what `StreamArrays` of a stream must hold: 40 samples, and 15 after a gap of 5 for `imu`."""
    parts = [batch(stream, 0, 40)] + ([batch(stream, 45, 15)] if stream.name == "imu" else [])
    return {
        "numbers": np.concatenate([part.first + np.arange(len(part)) for part in parts]),
        "boot": np.zeros(sum(map(len, parts)), np.int32),
        "ticks": np.concatenate([part.ticks for part in parts]),
        "t_ns": np.concatenate([part.t_ns for part in parts]),
        "raw": np.concatenate([part.raw for part in parts]),
    }


def write(path: Path) -> None:
    """Write the golden recording."""
    writer = RecordingWriter(path, HEADER)
    writer.attach("board.toml", "application/toml", b"schema = 1\n")
    for seq, kind, data in RAW:
        items: tuple[Any, ...] = ()
        if kind == "rx":
            items = (*EVENTS, *(batch(stream, 0, 40) for stream in STREAMS), batch(STREAMS[0], 45, 15), READING)
        writer.write(Arrival("watch", seq, T0 + 20 + seq, kind, data, items, BOOKS if kind == "close" else None))
    writer.write(Arrival("watch", -1, T0 + 30, "note", b"", (PREDICTION, *MARKS)))
    writer.metadata("hil/model", {"model": "exercise", "slots": 8})
    writer.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
