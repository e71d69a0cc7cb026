"""Inertial sensors: noise at rest with intervals that hold, rest told from motion, orientation by vqf."""

import sys
from pathlib import Path

import numpy as np
import pytest
from measured import known, measure, of_arrays, of_board, stream, why

from firmware_bridge.virtual.imu import AxisNoise, allan_deviation

G = 9.80665
AXES = ["ax", "ay", "az", "wx", "wy", "wz"]
UNITS = ["g"] * 3 + ["rad/s"] * 3


def test_the_noise_of_a_virtual_sensor_is_found(tmp_path: Path) -> None:
    made = measure(of_board(tmp_path / "a.mcap", "imu", 240, seed=11, rate=200, walk_ug=200))
    place = "stream.imu.imu"
    assert made[f"{place}.rest"].value == pytest.approx(100, abs=1)
    bit = 8 / 32768
    hits = 0
    for axis in AXES[:3]:
        value, low, high = known(made, f"{place}.{axis}.noise_density")
        hits += low <= 100e-6 <= high
        assert value == pytest.approx(100e-6, rel=0.06)
        walk, _, _ = known(made, f"{place}.{axis}.random_walk")
        assert walk == pytest.approx(value / np.sqrt(2) * G * 60, rel=1e-6)
        value, low, high = known(made, f"{place}.{axis}.rate_random_walk")
        hits += low <= 200e-6 <= high
        truth = float(allan_deviation(AxisNoise(100e-6, 200e-6, bit), 1.0, 200.0))
        value, low, high = known(made, f"{place}.{axis}.deviation_1s")
        hits += low <= truth <= high
    assert hits >= 7
    assert made[f"{place}.ax.noise_density"].unit == "g/sqrt(Hz)"
    assert made[f"{place}.ax.random_walk"].unit == "m/s/sqrt(h)"
    assert made[f"{place}.wx.random_walk"].unit == "deg/sqrt(h)"
    for key in ("modified_1s", "hadamard_1s", "deviation_least"):
        assert made[f"{place}.wz.{key}"].known
    gravity, low, high = known(made, f"{place}.gravity")
    assert low < 1.01
    assert gravity == pytest.approx(1.0, abs=0.01)
    arrays = made.plots["allan.imu.imu.ax"].arrays
    assert {"x", "y", "low", "high", "fit", "white", "rate_random_walk", "modified", "hadamard"} <= arrays.keys()
    assert len(arrays["x"]) == len(arrays["fit"])


@pytest.mark.parametrize("motion", ["swing", "shake"])
def test_a_moving_sensor_has_no_noise_figure(tmp_path: Path, motion: str) -> None:
    made = measure(of_board(tmp_path / "a.mcap", "imu", 60, seed=1, rate=100, range_g=16, motion=motion))
    assert made["stream.imu.imu.rest"].value == 0
    assert "at rest for 0 s" in why(made, "stream.imu.imu.ax.noise_density")
    assert "never at rest" in why(made, "stream.imu.imu.gravity")
    assert made["stream.imu.imu.turned"].known


def still(seconds: float, rate: float = 100.0, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    """Return readings at rest: 100 ug and 5 mdps per root hertz, one-sided."""
    noise = np.array([100e-6] * 3 + [np.radians(5e-3)] * 3) * np.sqrt(rate / 2)
    values = np.random.default_rng(seed).normal(size=(round(seconds * rate), 6)) * noise
    values[:, 2] += 1.0
    return values


def test_only_what_is_at_rest_and_without_a_gap_counts(tmp_path: Path) -> None:
    values = still(300)
    moved = slice(12_000, 15_000)
    t = np.arange(3000) / 100
    values[moved, 3:] += np.sin(2 * np.pi * 1.3 * t)[:, None]
    values[moved, :3] += 0.5 * np.sin(2 * np.pi * 2.1 * t)[:, None]
    gone = [5000, 20_000, 20_001]
    made = measure(of_arrays(tmp_path / "a.mcap", {stream("imu", AXES, UNITS, 100.0): values}, drop=gone))
    assert made["stream.b.imu.rest"].value == pytest.approx(90, abs=1.5)
    for axis, truth in (("ay", 100e-6), ("wy", np.radians(5e-3))):
        figure = made[f"stream.b.imu.{axis}.noise_density"]
        assert figure.value == pytest.approx(truth, rel=0.03)
        assert "in 4 stretches" in figure.condition
    assert made["stream.b.imu.gaps"].value == 2


def test_streams_of_their_own_rest_together_and_give_an_orientation(tmp_path: Path) -> None:
    values = still(120)
    values[6000:8000, 5] += 1.0  # about the vertical: gravity stays where it is
    acc, gyro = stream("acc", ["x", "y", "z"], ["g"] * 3, 100.0), stream("gyro", ["x", "y", "z"], ["rad/s"] * 3, 100.0)
    made = measure(of_arrays(tmp_path / "a.mcap", {acc: values[:, :3], gyro: values[:, 3:]}))
    assert made["stream.b.acc.rest"].value == made["stream.b.gyro.rest"].value == pytest.approx(100 * 5 / 6, abs=2.5)
    drift, low, high = known(made, "stream.b.gyro.heading_drift")
    assert low <= drift <= high
    assert abs(drift) < 1
    assert 0 < known(made, "stream.b.gyro.tilt_noise")[0] < 0.5
    assert set(made.plots["orientation.b.gyro"].arrays) == {"x", "roll", "pitch", "heading"}


def test_a_turn_is_followed(tmp_path: Path) -> None:
    values = still(60)
    values[2000:3000, 5] += np.radians(9.0)
    made = measure(of_arrays(tmp_path / "a.mcap", {stream("imu", AXES, UNITS, 100.0): values}))
    assert made["stream.b.imu.turned"].value == pytest.approx(90, abs=2)


def test_without_vqf_the_figures_say_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vqf", None)
    made = measure(of_arrays(tmp_path / "a.mcap", {stream("imu", AXES, UNITS, 100.0): still(40)}))
    assert "pip install" in why(made, "stream.b.imu.tilt_noise")
    assert made["stream.b.imu.ax.noise_density"].known


@pytest.mark.parametrize("n", [1, 2, 5, 60, 150])
def test_a_few_samples_leave_figures_unknown_and_nothing_fails(tmp_path: Path, n: int) -> None:
    made = measure(of_arrays(tmp_path / "a.mcap", {stream("imu", AXES, UNITS, 100.0): still(2)[:n]}))
    assert "at rest for" in why(made, "stream.b.imu.wz.noise_density")
    assert made["stream.b.imu.ax.maximum"].known
    assert made["stream.b.imu.rate"].known == (n > 1)


def test_a_part_without_samples_is_remarked(tmp_path: Path) -> None:
    made = measure(of_arrays(tmp_path / "a.mcap", {stream("imu", AXES, UNITS, 100.0): still(2)}), start_s=50)
    assert made.facts["remarks"] == ["b/imu has no samples in this part of the recording"]


def test_a_short_rest_is_too_short(tmp_path: Path) -> None:
    made = measure(of_arrays(tmp_path / "a.mcap", {stream("imu", AXES, UNITS, 100.0): still(12)}))
    assert "30 s are needed" in why(made, "stream.b.imu.wx.bias_instability")
    assert known(made, "stream.b.imu.wx.rest_mean")[0] == pytest.approx(0, abs=1e-3)
