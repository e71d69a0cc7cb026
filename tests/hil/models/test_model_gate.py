"""The gate: exercises of people never seen, in the streaming form that runs on boards.

`pytest -m slow tests/hil/models/test_model_gate.py` trains 25 networks (5 folds of 2 people, 5 seeds; about 20 minutes
of one core) for each of two configurations. The settings of `exercise.toml` come from what was known before; those of
`exercise-hybrid.toml` (leads among the statistics) were better on the inner people of each of the five folds, by models
that had met neither these nor the people of the fold.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from hil.models.crossval import summary
from hil.models.datasets import Dataset
from hil.models.evaluate import cross_validate, folds_of
from hil.models.npz_data import load_npz
from hil.models.training_config import TrainConfig, load_config

ROOT = Path(__file__).resolve().parents[3]
GATES = {"exercise": 0.87, "exercise-hybrid": 0.89}


def exercise(shared_data: Path, name: str = "exercise") -> tuple[TrainConfig, Dataset]:
    config = load_config(ROOT / "scenarios" / "models" / f"{name}.toml")
    assert config.data.npz is not None
    return config, load_npz(config.data.npz, shared_data)


@pytest.mark.data
@pytest.mark.training
@pytest.mark.parametrize(("name", "epochs"), [("exercise", 12), ("exercise-hybrid", 5)])
def test_a_short_training_tells_exercises_of_two_unseen_people(name: str, epochs: int, shared_data: Path) -> None:
    """One fold, an eighth of the epochs (0.78 was seen): broken networks, losses or streaming forms stay below."""
    config, dataset = exercise(shared_data, name)
    short = config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
    (fold,) = cross_validate(short, dataset, [0], folds=[("9", "10")])
    found = summary([fold], len(dataset.labels))
    assert found["macro_f1"]["mean"] >= 0.70  # chance is 0.14
    assert found["coverage"] == 1.0
    assert found["decisions_per_seed"] == 946
    assert found["parameters"] <= 100_000


@pytest.mark.data
def test_folds_hold_out_every_person_once(shared_data: Path) -> None:
    _, dataset = exercise(shared_data)
    folds = folds_of(dataset.people)
    assert folds == [("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"), ("9", "10")]
    ends = [len(item.values) // 50 - 3 for item in dataset.series]
    assert all(np.unique(item.labels).size == 1 for item in dataset.series)
    assert sum(ends) == json.loads((ROOT / "scenarios" / "expected" / "exercise-gate.json").read_text())[
        "decisions_per_seed"
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", GATES)
def test_macro_f1_on_unseen_people_passes_the_gate_over_five_seeds(name: str, shared_data: Path) -> None:
    config, dataset = exercise(shared_data, name)
    folds = list(cross_validate(config, dataset, range(5), progress=print))
    found = summary(folds, len(dataset.labels))
    print(json.dumps(found, indent=1))
    assert found["macro_f1"]["mean"] >= GATES[name]
    accepted = json.loads((ROOT / "scenarios" / "expected" / f"{name}-gate.json").read_text())
    assert found["macro_f1"]["mean"] == pytest.approx(accepted["macro_f1"]["mean"], abs=0.01)
    assert found["parameters"] <= 100_000
    assert found["coverage"] == 1.0
