"""Image arrays: planted defects are found, noise is what was put in, and scenes are told from steps."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from measured import known, measure, of_arrays, of_board, stream, why

Float = npt.NDArray[np.float64]
PLACE = "stream.b.cam"


def test_a_virtual_camera_with_planted_dead_pixels(tmp_path: Path) -> None:
    path = of_board(tmp_path / "a.mcap", "thermal", 150, seed=3, dead=4, warmth_c=0, noise_c=0.15)
    made = measure(path)
    place = "stream.thermal.thermal"
    assert made[f"{place}.dead_pixels"].value == 4
    assert "4 never change" in made[f"{place}.dead_pixels"].note
    assert made[f"{place}.blinking_pixels"].value == 0
    netd, low, high = known(made, f"{place}.netd")
    assert low <= 150.2 <= high
    assert netd == pytest.approx(150, rel=0.015)
    assert "upper bound" not in made[f"{place}.netd"].condition
    pattern, low, high = known(made, f"{place}.fixed_pattern_noise")
    assert low <= 0.1 <= high
    assert pattern == pytest.approx(0.1, rel=0.35)
    assert made[f"{place}.frames_dropped"].value == 0
    assert made.plots["map.thermal.thermal"].arrays["z"].shape == (8, 8)
    assert made.plots["noise.thermal.thermal"].arrays["z"].shape == (8, 8)


def test_somebody_who_walks_by_is_no_defect(tmp_path: Path) -> None:
    made = measure(of_board(tmp_path / "a.mcap", "thermal", 150, seed=5, size="24x32", noise_c=0.1))
    place = "stream.thermal.thermal"
    assert made[f"{place}.dead_pixels"].value == 0
    assert made[f"{place}.blinking_pixels"].value == 0
    assert made[f"{place}.temporal_noise"].value == pytest.approx(0.1, rel=0.2)
    assert "an upper bound" in made[f"{place}.temporal_noise"].condition
    assert "hold a uniform scene" in made[f"{place}.fixed_pattern_noise"].condition


def frames(n: int = 600, noise: float = 0.1, seed: int = 1) -> Float:
    rng = np.random.default_rng(seed)
    made: Float = 20 + rng.normal(0, 0.2, (6, 8)) + rng.normal(0, noise, (n, 6, 8))
    return made


def camera(path: Path, pictures: Float, drop: tuple[int, ...] = (), rate: float = 10.0, unit: str = "degC") -> Path:
    what = stream("cam", ["t"], [unit], rate, "<i2", (0.01,), shape=pictures.shape[1:])
    return of_arrays(path, {what: np.rint(pictures / 0.01).astype("<i2")}, drop=drop)


def test_blinking_quiet_and_far_pixels_and_dead_rows(tmp_path: Path) -> None:
    pictures = frames()
    rng = np.random.default_rng(2)
    pictures[rng.random(600) < 0.05, 2, 3] += 5.0
    pictures[:, 4, 1] = 20.0 + 0.001 * rng.normal(size=600)
    pictures[:, 1, 6] += 30.0
    pictures[:, 5, :] = 7.0
    made = measure(camera(tmp_path / "a.mcap", pictures))
    assert made[f"{PLACE}.blinking_pixels"].value == 1
    assert made[f"{PLACE}.blinking_pixels"].note == "(2, 3)"
    assert made[f"{PLACE}.dead_pixels"].value == 8 + 2
    assert made[f"{PLACE}.dead_rows"].value == 1
    assert made[f"{PLACE}.dead_rows"].note == "row 5"
    assert made[f"{PLACE}.temporal_noise"].value == pytest.approx(0.1, rel=0.03)


def test_dropped_frames_are_counted_and_nothing_is_joined_over_them(tmp_path: Path) -> None:
    gone = (100, 101, 102, 250, 400)
    made = measure(camera(tmp_path / "a.mcap", frames(), drop=gone))
    assert known(made, f"{PLACE}.frames_dropped")[0] == pytest.approx(100 * 5 / 600)
    assert made[f"{PLACE}.gaps"].value == 3
    assert made[f"{PLACE}.temporal_noise"].value == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize("tau_s", [0.2, 0.001])
def test_the_answer_to_a_step(tmp_path: Path, tau_s: float) -> None:
    t = np.arange(600) / 20.0
    answer = np.where(t > 15.02, 1 - np.exp(-np.clip(t - 15.02, 0, None) / tau_s), 0.0)
    pictures = frames() + 10 * answer[:, None, None]
    made = measure(camera(tmp_path / "a.mcap", pictures, rate=20.0))
    took, low, high = known(made, f"{PLACE}.step_response")
    assert low <= np.log(9) * tau_s <= high
    if tau_s < 0.01:
        assert "at most one frame" in made[f"{PLACE}.step_response"].condition
    else:
        assert took == pytest.approx(np.log(9) * tau_s, rel=0.25)


def test_what_an_array_cannot_tell_is_unknown(tmp_path: Path) -> None:
    made = measure(camera(tmp_path / "a.mcap", frames(), unit="lx"))
    assert "no temperatures" in why(made, f"{PLACE}.netd")
    assert made[f"{PLACE}.temporal_noise"].unit == "lx"
    assert "no step" in why(made, f"{PLACE}.step_response")
    short = measure(camera(tmp_path / "b.mcap", frames(10)))
    assert "16 frames" in why(short, f"{PLACE}.dead_pixels")
