"""Recording and reading back samples against the `mcap` package: one JSON message a sample, zstd, the same content.

Both sides write files of one channel with the same readings (8 float32, white noise, which compresses worst), tick,
number and boot, and both keep the message index. JSON gets each float32 as Python prints it; a second row gives it the
fewest digits that still name the float32 (which costs JSON speed, and is not counted against it). Seconds are per
sample, because a file of the slow side is shorter.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from hil.bench.row import Row, judge, paired
from hil.recording.header import Header
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter

__all__ = ["run"]

T0 = 1_700_000_000_000_000_000
STREAM = Stream("wave", tuple(f"c{place}" for place in range(8)), ("V",) * 8, "<f4", (8,), 1000.0)
BATCH = 160
"""Samples a batch: one reading of a port."""


def _batches(count: int) -> list[Arrival]:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(count, 8)).astype(np.float32)
    numbers = np.arange(count, dtype=np.int64)
    ticks, t_ns = numbers * 1000 + 77_000, T0 + numbers * 1_000_000
    arrivals = []
    for seq, first in enumerate(range(0, count, BATCH)):
        part = slice(first, first + BATCH)
        batch = Batch("board", STREAM, 0, first, ticks[part], t_ns[part], values[part])
        arrivals.append(Arrival("board", seq, int(t_ns[part][-1]), "note", b"", (batch,)))
    return arrivals


def _write_ours(path: Path, arrivals: list[Arrival]) -> float:
    """Return seconds a sample."""
    path.unlink(missing_ok=True)
    count = sum(len(item) for arrival in arrivals for item in arrival.items if isinstance(item, Batch))
    start = perf_counter()
    # Chunks by size, as the peer makes them: a live recording ends them every second as well.
    writer = RecordingWriter(path, Header(T0, versions={}, environment={}), flush_ns=1 << 62)
    for arrival in arrivals:
        writer.write(arrival)
    writer.close()
    return (perf_counter() - start) / count


def _write_json(path: Path, arrivals: list[Arrival], digits: Callable[[float], float] | None = None) -> float:
    """Return seconds a sample."""
    path.unlink(missing_ok=True)
    count = 0
    start = perf_counter()
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start()
        schema = writer.register_schema("wave", "jsonschema", b'{"type": "object"}')
        channel = writer.register_channel("/board/wave", "json", schema)
        for arrival in arrivals:
            for batch in arrival.items:
                assert isinstance(batch, Batch)
                rows, t_ns, ticks = batch.raw.tolist(), batch.t_ns.tolist(), batch.ticks.tolist()
                for place, row in enumerate(rows):
                    message = {"tick": ticks[place], "number": batch.first + place, "boot": batch.boot}
                    message.update(zip(STREAM.channels, map(digits, row) if digits else row, strict=True))
                    data = json.dumps(message, separators=(",", ":")).encode()
                    writer.add_message(channel, t_ns[place], data, t_ns[place], count)
                    count += 1
        writer.finish()  # type: ignore[no-untyped-call]
    return (perf_counter() - start) / count


def _read_ours(path: Path) -> float:
    start = perf_counter()
    with Recording(path) as recording:
        arrays = recording.read("board", "wave")
    took = perf_counter() - start
    return took / len(arrays)


def _read_json(path: Path) -> float:
    start = perf_counter()
    t_ns, ticks, values = [], [], []
    with path.open("rb") as file:
        for _, _, message in make_reader(file).iter_messages():
            plain = json.loads(message.data)
            t_ns.append(message.log_time)
            ticks.append(plain["tick"])
            values.append([plain[name] for name in STREAM.channels])
    np.array(t_ns), np.array(ticks), np.array(values, np.float32)
    return (perf_counter() - start) / len(t_ns)


def run(quick: bool = False) -> list[Row]:
    """Measure recording and reading back.

    Args:
        quick: Smaller files and fewer pairs.
    """
    many, few = (200_000, 4_000) if quick else (640_000, 16_000)
    rounds = 9 if quick else 11
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs, rounded = (Path(folder) / name for name in ("ours.mcap", "theirs.mcap", "rounded.mcap"))
        arrivals, part = _batches(many), _batches(few)
        written = paired(
            lambda: _write_ours(ours, arrivals), lambda: _write_json(theirs, part), rounds, self_timed=True
        )
        read = paired(lambda: _read_ours(ours), lambda: _read_json(theirs), rounds, self_timed=True)
        _write_json(rounded, part, lambda value: float(str(np.float32(value))))
        _write_ours(ours, arrivals[: len(part)])
        size = ours.stat().st_size / few
        shares = [size / (path.stat().st_size / few) for path in (theirs, rounded)]
    peer = "mcap package, JSON message a sample, zstd"
    return [
        judge("recording samples", 1e-6 / written.ours_s, "million samples/s", peer, written.ratios, 40.0),
        _share("bytes of the sample channel", size, peer, shares[0], 0.6),
        _share("bytes of the sample channel, fewest digits", size, f"{peer}, shortest float32 digits", shares[1], 0.75),
        judge("reading back as arrays", 1e-6 / read.ours_s, "million samples/s", peer, read.ratios, 50.0),
    ]


def _share(name: str, size: float, against: str, share: float, bar: float) -> Row:
    """Return a row of a figure that does not vary: the same bytes every time."""
    return Row(name, size, "bytes/sample", against, share, share, share, bar, share <= bar)
