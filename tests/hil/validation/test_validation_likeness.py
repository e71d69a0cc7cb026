"""Generated readings are measured against real ones: copies are found, and what differs is told in decibels."""

import numpy as np
import pytest

from firmware_bridge.errors import UsageError
from hil.models.datasets import Series
from hil.validation.likeness import curves_of, neighbours, spread_db

RATE, WINDOW = 50.0, 64


def people(names: str, seed: int, gain: float = 1.0) -> list[Series]:
    """One label; everybody repeats a movement of their own, never twice the same."""
    chance = np.random.default_rng(seed)
    found = []
    for name in names:
        phase = 2 * np.pi * np.cumsum(1.2 + 0.1 * chance.standard_normal(800)) / RATE
        wave = gain * np.stack((np.sin(phase), np.cos(2 * phase)), 1) + 0.1 * chance.standard_normal((800, 2))
        found.append(Series(name, wave.astype(np.float32), np.zeros(800, np.int64), name))
    return found


def asked(learnt: list[Series], made: list[Series]) -> dict[str, object]:
    return neighbours(learnt, people("xy", 9), made, WINDOW, np.ones(2), 0)


def test_readings_that_nobody_copied_are_no_nearer_to_those_learnt_from() -> None:
    found = asked(people("abcd", 1), people("ghijkl", 2))
    assert found["copies"] < 0.2  # by the rule, 1 % of repetitions would be copies; few are asked here
    assert found["ratio"] == pytest.approx(1.0, abs=0.15)
    assert found["margin"] == pytest.approx(1.0, abs=0.25)


def test_a_copy_is_found_at_whatever_phase_and_under_noise() -> None:
    learnt = people("abcd", 1)
    noise = np.random.default_rng(3).normal(0, 0.02, (720, 2)).astype(np.float32)
    stolen = [Series("g", learnt[1].values[80:] + noise, learnt[1].labels[80:], "g")]
    found = asked(learnt, stolen)
    assert found["copies"] > 0.9
    assert found["ratio"] < 0.6
    assert found["margin"] < 0.5


def test_twice_the_amplitude_is_six_decibels_of_spectrum_and_of_allan_deviation() -> None:
    one, other = curves_of(people("abc", 1), 1, RATE), curves_of(people("abc", 1, gain=1.0), 1, RATE)
    assert spread_db(np.array(one["psd"]["log10"]), np.array(other["psd"]["log10"]), 10.0) == 0.0
    louder = [Series(s.person, 2 * s.values, s.labels, s.source) for s in people("abc", 1)]
    twice = curves_of(louder, 1, RATE)
    for name, decibel in (("psd", 10.0), ("allan", 20.0)):
        apart = spread_db(np.array(one[name]["log10"]), np.array(twice[name]["log10"]), decibel)
        assert apart == pytest.approx(20 * np.log10(2), abs=1e-3)


def test_a_label_without_a_long_series_is_said() -> None:
    with pytest.raises(UsageError, match="no series of 128 samples"):
        curves_of(people("a", 1), 2, RATE)
