"""What an Allan-like deviation does to scaled, shifted, summed and known series; which averaging times there are."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.dsp.allan import KINDS, adev, deviation, hdev, mdev, oadev, ohdev, tdev, to_phase, totdev
from hil.dsp.averaging import averaging_factors

series = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).standard_normal(300))


@settings(max_examples=30)
@given(series, st.floats(1e-3, 1e3), st.sampled_from(KINDS))
def test_scaling_readings_scales_the_deviation_and_its_bounds(x, scale, kind):
    one, other = deviation(x, 10.0, kind), deviation(x * scale, 10.0, kind)
    np.testing.assert_allclose(other.deviation, one.deviation * scale, rtol=1e-9)
    np.testing.assert_allclose(other.high, one.high * scale, rtol=1e-6)
    np.testing.assert_array_equal(other.count, one.count)


@settings(max_examples=30)
@given(series, st.floats(-100, 100), st.sampled_from(KINDS))
def test_a_constant_changes_nothing(x, constant, kind):
    np.testing.assert_allclose(
        deviation(x + constant, 1.0, kind).deviation, deviation(x, 1.0, kind).deviation, rtol=1e-7
    )


@settings(max_examples=30)
@given(series, st.floats(-1, 1), st.sampled_from(["hdev", "ohdev"]))
def test_a_steady_drift_changes_no_hadamard_deviation(x, slope, kind):
    drifting = x + slope * np.arange(len(x))
    np.testing.assert_allclose(deviation(drifting, 1.0, kind).deviation, deviation(x, 1.0, kind).deviation, rtol=1e-6)


def test_a_ramp_alone_has_the_allan_deviation_of_its_slope():
    curve = oadev(0.25 * np.arange(1000) / 10.0, 10.0)
    np.testing.assert_allclose(curve.deviation, 0.25 * curve.tau_s / np.sqrt(2), rtol=1e-9)


@settings(max_examples=30)
@given(series, st.sampled_from(KINDS))
def test_backwards_and_upside_down_are_the_same(x, kind):
    if kind not in ("adev", "hdev"):  # these begin at the first reading
        np.testing.assert_allclose(
            deviation(x[::-1], 1.0, kind).deviation, deviation(x, 1.0, kind).deviation, rtol=1e-8
        )
    np.testing.assert_allclose(deviation(-x, 1.0, kind).deviation, deviation(x, 1.0, kind).deviation, rtol=1e-9)


def test_variances_of_unrelated_series_add():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal(200_000), np.cumsum(rng.standard_normal(200_000)) * 0.01
    sum_, parts = oadev(a + b, 1.0), [oadev(x, 1.0).deviation ** 2 for x in (a, b)]
    short = sum_.factor <= 1024
    np.testing.assert_allclose(sum_.deviation[short] ** 2, (parts[0] + parts[1])[short], rtol=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_rate_and_its_phase_give_the_same_curve(kind):
    rate = np.random.default_rng(5).standard_normal(500)
    a, b = deviation(rate, 4.0, kind), deviation(to_phase(rate, 4.0), 4.0, kind, data_type="phase")
    np.testing.assert_allclose(a.deviation, b.deviation, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_channels_are_measured_alone(kind):
    x = np.random.default_rng(6).standard_normal((400, 3)) * [1.0, 5.0, 0.1]
    curve = deviation(x, 1.0, kind)
    assert curve.deviation.shape == (len(curve.tau_s), 3)
    for c in range(3):
        alone = deviation(x[:, c], 1.0, kind)
        for own, other in zip(_arrays(curve.channel(c)), _arrays(alone), strict=True):
            np.testing.assert_array_equal(own, other)


def _arrays(curve):
    return curve.tau_s, curve.deviation, curve.low, curve.high, curve.alpha, curve.edf, curve.count


def test_a_few_hundred_starts_per_time_lose_next_to_nothing():
    x = np.random.default_rng(7).standard_normal(100_000)
    full, few = oadev(x, 1.0), oadev(x, 1.0, overlap=128)
    np.testing.assert_array_equal(full.factor, few.factor)
    np.testing.assert_allclose(few.deviation, full.deviation, rtol=0.01)
    np.testing.assert_allclose(few.edf, full.edf, rtol=0.01)
    assert few.count[-1] < full.count[-1] / 50


def test_white_noise_falls_with_the_root_of_the_time_and_its_bounds_cover():
    inside = total = 0
    for seed in range(60):
        curve = oadev(np.random.default_rng(seed).standard_normal(4096), 1.0)
        truth = 1 / np.sqrt(curve.factor)
        good = np.isfinite(curve.low) & (curve.factor <= 512)
        inside += int(np.sum((curve.low <= truth) & (truth <= curve.high) & good))
        total += int(good.sum())
    assert 0.90 <= inside / total <= 0.98


def test_averaging_times_by_name_and_by_hand():
    assert averaging_factors("octave", 1001, 1.0).tolist() == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert averaging_factors("decade", 1001, 1.0).tolist() == [1, 2, 4, 10, 20, 40, 100, 200, 400, 1000]
    assert averaging_factors("all", 6, 1.0).tolist() == [1, 2, 3, 4, 5]
    assert averaging_factors([0.05, 0.1, 0.1, 1.0, 1e9, -1.0], 1000, 10.0).tolist() == [1, 10]
    assert len(averaging_factors("log10", 100_000, 1.0)) > 40
    assert averaging_factors("octave", 1001, 1.0, longest=100).tolist() == [1, 2, 4, 8, 16, 32, 64]


def test_stable32_stops_where_too_few_averages_are_left():
    x = np.random.default_rng(8).standard_normal(1000)
    assert oadev(x, 1.0, stop=True).factor[-1] == 128
    assert totdev(x, 1.0, stop=True).factor[-1] == 256


@settings(max_examples=40)
@given(st.integers(0, 12), st.sampled_from(KINDS))
def test_very_short_series_give_short_or_empty_curves(n, kind):
    curve = deviation(np.arange(float(n)) ** 2, 1.0, kind, taus="all")
    assert len(curve.tau_s) == len(curve.deviation) == len(curve.low)
    assert np.all(curve.count > 1)


def test_shorthands_are_the_kinds():
    x = np.random.default_rng(9).standard_normal(64)
    for shorthand, kind in zip((adev, oadev, mdev, tdev, hdev, ohdev, totdev), KINDS, strict=True):
        assert shorthand(x, 2.0).kind == kind


def test_between_two_times_the_curve_is_interpolated_and_outside_unknown():
    curve = oadev(np.random.default_rng(10).standard_normal(1000), 1.0)
    value, low, high = curve.at(3.0)
    assert curve.deviation[2] < value < curve.deviation[1]
    assert low < value < high
    assert curve.at(4.0)[0] == curve.deviation[2]
    assert np.isnan(curve.at(0.5)[0])


def test_what_cannot_be_measured_is_told():
    with pytest.raises(ValueError, match="NaN"):
        oadev([1.0, np.nan, 2.0, 3.0], 1.0)
    with pytest.raises(ValueError, match="NaN"):
        oadev([1.0, np.inf, 2.0, 3.0], 1.0, data_type="phase")
    with pytest.raises(ValueError, match="take one of"):
        deviation([1.0, 2.0], 1.0, "xdev")
    with pytest.raises(ValueError, match="above 0"):
        oadev([1.0, 2.0], 0.0)
    with pytest.raises(ValueError, match="octave"):
        oadev([1.0, 2.0], 1.0, taus="ninths")
    with pytest.raises(ValueError, match="first axis"):
        oadev(np.zeros((2, 2, 2)), 1.0)


def test_importing_the_package_loads_no_scipy():
    code = (
        "import sys, hil.dsp.allan, hil.dsp.allanstream, hil.dsp.noisefit, hil.dsp.spectrum, hil.dsp.robust, "
        "hil.dsp.bootstrap, hil.dsp.align, hil.dsp.rest; sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
