"""Noise terms are found with intervals that cover the truth, and `unknown` is said where they cannot be."""

import math
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from firmware_bridge.virtual.imu import PARAMETERS, allan_deviation, axes, make
from firmware_bridge.virtual.parameters import read_parameters
from hil.dsp.allan import deviation
from hil.dsp.noisefit import FACTORS, NoiseFit, fit_noise
from hil.dsp.noisespectrum import noise_spectrum

RATE = 100.0


def _readings(
    seed: int, n: int = 100_000, *, white=0.0, walk=0.0, quantisation=0.0, flicker=0.0, ramp=0.0
) -> np.ndarray:
    """Return readings with these coefficients, made in the time domain (flicker by its long filter)."""
    rng = np.random.default_rng(seed)
    x = white * math.sqrt(RATE) * rng.standard_normal(n) + walk / math.sqrt(RATE) * np.cumsum(rng.standard_normal(n))
    x += quantisation * RATE * np.diff(rng.standard_normal(n + 1)) + ramp * np.arange(n) / RATE
    if flicker:
        before = 8 * n
        k = np.arange(1, before)
        filter_ = np.concatenate([[1.0], np.cumprod((k - 0.5) / k)])
        size = 2 * before
        drawn = np.fft.rfft(rng.standard_normal(before), size) * np.fft.rfft(filter_, size)
        x += flicker * np.fft.irfft(drawn, size)[before - n : before]
    return x


def _virtual(seed: int, n: int, rate: float) -> tuple[np.ndarray, tuple]:
    """Return what the virtual board reads `(n, 6)` in its units, and the truth of its two sensors."""
    given_ = {"seed": str(seed), "rate": str(rate)}
    sensor = make(given_)._streams.feeds[0].sensor
    return sensor.raw(0, n) * np.array(sensor.stream.scale), axes(read_parameters("imu", given_, PARAMETERS))


def _verdicts(seed: int, n: int, rate: float) -> list[tuple[bool, bool | None]]:
    """Return for one accelerometer and one gyroscope axis whether density and walk (None: unknown) are covered."""
    readings, truths = _virtual(seed, n, rate)
    found = []
    for axis, truth in ((seed % 3, truths[0]), (3 + seed % 3, truths[1])):
        fit = fit_noise(noise_spectrum(readings[:, axis], rate), least_bit=truth.least_bit)
        _, low, high = fit.density
        walk = fit["rate_random_walk"]
        found.append((low <= truth.density <= high, walk.low <= truth.walk <= walk.high if walk.known else None))
    return found


def _coverage(seeds: int, n: int, rate: float, jobs: int) -> dict[str, tuple[int, int]]:
    """Return by parameter how many of how many seeds' intervals cover the truth."""
    job = partial(_verdicts, n=n, rate=rate)
    if jobs > 1:
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            all_ = list(pool.map(job, range(seeds), chunksize=10))
    else:
        all_ = [job(seed) for seed in range(seeds)]
    counts = {}
    for index, sensor in enumerate(("accelerometer", "gyroscope")):
        for place, name in enumerate(("density", "walk")):
            known = [verdicts[index][place] for verdicts in all_ if verdicts[index][place] is not None]
            counts[f"{sensor} {name}"] = sum(known), len(known)
    return counts


def test_intervals_cover_the_virtual_boards_truth():
    """Forty seeds: what 95 % intervals would fall below once in a million times is not accepted."""
    for name, (covered, known) in _coverage(40, 120_000, 200.0, 1).items():
        assert known >= 36, name
        assert binom.cdf(covered, known, 0.95) > 1e-6, (name, covered, known)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_95_percent_intervals_cover_95_percent_of_300_seeds():
    for n, rate in ((600_000, 1000.0), (360_000, 100.0)):
        for name, (covered, known) in _coverage(300, n, rate, 2).items():
            print(f"{n / rate:.0f} s at {rate:g} Hz, {name}: {covered} of {known} = {covered / known:.3f}")
            assert known >= 297, name
            assert 0.92 <= covered / known <= 0.98, (name, covered, known)


def test_the_fitted_curve_is_the_virtual_boards_curve():
    readings, truths = _virtual(5, 200_000, 200.0)
    fit = fit_noise(noise_spectrum(readings[:, 3], 200.0), least_bit=truths[1].least_bit)
    tau = np.array([0.005, 0.05, 0.5, 5.0, 50.0])
    np.testing.assert_allclose(fit.allan(tau), allan_deviation(truths[1], tau, 200.0), rtol=0.15)
    np.testing.assert_allclose(fit.allan(tau[:3]), deviation(readings[:, 3], 200.0, taus=tau[:3]).deviation, rtol=0.03)


TRUTHS = {
    "white": {"white": 0.04},
    "rate_random_walk": {"white": 0.04, "walk": 0.006},
    "quantisation": {"white": 0.02, "quantisation": 0.01},
    "bias_instability": {"white": 0.02, "flicker": 0.02},
    "rate_ramp": {"white": 0.04, "ramp": 1e-4},
}
VALUES = {"rate_random_walk": "walk", "bias_instability": "flicker", "rate_ramp": "ramp"}


@pytest.mark.parametrize("name", TRUTHS)
def test_each_term_is_told_from_the_others(name):
    covered = known = spurious = 0
    for seed in range(20):
        fit = fit_noise(noise_spectrum(_readings(seed, **TRUTHS[name]), RATE))
        term = fit[name]
        truth = TRUTHS[name][VALUES.get(name, name)]
        known += term.known
        covered += term.low <= truth <= term.high
        spurious += sum(other.known for other in fit.terms if other.name not in (name, "white"))
    assert known >= 19
    assert covered >= 15  # fewer come by chance once in ten thousand times
    assert spurious <= 3


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3), st.floats(-50, 50))
def test_terms_scale_with_the_readings_and_ignore_their_level(scale, offset):
    x = _readings(1, 20_000, white=0.04, walk=0.01)
    one, other = (fit_noise(noise_spectrum(y, RATE)) for y in (x, x * scale + offset))
    for a, b in zip(one.terms, other.terms, strict=True):
        assert a.known == b.known
        if a.known:
            assert b.value == pytest.approx(a.value * scale, rel=1e-4)
            assert b.high == pytest.approx(a.high * scale, rel=1e-2)


def test_what_the_length_does_not_show_is_unknown_with_an_upper_bound():
    below = 0
    for seed in range(20):
        fit = fit_noise(noise_spectrum(_readings(seed, 20_000, white=0.04, walk=1e-4), RATE))
        term = fit["rate_random_walk"]
        assert fit["white"].known
        if not term.known:
            assert math.isnan(term.value)
            assert term.low == 0.0
            assert np.isnan(term.allan(1.0))
            below += term.high > 1e-4
    assert below >= 17


def test_rounding_is_no_white_noise_of_the_sensor():
    step, white = 0.5, 0.04
    x = np.rint(_readings(3, 400_000, white=white) / step) * step
    without = fit_noise(noise_spectrum(x, RATE))
    told = fit_noise(noise_spectrum(x, RATE), least_bit=step)
    assert told["white"].low < white < told["white"].high
    assert without["white"].low > white


def test_stretches_between_gaps_add_up():
    x = _readings(4, 90_000, white=0.04, walk=0.003)
    parts = [noise_spectrum(piece, RATE) for piece in np.split(x, [20_000, 50_000])]
    whole, pieces = fit_noise(noise_spectrum(x, RATE)), fit_noise(parts[0] + parts[1] + parts[2])
    assert pieces.samples == pytest.approx(whole.samples, abs=200)
    assert pieces["white"].value == pytest.approx(whole["white"].value, rel=0.005)
    assert pieces["rate_random_walk"].low < 0.003 < pieces["rate_random_walk"].high
    with pytest.raises(ValueError, match="each alone"):
        _ = parts[0] + noise_spectrum(x, 2 * RATE)


def test_a_line_is_left_out_and_a_low_pass_filter_is_kept_below():
    x = _readings(5, 200_000, white=0.04)
    lined = x + 0.3 * np.sin(2 * np.pi * 8.2 * np.arange(len(x)) / RATE)
    fit = fit_noise(noise_spectrum(lined, RATE))
    assert fit.left_out >= 1
    assert fit["white"].value == pytest.approx(0.04, rel=0.01)
    smooth = np.convolve(x, np.ones(4) / 4, "valid")
    filtered = fit_noise(noise_spectrum(smooth, RATE))
    assert filtered.band_hz[1] < 20.0
    assert filtered["white"].value == pytest.approx(0.04, rel=0.04)
    assert filtered["white"].low < filtered["white"].value < filtered["white"].high


def test_what_says_nothing_about_noise_is_told():
    with pytest.raises(ValueError, match="256 or more"):
        noise_spectrum(np.zeros(100), RATE)
    with pytest.raises(ValueError, match="NaN"):
        noise_spectrum(np.full(1000, np.nan), RATE)
    with pytest.raises(KeyError):
        fit_noise(noise_spectrum(_readings(6, 1000, white=1.0), RATE))["pink"]


def test_flat_readings_end_in_a_fit_that_knows_nothing_more():
    fit: NoiseFit = fit_noise(noise_spectrum(np.ones(5000), RATE))
    assert [term.name for term in fit.terms] == list(FACTORS)
    assert not any(term.known for term in fit.terms)


@pytest.mark.data
def test_a_real_gyroscope_at_rest(shared_data):
    """Its low-pass filter begins near 10 Hz: white noise is fitted below. 2.45 deg/sqrt(h) is what one reads at 1 s."""
    recorded = np.load(shared_data / "adis16405_static" / "adis16405_imu1.npz")
    step = float(recorded["scale"][0])
    x = recorded["counts"][:, 0] * step
    fit = fit_noise(noise_spectrum(x, 100.0), least_bit=step)
    white, flicker = fit["white"], fit["bias_instability"]
    assert fit.band_hz[1] < 15
    assert 60 * white.value == pytest.approx(2.42, abs=0.02)
    assert white.low < white.value < white.high
    assert white.high / white.low < 1.03
    assert flicker.known
    curve = deviation(x, 100.0, taus=[1.0, 10.0, 100.0])
    np.testing.assert_allclose(fit.allan([1.0, 10.0, 100.0]), curve.deviation, rtol=0.06)
    assert 60 * float(fit.allan(1.0)) == pytest.approx(2.45, rel=0.01)
