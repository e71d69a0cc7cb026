"""Thermal frames become a dataset whose exclusions are counted, and networks learn from it day by day."""

from pathlib import Path

import numpy as np
import pytest
from test_net_training import waves

from firmware_bridge.errors import FileError, UsageError
from hil.models.d6t import main, read_postures
from hil.models.data_config import NpzLayout
from hil.models.datasets import load_dataset, load_npz
from hil.models.evaluate import cross_validate
from hil.models.training_config import TrainConfig, load_config

ROOT = Path(__file__).resolve().parents[3]


def line(pixel: int, check: int = 1) -> str:
    return ", ".join(map(str, [291, *range(pixel, pixel + 16), check, 212, "2016/6/10 - 19:40:17"]))


def recordings(folder: Path) -> Path:
    day = folder / "Data-Bedroom-Day1"
    day.mkdir(parents=True)
    head = "2016/6/10 - 19:40:00 BEGINNING OF FILE\nTPTAT, T1\n"
    whole = [line(200), line(210), line(999, check=0), line(220), line(999, check=0), line(230), line(240), line(250)]
    (day / "Bedroom-Day1-B-1.csv").write_text(head + "\n".join(whole) + "\n")
    (day / "Bedroom-Day1-None-8.csv").write_text(head + line(100) + "\n" + line(101) + "\ntorn, line\n")
    (day / "Bedroom-Day1-D-Lying-on-the-bed.csv").write_text(head + line(1) + "\n")
    return folder


def test_frames_with_a_failed_checksum_are_excluded_counted_and_end_a_series(tmp_path: Path) -> None:
    found = read_postures(recordings(tmp_path))
    assert found.lengths == [2, 3, 2]  # the one frame between two failed ones is no series
    assert found.counts == {
        "files": 2, "other_files": 1, "no_frame": 5, "failed_crc": 2, "alone": 1, "frames": 7,
    }  # fmt: skip
    assert found.frames[2][0].tolist() == [230, 231, 232, 233]
    assert 999 not in np.array(found.frames)
    with pytest.raises(FileError, match="no recording of a Bathroom"):
        read_postures(tmp_path, "Bathroom")


def test_the_file_reads_as_a_dataset_of_frames_grouped_by_day_or_person(tmp_path: Path) -> None:
    recordings(tmp_path)
    for group, people in (("day", ("1",)), ("person", ("B", "None"))):
        out = tmp_path / f"{group}.npz"
        assert main([str(tmp_path), "-o", str(out), "--group", group]) == 0
        dataset = load_npz(NpzLayout(file=out.name, scale="scale", units=("degC",), rate_hz=4.7), tmp_path)
        assert dataset.people == people
        assert dataset.frame == (4, 4)
        assert dataset.labels == ("posture-1", "nobody")
        assert dataset.series[0].values.shape == (2, 16)
        assert dataset.series[0].values[0, 1] == np.float32(20.1)


@pytest.mark.data
def test_the_real_recordings_have_the_frames_that_were_counted_by_hand(shared_data: Path, tmp_path: Path) -> None:
    found = read_postures(shared_data / "d6t_thermal_postures")
    assert (found.counts["frames"], found.counts["failed_crc"], found.counts["alone"]) == (18614, 345, 13)
    assert set(found.days) == set("1234567")
    assert set(found.postures) == set(range(1, 9))
    frames = np.array(found.frames)
    assert (frames.min(), frames.max()) > (100, 200)


@pytest.mark.data
@pytest.mark.slow
def test_a_short_training_on_frames_beats_chance_on_a_day_never_met(shared_data: Path, tmp_path: Path) -> None:
    main([str(shared_data / "d6t_thermal_postures"), "-o", str(tmp_path / "postures.npz")])
    config = load_config(ROOT / "scenarios" / "models" / "postures.toml")
    short = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    dataset = load_dataset(short.data, tmp_path)
    (fold,) = cross_validate(short, dataset, [0], [("7",)])
    assert fold.decisions.score(8).accuracy > 0.2  # chance is 0.125


@pytest.mark.training
def test_a_cross_validation_that_is_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    config: TrainConfig = load_config(waves(tmp_path))
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1})})
    dataset, keep = load_dataset(config.data, tmp_path), tmp_path / "keep"
    keep.mkdir()
    whole = list(cross_validate(config, dataset, [0], [("1",), ("2",)]))
    first = next(cross_validate(config, dataset, [0], [("1",), ("2",)], keep=keep))
    assert [path.name for path in keep.iterdir()] == ["waves-0-1.hilmodel"]
    lines: list[str] = []
    rest = list(cross_validate(config, dataset, [0], [("1",), ("2",)], lines.append, keep=keep))
    assert [fold.package.sha256 for fold in rest] == [fold.package.sha256 for fold in whole]
    assert first.package.sha256 == rest[0].package.sha256
    other = config.model_copy(update={"hop": 10})
    with pytest.raises(UsageError, match="model of another training"):
        next(cross_validate(other, dataset, [0], [("1",)], keep=keep))
