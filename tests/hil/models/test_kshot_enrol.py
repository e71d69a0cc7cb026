"""Enrolling: one class more from a few examples, the old ones as they were, from arrays and from recordings alike."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kshot_data import RATE, WINDOW, gesture, hands
from model_boards import split

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.models import load_model
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.datasets import load_dataset
from hil.models.kshot.enrol import enrol
from hil.models.kshot.examples import Example, Spot, distinct, parse_spot, read_example
from hil.models.model import Model
from hil.models.package import Package, pack, unpack, write_package
from hil.models.train import train
from hil.models.training_config import TrainConfig
from hil.recording.reader import Recording

ROOT = Path(__file__).resolve().parents[3]
RECORDINGS = ROOT / "scenarios" / "recordings"
WATCH = ("ax", "ay", "az", "wx", "wy", "wz")


@pytest.fixture(scope="module")
def parent() -> Package:
    return hands()


def shown(count: int, kind: int = 4) -> list[Example]:
    """Examples of a class, each from another person."""
    return [Example(gesture(kind, person)[:WINDOW], RATE) for person in range(1, count + 1)]


def test_a_class_is_learnt_from_three_examples_and_recognised_of_another_person(parent: Package) -> None:
    made = enrol(parent, "tap", shown(3))
    assert made.package.contract.labels == ("shake", "wave", "turn", "nod", "tap", "unknown")
    readings = gesture(4, 6)
    before, after = ([one.label for one in Model(model).predict(readings)] for model in (parent, made.package))
    assert before.count("unknown") / len(before) >= 0.9
    assert after.count("tap") / len(after) >= 0.9
    assert made.recognised == 1.0
    assert made.nearest in parent.contract.labels


def test_the_old_classes_keep_every_bit(parent: Package) -> None:
    made = enrol(parent, "tap", shown(2)).package
    rows = [made.contract.labels.index(name) for name in parent.contract.labels]
    for name, array in parent.weights.items():
        after = made.weights[name]
        assert (after[rows] if name.startswith("head") else after).tobytes() == array.tobytes()
    for kind in range(4):
        old, new = (Model(one).predict(gesture(kind, 6)) for one in (parent, made))
        same = [a.label == b.label for a, b in zip(old, new, strict=True)]
        assert np.mean(same) >= 0.95


def test_the_lineage_names_parent_and_examples(parent: Package) -> None:
    one = Example(shown(1)[0].values, RATE, {"file": "a.mcap", "from_s": 1.0, "to_s": 2.0, "person": "6"})
    made = enrol(parent, "tap", [one]).package
    grand = enrol(made, "other", shown(2, kind=2)).package
    lineage = grand.contract.lineage
    assert lineage["parents"] == [made.sha256]
    assert [(entry["label"], entry["parent"], len(entry["examples"])) for entry in lineage["enrolled"]] == [
        ("tap", parent.sha256, 1), ("other", made.sha256, 2),
    ]  # fmt: skip
    told = lineage["enrolled"][0]["examples"][0]
    assert told["file"] == "a.mcap"
    assert len(told["readings_sha256"]) == 64
    assert "6" in lineage["trained_on"]  # whoever showed it is no stranger any more
    assert "6" not in lineage["held_out"]


@settings(max_examples=10)
@given(st.lists(st.integers(1, 199), max_size=8))
def test_an_enrolled_model_streams_as_it_scans_offline(cuts: list[int]) -> None:
    model = Model(_tapping())
    readings = gesture(4, 6, 200)
    numbers = np.arange(200, dtype=np.int64)
    stream = Stream("array", ("x", "y", "z"), ("g", "g", "g"), "<f4", (3,), RATE)
    whole = Batch("array", stream, 0, 0, numbers, (numbers / RATE * 1e9).astype(np.int64), readings)
    runner = model.runner(slots=1)
    assert [one for part in split(whole, cuts) for one in runner.push([part])] == model.predict(readings)


_MADE: list[Package] = []


def _tapping() -> Package:
    if not _MADE:
        _MADE.append(enrol(hands(), "tap", shown(3)).package)
    return _MADE[0]


def test_what_does_not_fit_is_refused_in_a_sentence(parent: Package) -> None:
    good = shown(1)
    for label, examples, said in (
        ("wave", good, "it has a class 'wave' already"),
        ("unknown", good, "it has a class 'unknown' already"),
        ("", good, "'' is no class name"),
        ("tap", [], "there is no example"),
        ("tap", [Example(good[0].values, 100.0)], "it has 100 Hz and model hands reads 50 Hz"),
        ("tap", [Example(good[0].values[:20], RATE)], r"example 1: it has shape \[20, 3\]"),
        ("tap", [*good, Example(good[0].values[:, :2], RATE)], "example 2: it has shape"),
        ("tap", [Example(good[0].values * np.nan, RATE)], "readings of it are no numbers"),
    ):
        with pytest.raises(UsageError, match=said):
            enrol(parent, label, examples)


def test_a_model_of_another_kind_is_refused_and_told_what_to_do(parent: Package) -> None:
    other = load_model(ROOT / "hil" / "models" / "exercise.hilmodel").package
    with pytest.raises(UsageError, match=r"architecture tcn cannot learn .* train one with .*shots"):
        enrol(other, "tap", shown(1))
    plain = parent.contract.model_dump() | {"labels": ("a", "b", "c", "d", "e")}
    forged = unpack(pack(type(parent.contract).model_validate(plain), dict(parent.weights)), "forged")
    with pytest.raises(UsageError, match="shots without 'unknown' cannot learn"):
        enrol(forged, "tap", shown(1))


def test_an_example_is_a_file_and_seconds() -> None:
    assert parse_spot("a@b.mcap@12.0-14.5") == Spot("a@b.mcap", 12.0, 14.5)
    assert parse_spot("run.mcap") == Spot("run.mcap")
    assert parse_spot("run@home.mcap") == Spot("run@home.mcap")
    assert str(parse_spot("a.mcap@3-7")) == "a.mcap@3-7"
    with pytest.raises(UsageError, match="has no length"):
        parse_spot("a.mcap@3-3")
    with pytest.raises(UsageError, match="names no file"):
        parse_spot("")


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five exercises of the two people whose recordings are in the project: real readings."""
    config = TrainConfig.model_validate({
        "name": "watch", "window": 200, "hop": 50, "architecture": {"name": "shots"},
        "data": DataConfig(
            recordings=tuple(RecordingEntry(file=f"watch-unseen-{n}.mcap") for n in (9, 10)), channels=WATCH,
            labels=("PEN", "ABD", "FEL", "IR", "ER"),
        ).model_dump(exclude_defaults=True),
    })  # fmt: skip
    package = train(config, load_dataset(config.data, RECORDINGS), [])
    path = tmp_path_factory.mktemp("watch") / "watch.hilmodel"
    write_package(path, package.contract, dict(package.weights))
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    from hil.cli import app

    app([*arguments, "--json", "-q"], standalone_mode=False)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_verb_enrols_from_a_recording_and_the_model_runs_as_it_is(
    watch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ROW is shown on one wrist of person 9 and recognised on the other, 270 s later."""
    recording, out = RECORDINGS / "watch-unseen-9.mcap", tmp_path / "row.hilmodel"
    spots = [f"{recording}@{start}-{stop}" for start, stop in ((230, 234), (236, 240), (242, 246), (248, 250.5))]
    examples = [part for one in spots for part in ("--example", one)]
    found = told(capsys, "enrol", str(watch), "--class", "ROW", *examples, "-o", str(out))
    assert found["labels"] == ["PEN", "ABD", "FEL", "IR", "ER", "ROW", "unknown"]
    assert found["examples"] == 4
    lineage = load_model(out).contract.lineage
    assert lineage["parents"] == [found["parent"]] == [load_model(watch).package.sha256]
    shown = lineage["enrolled"][0]["examples"]
    assert [shown[0][key] for key in ("file", "from_s", "to_s")] == ["watch-unseen-9.mcap", 230.0, 234.0]
    assert len({one["sha256"] for one in shown}) == 1
    with Recording(recording) as opened:
        made = [((one.t_ns - opened.start_ns) / 1e9, one.label) for one in load_model(out).stream(opened)]
    later = [label for t_s, label in made if 503 <= t_s <= 529]
    earlier = [label for t_s, label in made if 4 <= t_s <= 190]
    assert later.count("ROW") / len(later) >= 0.8
    assert earlier.count("ROW") / len(earlier) <= 0.05


def test_what_the_screen_shows_and_what_the_verb_reads_make_the_same_row(watch: Path) -> None:
    package = load_model(watch).package
    spot = Spot(str(RECORDINGS / "watch-unseen-9.mcap"), 230.0, 236.0)
    read = read_example(package.contract, spot)
    assert read.values.shape == (300, 6)
    made = enrol(package, "ROW", [read]).package
    live = enrol(package, "ROW", [Example(read.values.copy(), 50.0)]).package
    assert made.weights["head.weight"].tobytes() == live.weights["head.weight"].tobytes()


def test_a_short_gesture_is_taken_with_what_surrounds_it(watch: Path) -> None:
    contract, file = load_model(watch).contract, str(RECORDINGS / "watch-unseen-9.mcap")
    around = read_example(contract, Spot(file, 230.0, 240.0)).values
    short = read_example(contract, Spot(file, 234.0, 236.4)).values
    assert len(short) == 200
    middle = 4.0 + 1.2  # of the short one, in seconds of the long one
    assert np.array_equal(short, around[round(middle * 50) - 100 : round(middle * 50) + 100])


@pytest.mark.parametrize(
    ("spot", "said"),
    [
        ("@230-231.5", r"has 75 samples and a decision looks at 200 \(4 s\)"),
        ("@520-560", "are there without a gap"),
        ("@900-904", "0 of the 200 samples"),
        ("@5-5", "has no length"),
    ],
)
def test_a_stretch_that_cannot_be_learnt_from_ends_the_verb_with_usage(watch: Path, spot: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_example(load_model(watch).contract, parse_spot(f"{RECORDINGS / 'watch-unseen-9.mcap'}{spot}"))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("second", ["12-16", "14-18"])
def test_examples_that_share_readings_are_refused(second: str, watch: Path) -> None:
    file = RECORDINGS / "watch-unseen-9.mcap"
    contract = load_model(watch).contract
    shown = [read_example(contract, parse_spot(f"{file}@{spot}")) for spot in ("12-16", second, "20-24")]
    with pytest.raises(UsageError, match="shares readings with the example from 12 s to 16 s"):
        distinct(shown)
    distinct([shown[0], shown[2]])


def test_the_verb_refuses_before_it_reads(watch: Path, tmp_path: Path) -> None:
    from hil.cli import app

    def enrolled(*arguments: str) -> None:
        app(["enrol", *arguments, "--example", "absent.mcap@1-2"], standalone_mode=False)

    shipped = str(ROOT / "hil" / "models" / "exercise.hilmodel")
    with pytest.raises(UsageError, match="cannot learn a class"):
        enrolled(shipped, "--class", "a", "-o", str(tmp_path / "a.hilmodel"))
    with pytest.raises(UsageError, match="never overwritten"):
        enrolled(str(watch), "--class", "a", "-o", str(watch))
    with pytest.raises(OSError, match=r"absent\.mcap"):
        enrolled(str(watch), "--class", "a", "-o", str(tmp_path / "a.hilmodel"))
    assert not list(tmp_path.iterdir())
