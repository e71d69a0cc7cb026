"""Robust figures of readings with known faults."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.dsp.robust import histogram, outliers, quantisation, saturation, spread, stuck


def _codes(seed: int, n: int = 50_000, sigma: float = 20.0) -> np.ndarray:
    return np.rint(np.random.default_rng(seed).standard_normal(n) * sigma)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_spread_moves_and_scales_with_the_readings(seed, scale, offset):
    x = np.random.default_rng(seed).standard_normal(500)
    one, other = spread(x), spread(x * scale + offset)
    assert other.median == pytest.approx(one.median * scale + offset, abs=1e-9 * max(1, abs(offset), scale))
    assert other.sigma == pytest.approx(one.sigma * scale, rel=1e-6, abs=1e-9)


def test_spread_is_that_of_the_many_not_of_the_few():
    x = np.random.default_rng(0).standard_normal(20_000)
    x[:200] = 1e6
    assert spread(x).sigma == pytest.approx(1.0, rel=0.05)
    assert np.isnan(spread([]).median)


def test_single_spikes_are_outliers_and_honest_signals_are_not():
    x = _codes(1)
    spiked = x.copy()
    spiked[[500, 700, 40_000]] += [400, -300, 350]
    assert outliers(spiked).tolist() == [500, 700, 40_000]
    assert len(outliers(x)) == 0
    t = np.arange(10_000)
    assert len(outliers(1000 * np.sin(t / 30) + np.random.default_rng(2).standard_normal(10_000))) == 0
    assert len(outliers(np.where(t > 5000, 100.0, 0.0) + np.random.default_rng(3).standard_normal(10_000) * 0.5)) == 0
    assert len(outliers(np.zeros(100))) == 0


def test_a_stuck_stretch_is_found_in_place():
    x = _codes(4)
    x[1000:1080] = x[1000]
    runs = stuck(x)
    assert len(runs.start) == 1
    assert abs(runs.start[0] - 1000) <= 1
    assert 80 <= runs.length[0] <= 82
    assert runs.share == pytest.approx(80 / len(x), rel=0.05)


def test_a_quiet_converter_is_not_stuck():
    assert len(stuck(_codes(5, sigma=0.4)).start) == 0
    assert len(stuck(_codes(6)).start) == 0
    assert stuck(np.zeros(1000)).share == 1.0


@settings(max_examples=25)
@given(st.floats(1e-5, 10), st.floats(-50, 50))
def test_the_step_of_scaled_readings_is_found(step, offset):
    found = quantisation(_codes(7, 5000, 8.0) * step + offset)
    assert found.step == pytest.approx(step, rel=1e-4)


def test_a_missing_code_is_named():
    x = _codes(8)
    found = quantisation(x[x != 7] * 0.25)
    assert found.step == pytest.approx(0.25)
    assert found.missing_codes == (1.75,)
    assert quantisation(x).missing == 0


def test_only_even_codes_have_a_step_of_two():
    assert quantisation(2 * _codes(9)).step == 2.0


def test_readings_without_a_grid_have_no_step():
    assert np.isnan(quantisation(np.random.default_rng(10).standard_normal(2000)).step)
    assert np.isnan(quantisation(np.ones(50)).step)


def test_saturation_with_and_without_known_ends():
    x = _codes(11)
    cut = np.clip(x, -30, 25)
    guessed, given_ = saturation(cut), saturation(cut, -30, 25)
    assert guessed.low == given_.low == pytest.approx(np.mean(x <= -30))
    assert guessed.high == given_.high == pytest.approx(np.mean(x >= 25))
    assert given_.known
    assert not guessed.known
    assert saturation(x).share == 0.0


@settings(max_examples=25)
@given(st.integers(0, 100), st.floats(0.2, 300), st.integers(5, 100))
def test_every_reading_is_in_one_bin(seed, sigma, bins):
    x = _codes(seed, 3000, sigma)
    made = histogram(x, bins)
    assert made.counts.sum() == len(x)
    assert len(made.edges) == len(made.counts) + 1
    assert len(made.counts) <= max(bins, 2)


def test_histogram_of_codes_is_no_comb_and_knows_its_shape():
    made = histogram(_codes(12, 200_000, 15.0), 50)
    middle = made.counts[len(made.counts) // 4 : 3 * len(made.counts) // 4]
    assert middle.min() > 0.1 * middle.max()
    assert abs(made.skewness) < 0.05
    assert abs(made.kurtosis) < 0.1
