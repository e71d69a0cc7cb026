"""`hil data`: what is in a dataset, its splits, labels that can be taken back, and files gathered by their names."""

import json
from pathlib import Path

import numpy as np
import pytest
from datasets_made import PEOPLE, series, write
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from firmware_bridge.errors import BridgeError, FileError, UsageError
from hil.cli import app
from hil.data.gather import facts_in
from hil.data.splits import make_split, read_split, write_split
from hil.recording.importer import import_file
from hil.recording.marks import sidecar_of
from hil.recording.reader import Recording


def hil(*arguments: object, code: int = 0) -> str:
    said = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(said.exception, BridgeError):
        raise said.exception
    assert said.exit_code == code, said.output
    return said.stdout


def recording(path: Path, person: str = "Ada", seconds: float = 10.0, **about: str) -> Path:
    chance = np.random.default_rng(len(str(path)))
    np.savez(path.with_suffix(".npz"), imu=chance.standard_normal((round(50 * seconds), 3)))
    import_file(
        path.with_suffix(".npz"), path, stream="imu", rate_hz=50.0, unit="g", about={"person": person, **about},
        start_ns=10**18,
    )  # fmt: skip
    path.with_suffix(".npz").unlink()
    return path


def test_info_tells_seconds_of_each_class_of_each_group_rates_and_units(tmp_path: Path) -> None:
    found = json.loads(hil("data", "info", write(tmp_path, series()), "--json"))
    assert found["groups"]["person"] == list(PEOPLE)
    assert found["label_seconds"]["Ada"] == {"swing": 48.0, "shake": 48.0}
    assert found["unknown_groups"]["day"] == 20
    assert found["streams"][0]["rate_hz"] == 50.0
    assert found["streams"][0]["units"][3] == "rad/s"
    assert "Ada" in hil("data", "info", write(tmp_path, series()))


def test_a_folder_is_a_dataset_whose_recordings_say_themselves_whose_they_are(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    recording(tmp_path / "a.mcap", day="mon", label="walk")
    recording(tmp_path / "in" / "b.mcap", "Bob", day="tue")
    found = json.loads(hil("data", "info", tmp_path, "--by", "day", "--json"))
    assert found["label_seconds"] == {"mon": {"walk": 10.0}, "tue": {"(none)": 10.0}}
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="no recording"):
        hil("data", "info", tmp_path / "empty")


def test_labels_are_set_listed_taken_away_and_undone_and_the_recording_never_changes(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.mcap")
    before = path.read_bytes()

    def labels(*arguments: object) -> list[tuple[str, float, float]]:
        plain = json.loads(hil("data", "label", path, *arguments, "--json"))
        return [(one["label"], one["from_s"], one["to_s"]) for one in plain["labels"]]

    walk, sit = ("walk", 1.0, 4.0), ("sit", 5.0, 9.0)
    assert labels("walk", "--from", 1, "--to", 4) == [walk]
    assert labels("sit", "--from", 5, "--to", 9) == [walk, sit]
    assert labels("--remove", "walk") == [sit]
    assert labels("--undo") == [walk, sit]
    assert labels("--undo") == [walk]
    assert labels("--undo") == []
    with pytest.raises(UsageError, match="nothing was labelled"):
        labels("--undo")
    assert labels("walk", "--from", 1, "--to", 4) == labels()
    with Recording(path) as opened:
        assert [label.text for label in opened.labels] == ["walk"]
    assert path.read_bytes() == before
    assert len(sidecar_of(path).read_text().splitlines()) == 14  # nothing is ever erased
    with pytest.raises(UsageError, match="no label is called 'run'"):
        labels("--remove", "run")
    with pytest.raises(UsageError, match="--from and --to"):
        labels("run", "--from", 1)


@given(names=st.sets(st.text("abcxyz0123456789", min_size=1, max_size=4), min_size=2, max_size=12), data=st.data())
def test_every_group_is_held_out_once_whatever_their_order(names: set[str], data: st.DataObject) -> None:
    folds = data.draw(st.one_of(st.none(), st.integers(2, len(names))))
    order = data.draw(st.permutations(sorted(names)))
    split = make_split(order, "person", folds)
    assert sorted(name for fold in split.folds for name in fold) == sorted(names)
    assert len(split.folds) == (folds or len(names))
    assert max(map(len, split.folds)) - min(map(len, split.folds)) <= 1
    assert split == make_split(sorted(names), "person", folds)


def test_a_split_comes_back_equal_and_random_ones_are_refused(tmp_path: Path) -> None:
    data = write(tmp_path, series())
    hil("data", "split", data, "--folds", 2, "-o", tmp_path / "s.json")
    found = read_split(tmp_path / "s.json")
    assert found.folds == (("Ada", "Bea", "Cal"), ("Dan", "Eve"))
    with pytest.raises(FileError, match="another name"):
        write_split(found, tmp_path / "s.json")
    with pytest.raises(UsageError, match="not split at random"):
        hil("data", "split", data, "--by", "random")
    with pytest.raises(UsageError, match="do not say their day"):
        hil("data", "split", data, "--by", "day")
    (tmp_path / "bad.json").write_text('{"schema": 1, "by": "mood", "folds": []}')
    with pytest.raises(FileError, match="mood"):
        read_split(tmp_path / "bad.json")


def test_check_ends_with_1_where_something_is_wrong_and_names_what_to_do(tmp_path: Path) -> None:
    made = series()
    made[0] = made[0][0], made[0][1], made[0][2] * np.array([9.80665] * 3 + [1] * 3)
    found = json.loads(hil("data", "check", write(tmp_path, made), "--json", "-q", code=1))
    (error,) = (one for one in found["findings"] if one["level"] == "error")
    assert error["check"] == "unit"
    assert error["next"] == "say m/s2, or convert it"
    assert found["counts"]["error"] == 1


def test_a_recording_at_another_rate_than_it_says_is_told_by_its_clock(tmp_path: Path) -> None:
    rows = "\n".join(f"{1000 * at // 100},{at % 7},{at % 5},{at % 3}" for at in range(400))
    (tmp_path / "a.csv").write_text(f"t_ms,x,y,z\n{rows}\n")
    (tmp_path / "b.toml").write_text(
        'schema = 1\n[board]\nmodel = "m"\n[lines]\nseparator = ","\ncolumns = ["t_ms", "x", "y", "z"]\n'
        '[[stream]]\nname = "imu"\ncolumns = ["x", "y", "z"]\ndtype = "f32"\nunit = "1"\nrate = 50\n'
        'tick = { column = "t_ms", unit = "ms" }\n'
    )
    (tmp_path / "data").mkdir()
    import_file(tmp_path / "a.csv", tmp_path / "data" / "a.mcap", board_file=tmp_path / "b.toml", about={"person": "A"})
    found = json.loads(hil("data", "check", tmp_path / "data", "--json", "-q", code=1))
    (error,) = (one for one in found["findings"] if one["level"] == "error")
    assert "says 50 Hz and its samples come at 100 Hz" in error["what"]


def test_files_are_gathered_with_what_their_names_say_and_the_others_are_told(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(
        'schema = 1\n[board]\nmodel = "m"\n[lines]\nseparator = ","\ncolumns = ["x", "ok"]\n'
        '[[stream]]\nname = "s"\ncolumns = ["x"]\ndtype = "f32"\nunit = "1"\nrate = 10\n'
        'valid = { column = "ok", equals = 1 }\n'
    )
    rows = "x,ok\n" + "\n".join(f"{at},{int(at % 10 != 3)}" for at in range(100)) + "\n"
    for name in ("Room-Day1-Ada-sit", "Room-Day2-Bob-walk", "Room-Day2-Bob-odd", "notes"):
        (tmp_path / f"{name}.csv").write_text(rows)
    found = json.loads(hil("data", "gather", *sorted(tmp_path.glob("*.csv")), "--board-file", tmp_path / "b.toml",
                           "--name", "{place}-Day{day}-{person}-{label}", "--only", "label=sit|walk",
                           "-o", tmp_path / "out", "--json", "-q"))  # fmt: skip
    assert [one["why"] for one in found["left"]] == ["label is 'odd'", "its name does not fit"]
    info = json.loads(hil("data", "info", tmp_path / "out", "--json"))
    assert info["groups"] == {"person": ["Ada", "Bob"], "day": ["1", "2"], "device": []}
    assert info["left_out"] == {"invalid": 20}
    assert info["label_seconds"]["Ada"] == {"sit": 9.0}


def test_a_name_is_read_field_by_field_or_not_at_all() -> None:
    assert facts_in("{person}_{day}", "ada_3") == {"person": "ada", "day": "3"}
    assert facts_in("{person}_{day}", "ada-3") is None
    with pytest.raises(UsageError, match="twice"):
        facts_in("{a}-{a}", "x-y")


def test_labels_that_overlap_are_told_and_their_readings_are_counted_not_silently_unlabelled(tmp_path: Path) -> None:
    file = recording(tmp_path / "run.mcap")
    hil("data", "label", file, "swing", "--from", 1, "--to", 6)
    said = CliRunner().invoke(app, ["data", "label", str(file), "shake", "--from", "4", "--to", "8"])
    assert said.exit_code == 0
    assert "it overlaps swing" in said.stderr
    told = json.loads(hil("data", "info", tmp_path, "--json"))
    assert told["left_out"] == {"labelled twice": 100}
    assert told["label_seconds"]["Ada"]["swing"] == pytest.approx(3.0, abs=0.05)
    found = json.loads(hil("data", "check", tmp_path, "--json"))["findings"]
    assert [one["what"] for one in found if one["check"] == "overlapping labels"] == [
        "100 readings (2.0 s) lie in two labels and count as unlabelled"
    ]
    assert not [one for one in found if one["check"] == "missing"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "nan", "--to", "2"), "no mark 'nan'"),
        (("--from", "500", "--to", "600"), "lasts 10.0 s"),
        (("--from=-9", "--to=-5"), "holds nothing"),
        (("--from", "1", "--to", "2", "--board", "nobody"), "no board is called 'nobody'"),
        (("--from", "4", "--to", "6"), "lies there already"),
    ],
)
def test_a_label_that_means_nothing_is_refused_and_nothing_is_written(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    file = recording(tmp_path / "run.mcap")
    hil("data", "label", file, "swing", "--from", 3, "--to", 5)
    before = sidecar_of(file).read_bytes()
    with pytest.raises(UsageError) as caught:
        hil("data", "label", file, "swing", *words)
    assert said in str(caught.value)
    assert sidecar_of(file).read_bytes() == before


def test_one_recording_is_no_dataset_and_says_what_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the folder that it lies in"):
        hil("data", "info", recording(tmp_path / "run.mcap"))


def test_one_person_makes_no_split_and_is_told_so(tmp_path: Path) -> None:
    recording(tmp_path / "a.mcap")
    with pytest.raises(UsageError, match=r"there is one person only \(Ada\)"):
        hil("data", "split", tmp_path)
