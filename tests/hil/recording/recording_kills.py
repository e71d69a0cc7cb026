"""Kills writers in the middle of back-to-back flushes and prints, as JSON lines, what they had acknowledged.

Run as a script: `recording_kills.py FOLDER KILLS SEED`. It imports once and forks a writer for every kill; the writer
acknowledges through a pipe how many samples it had flushed, which is the oracle.
"""

import json
import os
import select
import signal
import struct
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from recording_samples import FLOATS, T0, header

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival
from hil.recording.writer import RecordingWriter


def samples(first: int, count: int) -> Batch:
    """Return samples whose bits follow from their numbers and do not compress."""
    numbers = np.arange(first, first + count, dtype=np.uint64)
    bits = (numbers[:, None] * np.uint64(2654435761) + np.arange(8, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    raw = (bits >> np.uint64(33)).astype("<u4").view("<f4")
    ticks = numbers.astype(np.int64)
    return Batch("watch", FLOATS, 0, first, ticks, T0 + ticks, raw)


def write_for_ever(path: Path, pipe: int, per_flush: int) -> None:
    """Write and flush back to back; say after each flush how many samples are in the file."""
    writer = RecordingWriter(path, header())
    first = seq = 0
    while True:
        part = samples(first, per_flush)
        writer.write(Arrival("watch", seq, T0 + first, "rx", part.raw.tobytes()[:1000], (part,)))
        writer.flush()
        first += per_flush
        seq += 1
        os.write(pipe, struct.pack("<q", first))


def kill_one(path: Path, delay_s: float, per_flush: int) -> int:
    """Return what a writer had acknowledged when it was killed `delay_s` after its first acknowledgement."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write_for_ever(path, writing, per_flush)
        finally:
            os._exit(1)
    os.close(writing)
    select.select([reading], [], [], 150)
    until = time.perf_counter() + delay_s
    acknowledged = 0
    while (left := until - time.perf_counter()) > 0:
        if select.select([reading], [], [], left)[0]:
            data = os.read(reading, 8)
            if not data:
                break
            (acknowledged,) = struct.unpack("<q", data)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while data := os.read(reading, 8):
        (acknowledged,) = struct.unpack("<q", data)
    os.close(reading)
    return acknowledged


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill so many writers; print one JSON line each."""
    rng = np.random.default_rng(seed)
    for number in range(kills):
        path = folder / f"{number}.mcap"
        per_flush = int(rng.choice([50, 20_000, 100_000]))
        acknowledged = kill_one(path, float(rng.uniform(0.001, 0.08)), per_flush)
        print(json.dumps({"path": str(path), "acknowledged": acknowledged, "per_flush": per_flush}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
