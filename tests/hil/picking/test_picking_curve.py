"""What picking saves: labels needed, their interval, and an experiment whose judges stay outside."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from firmware_bridge.errors import BridgeError, UsageError
from hil.cli import app
from hil.models.data_config import load_data_config
from hil.models.datasets import Dataset, Series, load_dataset
from hil.picking.curve import CurvePlan, measure_curve
from hil.picking.needed import Traces, labels_needed, summary_of

KINDS = ("swing", "shake", "rest")
SMALL = CurvePlan(window=40, hop=20, folds=2, inner=2, seeds=1, batch=3, most=12, resamples=50)


def motion(kind: int, seed: int, seconds: float = 12.0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    t = np.arange(round(seconds * 20)) / 20
    hertz, size = ((0.7, 1.0), (2.5, 0.6), (0.1, 0.05))[kind]
    wave = size * np.sin(2 * np.pi * hertz * t + chance.uniform(0, 6))
    return np.stack((wave, np.cos(wave), 0.3 * wave), 1) + 0.1 * chance.standard_normal((len(t), 3))


def made_up(people: int = 4) -> Dataset:
    series = tuple(
        Series(f"{person}", motion(kind, 10 * person + kind).astype(np.float32), np.full(240, kind), f"{person}.{kind}")
        for person in range(people)
        for kind in range(len(KINDS))
    )
    return Dataset(series, ("ax", "ay", "az"), ("g", "g", "g"), 20.0, KINDS)


def confusion(right: float, people: int = 3) -> np.ndarray:
    """Three people of two classes, of whose decisions a share is right."""
    one = np.array([[right, 1 - right, 0], [1 - right, right, 0]]) * 100
    return np.stack([one * (1 + 0.1 * person) for person in range(people)])


def test_labels_needed_lie_on_the_line_between_budgets_and_one_lucky_budget_counts_little() -> None:
    assert labels_needed((10, 20, 30), np.array([0.2, 0.4, 0.6]), 0.5) == pytest.approx(25.0)
    assert labels_needed((10, 20), np.array([0.9, 0.95]), 0.5) == 10.0
    assert labels_needed((10, 20), np.array([0.2, 0.4]), 0.5) == float("inf")
    assert labels_needed((10, 20, 30, 40), np.array([0.2, 0.6, 0.2, 0.6]), 0.55) > 30


def test_a_strategy_that_is_twice_as_quick_needs_half_and_one_that_is_no_other_exactly_as_many() -> None:
    budgets = tuple(range(10, 101, 10))
    slow = np.stack([confusion(0.5 + 0.4 * budget / 100) for budget in budgets])[None]
    quick = np.stack([confusion(0.5 + 0.4 * min(1.0, budget / 50)) for budget in budgets])[None]
    full = confusion(0.9)[None]
    found = summary_of(Traces(budgets, {"random": slow, "same": slow, "quick": quick}, full), 0.95, resamples=100)
    assert found["target_macro_f1"] == pytest.approx(0.95 * 0.9)
    assert found["strategies"]["quick"]["ratio"]["value"] == pytest.approx(0.5, abs=0.01)
    assert [found["strategies"]["same"]["ratio"][key] for key in ("value", "low", "high")] == [1.0, 1.0, 1.0]
    assert found["strategies"]["random"]["ratio"] is None


def test_a_strategy_that_never_gets_there_needs_no_number_of_labels_and_says_so() -> None:
    flat = np.stack([confusion(0.6)] * 3)[None]
    rising = np.stack([confusion(share) for share in (0.5, 0.7, 0.9)])[None]
    found = summary_of(Traces((10, 20, 30), {"random": rising, "flat": flat}, confusion(0.9)[None]), resamples=20)
    assert found["strategies"]["flat"]["needed"]["value"] is None
    assert found["strategies"]["flat"]["draws_that_never_reach"] == 20


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return measure_curve(made_up(), SMALL)


def test_an_experiment_is_the_same_by_the_same_seed(measured: dict[str, Any]) -> None:
    again = measure_curve(made_up(), SMALL)
    assert {**again, "cpu_s": 0} == {**measured, "cpu_s": 0}
    assert again["budgets"] == [3, 6, 9, 12]
    assert again["strategies"]["random"]["macro_f1"][-1] > 0.6


def test_nothing_is_chosen_by_people_who_judge(measured: dict[str, Any]) -> None:
    data = made_up()
    # What the first fold's judges did is called by other names: what its pool chose stays as it was.
    judges = ("0", "1")
    twisted = tuple(
        replace(one, labels=(one.labels + 1) % 3) if one.person in judges else one for one in data.series
    )  # fmt: skip
    before, after = measured["choices"][0], measure_curve(replace(data, series=twisted), SMALL)["choices"][0]
    assert tuple(before["judges"]) == judges
    assert before == after


def test_too_few_people_or_stretches_are_refused() -> None:
    with pytest.raises(UsageError, match="3 people"):
        measure_curve(made_up(3), SMALL)
    with pytest.raises(UsageError, match="are to be labelled"):
        measure_curve(made_up(), replace(SMALL, most=300))


def curve(*arguments: object) -> str:
    said = CliRunner().invoke(app, ["pick", "--curve", *map(str, arguments)])
    if isinstance(said.exception, BridgeError):
        raise said.exception
    assert said.exit_code == 0, said.output
    return said.stdout


def test_the_verb_writes_curves_as_json_and_as_one_page(tmp_path: Path) -> None:
    data = made_up()
    np.savez(
        tmp_path / "made.npz", X=np.concatenate([one.values for one in data.series]),
        length=np.array([240] * len(data.series)), y=np.array([one.labels[0] for one in data.series]),
        subject=np.array([one.person for one in data.series]), y_labels=np.array(KINDS),
        X_labels=np.array(data.channels),
    )  # fmt: skip
    table = tmp_path / "made.toml"
    table.write_text('[data.npz]\nfile = "made.npz"\nunits = ["g", "g", "g"]\nrate_hz = 20.0\n')
    sizes = ("--stretch", 2, "--folds", 2, "--seeds", 1, "--batch", 3, "--most", 9)
    said = curve("--data", table, *sizes, "-o", tmp_path / "curve.json", "--html", tmp_path / "curve.html", "-q")
    assert "mixed" in said
    found = json.loads((tmp_path / "curve.json").read_text())
    assert set(found["strategies"]) == {"random", "margin", "bald", "coreset", "mixed", "chosen"}
    assert found["plan"]["window"] == 40
    page = (tmp_path / "curve.html").read_text()
    assert page.count("<svg") == 2
    assert "labels needed" in page
    with pytest.raises(UsageError, match="never overwritten"):
        curve("--data", table, "-o", tmp_path / "curve.json")
    with pytest.raises(UsageError, match="one labelled dataset and no model"):
        curve("--data", table, "model.hilmodel")


@pytest.mark.data
@pytest.mark.slow
def test_of_watch_exercises_picking_needs_fewer_labels_than_chance_on_people_unseen(shared_data: Path) -> None:
    table = Path(__file__).resolve().parents[3] / "scenarios" / "models" / "exercise.toml"
    found = measure_curve(load_dataset(load_data_config(table), shared_data), CurvePlan())
    assert found["strategies"]["chosen"]["ratio"]["high"] < 1.0
