"""Readings and bytes from elsewhere become recordings, by the code that reads live boards."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from recording_live import header, live, record

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Gap, Mark
from firmware_bridge.wire.dialect import DialectSpec
from hil.recording.decode import decode
from hil.recording.importer import import_file
from hil.recording.marks import add_mark
from hil.recording.reader import Recording
from hil.recording.rederive import rederive

BOARDS = Path(__file__).resolve().parents[3] / "scenarios" / "boards"


def table(path: Path) -> Path:
    rows = ["ax,ay,exercise,who"]
    rows += [f"{i * 0.5},{-i},{'squat' if 100 <= i < 200 else 'row'},p{i // 150}" for i in range(300)]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_csv_with_labels_and_groups(tmp_path: Path) -> None:
    made = import_file(
        table(tmp_path / "a.csv"), tmp_path / "a.mcap", stream="imu", rate_hz=50.0, unit="g", label="exercise",
        group="who", role="watch", about={"person": "ann"},
    )  # fmt: skip
    assert made.samples == {"imu": 300}
    assert made.groups == ("p0", "p1")
    with Recording(tmp_path / "a.mcap") as recording:
        read = recording["watch/imu"]
        assert read.stream.channels == ("ax", "ay")
        assert read.stream.units == ("g", "g")
        assert (read.stream.rate_hz, read.stream.rate_inferred) == (50.0, False)
        assert np.array_equal(read.raw[:, 0], np.arange(300) * 0.5)
        assert np.array_equal(read.boot, np.arange(300) // 150)
        assert np.array_equal(read.numbers, np.arange(300) % 150)
        assert np.allclose(np.diff(read.t_s), 0.02)
        assert [label.text for label in recording.labels] == ["row", "squat", "squat", "row"]
        first = recording.labels[0]
        assert ((first.stop_ns or 0) - first.start_ns) / 1e9 == pytest.approx(2.0)
        assert recording.header.about["person"] == "ann"
        assert recording.ledger("watch") == ()
        notes = list(recording.arrivals())
        assert {arrival.kind for arrival in notes} == {"note"}
        assert sum(len(arrival.items[-1]) for arrival in notes) == 300  # type: ignore[arg-type]
    assert rederive(tmp_path / "a.mcap").verdict == "not_verifiable"


def test_an_npz_with_labels(tmp_path: Path) -> None:
    raw = np.arange(600, dtype=np.int16).reshape(100, 6)
    labels = np.array(["a"] * 40 + ["b"] * 60)
    np.savez(tmp_path / "a.npz", imu=raw, label=labels, channels=np.array(["ax", "ay", "az", "wx", "wy", "wz"]))
    import_file(tmp_path / "a.npz", tmp_path / "a.mcap", stream="imu", rate_hz=50.0, unit="?", label="label")
    with Recording(tmp_path / "a.mcap") as recording:
        assert np.array_equal(recording["imu"].raw, raw)
        assert recording["imu"].stream.channels[0] == "ax"
        assert [label.text for label in recording.labels] == ["a", "b"]


def test_what_cannot_be_imported_is_said(tmp_path: Path) -> None:
    path, out = table(tmp_path / "a.csv"), tmp_path / "a.mcap"
    with pytest.raises(UsageError, match="--board-file F or --stream NAME"):
        import_file(path, out)
    with pytest.raises(UsageError, match="no header line names grade"):
        import_file(path, out, stream="imu", rate_hz=50.0, label="grade")
    with pytest.raises(UsageError, match="give --rate HZ"):
        import_file(path, out, stream="imu", label="exercise", group="who")
    (tmp_path / "words.txt").write_text("nothing here is a number\n" * 30)
    with pytest.raises(FileError, match="--board-file F"):
        import_file(tmp_path / "words.txt", out, stream="imu", rate_hz=50.0)
    assert not out.exists()


@pytest.mark.data
def test_a_nine_axis_log_by_its_board_file(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "ximu3_9axis" / "sensor_data.csv"
    made = import_file(source, tmp_path / "a.mcap", board_file=BOARDS / "ximu3.toml", role="imu")
    assert made.explanation is not None
    assert made.explanation.share_explained == 1.0
    frame = pandas.read_csv(source)
    with Recording(tmp_path / "a.mcap") as recording:
        for name, column in (("gyroscope", "Gyroscope"), ("accelerometer", "Accelerometer"), ("magnetometer", "Magn")):
            wanted = frame[[key for key in frame.columns if key.startswith(column)]].to_numpy(np.float32)
            assert np.array_equal(recording[name].values, wanted)
        assert recording["gyroscope"].t_s[-1] == pytest.approx(frame["Time (s)"].iloc[-1], abs=1e-6)


@pytest.mark.data
def test_thermal_frames_that_failed_are_gaps(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "d6t_thermal_postures" / "Dataset"
    done = failed = 0
    for source in sorted(folder.rglob("*.csv"))[::15]:
        out = tmp_path / f"{done}.mcap"
        made = import_file(source, out, board_file=BOARDS / "omron_d6t.toml", role="bed")
        with Recording(out) as recording:
            bad = [event for event in recording.events() if isinstance(event, Gap) and event.cause == "invalid"]
            lost = sum(gap.count or 0 for gap in bad if gap.stream == "thermal")
            assert made.explanation is not None
            assert lost == made.explanation.invalid["thermal"]
            assert recording.count("bed", "thermal") + lost == made.explanation.samples["thermal"]
            failed += lost
        done += 1
    assert done > 5
    assert failed > 0


def test_a_capture_of_an_unknown_board_is_decoded_later(tmp_path: Path) -> None:
    raw = record(tmp_path / "raw.mcap", live("text", 3.0, dialect="auto"), header(dialect="auto"))
    add_mark(raw, Mark("", 1_700_000_001_000_000_000, "here"), 5)
    with Recording(raw) as recording:
        channels = recording[recording.streams()[0].stream.name].stream.channels
    board = tmp_path / "board.toml"
    made = decode(raw, tmp_path / "again.mcap", dialect=DialectSpec("lines"))
    (told,) = made.boards
    assert told.bytes > 100
    assert sum(told.buckets.values()) == told.bytes
    with Recording(raw) as before, Recording(made.path) as after:
        one, other = list(before.arrivals()), list(after.arrivals())
        assert [(a.seq, a.t_ns, a.kind, a.data) for a in one] == [(a.seq, a.t_ns, a.kind, a.data) for a in other]
        assert [mark.text for mark in after.marks] == ["here"]
        assert set(after[after.streams()[0].stream.name].stream.channels) <= {*channels, "millis", "t"}
    assert rederive(made.path).verdict == "reproduced"
    assert not board.exists()


@pytest.mark.data
def test_a_bare_log_of_a_receiver_is_decoded_and_its_unknown_bytes_are_placed(
    tmp_path: Path, shared_data: Path
) -> None:
    source = shared_data / "wire_ublox" / "pygpsdata-MIXED.log"
    made = decode(source, tmp_path / "a.mcap", board_file=BOARDS / "ublox_navigation.toml", role="gnss")
    (told,) = made.boards
    assert told.bytes == source.stat().st_size
    assert told.share_explained is not None
    assert 0 < told.share_explained <= 1
    assert (told.first_unexplained_offset is None) == (told.share_explained == 1)
    with Recording(made.path) as recording:
        assert b"".join(a.data for a in recording.arrivals() if a.kind == "rx") == source.read_bytes()
    assert rederive(made.path).verdict == "reproduced"


def test_decoding_needs_to_know_how(tmp_path: Path) -> None:
    raw = record(tmp_path / "raw.mcap", live("imu", 1.0))
    with pytest.raises(UsageError, match="--board-file F"):
        decode(raw, tmp_path / "b.mcap")
    with pytest.raises(UsageError, match="it has watch"):
        decode(raw, tmp_path / "b.mcap", dialect=DialectSpec("native"), role="nobody")
    assert not (tmp_path / "b.mcap").exists()
