"""What is wrong with a dataset is found where it was planted, and a clean one is left alone."""

from pathlib import Path

import numpy as np
import pytest
from datasets_made import KINDS, series, write

from hil.data.channels import channels
from hil.data.check import check
from hil.data.finding import ERROR, NOTE, WARNING
from hil.data.labelnoise import label_noise, suspects
from hil.data.leakage import copies, near_copies, same_names, split_leaks
from hil.data.mixups import gravity, turning
from hil.data.parts import read_whole
from hil.data.splits import make_split
from hil.models.data_config import load_data_config
from hil.models.datasets import NONE
from hil.models.labelled import Part

pytest.importorskip("sklearn")


def parts_of(folder: Path, made: list[tuple[str, str, np.ndarray]]) -> tuple[Part, ...]:
    return read_whole(load_data_config(write(folder, made)), folder).parts


def test_a_clean_dataset_is_left_alone(tmp_path: Path) -> None:
    config = load_data_config(write(tmp_path, series()))
    found = check(config, tmp_path, split=make_split([one[0] for one in series()], "person"))
    assert [one for one in found if one.level != NOTE] == []
    assert [one.check for one in found] == ["label noise"]  # what a forest makes of the labels, as a note


def test_a_copy_under_another_name_is_found_at_whatever_offset_with_its_times(tmp_path: Path) -> None:
    made = series()
    person, kind, values = made[17]
    made[17] = person, kind, np.concatenate((values[:300], made[1][2][200:600], values[700:]))
    (one,) = copies(parts_of(tmp_path, made), "person")
    assert (one.level, one.where) == (ERROR, "made.npz[1] at 4.00 s (person Ada)")
    assert one.what == "8.0 s are the same readings, bit for bit as made.npz[17] at 6.00 s (person Eve)"


def test_a_copy_of_the_same_person_only_counts_twice(tmp_path: Path) -> None:
    made = series()
    made[2] = made[0]
    (one,) = copies(parts_of(tmp_path, made), "person")
    assert one.level == WARNING


def test_a_copy_with_another_gain_and_noise_is_found_too(tmp_path: Path) -> None:
    made = series()
    person, kind, _ = made[9]
    noise = 0.01 * np.random.default_rng(5).standard_normal((1000, 6))
    made[9] = person, kind, 1.02 * made[5][2][137:1137] + noise
    (one,) = near_copies(parts_of(tmp_path, made), "person")
    assert (one.level, one.check) == (ERROR, "near duplicate")
    assert "made.npz[5]" in one.where
    assert "made.npz[9]" in one.what


def test_one_person_under_two_names_is_found(tmp_path: Path) -> None:
    made = series()
    made[0] = "ada ", *made[0][1:]
    (one,) = same_names(parts_of(tmp_path, made), "person")
    assert one.level == ERROR
    assert "'Ada' and 'ada '" in one.what


def test_a_split_that_leaks_or_forgets_is_told(tmp_path: Path) -> None:
    folds = (("Ada", "Bea"), ("Bea", "Cal"), ("Dan", "Zoe"))
    told = {(one.level, one.where) for one in split_leaks(parts_of(tmp_path, series()), "person", folds)}
    assert told == {(ERROR, "person Bea"), (ERROR, "person Zoe"), (WARNING, "person Eve")}


def test_swapped_labels_are_named_and_the_others_are_not(tmp_path: Path) -> None:
    made = series()
    made[6] = made[6][0], KINDS[1], made[6][2]
    note, one = label_noise(parts_of(tmp_path, made), "person")
    assert (note.level, one.level) == (NOTE, WARNING)
    assert one.where.startswith("made.npz[6]")
    assert "labelled shake" in one.what
    assert "read like swing" in one.what


@pytest.mark.parametrize(
    ("columns", "factor", "looks"),
    [(slice(0, 3), 9.80665, "m/s2"), (slice(0, 3), 1000.0, "mg"), (slice(3, 6), 57.29578, "deg/s")],
)
def test_a_recording_in_another_unit_is_named_with_the_unit_it_is_in(
    tmp_path: Path, columns: slice, factor: float, looks: str
) -> None:
    made = series()
    values = made[4][2].copy()
    values[:, columns] *= factor
    made[4] = *made[4][:2], values
    parts = parts_of(tmp_path, made)
    (one,) = [*gravity(parts, "person"), *turning(parts, "person")]
    assert (one.level, one.check) == (ERROR, "unit")
    assert one.where == "made.npz[4]"
    assert f"looks like {looks}" in one.what


def test_people_recorded_at_half_the_rate_are_told(tmp_path: Path) -> None:
    made = [(person, kind, values[::2] if person == "Cal" else values) for person, kind, values in series()]
    told = list(turning(parts_of(tmp_path, made), "person"))
    assert [one.where for one in told] == ["person Cal"]


def test_dead_stuck_saturated_and_missing_readings_are_told_by_channel(tmp_path: Path) -> None:
    made = series()
    for at, spoil in enumerate((
        lambda x: x.__setitem__((slice(None), 1), 0.5),
        lambda x: x.__setitem__((slice(100, 400), 4), x[100, 4]),
        lambda x: np.clip(x[:, 0], -0.5, 0.5, out=x[:, 0]),
        lambda x: x.__setitem__((7, 2), np.nan),
    )):  # fmt: skip
        values = made[at][2].copy()
        spoil(values)
        made[at] = *made[at][:2], values
    told = {(one.check, one.where): one.level for one in channels(parts_of(tmp_path, made))}
    assert told["dead channel", "made.npz[0], ay"] == ERROR
    assert told["stuck channel", "made.npz[1], wy"] == WARNING
    assert told["saturated channel", "made.npz[2], ax"] == ERROR
    assert told["no number", "made.npz[3], az"] == ERROR
    assert len(told) == 4


def test_confident_learning_finds_the_labels_that_were_flipped() -> None:
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 3, 600)
    scores = np.full((600, 3), 0.1)
    scores[np.arange(600), truth] = chance.uniform(0.5, 0.9, 600)
    scores /= scores.sum(axis=1, keepdims=True)
    given = truth.copy()
    given[:30] = (truth[:30] + 1) % 3
    told = suspects(scores, given)
    assert np.array_equal(told[:30][told[:30] != NONE], truth[:30][told[:30] != NONE])
    assert (told[:30] != NONE).mean() > 0.4
    assert (told[30:] == NONE).all()


@pytest.mark.data
@pytest.mark.slow
def test_of_the_watch_set_nothing_is_wrong_but_four_hard_cases(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(
        '[data.npz]\nfile = "watch_exercises/watch.npz"\nlabels = "y_labels"\nchannels = "X_labels"\nrate_hz = 50.0\n'
        'units = ["g", "g", "g", "rad/s", "rad/s", "rad/s"]\n'
    )
    found = check(load_data_config(path), shared_data)
    assert not [one for one in found if one.level == ERROR]
    warned = [one for one in found if one.level == WARNING]
    assert {one.check for one in warned} <= {"label noise"}
    assert len(warned) <= 6  # of 140 series: exercises that are alike (FEL and ABD, IR and ER)
