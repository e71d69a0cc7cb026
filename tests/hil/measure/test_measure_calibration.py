"""Calibration of a three-axis sensor: known scale, bias and misalignment are found, with intervals that hold."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from measured import known, measure, of_arrays, stream, why

from hil.measure.calibration import Calibration, free_rotation, six_position

Float = npt.NDArray[np.float64]

SCALE = np.array([1.02, 0.985, 1.007])
BIAS = np.array([0.03, -0.05, 0.012])
ANGLES = np.array([0.8, -0.5, 0.3])
FACES = np.concatenate((np.eye(3), -np.eye(3)))


def sensor() -> Float:
    """Return the sensor matrix: rows of the lengths `SCALE`, pairs 90 degrees plus `ANGLES` apart."""
    xy, xz, yz = np.cos(np.radians(90 + ANGLES))
    x = np.array([1.0, 0, 0])
    y = np.array([xy, np.sqrt(1 - xy**2), 0])
    z_y = (yz - xz * xy) / y[1]
    z = np.array([xz, z_y, np.sqrt(1 - xz**2 - z_y**2)])
    return SCALE[:, None] * np.stack([x, y, z])


def directions(rng: np.random.Generator, n: int) -> Float:
    drawn = rng.normal(size=(n, 3))
    units: Float = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return units


def spread(rng: np.random.Generator, n: int) -> Float:
    """Return directions all around, evenly, turned at random."""
    place = np.arange(n) + 0.5
    up, around = 1 - 2 * place / n, np.pi * (1 + 5**0.5) * place
    flat = np.sqrt(1 - up**2)
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    even: Float = np.stack([flat * np.cos(around), flat * np.sin(around), up], 1) @ turned
    return even


def covered(found: Calibration) -> npt.NDArray[np.bool_]:
    truth = np.concatenate((SCALE, BIAS, ANGLES))
    table = np.concatenate((found.scale, found.bias, found.misalignment_deg))
    return (table[:, 1] <= truth) & (truth <= table[:, 2])


@pytest.mark.parametrize("way", ["six", "free"])
def test_intervals_cover_the_truth_in_95_percent(way: str) -> None:
    hits, wide = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth = np.repeat(FACES, 2, axis=0) if way == "six" else spread(rng, 24)
        readings = truth @ sensor().T + BIAS + rng.normal(0, 5e-4, (len(truth), 3))
        found = six_position(readings) if way == "six" else free_rotation(readings)
        assert found is not None
        hits.append(covered(found))
        wide.append(found.scale[:, 2] - found.scale[:, 1])
    share = float(np.mean(hits))
    assert 0.93 < share < 0.97
    assert np.mean(wide) < 3e-3


def test_what_is_left_is_the_noise_and_readings_are_put_right() -> None:
    rng = np.random.default_rng(1)
    truth = directions(rng, 60)
    readings = truth @ sensor().T + BIAS + rng.normal(0, 1e-3, (60, 3))
    found = free_rotation(readings)
    assert found is not None
    assert found.residual == pytest.approx(1e-3, rel=0.3)
    assert np.linalg.norm(found.correct(readings), axis=1) == pytest.approx(1.0, abs=5e-3)


def test_an_unknown_field_leaves_only_the_mean_scale_open() -> None:
    rng = np.random.default_rng(2)
    readings = 48.0 * directions(rng, 80) @ sensor().T + 20 * BIAS + rng.normal(0, 0.05, (80, 3))
    found = free_rotation(readings, None)
    assert found is not None
    assert found.scale[:, 0] == pytest.approx(SCALE / SCALE.mean(), abs=2e-3)
    assert found.bias[:, 0] == pytest.approx(20 * BIAS, abs=0.1)
    assert found.misalignment_deg[:, 0] == pytest.approx(ANGLES, abs=0.2)


@pytest.mark.parametrize("readings", [FACES[:5], FACES[[0, 0, 1, 1, 2, 2]], np.ones((20, 3))])
def test_too_few_faces_determine_nothing(readings: Float) -> None:
    assert six_position(readings) is None


def test_attitudes_on_a_circle_determine_nothing() -> None:
    angle = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    assert free_rotation(circle) is None
    assert free_rotation(directions(np.random.default_rng(3), 8)) is None


def poses(path: Path, attitudes: Float, seconds: float = 6.0) -> Path:
    """Record an accelerometer that rests in one attitude after the other and is turned between."""
    rng = np.random.default_rng(4)
    rate, parts = 100.0, []
    for one in attitudes:
        parts.append(np.tile(one, (round(seconds * rate), 1)))
        t = np.arange(150) / rate
        parts.append(np.stack([np.sin(9 * t), np.cos(7 * t), np.sin(5 * t + 1)], 1))
    values = np.concatenate(parts) @ sensor().T + BIAS + rng.normal(0, 2e-3, (sum(map(len, parts)), 3))
    return of_arrays(path, {stream("acc", ["x", "y", "z"], ["g"] * 3, rate): values})


def test_a_recording_of_six_faces_calibrates(tmp_path: Path) -> None:
    made = measure(poses(tmp_path / "a.mcap", FACES))
    assert made["stream.b.acc.poses"].value == 6
    for place, channel in enumerate("xyz"):
        value, low, high = known(made, f"stream.b.acc.{channel}.scale_error")
        assert value == pytest.approx(100 * (SCALE[place] - 1), abs=0.1)
        assert low < value < high
        assert known(made, f"stream.b.acc.{channel}.bias")[0] == pytest.approx(BIAS[place], abs=1e-3)
    assert known(made, "stream.b.acc.x~y.misalignment")[0] == pytest.approx(ANGLES[0], abs=0.1)
    assert "six positions" in made["stream.b.acc.calibration_residual"].condition
    assert 60 < (made["stream.b.acc.rest"].value or 0) < 90


def test_a_recording_of_many_attitudes_calibrates_without_a_fixture(tmp_path: Path) -> None:
    made = measure(poses(tmp_path / "a.mcap", spread(np.random.default_rng(5), 30), seconds=4.0))
    assert "free rotation" in made["stream.b.acc.calibration_residual"].condition
    for place, channel in enumerate("xyz"):
        assert known(made, f"stream.b.acc.{channel}.bias")[0] == pytest.approx(BIAS[place], abs=2e-3)


def test_a_recording_of_three_faces_says_what_to_show(tmp_path: Path) -> None:
    made = measure(poses(tmp_path / "a.mcap", FACES[:3]))
    assert "each of the six faces" in why(made, "stream.b.acc.x.scale_error")
