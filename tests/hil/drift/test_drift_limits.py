"""Where alarms begin: found on people and movements that were left out, and the fewer people the later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.drift.blame import KEPT, History
from hil.drift.bounds import bound, least, quiet, rising_limits
from hil.drift.learn import learn
from hil.drift.leftout import Stretch, middles, sessions
from hil.drift.limits import EXPLAINED, STRANGE
from hil.drift.looks import Layout, features
from hil.drift.reference import Reference
from hil.drift.scores import learn_scores
from hil.drift.verdict import FINE, SENSOR
from hil.drift.watch import Watch

NAMES, UNITS, LOOK, RATE = ("ax", "ay", "wx", "wy"), ("g", "g", "rad/s", "rad/s"), 100, 50.0
LAYOUT = Layout(NAMES, UNITS, (0.4, 0.4, 0.6, 0.7))
WAYS = np.random.default_rng(5).uniform(-0.8, 0.8, (4, 3, 4))  # movement; level, swing and turn; channel


def moved(person: int, movement: int, seconds: float = 24.0) -> np.ndarray:
    """A movement by a person: each has a pace and a size, and carries the sensor a little differently."""
    chance = np.random.default_rng([person, movement])
    who = np.random.default_rng(person)
    t = np.arange(round(seconds * RATE)) / RATE
    pace, size, level = 1 + 0.1 * who.standard_normal(), 1 + 0.1 * who.standard_normal(), 0.05 * who.standard_normal(4)
    swing, turn = np.sin(5.0 * pace * t)[:, None], np.cos(5.0 * pace * t)[:, None]
    still, one, other = WAYS[movement]
    values = still + level + size * (swing * one + turn * other) + 0.05 * chance.standard_normal((len(t), 4))
    return values.astype(np.float32)


def learnt(people: range, movements: tuple[int, ...] = (0, 1, 2, 3), known: bool = True) -> Reference:
    order = [at for _ in range(2) for at in movements]
    shown = {str(who): [moved(who, at) for at in order] for who in people}
    classes = {who: [np.full(len(one), at, np.int64) for at, one in zip(order, parts, strict=True)]
               for who, parts in shown.items()}  # fmt: skip
    found = learn(LAYOUT, shown, LOOK, RATE, classes=classes if known else None)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def reference() -> Reference:
    return learnt(range(6))


def test_a_reference_says_what_left_out_people_and_movements_did_under_its_limits(reference: Reference) -> None:
    said = reference.left_out
    assert said is not None
    assert (said.sessions, said.movements) == (24, 24)
    assert said.strange is not None
    assert said.strange <= STRANGE or reference.explained == EXPLAINED[-1]
    assert 0.0 <= said.sensor <= 0.25
    assert 0.0 <= said.model <= 0.25


def test_people_whom_nobody_met_are_left_in_peace(reference: Reference) -> None:
    for who in range(20, 26):
        watch = Watch(reference)
        for at in (2, 0, 3, 1):
            for low in range(0, 1200, LOOK):
                watch.take(moved(who, at)[low : low + LOOK], low)
        assert (watch.verdict, watch.counts[SENSOR]) == (FINE, 0)


def test_without_classes_nothing_is_said_of_strange_movements() -> None:
    said = learnt(range(4), known=False).left_out
    assert said is not None
    assert (said.movements, said.strange) == (0, None)


def test_a_left_out_person_is_in_no_statistic_that_judges_them() -> None:
    """Whatever one person's readings are, their own filters and spreads are the same."""

    def stretches(odd: float) -> dict[str, list[Stretch]]:
        return {
            str(who): [Stretch(features((moved(who, 0) * (odd if who == 0 else 1.0)).reshape(-1, LOOK, 4), LAYOUT),
                               np.zeros(12, np.int64))]
            for who in range(4)
        }  # fmt: skip

    plain, changed = (sessions(LAYOUT, stretches(odd), 1, 0)[0] for odd in (1.0, 3.0))
    assert plain.person == changed.person == "0"
    np.testing.assert_array_equal(plain.suspected.precision, changed.suspected.precision)
    np.testing.assert_array_equal(plain.within.shape, changed.within.shape)
    others = np.concatenate([one.looks for who, parts in stretches(1.0).items() if who != "0" for one in parts])
    np.testing.assert_allclose(plain.suspected.centre, middles(others)[0])


@given(st.lists(st.floats(0.1, 10.0), min_size=3, max_size=12), st.floats(0.6, 0.95))
def test_a_limit_is_higher_the_surer_one_wants_to_be_and_scales_with_what_was_seen(
    peaks: list[float], chance: float
) -> None:
    seen = np.array(peaks)[:, None]
    found = bound(seen, chance)
    assert found >= np.exp(np.log(seen).mean()) * (1 - 1e-9)
    assert bound(seen, min(chance + 0.04, 0.99)) >= found * (1 - 1e-9)
    assert bound(3.0 * seen, chance) == pytest.approx(3.0 * found)


def test_of_the_same_spread_fewer_people_give_a_higher_limit() -> None:
    few, many = np.exp([[-1.0], [1.0], [0.0]]), np.exp(np.tile([[-1.0], [1.0], [0.0]], (5, 1)))
    assert bound(few, 0.9) > bound(many, 0.9)
    two = np.exp([[0.0], [0.01]])
    assert bound(two, 0.9, (0.8, 7)) > bound(two, 0.9)


def test_a_new_person_stays_below_the_bound_as_often_as_was_asked_for() -> None:
    chance = np.random.default_rng(0)
    held = [chance.standard_normal() <= np.log(bound(np.exp(chance.standard_normal((6, 1))), 0.9)) for _ in range(1500)]
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)


def test_an_hour_with_one_alarm_allowed_is_quiet_more_often_the_shorter_it_is() -> None:
    assert quiet(1.0, 0.1) == pytest.approx(np.exp(-0.1))
    assert quiet(1.0, 0.1) > quiet(1.0, 0.5)


@given(st.integers(0, 40))
def test_bisection_finds_the_least_that_fits(first: int) -> None:
    factors = tuple(float(at) for at in range(33))
    assert least(lambda one: one >= first, factors) == min(first, 32)


@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(1, KEPT), st.integers(0, 2**31))
def test_the_history_gives_the_means_of_the_looks_that_were_added(count: int, age: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    seen, calm = chance.standard_normal((count, 1, 5)), chance.random((count, 1)) < 0.5
    history = History(5, 3)
    history.grow()
    for one, still in zip(seen, calm, strict=True):
        history.add_of(np.array([0]), (one[:, :3], one[:, 3:]), still)
    stood, usual = history.since(np.array([0]), np.array([age]))
    np.testing.assert_allclose(stood[0], seen[-min(age, count) :, 0].mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(usual[0], seen[calm[:, 0], 0, :3].sum(axis=0) / (calm.sum() + 8), atol=1e-9)


def test_scores_of_two_people_are_shown_and_raise_no_alarm(reference: Reference) -> None:
    rows = {str(who): [np.random.default_rng(who).standard_normal((20, 2, 3))] for who in range(2)}
    scores = learn_scores(rows, 1.0, 0.001, 0, network="this")
    watch = Watch(reference.model_copy(update={"scores": scores}), "this")
    for movement in (0, 1, 2, 3):
        for low in range(0, 1200, LOOK):
            watch.take(moved(20, movement)[low : low + LOOK], low, np.array([30.0, -30.0, 30.0]))
    assert (watch.verdict, "fewer than three" in watch.state().scores_known) == (FINE, True)
    assert (watch.state().embedding or 0.0) > 5.0


def rising(*heights: int) -> float:
    """Return the limit of a figure from people who do one odd thing for so many looks."""
    numbers = [[np.repeat([[2.0], [-2.0]], (height, 40 - height), axis=0)] * 2 for height in heights]
    within, between = np.ones((len(heights), 1)), np.zeros((len(heights), 1))
    return float(rising_limits(within, between, numbers, 0.9)[0][0])


def test_how_calm_a_calm_person_is_does_not_raise_the_limits_of_others() -> None:
    calm, calmer = rising(10, 11, 12, 5), rising(10, 11, 12, 0)
    assert calmer < 1.2 * calm
    assert calmer < rising(10, 11, 12, 40)
