"""Pulse waves: beats where the heart put them, and honest words where there is no pulse."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from measured import known, measure, of_arrays, of_board, stream, why

from firmware_bridge.virtual.ppg import Heart
from hil.measure.continuity import Continuity
from hil.measure.portions import portions, readings
from hil.measure.pulses import Pulses
from hil.recording.reader import Recording

Float = npt.NDArray[np.float64]
PEAK = 0.22
"""Where in a beat the virtual heart has its systolic peak."""


def found_in(path: Path) -> Float:
    """Return the times of the beats of the first channel, seconds by sample numbers."""
    with Recording(path) as recording:
        pulses, continuity = Pulses(2, 100.0), Continuity()
        for part in portions(recording, "ppg", "ppg"):
            pulses.add(readings(part), part.numbers / 100.0, continuity.split(part))
        pulses.finish()
        return pulses.channels[0].table()[:, 0]


@pytest.mark.parametrize(("seed", "bpm"), [(1, 48), (2, 72), (3, 130)])
def test_beats_are_found_where_the_heart_put_them(tmp_path: Path, seed: int, bpm: int) -> None:
    path = of_board(tmp_path / "a.mcap", "ppg", 150, seed=seed, bpm=bpm, noise=0.05)
    beats = Heart(seed, bpm, 40.0).beats(150.0)
    truth = beats[:-1] + PEAK * np.diff(beats)
    found = found_in(path)
    inside = truth[(truth > 1.0) & (truth < 148.5)]
    nearest = np.array([found[np.argmin(np.abs(found - one))] - one for one in inside])
    assert np.mean(np.abs(nearest) < 0.05) > 0.99
    assert abs(len(found[(found > 1.0) & (found < 148.5)]) - len(inside)) <= 2
    made = measure(path)
    rate, low, high = known(made, "stream.ppg.ppg.ir.heart_rate")
    true_rate = 60 / float(np.median(np.diff(beats[(beats > 0) & (beats < 150)])))
    assert low - 0.3 <= true_rate <= high + 0.3
    assert rate == pytest.approx(true_rate, rel=0.02)


def test_perfusion_noise_and_agreement_of_the_two_colours(tmp_path: Path) -> None:
    made = measure(of_board(tmp_path / "a.mcap", "ppg", 120, seed=4, perfusion=2.0))
    place = "stream.ppg.ppg"
    assert known(made, f"{place}.ir.perfusion")[0] == pytest.approx(2.0, rel=0.1)
    assert known(made, f"{place}.red.perfusion")[0] == pytest.approx(2.0 * (110 - 97) / 25, rel=0.12)
    assert known(made, f"{place}.red.beat_agreement")[0] > 99
    delay, low, high = known(made, f"{place}.red.beat_delay")
    assert low - 2 <= 0 <= high + 2
    assert abs(delay) < 2
    assert known(made, f"{place}.ir.motion_artefacts")[0] < 3
    noisy = measure(of_board(tmp_path / "b.mcap", "ppg", 120, seed=4, perfusion=2.0, noise=0.3))
    quiet, loud = (known(one, f"{place}.ir.signal_to_noise") for one in (made, noisy))
    assert quiet[1] > loud[2]
    assert "lowers the readings" in made[f"{place}.ir.beats"].condition


def pulse(seconds: float, bpm: float, rate: float = 100.0, seed: int = 1) -> Float:
    t = np.arange(round(seconds * rate)) / rate
    phase = (t * bpm / 60) % 1
    wave = np.exp(-(((phase - 0.25) / 0.1) ** 2) / 2) + 0.3 * np.exp(-(((phase - 0.55) / 0.1) ** 2) / 2)
    noisy: Float = 500 + 40 * wave + np.random.default_rng(seed).normal(0, 0.5, len(t))
    return noisy


def test_motion_counts_as_artefact(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    wave = pulse(120, 66)
    wave[3000:5400] += 200 * np.convolve(rng.normal(size=2400), np.ones(20) / 20, "same")
    what = stream("ppg", ["green"], ["count"], 100.0)
    made = measure(of_arrays(tmp_path / "a.mcap", {what: wave[:, None]}))
    share, low, high = known(made, "stream.b.ppg.green.motion_artefacts")
    assert share == pytest.approx(20, abs=7)
    assert low < 20 < high
    assert known(made, "stream.b.ppg.green.heart_rate")[0] == pytest.approx(66, rel=0.01)
    assert "no second channel" in why(made, "stream.b.ppg.green.beat_agreement")


def test_noise_is_no_pulse_and_an_ac_coupled_wave_has_no_perfusion(tmp_path: Path) -> None:
    what = stream("ppg", ["ir", "red"], ["count"] * 2, 100.0)
    noise = 500 + np.random.default_rng(3).normal(0, 5, 6000)
    made = measure(of_arrays(tmp_path / "a.mcap", {what: np.stack([noise, pulse(60, 80) - 510], 1)}))
    for key in ("beats", "heart_rate", "perfusion", "signal_to_noise", "motion_artefacts"):
        assert "no regular pulse" in why(made, f"stream.b.ppg.ir.{key}")
    assert "AC coupled" in why(made, "stream.b.ppg.red.perfusion")
    assert "the reference ir shows no regular pulse" in why(made, "stream.b.ppg.red.beat_agreement")
    assert known(made, "stream.b.ppg.red.heart_rate")[0] == pytest.approx(80, rel=0.01)


def test_a_kind_can_be_said_and_a_slow_stream_shows_no_pulse(tmp_path: Path) -> None:
    what = stream("x", ["a"], ["V"], 10.0)
    path = of_arrays(tmp_path / "a.mcap", {what: pulse(60, 70, 10.0)[:, None]})
    assert not measure(path).find("beats")
    made = measure(path, kinds={"b/x": "ppg"})
    assert "too slow" in why(made, "stream.b.x.a.heart_rate")
