"""What is exported is what was received, in files that other tools read."""

import csv
import json
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
from mcap.reader import make_reader
from recording_live import live, record
from recording_samples import IMU, T0, THERMAL, arrivals, batch, header

from firmware_bridge.errors import FileError, MissingPart, UsageError
from firmware_bridge.events import Arrival, Mark
from hil.recording.export import export
from hil.recording.marks import add_mark, remove_mark, sidecar_of
from hil.recording.reader import Recording
from hil.recording.rederive import rederive
from hil.recording.writer import RecordingWriter


def with_gap(path: Path) -> Path:
    """A recording of two streams with a gap of ten samples in the first."""
    writer = RecordingWriter(path, header(person="9"))
    for arrival in arrivals(IMU, [100, 50]):
        writer.write(arrival)
    writer.write(Arrival("watch", 3, T0 + 10**9, "rx", b"x", (batch(IMU, 160, 40), batch(THERMAL, 0, 3))))
    writer.mark(Mark("watch", T0 + 20_000_000, "squat", "start", "me"))
    writer.mark(Mark("watch", T0 + 60_000_000, "squat", "stop", "me"))
    writer.close()
    return path


def test_csv_gives_back_every_number(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    made = export(path, tmp_path / "imu.csv", streams=["imu"])
    frame = pandas.read_csv(made[0])
    with Recording(path) as recording:
        read = recording.read("watch", "imu")
    assert np.array_equal(frame["number"], read.numbers)
    assert np.array_equal(frame["t_ns"], read.t_ns)
    assert np.array_equal(frame["ax [g]"].to_numpy(np.float32), read.values[:, 0])
    assert list(frame["label"].fillna("")).count("squat") == 40
    assert frame["number"].diff().max() == 11


def test_several_streams_become_files_in_a_folder(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    made = export(path, tmp_path / "out", "csv")
    assert sorted(file.name for file in made) == ["watch-imu.csv", "watch-thermal.csv"]
    with made[1].open() as file:
        assert len(next(csv.reader(file))) == 5 + 64 + 1
    with pytest.raises(FileError, match="never overwritten"):
        export(path, tmp_path / "out", "csv")


def test_npz_holds_raw_readings_and_what_they_are(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    (made,) = export(path, tmp_path / "a.npz", start_s=0.05)
    with np.load(made, allow_pickle=False) as arrays, Recording(path) as recording:
        read = recording.read("watch", "imu", 0.05)
        assert np.array_equal(arrays["watch/imu/raw"], read.raw)
        assert np.array_equal(arrays["watch/imu/values"], read.values)
        about = json.loads(str(arrays["about"]))
        assert about["streams"]["watch/imu"]["units"][0] == "g"
        assert about["about"]["person"] == "9"


def test_wav_is_one_file_a_stretch_without_gaps(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    made = export(path, tmp_path / "imu.wav", streams=["watch/imu"])
    assert [file.name for file in made] == ["imu.wav", "imu.2.wav"]
    with Recording(path) as recording:
        read = recording.read("watch", "imu")
    for file, segment in zip(made, read.segments, strict=True):
        with wave.open(str(file)) as sound:
            assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (6, 1000, 2)
            frames = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 6)
        assert np.array_equal(frames, read.raw[segment])


def test_parquet_holds_numbers_and_readings(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    (made,) = export(path, tmp_path / "imu.parquet", streams=["imu"])
    frame = pandas.read_parquet(made)
    with Recording(path) as recording:
        read = recording.read("watch", "imu")
    assert np.array_equal(frame["number"], read.numbers)
    for place, (name, unit) in enumerate(zip(read.stream.channels, read.stream.units, strict=True)):
        assert np.array_equal(frame[f"{name} [{unit}]"], read.values[:, place])


def test_without_pyarrow_parquet_is_missed_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPart, match="pip install pyarrow"):
        export(with_gap(tmp_path / "a.mcap"), tmp_path / "imu.parquet", streams=["imu"])


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    with pytest.raises(UsageError, match="csv, npz, parquet, wav, mcap"):
        export(path, tmp_path / "a.xls")
    with pytest.raises(UsageError, match="it has watch/imu, watch/thermal"):
        export(path, tmp_path / "a.csv", streams=["ppg"])


def test_marks_added_later_are_merged_and_the_recording_stays_untouched(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    before = path.read_bytes()
    first = add_mark(path, Mark("", T0 + 5, "fell", author="you"), T0)
    second = add_mark(path, Mark("", T0 + 6, "stumbled", author="you"), T0 + 1, supersedes=first)
    remove_mark(path, "r2", T0 + 2)
    add_mark(path, Mark("watch", T0 + 90_000_000, "squat", "stop", "you"), T0 + 3)
    assert path.read_bytes() == before
    with Recording(path) as recording:
        assert [mark.text for mark in recording.marks] == ["stumbled", "squat", "squat"]
        assert recording.kept_marks[0].id == second
        (label,) = recording.labels
        assert (label.start_ns, label.stop_ns) == (T0 + 20_000_000, T0 + 90_000_000)


def test_a_torn_line_of_marks_is_left_out(tmp_path: Path) -> None:
    path = with_gap(tmp_path / "a.mcap")
    add_mark(path, Mark("", T0 + 5, "one"), T0)
    with sidecar_of(path).open("ab") as file:
        file.write(b'{"schema": 1, "id": "s2", "mar')
    add_mark(path, Mark("", T0 + 7, "two"), T0)
    with Recording(path) as recording:
        assert [mark.text for mark in recording.marks] == ["one", "two", "squat", "squat"]


def test_an_mcap_export_has_the_marks_baked_in_and_is_still_reproduced(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", live("imu", 2.0))
    add_mark(path, Mark("", T0 + 5, "one", author="you"), T0)
    (made,) = export(path, tmp_path / "baked.mcap")
    with Recording(made) as recording:
        assert [mark.text for mark in recording.marks] == ["one"]
        assert not sidecar_of(made).exists()
    with made.open("rb") as file:
        rows = [json.loads(row[2].data) for row in make_reader(file, validate_crcs=True).iter_messages(["/marks"])]
    assert [row["author"] for row in rows] == ["you"]
    verdict = rederive(made)
    assert (verdict.verdict, verdict.exact) == ("reproduced", True)
    add_mark(made, Mark("", T0 + 9, "two"), T0)
    (again,) = export(made, tmp_path / "again.mcap")
    with Recording(again) as recording:
        assert [mark.text for mark in recording.marks] == ["one", "two"]


def test_frames_and_refitted_times(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", live("imu", 3.0, {"ppm": "80"}))
    with Recording(path) as recording:
        frame = recording.frame("watch", "imu", 0.5, 1.0)
        assert list(frame.columns[:3]) == ["t_ns", "boot", "number"]
        assert len(frame) == pytest.approx(500, abs=5)
        causal, refit = recording.read("watch", "imu"), recording.read("watch", "imu", time="refit")
        assert np.array_equal(causal.raw, refit.raw)
        steps = np.diff(refit.t_ns)
        assert np.abs(steps - steps.mean()).max() < 2_000
        with pytest.raises(UsageError, match="causal"):
            recording.read("watch", "imu", time="best")
        assert replace(causal, t_ns=refit.t_ns).t_s[-1] == pytest.approx(3.0, abs=0.1)
