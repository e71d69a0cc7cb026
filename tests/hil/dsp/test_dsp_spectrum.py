"""Spectra of known signals: density, lines, mains and its aliases, coherence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from hil.dsp.spectrum import coherence, mains_name, noise_density, peaks, welch

RATE = 200.0


def _noise(seed: int, n: int = 40_000, density: float = 0.01) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n) * density * np.sqrt(RATE / 2)


def test_it_is_scipys_welch():
    x = np.random.default_rng(0).standard_normal((5000, 2))
    spectrum = welch(x, RATE, 512)
    frequency, density = signal.welch(x, RATE, "hann", 512, axis=0, detrend="constant")
    np.testing.assert_array_equal(spectrum.frequency_hz, frequency)
    np.testing.assert_allclose(spectrum.density, density, rtol=1e-12)


def test_the_noise_density_and_its_interval():
    inside = 0
    for seed in range(100):
        value, low, high = noise_density(welch(_noise(seed, 10_000), RATE), 5.0, 90.0)
        assert value == pytest.approx(0.01, rel=0.1)
        inside += low < 0.01 < high
    assert inside >= 88


def test_lines_do_not_raise_the_noise_density():
    t = np.arange(40_000) / RATE
    clean, lined = _noise(1), _noise(1) + np.sin(2 * np.pi * 31.7 * t)
    levels = [noise_density(welch(x, RATE), 5, 90)[0] for x in (clean, lined)]
    assert levels[1] == pytest.approx(levels[0], rel=0.02)


@settings(max_examples=20)
@given(st.floats(3.0, 97.0), st.floats(0.01, 10.0))
def test_a_sine_is_found_where_it_is_with_its_amplitude(frequency, amplitude):
    x = amplitude * np.sin(2 * np.pi * frequency * np.arange(40_000) / RATE) + _noise(2, density=amplitude * 0.01)
    found = peaks(welch(x, RATE))
    assert found
    assert found[0].frequency_hz == pytest.approx(frequency, abs=0.02)
    assert found[0].amplitude == pytest.approx(amplitude, rel=0.05)


def test_noise_alone_has_no_peaks():
    assert sum(len(peaks(welch(_noise(seed, 20_000), RATE))) for seed in range(100)) <= 3


@pytest.mark.parametrize(("rate", "seen", "name"), [
    (1000.0, 50.0, "50 Hz mains"), (1000.0, 60.02, "60 Hz mains"), (1000.0, 150.0, "50 Hz mains, harmonic 3"),
    (100.0, 40.0, "alias of 60 Hz (60 Hz mains)"), (104.0, 46.0, "alias of 150 Hz (50 Hz mains, harmonic 3)"),
    (1000.0, 77.0, ""), (100.0, 12.3, "")])  # fmt: skip
def test_mains_and_its_aliases_are_named(rate, seen, name):
    assert mains_name(seen, rate, 0.05) == name


def test_a_mains_line_in_the_data_is_named():
    t = np.arange(60_000) / 104.0
    x = 0.05 * np.sin(2 * np.pi * 60.01 * t) + np.random.default_rng(3).standard_normal(len(t)) * 0.1
    found = peaks(welch(x, 104.0))
    assert [peak.name for peak in found] == ["alias of 60 Hz (60 Hz mains)"]
    assert found[0].frequency_hz == pytest.approx(104 - 60.01, abs=0.02)


def test_coherence_of_related_and_unrelated_series():
    common, rng = _noise(4), np.random.default_rng(5)
    related = coherence(common + 0.1 * _noise(6), common, RATE)
    unrelated = coherence(rng.standard_normal(40_000), common, RATE)
    assert np.median(related.coherence) > 0.95
    assert 0.02 < np.mean(unrelated.coherence[1:-1] > unrelated.limit) < 0.1


def test_what_has_no_spectrum_is_told():
    with pytest.raises(ValueError, match="8 finite"):
        welch(np.arange(4.0), 1.0)
    with pytest.raises(ValueError, match="gaps"):
        welch([1.0, np.nan] * 20, 1.0)
    with pytest.raises(ValueError, match="equally long"):
        coherence(np.zeros(100), np.zeros(99), 1.0)
    assert np.isnan(noise_density(welch(_noise(0), RATE), 200, 300)[0])
