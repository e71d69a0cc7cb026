"""Judging the watch: who is judged is in nothing that judges, faults are seeded, and every figure has its interval."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.errors import UsageError
from hil.drift.learn import LEAST_PEOPLE
from hil.models.data_config import DataConfig, NpzLayout
from hil.models.datasets import Dataset, Series
from hil.models.nets.choice import TcnChoice
from hil.models.training_config import TrainConfig
from hil.validation.driftfolds import rotation
from hil.validation.driftscore import DriftPlan, drift_score

NAMES, UNITS = ("ax", "ay", "wx", "wy"), ("g", "g", "rad/s", "rad/s")


def dataset(people: int) -> Dataset:
    """Two movements, three times each, of people who differ a little."""
    series = []
    for person in range(people):
        chance = np.random.default_rng(person)
        for at in range(6):
            t = np.arange(1500) / 50.0
            swing, turn = np.sin(5.0 * t * chance.uniform(0.95, 1.05)), np.cos(5.0 * t)
            one = (0.5 + 0.3 * swing, 0.1 * turn, turn, 0.3 * swing)
            two = (0.4 * turn, -0.6 + 0.1 * swing, 0.4 * swing, -turn)
            values = np.stack(two if at % 2 else one, axis=1) * chance.uniform(0.95, 1.05)
            values += 0.03 * chance.standard_normal(values.shape)
            series.append(
                Series(str(person), values.astype(np.float32), np.full(1500, at % 2, np.int64), f"{person}.{at}")
            )
    return Dataset(tuple(series), NAMES, UNITS, 50.0, ("one", "two"))


def config() -> TrainConfig:
    data = DataConfig(npz=NpzLayout(file="unused.npz", units=UNITS, rate_hz=50.0))
    return TrainConfig(name="swings", window=100, hop=50, data=data)


def test_faults_that_nobody_can_miss_are_found_by_name_in_unseen_people_and_the_same_again() -> None:
    plan = DriftPlan(folds=1, kinds=("stuck", "swap"), scores=False, classes=False)
    kept: list[object] = []
    found = drift_score(config(), dataset(6), plan, kept=kept.append)
    assert found["folds"] == [["0", "1"]]
    assert kept == [found]
    assert [row["kind"] for row in found["rows"]] == ["stuck", "swap"]
    for row in found["rows"]:
        assert row["tries"] + row["alarmed_before"] == (8 if row["kind"] == "stuck" else 4)
        assert row["recall"]["value"] == 1.0
        assert row["recall"]["low"] < 1.0
        assert row["right_channel"] == 1.0
        assert row["right_kind"] >= (1.0 if row["kind"] == "stuck" else 0.5)
        assert row["delay_median_s"] <= 10.0
    alarms = found["false_alarms"]["sensor"]
    assert alarms["hours"] == pytest.approx(2 * 6 * 14 * 2 / 3600, rel=0.05)
    assert alarms["low"] <= alarms["per_hour"] <= alarms["high"]
    assert drift_score(config(), dataset(6), plan) == found


def test_a_judgement_that_was_cut_goes_on_from_the_networks_of_its_folds(tmp_path: Path) -> None:
    training = config().training.model_copy(update={"epochs": 1})
    small = config().model_copy(update={"training": training, "architecture": TcnChoice(channels=4, dilations=(1,))})
    people = dataset(8)
    short = replace(people, series=tuple(replace(one, values=one.values[:400], labels=one.labels[:400])
                                         for at, one in enumerate(people.series) if at % 6 < 4))  # fmt: skip
    plan = DriftPlan(folds=1, kinds=("swap",), classes=False, most_s=8.0)
    first = drift_score(small, short, plan, keep=tmp_path)
    (parts,) = first["parts"]
    assert parts["scores_judged"], "scores of fewer than three people raise no alarm, and would not be judged"
    assert len(parts["scores_of"]) >= LEAST_PEOPLE
    groups = [set(parts[name]) for name in ("judged", "scores_of", "trained_on")]
    assert all(a.isdisjoint(b) for a, b in combinations(groups, 2))
    assert set.union(*groups) == set(short.people)
    assert set(parts["readings_of"]) == set(short.people) - groups[0]
    (kept,) = tmp_path.iterdir()
    made = kept.stat().st_mtime_ns
    assert kept.name == "swings-0-0-1-2-3-4-5.hilmodel"
    assert drift_score(small, short, plan, keep=tmp_path) == first
    assert kept.stat().st_mtime_ns == made
    with pytest.raises(UsageError, match="--keep"):
        drift_score(config(), short, plan, keep=tmp_path)


@pytest.mark.parametrize("count", range(8, 14))
def test_everybody_is_judged_once_and_nobody_has_two_parts_in_a_fold(count: int) -> None:
    people = [str(at) for at in range(count)]
    folds = rotation(people, scores=True)
    assert sorted(one for fold in folds for one in fold.judged) == sorted(people)
    for fold in folds:
        assert sorted((*fold.judged, *fold.strangers, *fold.taught)) == sorted(people)
        assert set(fold.unmet) == {*fold.judged, *fold.strangers}
        assert len(fold.strangers) >= LEAST_PEOPLE
        assert len(fold.taught) >= 2


def test_too_few_people_are_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="4 people"):
        drift_score(config(), dataset(4), DriftPlan(scores=False))
    with pytest.raises(UsageError, match=r"6 people.*--no-scores"):
        drift_score(config(), dataset(6), DriftPlan())
