"""The shipped model: what its file promises, and how it does on the two people it has never seen."""

import json
from pathlib import Path

import numpy as np
import pytest

import firmware_bridge
import hil.models
from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.models import load_model
from hil.models.data_config import NpzLayout
from hil.models.datasets import digest
from hil.models.evaluate import judge
from hil.models.npz_data import load_npz
from hil.models.training_config import TrainConfig, load_config

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = Path(hil.models.__file__).parent / "exercise.hilmodel"
UNSEEN = Path(firmware_bridge.__file__).parent / "virtual" / "watch_unseen.npz"
LAYOUT = NpzLayout(
    file=str(UNSEEN), readings="raw", label="label", labels="labels", channels="channels", scale="scale",
    units=("g", "g", "g", "rad/s", "rad/s", "rad/s"), rate_hz=50.0,
)  # fmt: skip


def test_the_contract_says_what_it_reads_and_whom_it_never_saw() -> None:
    model = load_model(SHIPPED)
    contract = model.contract
    assert [(item.channel, item.unit) for item in contract.inputs] == [
        ("ax", "g"), ("ay", "g"), ("az", "g"), ("wx", "rad/s"), ("wy", "rad/s"), ("wz", "rad/s"),
    ]  # fmt: skip
    assert (contract.rate_hz, contract.window, contract.hop, contract.memory_samples) == (50.0, 200, 50, 200)
    assert contract.lineage["held_out"] == ["9", "10"]
    assert not set(contract.lineage["trained_on"]) & {"9", "10"}
    assert contract.architecture is not None
    assert contract.architecture.config.parameters <= 100_000
    assert contract.card.data_licence == "BSD"
    assert {metric.name for metric in contract.card.metrics} >= {"macro_f1", "ece"}


@pytest.mark.parametrize("backend", ["eager", "onnxruntime"])
def test_it_tells_the_exercises_of_unseen_people(backend: str) -> None:
    """From the readings that are in the project, as a watch sends them; the card must not promise more."""
    model = load_model(SHIPPED)
    found = judge(model.package, load_npz(LAYOUT).series, backend=backend).score(7)
    promised = {metric.name: metric.value for metric in model.contract.card.metrics}
    assert found.decisions == 946
    assert found.macro_f1 >= 0.87
    assert found.macro_f1 == pytest.approx(promised["macro_f1"], abs=0.01)
    assert found.ece <= 0.08


def test_the_card_repeats_the_figures_of_the_gate() -> None:
    gate = json.loads((ROOT / "scenarios" / "expected" / "exercise-gate.json").read_text())
    figures = {metric.name: metric.value for metric in load_model(SHIPPED).contract.card.metrics}
    assert figures["macro_f1_cross_validated"] == gate["macro_f1"]["mean"] >= 0.87
    assert figures["ece_cross_validated"] == gate["ece_pooled_15_bins"]
    assert gate["macro_f1_single_trainings"]["trainings"] == 25
    assert f"person {gate['worst_person']['person']} " in load_model(SHIPPED).contract.card.worst_person


def test_raw_counts_and_readings_in_units_are_the_same_to_it() -> None:
    model = load_model(SHIPPED)
    with np.load(UNSEEN, allow_pickle=False) as archive:
        raw, scale = archive["raw"][:1000], archive["scale"]
    names = tuple(item.channel for item in model.contract.inputs)
    stream = Stream("imu", names, tuple(i.unit for i in model.contract.inputs), "<i2", (6,), 50.0, scale=tuple(scale))
    numbers = np.arange(1000, dtype=np.int64)
    sent = model.runner(slots=1).push([Batch("watch", stream, 0, 0, numbers, numbers * 20_000_000, raw)])
    told = model.predict((raw.astype(np.float64) * scale).astype(np.float32))
    assert [(d.sample, d.scores) for d in sent] == [(d.sample, d.scores) for d in told]
    assert sent[-1].label == "PEN"


@pytest.mark.data
def test_it_was_trained_on_what_its_contract_says(shared_data: Path) -> None:
    config = load_config(ROOT / "scenarios" / "models" / "exercise.toml")
    assert config.data.npz is not None
    dataset = load_npz(config.data.npz, shared_data)
    contract = load_model(SHIPPED).contract
    assert contract.training_data_sha256 == digest(dataset.of(contract.lineage["trained_on"]))
    # What a later version can be told besides has defaults that mean what was done before.
    assert TrainConfig.model_validate({**contract.lineage["config"], "data": config.data}) == config
