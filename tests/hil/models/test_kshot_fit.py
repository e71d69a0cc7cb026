"""A model of prototypes: what is fitted, from whom, and what it says of readings that resemble no class."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kshot_data import CLASSES, gesture, gestures, hands, shots_config

from firmware_bridge.errors import UsageError
from hil.models.datasets import Dataset
from hil.models.evaluate import judge
from hil.models.kshot.episodes import accuracy_of, draw, refined
from hil.models.kshot.metric import fit_metric, prototype, unit
from hil.models.kshot.openset import area_under_roc, calibrated
from hil.models.kshot.statistics import Statistics
from hil.models.model import Model
from hil.models.package import Package
from hil.models.train import train
from hil.models.training_config import TrainConfig


@pytest.fixture(scope="module")
def model() -> Package:
    return hands()


def clouds(classes: int, people: int, each: int, seed: int = 0, width: int = 6) -> Statistics:
    """Statistics of classes that differ in their means, with a spread that is far from round."""
    chance = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), people * each)
    who = np.tile(np.repeat(np.arange(people), each), classes)
    turn = np.linalg.qr(chance.standard_normal((width, width)))[0]
    stretch = turn * np.geomspace(5, 0.2, width)[:, None]
    values = (
        3 * chance.standard_normal((classes, width))[labels] + chance.standard_normal((len(labels), width)) @ stretch
    )
    return Statistics(values, labels, who.astype(str), np.zeros((len(labels), 2)))


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_the_spread_inside_the_classes_is_the_same_in_every_direction(seed: int, classes: int) -> None:
    known = clouds(classes, 2, 60, seed)
    metric = fit_metric(known.values, known.labels, 1e-9)
    white = known.values @ metric.weight[:-1].T + metric.bias[:-1]
    for one in known.classes:
        white[known.labels == one] -= white[known.labels == one].mean(axis=0)
    assert np.allclose(white.T @ white / len(white), np.eye(6), atol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_points_do_not_depend_on_the_units_that_statistics_are_in(seed: int) -> None:
    known = clouds(3, 2, 40, seed)
    scale, shift = np.geomspace(0.01, 100, 6), np.arange(6.0)
    one = fit_metric(known.values, known.labels, 0.1).embed(known.values)
    other = fit_metric(known.values * scale + shift, known.labels, 0.1).embed(known.values * scale + shift)
    assert np.allclose(one, other, atol=1e-6)
    assert np.allclose(np.linalg.norm(one, axis=1), 1.0)


def test_classes_without_any_spread_are_no_trouble() -> None:
    values = np.repeat(np.eye(3), 4, axis=0)
    metric = fit_metric(values, np.repeat([0, 1, 2], 4), 0.1)
    assert np.isfinite(metric.embed(values)).all()


@settings(max_examples=20)
@given(st.permutations(range(8)))
def test_a_prototype_does_not_depend_on_the_order_of_its_examples(order: list[int]) -> None:
    points = unit(np.random.default_rng(1).standard_normal((8, 5)))
    assert np.allclose(prototype(points), prototype(points[order]), atol=1e-12)


def test_the_threshold_rejects_about_the_share_that_it_was_asked_to() -> None:
    """The share of known windows on people not met, of other windows of the same distribution."""
    known, more = clouds(4, 6, 60), clouds(4, 6, 60, seed=0)
    for share in (0.05, 0.2):
        found = calibrated(known, 0.1, share)
        metric = fit_metric(known.values, known.labels, 0.1)
        points = np.stack([prototype(metric.embed(known.values[known.labels == one])) for one in known.classes])
        likeness = (metric.embed(more.values) @ points.T).max(axis=1)
        assert float((likeness < found.threshold).mean()) == pytest.approx(share, abs=0.03)
        assert found.windows == (1440, 1440)
        assert 0.5 < found.auroc <= 1.0


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order() -> None:
    assert area_under_roc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert area_under_roc(np.array([1.0]), np.array([1.0, 0.0])) == 0.75
    assert np.isnan(area_under_roc(np.array([1.0]), np.zeros(0)))


def test_episodes_are_kept_only_where_people_and_classes_set_apart_gain_by_them() -> None:
    known = clouds(5, 6, 30)
    found = refined(known, 0.1, 100, seed=1)
    assert (found.change is not None) == (found.after > found.before)
    assert refined(known, 0.1, 0, seed=1).change is None
    assert refined(clouds(3, 6, 30), 0.1, 100, seed=1).change is None  # too few classes to set any apart


def test_an_episode_asks_about_a_person_of_whom_no_example_is() -> None:
    known = clouds(4, 3, 20)
    drawn = draw(known, 50, 3, np.random.default_rng(0))
    asked, shown = known.people[drawn.questions], known.people[drawn.examples]
    assert (asked == asked[:, :1, :1]).all()
    assert (shown != asked[:, :1, :1]).all()
    assert (known.labels[drawn.questions] == known.labels[drawn.examples][:, :, :1]).all()
    perfect = np.eye(4)[known.labels]
    assert accuracy_of(perfect, drawn) == 1.0
    assert accuracy_of(np.random.default_rng(0).standard_normal((len(known), 4)), drawn) == pytest.approx(
        1 / 3, abs=0.1
    )


def test_unseen_people_are_told_apart_and_other_movements_are_unknown(model: Package) -> None:
    assert model.contract.labels == (*CLASSES[:4], "unknown")
    found = judge(model, gestures().of(["6"])).score(4)
    assert found.accuracy >= 0.8
    strange = Model(model).predict(gesture(4, 6))
    assert sum(one.label == "unknown" for one in strange) / len(strange) >= 0.9


def test_the_same_configuration_gives_the_same_model_whatever_the_held_out_people_did(model: Package) -> None:
    data = gestures()
    spoiled = tuple(
        dataclasses.replace(one, values=one.values * (50.0 if one.person == "6" else 1.0)) for one in data.series
    )
    again = train(shots_config(), dataclasses.replace(data, series=spoiled), ["6"])
    assert again.sha256 == model.sha256
    assert train(shots_config(shrinkage=0.2), data, ["6"]).sha256 != model.sha256


def test_the_lineage_says_how_the_unknown_was_found(model: Package) -> None:
    told = model.contract.lineage["open_set"]
    assert told["target_false_reject"] == 0.1
    assert told["people"] == 5
    assert 0.0 <= told["false_accept"] <= 1.0
    assert -1.0 <= told["threshold"] <= 1.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: dataclasses.replace(data, labels=("a", "b", "c", "unknown")), "the data have a class 'unknown'"),
        (lambda data: dataclasses.replace(data, series=data.of(["1"])), "are of one person"),
        (lambda data: dataclasses.replace(data, labels=(*data.labels, "idle")), "samples is labelled idle"),
    ],
)  # fmt: skip
def test_data_that_cannot_make_such_a_model_are_refused_in_a_sentence(change, said: str) -> None:  # type: ignore[no-untyped-def]  # a table of lambdas
    data: Dataset = change(gestures())
    config: TrainConfig = shots_config()
    with pytest.raises(UsageError, match=said):
        train(config, data, [])
