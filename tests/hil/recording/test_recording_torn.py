"""A recording survives what ends it: a kill at any byte, a full disk, a forbidden folder."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_samples import IMU, T0, THERMAL, arrivals, header

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError
from firmware_bridge.events import Arrival
from firmware_bridge.streams import BoardInfo
from hil.recording.files import parse_split
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter


def flushed_sizes(path: Path, entries: list[Arrival]) -> list[tuple[int, int]]:
    """Record with a flush after every arrival; return (bytes in the file, samples in it) after each."""
    writer = RecordingWriter(path, header())
    sizes, samples = [(path.stat().st_size, 0)], 0
    for arrival in entries:
        writer.write(arrival)
        samples += sum(len(item) for item in arrival.items if isinstance(item, Batch))
        writer.flush()
        sizes.append((path.stat().st_size, samples))
    writer.close()
    return sizes


def test_a_file_cut_at_every_byte_opens_and_states_what_is_lost(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mcap", tmp_path / "cut.mcap"
    two = replace(IMU, channels=("ax", "ay"), units=("g", "g"), shape=(2,), scale=(1 / 2048,))
    small = BoardInfo("small", "1", "", (two,), "native")
    frame = arrivals(replace(THERMAL, shape=(2, 2)), [1])[1]
    sizes = flushed_sizes(whole, [*arrivals(two, [2, 1], info=small), replace(frame, seq=3)])
    data = whole.read_bytes()
    with Recording(whole) as recording:
        full = recording.read("watch", "imu")
    cut.write_bytes(data)
    for size in range(len(data) - 1, -1, -1):
        os.truncate(cut, size)
        with Recording(cut) as recording:
            assert recording.lost, size
            acknowledged = max(samples for place, samples in sizes if place <= size) if size >= sizes[0][0] else 0
            got = sum(recording.count(known.board, known.stream.name) for known in recording.streams())
            assert got >= acknowledged, size
            if size % 5:
                continue
            raw = list(recording.arrivals())
            assert [arrival.seq for arrival in raw] == [0, 1, 2, 3][: len(raw)]
            if "imu" in {known.stream.name for known in recording.streams()}:
                read = recording.read("watch", "imu")
                assert np.array_equal(read.raw, full.raw[: len(read)])
            if recording.header.created_ns:
                assert recording.header.created_ns == T0
            list(recording.events())
    cut.write_bytes(data)
    with Recording(cut) as recording:
        assert recording.lost is None


def test_garbage_after_a_torn_end_is_not_believed(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mcap", tmp_path / "cut.mcap"
    sizes = flushed_sizes(whole, arrivals(IMU, [30, 10, 40]))
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cut.write_bytes(whole.read_bytes()[: sizes[2][0]] + rng.bytes(int(rng.integers(1, 200))))
        with Recording(cut) as recording:
            assert recording.count("watch", "imu") == sizes[2][1]
            assert "lost" in (recording.lost or "")


def test_another_kind_of_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,x\n1,2\n")
    with pytest.raises(FileError, match="hil import"):
        Recording(path)
    with pytest.raises(FileError, match="no such file"):
        Recording(tmp_path / "nothing.mcap")


class FullDisk:
    """A file on a disk that has room for so many bytes (it writes what fits, as a real one does)."""

    def __init__(self, room: int) -> None:
        self.data, self.room, self.closed = b"", room, False

    def write(self, data: bytes) -> None:
        self.data += data[: max(0, self.room - len(self.data))]
        if len(self.data) >= self.room:
            raise OSError(errno.ENOSPC, "No space left on device")

    def truncate(self, size: int) -> None:
        self.data = self.data[:size]

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("room", [4_000, 9_000, 20_000, 60_000])
def test_a_full_disk_ends_in_a_sentence_and_a_readable_file(tmp_path: Path, room: int) -> None:
    disk = FullDisk(room)
    writer = RecordingWriter(tmp_path / "a.mcap", header(), sink=disk)
    flushed = 0

    def fill() -> None:
        nonlocal flushed
        for arrival in arrivals(IMU, [100] * 40):
            writer.write(arrival)
            writer.flush()
            flushed += sum(len(item) for item in arrival.items if isinstance(item, Batch))

    with pytest.raises(FileError, match="the disk is full") as caught:
        fill()
    assert "opens" in str(caught.value)
    assert "free some space" in str(caught.value)
    with pytest.raises(FileError, match="the disk is full"):
        writer.write(arrivals(IMU, [1])[1])
    writer.close()
    assert disk.closed
    path = tmp_path / "kept.mcap"
    path.write_bytes(disk.data)
    with Recording(path) as recording:
        assert recording.count("watch", "imu") == flushed if flushed else recording.streams() == ()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits on file size are set in a forked process")
def test_the_largest_file_size_of_the_system_ends_in_a_sentence(tmp_path: Path) -> None:
    import resource
    import subprocess
    import sys

    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (30000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
from recording_samples import IMU, arrivals, header
from hil.recording.writer import RecordingWriter
from firmware_bridge.errors import FileError
writer = RecordingWriter({str(tmp_path / "a.mcap")!r}, header())
try:
    for arrival in arrivals(IMU, [100] * 100):
        writer.write(arrival)
        writer.flush()
except FileError as error:
    print(error)
writer.close()
"""
    assert resource.RLIMIT_FSIZE is not None
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the file has reached the largest size allowed here" in run.stdout
    assert "--split" in run.stdout
    with Recording(tmp_path / "a.mcap") as recording:
        assert recording.count("watch", "imu") >= 100
        assert (tmp_path / "a.mcap").stat().st_size <= 30_000


def test_a_forbidden_folder_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(FileError, match=r"permission denied; choose a folder that you may write to with `-o FILE`"):
        RecordingWriter(tmp_path / "a.mcap", header())


def test_parts_open_each_alone_and_hold_everything(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.mcap", header(note="long"), split=parse_split("2s"))
    for arrival in arrivals(IMU, [100] * 65):
        writer.write(arrival)
    writer.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a.001.mcap", "a.002.mcap", "a.003.mcap"]
    numbers = []
    for place, name in enumerate(names, 1):
        with Recording(tmp_path / name) as recording:
            assert recording.lost is None
            assert recording.header.part == place
            assert recording.header.about["note"] == "long"
            assert recording.boards["watch"].model == "hil-test"
            numbers.append(recording.read("watch", "imu").numbers)
    assert np.array_equal(np.concatenate(numbers), np.arange(6500))


def test_parts_by_size(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.mcap", header(), split=parse_split("100KB"))
    for arrival in arrivals(IMU, [100] * 100):
        writer.write(arrival)
    writer.close()
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert len(sizes) > 2
    assert all(size < 250_000 for size in sizes)


def test_how_long_the_disk_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.recording.writer.disk_free", lambda _: 1_000_000)
    writer = RecordingWriter(tmp_path / "a.mcap", header())
    assert writer.disk_left_s(T0) is None
    for arrival in arrivals(IMU, [1000] * 10):
        writer.write(arrival)
    left = writer.disk_left_s(T0 + 10 * 10**9)
    rate = writer.bytes_written / 10
    assert left == pytest.approx(1_000_000 / rate, rel=0.5)
    writer.close()
