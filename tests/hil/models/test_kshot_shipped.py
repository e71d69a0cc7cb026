"""The shipped model of prototypes: what it promises, and a class learnt onto it as anyone would, from a recording."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import firmware_bridge
import hil.models
from hil.cli import app
from hil.config import ModelConfig
from hil.demo import demo_config
from hil.models import load_model
from hil.models.data_config import NpzLayout
from hil.models.datasets import digest
from hil.models.evaluate import judge
from hil.models.kshot import SHIPPED
from hil.models.kshot.enrol import can_enrol
from hil.models.npz_data import load_npz
from hil.models.training_config import TrainConfig, load_config
from hil.recording.reader import Recording
from hil.serving.teaching import Teaching

ROOT = Path(__file__).resolve().parents[3]
UNSEEN = Path(firmware_bridge.__file__).parent / "virtual" / "watch_unseen.npz"
RECORDING = ROOT / "scenarios" / "recordings" / "watch-unseen-9.mcap"
EXERCISES = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")


def test_it_knows_seven_exercises_and_the_unknown_and_never_saw_two_people() -> None:
    contract = load_model(SHIPPED).contract
    assert contract.labels == (*EXERCISES, "unknown")
    assert can_enrol(contract)
    assert contract.lineage["held_out"] == ["9", "10"]
    assert sorted(contract.lineage["trained_on"], key=int) == [str(one) for one in range(1, 9)]
    assert contract.card.data_licence == "BSD"
    assert SHIPPED.stat().st_size < 300_000


def test_it_does_on_the_people_it_never_saw_what_its_card_says() -> None:
    model = load_model(SHIPPED)
    layout = NpzLayout(
        file=str(UNSEEN), readings="raw", label="label", labels="labels", channels="channels", scale="scale",
        units=("g", "g", "g", "rad/s", "rad/s", "rad/s"), rate_hz=50.0,
    )  # fmt: skip
    found = judge(model.package, load_npz(layout).series).score(len(EXERCISES))
    promised = {metric.name: metric.value for metric in model.contract.card.metrics}
    assert found.macro_f1 == pytest.approx(promised["macro_f1"], abs=0.01)
    assert found.macro_f1 >= 0.83


def test_a_class_is_enrolled_onto_it_and_no_old_row_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a minute of rowing as this person does it; what it said of the other exercises stays what it was."""
    out = tmp_path / "mine.hilmodel"
    spots = [f"{RECORDING}@{start}-{start + 4}" for start in (230, 236, 242)]
    given = ["enrol", str(SHIPPED), "--class", "my row", *(part for one in spots for part in ("--example", one))]
    app([*given, "-o", str(out), "--json", "-q"], standalone_mode=False)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["labels"] == [*EXERCISES, "my row", "unknown"]
    assert found["nearest"] == "ROW"
    old, new = load_model(SHIPPED), load_model(out)
    rows = [*range(7), 8]
    for name in ("head.weight", "head.bias"):
        assert new.package.weights[name][rows].tobytes() == old.package.weights[name].tobytes()

    def said(model: Any, low: float, high: float) -> list[str]:
        with Recording(RECORDING) as opened:
            told = [((one.t_ns - opened.start_ns) / 1e9, one.label) for one in model.stream(opened)]
        return [label for t_s, label in told if low <= t_s <= high]

    later = said(new, 503, 529)  # the other wrist, four minutes later
    assert sum(one in ("my row", "ROW") for one in later) / len(later) >= 0.8
    before, after = (np.array(said(model, 4, 190)) for model in (old, new))
    assert (before == after).mean() >= 0.95


def test_a_child_of_what_came_with_the_package_goes_where_the_user_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hil.serving.stage import ModelStage
    from hil.serving.taps import load_runner

    monkeypatch.chdir(tmp_path)
    config = demo_config(model=str(SHIPPED)).models[0]
    stage = ModelStage(config.path, config.boards, load_runner(config.path, config.boards), background=False)
    loaded: list[ModelConfig] = []
    times = iter((0, 4 * 10**9))
    teaching = Teaching([stage], loaded.append, lambda: next(times))
    stage.process([])
    kept = stage.shown()
    assert kept is not None
    with Recording(RECORDING) as opened:
        readings = opened.read("watch", "imu", 230, 250).values[:200].astype(np.float32)
    monkeypatch.setattr(type(kept), "cut", lambda *_: hil.models.kshot.examples.Example(readings, 50.0))
    for _ in range(2):
        teaching.show("shots")
    told = teaching.teach("my row")
    assert Path(told["path"]).resolve() == tmp_path / "shots-my-row.hilmodel"
    assert loaded == [ModelConfig(path=told["path"], boards=("watch",))]
    assert load_model(told["path"]).contract.labels[-2:] == ("my row", "unknown")


@pytest.mark.data
def test_it_was_fitted_on_what_its_contract_says(shared_data: Path) -> None:
    config = load_config(ROOT / "scenarios" / "models" / "shots.toml")
    assert config.data.npz is not None
    dataset = load_npz(config.data.npz, shared_data)
    contract = load_model(SHIPPED).contract
    assert contract.training_data_sha256 == digest(dataset.of(contract.lineage["trained_on"]))
    assert TrainConfig.model_validate({**contract.lineage["config"], "data": config.data}) == config
