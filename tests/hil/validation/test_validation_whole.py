"""`hil validate` and `hil compare` from files to figures and page, small enough for every run."""

import json
from pathlib import Path
from typing import Any

import html5lib
import numpy as np
import pytest
from typer.testing import CliRunner

from firmware_bridge.batch import Batch
from firmware_bridge.errors import BridgeError, UsageError
from firmware_bridge.events import Gap
from firmware_bridge.streams import Stream
from hil.cli import app
from hil.models.contract import Contract, Input
from hil.validation.robustness import FAULTS, _damage

pytestmark = pytest.mark.training
pytest.importorskip("sklearn")

CONFIG = """
name = "toy"
seed = 4
window = 20
hop = 5
[data]
held_out = ["4", "5"]
[data.npz]
file = "toy.npz"
device = "watch"
units = ["g", "g", "g"]
rate_hz = 50
[architecture]
channels = 8
kernel = 3
dilations = [1, 2]
[training]
epochs = 12
batch = 8
crop = 30
every = 5
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people shake fast or slowly, the fifth hardly at all; and a model that has met three."""
    path = tmp_path_factory.mktemp("toy")
    chance = np.random.default_rng(0)
    readings, label, person = [], [], []
    for who in range(1, 6):
        for kind in (0, 1, 0, 1):
            t = np.arange(200) / 50
            wave = (0.25 if who == 5 else 1.0) * np.sin(2 * np.pi * (1.0 if kind else 6.0) * t + who)
            readings.append(np.stack((wave, 0.3 * wave, np.ones_like(t)), 1) + 0.1 * chance.standard_normal((200, 3)))
            label.append(kind)
            person.append(who)
    np.savez(
        path / "toy.npz", X=np.concatenate(readings).astype(np.float32), length=np.full(len(label), 200),
        y=np.array(label), subject=np.array(person), y_labels=np.array(["fast", "slow"]),
        X_labels=np.array(["x", "y", "z"]), watch=np.array(["left", "right"] * 10),
    )  # fmt: skip
    (path / "toy.toml").write_text(CONFIG)
    (path / "poor.toml").write_text(CONFIG.replace("epochs = 12", "epochs = 1").replace('"toy"', '"poor"'))
    for name in ("toy", "poor"):
        assert hil("train", path / f"{name}.toml", "-o", path / f"{name}.hilmodel", "-q")
    return path


def hil(*arguments: object, code: int = 0) -> str:
    """Run a verb; return what it printed."""
    said = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(said.exception, BridgeError):
        raise said.exception
    assert said.exit_code == code, said.output
    return said.stdout


def test_a_training_is_judged_by_folds_with_one_json_and_one_page_that_say_the_same(folder: Path) -> None:
    page, out = folder / "v.html", folder / "v.json"
    asked = ("validate", folder / "toy.toml", "--folds", 2, "--keep", folder / "kept", "--against", "forest", "-q")
    said = hil(*asked, "--faults", "quick", "--random-gap", "--html", page, "-o", out)
    found = json.loads(out.read_text())
    assert found["protocol"] == "2 folds of person groups, 1 seed"
    assert [row["held_out"] for row in found["folds"]["rows"]] == [["1", "2", "3"], ["4", "5"]]
    main = found["figures"]["macro_f1"]
    assert f"{main['value']:.3f}" in said
    assert main["low"] <= main["value"] <= main["high"]
    assert found["worst_group"] == "5"
    assert {row["kind"] for row in found["robustness"]} == set(FAULTS)
    assert found["cost"]["parameters"] == 3 * 3 * 8 + 8 + 8 * 3 * 8 + 8 + 8 * 2 + 2
    # Two layers of three taps over 5 samples; the head is no matrix product where it runs.
    assert found["cost"]["macs_per_hop"] == 5 * (3 * 3 * 8 + 8 * 3 * 8)
    assert found["random_split"]["accuracy"] > 0
    rival = {row["name"]: row for row in found["against"]["rows"]}["accuracy"]
    assert rival["b"] == found["figures"]["accuracy"]["value"]
    assert rival["a"] > 0.7
    kept = {path.name: path.stat().st_mtime_ns for path in (folder / "kept").iterdir()}
    assert set(kept) == {"toy-4-1-2-3.hilmodel", "toy-4-4-5.hilmodel"}
    again = json.loads(hil(*asked, "--faults", "none", "--json"))  # what is kept is not trained again
    assert (again["figures"], again["against"]) == (found["figures"], found["against"])
    assert kept == {path.name: path.stat().st_mtime_ns for path in (folder / "kept").iterdir()}
    text = page.read_text()
    html5lib.HTMLParser(strict=True).parse(text)
    for words in ("Reliability", "Under faults", "random split", f"{main['value']:.3f}"):
        assert words in text
    inside = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert inside["figures"] == found["figures"]
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_a_model_is_judged_on_whom_it_has_not_met_and_the_same_twice(folder: Path) -> None:
    arguments = ("validate", folder / "toy.hilmodel", "--data", folder / "toy.toml", "--faults", "none", "--json", "-q")
    first, again = (json.loads(hil(*arguments)) for _ in range(2))
    assert [one["group"] for one in first["groups"]] == ["4", "5"]
    assert "whom it has not met either" in first["calibration"]["how"]  # the one model met neither of them
    for one in (first, again):
        one["cost"].pop("latency_ms")
    assert first == again
    with pytest.raises(UsageError, match="no device"):
        hil(*arguments, "--by", "device")


def test_nested_calibration_uses_a_model_that_has_met_neither(folder: Path) -> None:
    found = json.loads(hil("validate", folder / "toy.toml", "--folds", 3, "--epochs", 2, "--nested", "--faults", "none",
                           "--json", "-q"))  # fmt: skip
    assert "met neither" in found["calibration"]["how"]
    assert len(found["calibration"]["temperatures"]) == 3


def test_a_baseline_is_judged_alike_and_a_split_file_is_obeyed(folder: Path) -> None:
    split = folder / "split.json"
    hil("data", "split", folder / "toy.toml", "--folds", 2, "-o", split)
    found = json.loads(hil("validate", folder / "toy.toml", "--baseline", "forest", "--window", 20, "--hop", 5,
                           "--split", split, "--json", "-q"))  # fmt: skip
    assert found["cost"] is None
    assert [row["held_out"] for row in found["folds"]["rows"]] == [["1", "2", "3"], ["4", "5"]]
    assert found["figures"]["accuracy"]["value"] > 0.7
    for option in ("--baseline", "--against"):
        with pytest.raises(UsageError, match="no baseline 'oracle'"):
            hil("validate", folder / "toy.toml", option, "oracle")


def test_two_models_are_compared_on_people_whom_neither_has_met(folder: Path) -> None:
    models = folder / "toy.hilmodel", folder / "poor.hilmodel"
    plain: dict[str, Any] = json.loads(hil("compare", *models, "--data", folder / "toy.toml", "--json"))
    assert plain["people"] == ["4", "5"]
    rows = {row["name"]: row for row in plain["rows"]}
    assert rows["accuracy"]["effect"] < 0
    assert all(row["low"] <= row["effect"] <= row["high"] for row in rows.values())
    assert {row["verdict"] for row in rows.values()} == {"too few to tell"}  # two people prove nothing
    assert "too few to tell" in hil("compare", models[0], models[0], "--data", folder / "toy.toml")
    with pytest.raises(UsageError, match="--data"):
        hil("compare", *models)


def test_an_option_that_says_nothing_of_two_models_is_refused_not_ignored() -> None:
    for words in (("--html", "page.html"), ("--see", "10%"), ("--from", "1")):
        with pytest.raises(UsageError, match="two models are compared on whole recordings"):
            hil("compare", "a.hilmodel", "b.hilmodel", "--data", "data.toml", *words)


def test_every_fault_hits_as_strongly_as_it_says_and_the_same_way_twice() -> None:
    inputs = tuple(Input(channel=name, unit="g", std=std) for name, std in (("x", 1.0), ("y", 10.0)))
    promised = Contract(name="a", inputs=inputs, rate_hz=50.0, window=10, hop=5, memory_samples=10, labels=("A", "B"))
    stream = Stream("s", ("x", "y"), ("g", "g"), "<f4", (2,), 50.0)
    numbers = np.arange(3000, dtype=np.int64)
    raw = np.random.default_rng(0).standard_normal((3000, 2)).astype(np.float32) * np.float32([1, 10])
    batch = Batch("b", stream, 0, 0, numbers, numbers, raw)
    for kind, (_, _, strengths) in FAULTS.items():
        made = [list(_damage(kind, strengths[1], promised, 7)(batch)) for _ in range(2)]
        parts = [[item.raw for item in one if isinstance(item, Batch)] for one in made]
        assert all(np.array_equal(a, b) for a, b in zip(*parts, strict=True))
        changed = np.concatenate(parts[0])
        if kind == "frame.drop":
            lost = sum(item.count or 0 for item in made[0] if isinstance(item, Gap))
            assert lost == 3000 - len(changed) > 0
            continue
        assert not np.array_equal(changed, raw)
        if kind in ("sensor.bias", "sensor.noise"):
            off = np.sqrt(((changed - raw) ** 2).mean(axis=0))
            assert off == pytest.approx([strengths[1], 10 * strengths[1]], rel=0.1)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thermal_postures_on_another_day_are_near_what_the_study_found(shared_data: Path, tmp_path: Path) -> None:
    files = sorted((shared_data / "d6t_thermal_postures" / "Dataset").glob("Data-Bedroom-*/*.csv"))
    boards = Path(__file__).parents[3] / "scenarios" / "boards" / "omron_d6t.toml"
    hil("data", "gather", *files, "--board-file", boards, "--name", "{place}-Day{day}-{person}-{label}",
        "--only", "label=[1-8]", "-o", tmp_path / "thermal", "-q")  # fmt: skip
    found = json.loads(hil("validate", tmp_path / "thermal", "--baseline", "extra-trees", "--by", "day", "--stream",
                           "thermal", "--random-gap", "--json", "-q"))  # fmt: skip
    assert found["decisions"] == 18_627
    assert found["left_out"] == {"invalid": 345}
    assert found["folds"]["accuracy"]["mean"] == pytest.approx(0.407, abs=0.015)
    assert next(one for one in found["classes"] if one["label"] == "8")["this_or_not"] == pytest.approx(0.81, abs=0.015)
    assert found["random_split"]["accuracy"] == pytest.approx(0.998, abs=0.003)
    assert found["neighbours"]["ratio"] > 5
