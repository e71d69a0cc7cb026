"""How a recording grows: flushed every second in one write, bounded in memory, true to changing streams."""

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording_samples import IMU, T0, THERMAL, arrivals, batch, header

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival
from hil.recording.files import NewFile, default_path, parse_split, part_path
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter


class Counting(NewFile):
    """A file that counts its writes."""

    writes = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        super().write(data)


def test_nothing_waits_longer_than_a_second_of_arrival_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    sink = Counting(path)
    writer = RecordingWriter(path, header(), sink=sink)
    for place, arrival in enumerate(arrivals(IMU, [50] * 100)):
        before = sink.writes
        writer.write(arrival)
        assert sink.writes - before <= 1
        with Recording(path) as recording:
            kept = recording.count("watch", "imu") if recording.streams() else 0
        assert place * 50 - kept <= 1050
    assert sink.writes <= 8
    writer.close()


def test_a_quiet_second_is_flushed_by_the_clock(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.mcap", header())
    writer.write(arrivals(IMU, [5])[1])
    assert writer.bytes_waiting > 0
    writer.tick(T0 + 2 * 10**9)
    assert writer.bytes_waiting == 0
    writer.close()
    writer.close()


def test_a_changed_definition_is_kept_apart(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.mcap", header())
    faster = replace(IMU, rate_hz=2000.0)
    wider = replace(IMU, channels=(*IMU.channels, "t"), units=(*IMU.units, "degC"), shape=(7,), scale=(1.0,))
    for first, stream in ((0, IMU), (10, faster), (20, IMU)):
        writer.write(Arrival("watch", first, T0 + first * 10**6, "note", b"", (batch(stream, first, 10),)))
        writer.flush()
    writer.close()
    with Recording(tmp_path / "a.mcap") as recording:
        assert [known.stream.rate_hz for known in recording.streams()] == [1000.0, 2000.0]
        assert recording["imu"].numbers.tolist() == list(range(30))
        assert len(recording["imu"].segments) == 1
    writer = RecordingWriter(tmp_path / "b.mcap", header())
    for first, stream in ((0, IMU), (10, wider)):
        writer.write(Arrival("watch", first, T0 + first * 10**6, "note", b"", (batch(stream, first, 10),)))
    writer.close()
    with Recording(tmp_path / "b.mcap") as recording:
        with pytest.raises(UsageError, match="changed during the recording"):
            recording.read("watch", "imu")
        assert [piece.raw.shape for piece in recording.chunks("watch", "imu")] == [(10, 6), (10, 7)]


def test_a_rate_that_is_measured_anew_makes_no_new_channel(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.mcap", header())
    for place in range(20):
        stream = replace(IMU, rate_hz=100.0 + place, rate_inferred=True)
        writer.write(Arrival("watch", place, T0 + place, "note", b"", (replace(batch(IMU, place, 1), stream=stream),)))
    writer.close()
    with Recording(tmp_path / "a.mcap") as recording:
        assert len(recording.streams()) == 1
        assert np.array_equal(recording["imu"].numbers, np.arange(20))


def test_reading_in_pieces_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    writer = RecordingWriter(path, header())
    for arrival in arrivals(IMU, [4000] * 100):
        writer.write(arrival)
    writer.close()
    tracemalloc.start()
    total = 0
    with Recording(path) as recording:
        for piece in recording.chunks("watch", "imu"):
            total += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 400_000
    assert peak < 16 << 20


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 400), max_size=12), flushes=st.lists(st.booleans(), min_size=13, max_size=13))
def test_how_samples_were_split_into_batches_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], flushes: list[bool]
) -> None:
    folder = tmp_path_factory.mktemp("split")
    whole = batch(IMU, 7, 400)
    frames = batch(THERMAL, 3, 400)
    edges = sorted({0, 400, *cuts})
    writer = RecordingWriter(folder / "a.mcap", header())
    for place, (start, stop) in enumerate(pairwise(edges)):
        items: tuple[Batch, ...] = (whole.part(start, stop), frames.part(start, stop))
        writer.write(Arrival("watch", place, T0 + place, "rx", b"x", items))
        if flushes[place]:
            writer.flush()
    writer.close()
    with Recording(folder / "a.mcap") as recording:
        for item in (whole, frames):
            read = recording.read("watch", item.stream.name)
            assert np.array_equal(read.raw, item.raw)
            assert np.array_equal(read.t_ns, item.t_ns)
            assert (read.first, len(read.segments)) == (item.first, 1)
            (again,) = read.batches()
            assert again.end == item.end
            assert not again.raw.flags.writeable


def test_names_of_files(tmp_path: Path) -> None:
    first = default_path("my watch/7", T0, tmp_path)
    assert first.name == "my-watch-7_20231114T221320Z_1.mcap"
    first.touch()
    assert default_path("my watch/7", T0, tmp_path).name.endswith("_2.mcap")
    assert part_path(first, 12).name == "my-watch-7_20231114T221320Z_1.012.mcap"
    part_path(default_path("a", T0, tmp_path), 1).touch()
    assert default_path("a", T0, tmp_path).name.endswith("_2.mcap")


def test_lengths_of_parts() -> None:
    assert parse_split("1h").after_ns == 3600 * 10**9
    assert parse_split("90s").after_ns == 90 * 10**9
    assert parse_split("1.5GB").after_bytes == 1_500_000_000
    assert parse_split("64MiB").after_bytes == 64 << 20
    for text in ("", "1", "GB", "-1h", "0s", "1 parsec"):
        with pytest.raises(UsageError, match=r"write a time \(1h"):
            parse_split(text)
