"""What is picked: disagreement, margin, distance, and batches without near-duplicates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.picking.acquire import STRATEGIES, apart, bald, choose, margin, whitened
from hil.picking.learner import learn, softmax
from hil.picking.statistics import statistics


def minds(seed: int, count: int, members: int = 4, classes: int = 3) -> np.ndarray:
    return softmax(3 * np.random.default_rng(seed).standard_normal((members, count, classes)))


def test_bald_is_nothing_where_all_agree_and_one_bit_where_two_sure_minds_contradict() -> None:
    unsure_alike = np.full((4, 1, 2), 0.5)
    contradicting = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert bald(unsure_alike)[0] == pytest.approx(0.0, abs=1e-9)
    assert bald(contradicting)[0] == pytest.approx(np.log(2), abs=1e-9)


def test_a_margin_is_one_at_a_tie_and_nothing_where_one_label_is_sure() -> None:
    assert margin(np.array([[[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]])).tolist() == [1.0, 0.0]


@given(st.integers(0, 1000), st.integers(1, 20))
def test_disagreement_is_never_below_nothing_or_above_that_of_all_labels(seed: int, count: int) -> None:
    found = bald(minds(seed, count))
    assert (found >= 0).all()
    assert (found <= np.log(3) + 1e-9).all()


@settings(max_examples=40)
@given(
    st.sampled_from(list(STRATEGIES)), st.integers(0, 1000), st.integers(2, 40), st.integers(1, 45), st.booleans(),
    st.data(),
)  # fmt: skip
def test_a_batch_has_no_stretch_twice_none_with_a_label_and_is_the_same_by_the_same_seed(
    strategy: str, seed: int, count: int, budget: int, asked: bool, data: st.DataObject
) -> None:
    space = np.random.default_rng(seed).standard_normal((count, 3))
    known = data.draw(st.lists(st.integers(0, count - 1), unique=True))
    members = minds(seed, count) if asked else None
    batch = choose(strategy, space, known, members, budget, seed)
    assert len(set(batch)) == len(batch) == min(budget, count - len(known))
    assert not set(batch) & set(known)
    assert batch == choose(strategy, space, known, members, budget, seed)


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "random"])
@pytest.mark.parametrize("asked", [True, False])
def test_a_batch_holds_no_near_duplicates_while_there_is_anything_else(strategy: str, asked: bool) -> None:
    chance = np.random.default_rng(1)
    # Five pairs of twins among loners: the twins are the ones that are doubted most.
    loners = 10 * chance.standard_normal((20, 3))
    space = np.concatenate((loners, loners[:5] + 1e-3))
    members = minds(2, 25)
    members[:, :5] = members[:, 20:] = np.array([[[0.5, 0.5, 0.0]], [[0.5, 0.0, 0.5]], [[1, 0, 0]], [[0, 1, 0]]])
    batch = choose(strategy, space, [], members if asked else None, 20, 0)
    assert not [row for row in batch if row < 5 and row + 20 in batch]
    assert apart(space) > 2e-3


def test_without_minds_every_strategy_but_chance_is_a_core_set() -> None:
    space = np.random.default_rng(0).standard_normal((30, 4))
    core = choose("coreset", space, [3], None, 8, 5)
    assert all(choose(name, space, [3], None, 8, 5) == core for name in ("margin", "bald", "mixed"))


def test_a_core_set_takes_the_farthest_and_mixed_the_doubtful_among_the_equally_far() -> None:
    line = np.array([[0.0], [1.0], [-5.0], [5.0], [9.0]])
    sure, tie = [1.0, 0.0], [0.5, 0.5]
    members = np.array([[sure, sure, sure, tie, sure]])
    assert choose("coreset", line, [0], members, 2, 0) == [4, 2]
    assert choose("mixed", line, [0], members, 1, 0) == [3]


def test_a_whitened_pool_has_the_same_distances_however_its_columns_are_scaled_and_repeated() -> None:
    values = np.random.default_rng(0).standard_normal((50, 3))
    other = np.concatenate((values * (1.0, 1e3, 1e-3) + 7.0, np.full((50, 1), 4.0)), axis=1)
    spaces = [whitened(one) for one in (values, other)]
    distances = [np.linalg.norm(one[:, None] - one[None], axis=-1) for one in spaces]
    assert np.allclose(*distances)


@settings(max_examples=25)
@given(st.integers(0, 100), st.integers(1, 20), st.integers(4, 60))
def test_numbers_of_a_stretch_are_finite_and_depend_on_no_other(seed: int, channels: int, length: int) -> None:
    windows = np.random.default_rng(seed).standard_normal((5, length, channels)) * 10.0 ** (seed % 5 - 2)
    windows[0, :, 0] = 3.0
    windows[1] = 0.0
    found = statistics(windows)
    assert np.isfinite(found).all()
    assert np.allclose(found[2:3], statistics(windows[2:3]))


def test_heads_learn_what_is_plain_and_disagree_most_where_no_label_is_near() -> None:
    chance = np.random.default_rng(0)
    truth = np.repeat([0, 1], 40)
    pool = np.concatenate((chance.standard_normal((80, 2)) * 0.3 + np.stack((4.0 * truth, 0 * truth), 1), [[2.0, 6.0]]))
    rows = np.arange(0, 80, 4)
    heads = learn(pool, rows, truth[rows], 2, seed=0)
    assert (heads.decide(pool[:80]) == truth).all()
    assert bald(heads.members(pool)).argmax() == 80
    again = learn(pool, rows, truth[rows], 2, seed=0)
    assert (again.weights == heads.weights).all()
