"""Figures of trust: each is right where the truth is known by construction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom as scipy_binom

from hil.models.datasets import NONE
from hil.models.evaluate import Decisions
from hil.models.score import MISSED, macro_f1
from hil.validation.calibration import calibration_figures, fit_temperature, reliability, tempered
from hil.validation.conformal import METHODS, label_sets, threshold
from hil.validation.neighbours import nearest
from hil.validation.selective import risk_coverage
from hil.validation.spread import draws_of, figure_draws, interval, sums_of
from hil.validation.summary import summarise
from hil.validation.trials import Trial
from hil.validation.versus import paired


def honest(count: int, seed: int, sharp: float = 1.0, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and truths drawn from them; then the probabilities at a temperature of 1 / sharp."""
    chance = np.random.default_rng(seed)
    scores = chance.dirichlet(np.full(classes, 0.5), count)
    truth = (scores.cumsum(axis=1) > chance.random((count, 1))).argmax(axis=1)
    return tempered(scores, 1 / sharp), truth


@pytest.mark.parametrize("sharp", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found_and_taken_out(sharp: float) -> None:
    scores, truth = honest(20_000, 1, sharp)
    found = fit_temperature(scores, truth)
    assert found == pytest.approx(sharp, rel=0.05)
    assert calibration_figures(tempered(scores, found), truth)["ece_corrected"] < 0.006  # type: ignore[operator]


def test_the_corrected_error_of_a_calibrated_model_is_near_nothing_where_the_plain_one_is_not() -> None:
    plain, corrected, rms = [], [], []
    for seed in range(40):
        figures = calibration_figures(*honest(150, seed))
        plain.append(figures["ece"])
        corrected.append(figures["ece_corrected"])
        rms.append((figures["rms_corrected"] or 0.0) ** 2)
    assert np.mean(plain) > 0.06  # type: ignore[arg-type]
    assert np.mean(corrected) < 0.65 * np.mean(plain)  # type: ignore[arg-type]
    assert np.mean(rms) < 0.004


def test_a_wrong_model_stays_wrong_when_chance_is_taken_off() -> None:
    scores, truth = honest(5000, 3, sharp=4.0)
    figures = calibration_figures(scores, truth)
    assert figures["ece_corrected"] == pytest.approx(figures["ece"], abs=0.01)
    bins = reliability(scores, truth)
    assert sum(one["count"] for one in bins) == 5000


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), level=st.sampled_from([0.8, 0.9]), method=st.sampled_from(METHODS))
def test_conformal_sets_hold_the_truth_as_often_as_promised_when_nothing_changed(
    seed: int, level: float, method: str
) -> None:
    scores, truth = honest(3000, seed, sharp=3.0)  # a promise that does not need calibrated scores
    limit = threshold(scores[:1500], truth[:1500], level, method, seed)
    sets = label_sets(scores[1500:], limit, method, seed + 1)
    assert sets[np.arange(1500), truth[1500:]].mean() == pytest.approx(level, abs=0.055)


def test_too_few_decisions_for_a_promise_give_every_label() -> None:
    scores, truth = honest(5, 0)
    for method in METHODS:
        assert label_sets(scores, threshold(scores, truth, 0.9, method, 0), method, 1).all()


def test_risk_falls_to_nothing_where_the_surest_are_right_and_what_was_not_decided_is_wrong_and_last() -> None:
    right = np.array([True] * 6 + [False] * 2 + [True, False])
    sure = np.array([0.9, 0.95, 0.8, 0.85, 0.7, 0.75, 0.3, 0.2, 0.1, -1.0])
    found = risk_coverage(right, sure)
    assert found["coverage_at_5_percent"] == 0.6
    assert found["risk"][-1] == pytest.approx(0.3)
    best = risk_coverage(right, right.astype(float))
    assert best["excess_aurc"] == pytest.approx(0.0)
    assert found["excess_aurc"] > 0
    assert risk_coverage(np.zeros(0, bool), np.zeros(0))["aurc"] is None


def decisions(seed: int, people: str, better: float = 0.0, count: int = 120) -> Decisions:
    """Decisions of three classes about people of one letter each; the later in the alphabet, the harder."""
    chance = np.random.default_rng(seed)
    who = tuple(chance.permutation(list(people * count))[: count * len(people)])
    truth = chance.integers(0, 3, len(who))
    ease = np.array([3.0 - 0.4 * (ord(name) - ord("a")) for name in who]) + better
    logits = chance.standard_normal((len(who), 3))
    logits[np.arange(len(who)), truth] += ease
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth[:10] = NONE
    predicted = scores.argmax(axis=1)
    predicted[10:20] = MISSED
    scores[10:20] = np.nan
    return Decisions(truth, predicted, np.nan_to_num(scores.max(axis=1)), who, 4, scores)


def test_sums_of_groups_give_the_figures_of_all_decisions_and_missed_ones_are_wrong() -> None:
    one = decisions(0, "abcd")
    found = sums_of(one, "abcd", 3)
    known = one.truth != NONE
    whole = draws_of(4, 0)[:1]
    score = one.score(3)
    assert figure_draws([found], whole, "macro_f1")[0] == pytest.approx(
        macro_f1(one.truth[known], one.predicted[known], 3)
    )
    assert figure_draws([found], whole, "accuracy")[0] == pytest.approx(score.accuracy)
    assert figure_draws([found], whole, "ece")[0] == pytest.approx(score.ece)
    made = known & (one.predicted != MISSED)
    figures = calibration_figures(one.scores[made], one.truth[made])
    assert figure_draws([found], whole, "brier")[0] == pytest.approx(figures["brier"])


def test_intervals_draw_whole_groups_and_follow_their_seed() -> None:
    found = sums_of(decisions(0, "abcdefgh"), "abcdefgh", 3)
    first, again, other = (interval(figure_draws([found], draws_of(8, seed), "accuracy")) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first[1] < first[0] < first[2]
    alike = sums_of(decisions(0, "a" * 8), "a", 3)
    value, low, high = interval(figure_draws([alike], draws_of(1, 0), "accuracy"))
    assert value == low == high  # one group says nothing of others


def test_a_better_model_is_better_an_equal_one_the_same_and_each_row_has_an_interval() -> None:
    people = "abcdefghij"
    base, better, equal = (
        [sums_of(decisions(0, people, more), people, 3)] for more in (0.0, 1.0, 0.0)
    )  # fmt: skip
    rows = {row["name"]: row for row in paired(base, better, 10)}
    assert {rows[name]["verdict"] for name in ("macro_f1", "accuracy", "brier")} == {"better"}
    assert rows["macro_f1"]["low"] > 0 > rows["brier"]["high"]
    assert {row["verdict"] for row in paired(base, equal, 10)} == {"same within noise"}
    assert {row["verdict"] for row in paired(better, base, 10) if row["name"] != "ece"} == {"worse"}


@pytest.mark.parametrize("people", ["ab", "abcde"])
def test_few_people_give_no_verdict_however_alike_they_are(people: str) -> None:
    base, better = ([sums_of(decisions(0, people, more), people, 3)] for more in (0.0, 3.0))
    rows = paired(base, better, len(people))
    assert {row["verdict"] for row in rows} == {"too few to tell"}
    assert min(row["p"] for row in rows) >= 2.0 ** (1 - len(people))
    assert rows[0]["low"] > 0  # the interval of so few is too narrow to be believed


def test_alike_models_are_told_apart_no_oftener_than_promised() -> None:
    people, tries = "abcdefg", 40
    false = 0
    for seed in range(tries):
        a, b = ([sums_of(decisions(2 * seed + side, people), people, 3)] for side in (0, 1))
        false += any(row["verdict"] != "same within noise" for row in paired(a, b, len(people)))
    assert false <= scipy_binom.ppf(0.999, tries, 0.05)


def test_a_summary_says_who_is_served_worst_and_fits_nothing_on_whom_it_judges() -> None:
    trials = [Trial(0, (name,), decisions(ord(name), name)) for name in "abcd"]
    found = summarise(trials, ("A", "B", "C"))
    assert found["worst_group"] == "d"
    assert len(found["calibration"]["temperatures"]) == 4
    assert "other folds" in found["calibration"]["how"]
    assert found["missed"] == found["excluded"] == 40
    assert [one["support"] for one in found["classes"]] == np.sum(found["confusion"], axis=1).tolist()
    assert all(0.8 < one["coverage"] <= 1 for one in found["conformal"])
    # What is said of one person does not change when that person's labels do, but for the person's own figures.
    spoiled = [*trials[:3], Trial(0, ("d",), decisions(ord("d"), "d", -9.0))]
    assert summarise(spoiled, ("A", "B", "C"))["calibration"]["temperatures"][3] == pytest.approx(
        found["calibration"]["temperatures"][3]
    )
    alone = summarise(trials[:1], ("A", "B", "C"))
    assert alone["calibration"]["after"] is None
    assert "nothing" in alone["calibration"]["how"]
    assert alone["figures"]["macro_f1"]["low"] is None
    assert {one["coverage"] for one in alone["conformal"]} == {None}


def test_neighbours_of_the_same_group_are_nearer_where_groups_differ() -> None:
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 2, 400)
    who = [name for name in "abcd" for _ in range(100)]
    place = {name: 10 * at for at, name in enumerate("abcd")}
    values = np.array([[place[name] + label, label] for name, label in zip(who, truth, strict=True)], float)
    values += 0.01 * chance.standard_normal(values.shape)
    found = nearest(values, truth, who)
    assert found["ratio"] > 20
    assert found["within"]["same_label"] > 0.98
    twins = nearest(np.repeat(values[:50], 2, axis=0), np.repeat(truth[:50], 2), ["a", "b"] * 50)
    assert twins["between"]["median"] == 0  # a copy on the other side
