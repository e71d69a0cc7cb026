"""The drift watch on readings made by a formula: what it calls, when, and whom it leaves in peace."""

import numpy as np
import pytest
from drift_people import HOP, LOOK, NAMES, RATE, UNITS, session, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.drift.bank import Bank
from hil.drift.change import Rules, Sums
from hil.drift.looks import Layout, features, longest_run, may_stick
from hil.drift.reference import Reference
from hil.drift.scores import learn_scores
from hil.drift.suspicions import MOST, Suspicions
from hil.drift.verdict import FINE, MODEL, SENSOR, WAITING
from hil.drift.watch import Watch, look


def test_before_the_first_whole_window_nobody_is_blamed(reference: Reference) -> None:
    watch = Watch(reference)
    shown(watch, session(20, 1.5))
    assert (watch.state().verdict, watch.state().looks) == (WAITING, 0)


def test_an_unseen_person_is_fine(reference: Reference) -> None:
    for person in (20, 21, 22):
        watch = Watch(reference)
        shown(watch, session(person, 120))
        assert watch.verdict == FINE
        assert watch.counts[SENSOR] == 0


BIAS, GAIN = np.float32(1.5), np.float32(3.0)


def well(values: np.ndarray) -> np.ndarray:
    return values


def biased(values: np.ndarray) -> np.ndarray:
    return values + BIAS * (np.arange(4) == 2)


def gained(values: np.ndarray) -> np.ndarray:
    return values * np.where(np.arange(4) == 3, GAIN, 1)


def noisy(values: np.ndarray) -> np.ndarray:
    return values + 0.4 * np.random.default_rng(1).standard_normal((len(values), 1)) * (np.arange(4) == 0)


def stuck(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(4) == 1, values[0], values)


def swapped(values: np.ndarray) -> np.ndarray:
    return values[:, [1, 0, 2, 3]]


@pytest.mark.parametrize(
    ("fault", "kind", "channels"),
    [
        (biased, "bias", ("wx",)), (gained, "gain", ("wy",)), (noisy, "noise", ("ax",)), (stuck, "stuck", ("ay",)),
        (swapped, "swap", ("ax", "ay")),
    ],
)  # fmt: skip
def test_a_sensor_that_becomes_different_is_named_with_channel_and_kind(
    reference: Reference, fault: object, kind: str, channels: tuple[str, ...]
) -> None:
    watch = Watch(reference)
    shown(watch, session(20, 60))
    assert watch.verdict == FINE
    shown(watch, fault(session(20, 40, seed=1)), 60.0)  # type: ignore[operator]
    alarm = next(change for change in watch.changes if change.verdict == SENSOR)
    assert alarm.t_ns <= 85e9
    found = watch.state().finding
    assert found is not None
    assert (found.kind, found.channels) == (kind, channels)
    assert 50e9 <= found.since_ns <= alarm.t_ns
    assert all(name in found.sentence for name in channels)


def test_a_bias_is_told_with_its_size(reference: Reference) -> None:
    watch = Watch(reference)
    shown(watch, session(20, 60))
    shown(watch, biased(session(20, 60, seed=1)), 60.0)
    found = watch.state().finding
    assert found is not None
    assert found.amount == pytest.approx(float(BIAS), rel=0.35)
    assert found.unit == "rad/s"


def test_a_movement_that_nobody_showed_is_not_called_a_sensors_fault(reference: Reference) -> None:
    watch = Watch(reference)
    shown(watch, session(20, 60))
    t = np.arange(round(60 * RATE)) / RATE
    strange = np.stack([2.0 * np.sin(2 * np.pi * (2 + at) * t + at) + 0.5 * at for at in range(4)], axis=1)
    shown(watch, strange.astype(np.float32), 60.0)
    assert watch.verdict == MODEL
    assert watch.counts[SENSOR] == 0


def test_scores_that_are_unlike_all_others_on_readings_as_in_training_mean_the_model(reference: Reference) -> None:
    chance = np.random.default_rng(0)
    sure = {str(who): [np.array([[[8.0, 0.0]], [[0.0, 8.0]]] * 20) + 0.3 * chance.standard_normal((40, 1, 2))]
            for who in range(4)}  # fmt: skip
    scores = learn_scores(sure, 1.0, LOOK / RATE / 3600, 0, network="this")
    watch = Watch(reference.model_copy(update={"scores": scores}), "this")
    for at, row in enumerate([*[[8.0, 0.2]] * 80, *[[0.1, 0.0]] * 80]):
        hop = session(20, 90)[at * HOP : (at + 1) * HOP]
        watch.take(hop, at, np.array(row))
        if at == 79:
            assert watch.verdict == FINE
    assert (watch.verdict, watch.counts[SENSOR]) == (MODEL, 0)
    found = watch.state().finding
    assert found is not None
    assert found.kind == "scores"


def test_scores_of_another_network_are_not_judged_and_it_says_so(reference: Reference) -> None:
    rows = {str(who): [np.random.default_rng(who).standard_normal((20, 2, 3))] for who in range(4)}
    scores = learn_scores(rows, 1.0, 0.001, 0, network="old")
    watch = Watch(reference.model_copy(update={"scores": scores}), "new")
    shown(watch, session(20, 10))
    assert "another network" in watch.state().scores_known
    assert watch.state().embedding is None


def test_a_verdict_does_not_depend_on_how_samples_came_and_a_gap_costs_one_window(reference: Reference) -> None:
    whole, cut = Watch(reference), Watch(reference)
    readings = biased(session(20, 60))
    shown(whole, readings)
    for low in range(0, len(readings) - 99, 100):
        cut.take(readings[low : low + 100], round((low + 100) / RATE * 1e9))
    assert whole.changes == cut.changes
    assert whole.state() == cut.state()
    broken = Watch(reference)
    broken.take(readings[:75], 0)
    broken.take(readings[75:100], 0, reset=True)
    assert broken.state().looks == 0


def numbers_one_by_one(reference: Reference, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Suspicions, runs and oddness of one look by the plain formulas, one number after another."""
    suspected = Suspicions.of(
        reference.layout, np.array(reference.centre), np.array(reference.spread), reference.matrix()
    )
    look = suspected.standard(features(readings[None], reference.layout))
    far = look[0] @ suspected.precision @ look[0]
    turned = [suspected.standard(turn.sign * features(readings[None], reference.layout)[0][turn.order])
              for turn in suspected.turns]  # fmt: skip
    ratios = np.clip([0.5 * (far - one @ suspected.precision @ one) for one in turned], -MOST, MOST)
    return np.concatenate((suspected.filters @ look[0], ratios)), longest_run(readings), far


def test_many_looks_in_one_call_say_what_the_plain_formulas_say_of_each(reference: Reference) -> None:
    bank = Bank(reference)
    stretches = np.stack([fault(session(20, 2)) for fault in (well, biased, gained, noisy, stuck, swapped)])
    suspicions, odd = bank.suspected.of_looks(bank.suspected.standard(features(stretches, reference.layout)))
    shortest = int(bank.longest.min())
    for at, readings in enumerate(stretches):
        plain, runs, far = numbers_one_by_one(reference, readings)
        np.testing.assert_allclose(suspicions[at], plain, atol=1e-9)
        assert odd[at] == pytest.approx(far)
        assert may_stick(readings[None], shortest)[0] or (runs <= bank.longest).all()


@settings(max_examples=100)
@given(st.integers(2, 80), st.integers(0, 80), st.integers(1, 40), st.integers(0, 2**31))
def test_no_run_of_equal_readings_is_overlooked(length: int, at: int, beyond: int, seed: int) -> None:
    readings = np.random.default_rng(seed).standard_normal((1, 100, 2))
    readings[0, at : at + length, 1] = 3.0
    if (longest_run(readings[0]) > beyond).any():
        assert may_stick(readings, beyond)[0]


@settings(max_examples=4)
@given(st.data())
def test_a_verdict_does_not_depend_on_who_is_looked_at_with_it(reference: Reference, data: st.DataObject) -> None:
    """Eight boards that come due in any company, against each by itself: the same to the last bit."""
    faults = (well, biased, gained, noisy, stuck, swapped, well, biased)
    readings = [np.concatenate((session(20 + at, 8), fault(session(20 + at, 40, seed=1))))
                for at, fault in enumerate(faults)]  # fmt: skip
    bank = Bank(reference)
    together, alone = [Watch(reference, bank=bank) for _ in faults], [Watch(reference) for _ in faults]
    late = [data.draw(st.integers(0, 3)) for _ in faults]
    for turn in range(len(readings[0]) // HOP):
        due = []
        for at, watch in enumerate(together):
            low = (turn - late[at]) * HOP
            if low >= 0 and watch.hold(readings[at][low : low + HOP], turn):
                due.append(watch)
            if low >= 0:
                alone[at].take(readings[at][low : low + HOP], turn)
        look(due)
    assert [watch.changes for watch in together] == [watch.changes for watch in alone]
    assert [watch.state() for watch in together] == [watch.state() for watch in alone]
    assert sum(len(watch.changes) for watch in together) >= 4


def test_readings_that_are_no_numbers_are_not_looked_at(reference: Reference) -> None:
    watch = Watch(reference)
    watch.take(np.full((LOOK, 4), np.nan, np.float32), 0)
    assert watch.state().looks == 0


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 20))
def test_a_look_of_wrongly_mounted_axes_is_the_turned_look(seed: int, which: int) -> None:
    readings = np.random.default_rng(seed).standard_normal((1, 50, 4)) + np.array([1.0, -2.0, 0.5, 0.0])
    layout = Layout(NAMES, UNITS, (1.0, 1.0, 1.0, 1.0))
    turns = layout.turns()
    turn = turns[which % len(turns)]
    at = [NAMES.index(name) for name in turn.channels]
    wrong = readings.copy()
    if len(at) == 2:
        wrong[..., at] = readings[..., at[::-1]]
    else:
        wrong[..., at[0]] *= -1
    made = turn.sign * features(wrong, layout)[0][turn.order]
    np.testing.assert_allclose(made, features(readings, layout)[0], atol=1e-9)


def test_the_ratio_of_a_turn_is_how_much_nearer_to_training_the_turned_look_is(reference: Reference) -> None:
    suspected = Suspicions.of(
        reference.layout, np.array(reference.centre), np.array(reference.spread), reference.matrix()
    )
    look = features(session(20, 2)[None], reference.layout)[0]
    own = suspected.standard(look)
    _, ratios, odd = suspected.parts(own[None])
    assert odd[0] == pytest.approx(own @ suspected.precision @ own)
    for turn, ratio in zip(suspected.turns, ratios[0], strict=True):
        turned = suspected.standard(turn.sign * look[turn.order])
        assert ratio == pytest.approx(0.5 * (odd[0] - turned @ suspected.precision @ turned), rel=1e-6, abs=1e-6)


def test_a_screen_that_asks_again_before_the_next_look_is_told_the_same_and_then_the_new(reference: Reference) -> None:
    watch = Watch(reference)
    shown(watch, session(20, 10))
    first = watch.state()
    assert watch.state() is first
    shown(watch, stuck(session(20, 2, seed=1)), 10.0)
    assert (watch.state().verdict, watch.state().looks) == (SENSOR, first.looks + 1)


def test_a_sum_begins_where_the_change_was_and_ends_where_calm_returns() -> None:
    ones = np.ones(1)
    sums = Sums(Rules(ones, 0 * ones, 10 * ones, np.array([True]), 0.5 * ones, 6 * ones, 2 * ones))
    chance = np.random.default_rng(0)
    quiet = [float(sums.take(chance.standard_normal(1) * 0.3)[0]) for _ in range(100)]
    assert max(quiet) < 0.3
    loud = [float(sums.take(2.0 + chance.standard_normal(1) * 0.3)[0]) for _ in range(10)]
    assert loud[-1] >= 1.0
    assert sums.age(0) == pytest.approx(10, abs=1)


def test_a_wearer_who_differs_for_good_is_got_to_know() -> None:
    ones = np.ones(1)
    rules = Rules(ones, 2 * ones, 12 * ones, np.array([True]), 0.75 * ones, 6 * ones, 2 * ones)
    stranger, known = Sums(rules), Sums(rules)
    chance = np.random.default_rng(1)
    assert max(float(stranger.take(1.5 + 0.5 * chance.standard_normal(1))[0]) for _ in range(200)) < 1.0
    for _ in range(100):
        known.take(0.5 * chance.standard_normal(1))
    assert max(float(known.take(3.0 + 0.5 * chance.standard_normal(1))[0]) for _ in range(20)) >= 1.0


def test_the_longest_run_counts_repeats_without_a_break() -> None:
    readings = np.array([[1, 1], [1, 2], [1, 2], [3, 2], [3, 5]], np.float32)
    assert longest_run(readings).tolist() == [2, 2]
    assert longest_run(np.arange(6, dtype=np.float32).reshape(3, 2)).tolist() == [0, 0]
