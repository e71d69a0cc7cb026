"""The few-shot evaluation: strangers stay strangers, every method is asked the same, chance looks like chance."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kshot_data import CHANNELS, CLASSES, HOP, RATE, UNITS, WINDOW, gestures, npz_of, shots_config

from firmware_bridge.errors import UsageError
from hil.models.datasets import Dataset
from hil.models.kshot.evaluate import Plan, _models, evaluate
from hil.models.kshot.protocol import PROTOCOLS, Episode, episodes_of
from hil.models.kshot.rivals import balanced, by_head, by_neighbour, by_prototype
from hil.models.kshot.statistics import Statistics
from hil.models.nets.choice import ShotsChoice
from hil.models.npz_data import load_npz
from hil.models.training_config import load_config

SHOTS = Path(__file__).resolve().parents[3] / "scenarios" / "models" / "shots.toml"
QUICK = Plan(shots=(5,), triples=2, repeats=2, folds=1)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 4))
def test_examples_and_questions_never_overlap_and_are_of_whom_the_protocol_says(
    seed: int, shots: int, people: int
) -> None:
    chance = np.random.default_rng(seed)
    size = 240
    begin = chance.random(size) * 0.9
    unseen = Statistics(
        np.zeros((size, 1)), chance.integers(0, 3, size), chance.integers(0, people, size).astype(str),
        np.stack((begin, begin + 0.1), 1),
    )  # fmt: skip
    found = [one for one in episodes_of(unseen, (0, 1, 2), shots, 1, chance) if one is not None]
    assert found
    for one in found:
        shown, asked = one.examples.ravel(), one.questions
        assert not set(shown.tolist()) & set(asked.tolist())
        assert (unseen.people[asked] == one.person).all()
        assert (unseen.labels[asked] == one.truth).all()
        assert (unseen.labels[one.examples] == np.arange(3)[:, None]).all()
        if one.protocol == "same":
            assert (unseen.people[shown] == one.person).all()
            assert unseen.place[shown, 1].max() <= 0.5 <= unseen.place[asked, 0].min()
        else:
            assert (unseen.people[shown] != one.person).all()
        if one.protocol == "another":
            assert len(set(unseen.people[shown].tolist())) == 1


def test_every_method_is_right_where_it_is_easy_and_counts_each_class_the_same() -> None:
    chance = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [30, 10, 5])
    points = np.eye(3)[truth] + 0.05 * chance.standard_normal((45, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    examples = np.array([[0, 1], [30, 31], [40, 41]])
    asked = np.setdiff1d(np.arange(45), examples)
    episode = Episode("others", "1", examples, asked, truth[asked])
    for said in (
        by_prototype(points, episode), by_head(points, episode), by_neighbour(points.astype(np.float32), episode)
    ):  # fmt: skip
        assert balanced(said, episode) == 1.0
    assert balanced(np.zeros(len(asked), np.int64), episode) == pytest.approx(1 / 3)


def test_nothing_of_the_people_and_classes_asked_about_has_part_in_the_model() -> None:
    """Their readings are replaced by others: metric, prototypes and threshold stay as they are, to the bit."""
    data, config = gestures(CLASSES, 6), shots_config()
    choice = config.architecture
    assert isinstance(choice, ShotsChoice)
    people, triple = list(data.people), (0, 2, 4)
    away = people[0::2]
    chance = np.random.default_rng(9)
    spoiled = dataclasses.replace(data, series=tuple(
        dataclasses.replace(one, values=chance.standard_normal(one.values.shape).astype(np.float32))
        if one.person in away or one.labels[0] in triple else one for one in data.series
    ))  # fmt: skip
    (_, clean), (_, other) = (next(iter(_models(config, choice, one, people, [triple], 1))) for one in (data, spoiled))
    assert clean.base.points.tobytes() == other.base.points.tobytes()
    assert clean.base.metric.weight.tobytes() == other.base.metric.weight.tobytes()
    found, again = clean.base.open_set, other.base.open_set
    assert (found.threshold, found.sharpness) == (again.threshold, again.sharpness)
    assert set(clean.unseen.people.tolist()) == set(away)
    assert not np.array_equal(clean.unseen.values, other.unseen.values)


def test_the_figures_are_high_where_classes_differ_and_at_chance_where_labels_mean_nothing() -> None:
    data, config = gestures(CLASSES, 6), shots_config()
    lines: list[str] = []
    found = evaluate(config, data, QUICK, lambda share, line: lines.append(line))
    assert len(lines) == 2
    assert [row["protocol"] for row in found["rows"]] == list(PROTOCOLS)
    for row in found["rows"]:
        assert row["low"] <= row["accuracy"] <= row["high"]
        assert row["accuracy"] >= 0.9
        assert row["worst_triple"] <= row["accuracy"] + 1e-9
    figures = {row["name"]: row["value"] for row in found["open_set"]}
    assert figures["old_after"] >= figures["old_before"] - 0.1
    assert figures["auroc"] >= 0.7
    taken = [row["value"] for row in found["strangers"]]
    assert {row["label"] for row in found["strangers"]} <= set(CLASSES)
    assert min(taken) <= figures["false_accept"] <= max(taken)
    assert evaluate(config, data, QUICK) == found
    chance = np.random.default_rng(2)
    labels = chance.permutation([int(one.labels[0]) for one in data.series])
    mixed: Dataset = dataclasses.replace(data, series=tuple(
        dataclasses.replace(one, labels=np.full(len(one.labels), label))
        for one, label in zip(data.series, labels.tolist(), strict=True)
    ))  # fmt: skip
    (row,) = [one for one in evaluate(config, mixed, QUICK)["rows"] if one["protocol"] == "others"]
    assert 0.1 <= row["accuracy"] <= 0.6


def test_what_cannot_be_measured_is_refused_in_a_sentence() -> None:
    tcn = shots_config().model_copy(update={"architecture": load_config(SHOTS.with_name("exercise.toml")).architecture})
    with pytest.raises(UsageError, match="architecture tcn learns no class from examples"):
        evaluate(tcn, gestures(CLASSES, 6), QUICK)
    with pytest.raises(UsageError, match="3 people and 4 classes"):
        evaluate(shots_config(), gestures(people=3), QUICK)


def test_the_verb_prints_one_object_and_writes_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hil.cli import app

    npz_of(gestures(CLASSES, 4), tmp_path / "hands.npz")
    config = tmp_path / "hands.toml"
    config.write_text(
        f'schema = 1\nname = "hands"\nwindow = {WINDOW}\nhop = {HOP}\n[data.npz]\nfile = "hands.npz"\n'
        f'units = {json.dumps(UNITS)}\nrate_hz = {RATE}\n[architecture]\nname = "shots"\nepisodes = 0\n'
    )
    out = tmp_path / "hands.json"
    app(["kshot", str(config), "--quick", "--shots", "1", "-o", str(out), "--json", "-q"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(out.read_text())
    assert [(row["shots"], row["protocol"]) for row in found["rows"]] == [(1, name) for name in PROTOCOLS]
    assert found["rivals"] == ["neighbour", "head"]
    app(["kshot", str(config), "--quick", "--shots", "1"], standalone_mode=False)
    said = capsys.readouterr()
    assert "ours" in said.out
    assert "auroc" in said.out
    assert "called known" in said.out
    with pytest.raises(UsageError, match="never overwritten"):
        app(["kshot", str(config), "-o", str(out)], standalone_mode=False)
    assert len(CHANNELS) == 3


@pytest.mark.data
@pytest.mark.slow
def test_three_new_exercises_are_learnt_from_five_examples_of_unseen_people(shared_data: Path) -> None:
    """The bars: 0.80 with examples of other people, 0.90 with examples of the same person, over 12 triples."""
    config = load_config(SHOTS)
    assert config.data.npz is not None
    found = evaluate(config, load_npz(config.data.npz, shared_data), Plan(shots=(5,), triples=12, repeats=5))
    rows = {row["protocol"]: row for row in found["rows"]}
    assert min(row["episodes"] for row in rows.values()) >= 600
    assert rows["others"]["accuracy"] >= 0.80
    assert rows["same"]["accuracy"] >= 0.90
    assert min(one["value"] for one in (rows["others"]["gain"]["neighbour"], rows["same"]["gain"]["neighbour"])) > 0
