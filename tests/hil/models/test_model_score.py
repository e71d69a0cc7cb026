"""Figures of decisions: what is missing is an error, what has no truth is left out and counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from hil.models.datasets import NONE, window_truth
from hil.models.score import MISSED, calibration_error, macro_f1, score


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_macro_f1_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    truth, said = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    assert macro_f1(truth, said, 5) == pytest.approx(f1_score(truth, said, average="macro", zero_division=0))


def test_a_missed_decision_is_an_error_and_one_without_truth_is_excluded() -> None:
    truth = np.array([0, 0, 1, 1, NONE])
    said = np.array([0, MISSED, 1, 1, 1])
    found = score(truth, said, np.array([1.0, 0.0, 1.0, 1.0, 1.0]), ["p", "p", "q", "q", "q"], 2)
    assert found.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert found.accuracy == 0.75
    assert (found.coverage, found.decisions, found.excluded) == (0.75, 4, 1)
    assert found.people == {"p": pytest.approx(2 / 3), "q": 1.0}
    assert found.worst_person == "p"
    assert found.ece == 0.0  # of the decisions made


def test_calibration_error_of_known_bins() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    right = np.array([True] * 9 + [False] + [True] * 5 + [False] * 5)
    assert calibration_error(right, confidence) == pytest.approx(0.05)
    assert calibration_error(np.ones(4, bool), np.ones(4)) == 0.0


def test_truth_of_a_window_is_the_label_of_at_least_half_of_it() -> None:
    labels = np.array([0] * 5 + [NONE] * 4 + [1] * 5)
    ends = np.arange(4, 15)
    expected = [0, 0, 0, 0, NONE, NONE, NONE, 1, 1, 1, 1]
    assert window_truth(labels, ends, 4, 2).tolist() == expected
    half = np.array([0, 0, 1, 1])
    assert window_truth(half, np.array([4]), 4, 2).tolist() == [1]  # half each: the later one


@settings(max_examples=40)
@given(st.lists(st.integers(-1, 3), min_size=1, max_size=40), st.integers(1, 9))
def test_truth_agrees_with_counting(labels: list[int], window: int) -> None:
    ends = np.arange(window, len(labels) + 1)
    found = window_truth(np.array(labels), ends, window, 4)
    for end, label in zip(ends.tolist(), found.tolist(), strict=True):
        inside = labels[end - window : end]
        most = [index for index in range(4) if 2 * inside.count(index) >= window]
        assert label == NONE if not most else label in most
