"""Delays between streams to a part of a sample, with intervals that cover; readings at common times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from hil.dsp.align import common_times, delay, resample

RATE = 50.0
FINE = 20


def _pair(seed: int, twentieths: int, n: int = 4000, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth series and a noisy copy that comes so many twentieths of a sample later."""
    rng = np.random.default_rng(seed)
    smooth = sosfiltfilt(butter(4, 0.02, output="sos"), rng.standard_normal(n * FINE + 40_000))
    smooth /= smooth.std()
    first = smooth[20_000::FINE][:n]
    second = smooth[20_000 - twentieths :: FINE][:n]
    return first + noise * rng.standard_normal(n), 3.0 * (second + noise * rng.standard_normal(n)) - 7.0


@settings(max_examples=20)
@given(st.integers(0, 100), st.integers(-4000, 4000))
def test_the_delay_is_found_between_samples(seed, twentieths):
    found = delay(*_pair(seed, twentieths), RATE)
    assert found.known
    assert found.seconds == pytest.approx(twentieths / FINE / RATE, abs=0.05 / RATE)
    assert found.correlation > 0.9


def test_its_interval_covers_the_truth():
    covered = 0
    for seed in range(60):
        found = delay(*_pair(seed, 133), RATE)
        covered += found.low <= 133 / FINE / RATE <= found.high
        assert found.high - found.low < 0.1 / RATE
    assert covered >= 52


@settings(max_examples=10)
@given(st.integers(0, 50), st.integers(-500, 500))
def test_swapping_the_streams_turns_the_delay_around(seed, twentieths):
    a, b = _pair(seed, twentieths)
    assert delay(a, b, RATE).seconds == pytest.approx(-delay(b, a, RATE).seconds, abs=0.01 / RATE)


def test_a_stream_upside_down_is_still_aligned():
    a, b = _pair(1, 70)
    found = delay(a, -b, RATE)
    assert found.seconds == pytest.approx(3.5 / RATE, abs=0.05 / RATE)
    assert found.correlation < -0.9


def test_unrelated_streams_have_no_known_delay():
    rng = np.random.default_rng(2)
    known = sum(delay(rng.standard_normal(2000), rng.standard_normal(2000), RATE).known for _ in range(100))
    slow = sum(delay(_pair(k, 0, 2000)[0], _pair(k + 500, 0, 2000)[0], RATE).known for k in range(40))
    assert known <= 2
    assert slow <= 2
    nothing = delay(np.zeros(100), np.zeros(100), RATE)
    assert not nothing.known
    assert np.isnan(nothing.seconds)


def test_readings_between_readings_are_on_the_line_and_none_in_gaps():
    t = np.array([0, 10, 20, 30, 100, 110], np.int64)
    x = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 11.0])
    at = np.array([-5, 0, 5, 25, 30, 60, 100, 105, 110, 111], np.int64)
    np.testing.assert_array_equal(resample(t, x, at), [np.nan, 0, 0.5, 2.5, 3, np.nan, 10, 10.5, 11, np.nan])
    np.testing.assert_array_equal(resample(t, x[:, None] * [1, 2], at)[2], [0.5, 1.0])
    assert resample(t, x, at, gap_ns=100)[5] == pytest.approx(6.0)
    assert np.isnan(resample(t[:1], x[:1], at)).all()


def test_two_streams_meet_at_the_slower_ones_rate():
    fast, slow = np.arange(0, 1_000_000_000, 1_000_000), np.arange(200_000_000, 2_000_000_000, 20_000_000)
    both = common_times(fast, fast / 1e9, slow, slow / 1e9)
    assert both.rate_hz == pytest.approx(50.0)
    assert both.t_ns[0] == 200_000_000
    np.testing.assert_allclose(both.first, both.second, atol=1e-9)
    with pytest.raises(ValueError, match="same time"):
        common_times(fast, fast, fast + 10**12, fast)


def test_what_cannot_be_aligned_is_told():
    with pytest.raises(ValueError, match="equally long"):
        delay(np.zeros(100), np.zeros(99), RATE)
