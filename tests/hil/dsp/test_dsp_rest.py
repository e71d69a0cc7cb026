"""Rest and motion of an inertial sensor are told apart in any unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.dsp.rest import rest

RATE = 100.0


def _still(seed: int, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3)) * 0.1 + [0.5, -1.0, 0.2], rng.standard_normal((n, 3)) * 0.005 + [0.0, 0.0, 1.0]


def _moved(seed: int) -> tuple[np.ndarray, np.ndarray]:
    gyro, accel = _still(seed)
    t = np.arange(4000) / RATE
    gyro[6000:10_000, 0] += 30 * np.sin(2 * np.pi * t)
    accel[6000:10_000, 1] += 0.3 * np.sin(2 * np.pi * t)
    return gyro, accel


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from([1.0, np.pi / 180, 9.81]))
def test_motion_is_cut_out_in_any_unit(seed, unit):
    gyro, accel = _moved(seed)
    found = rest(gyro * unit, accel * unit, RATE)
    assert found.start.tolist() == [0, 10_000]
    assert found.stop.tolist() == [6000, 20_000]
    assert found.share == pytest.approx(0.8)
    assert found.longest() == (10_000, 20_000)


def test_one_sensor_alone_is_enough():
    gyro, accel = _moved(1)
    assert rest(gyro, None, RATE).stop.tolist() == [6000, 20_000]
    assert rest(None, accel, RATE).stop.tolist() == [6000, 20_000]


def test_a_steady_turn_is_motion():
    gyro, accel = _still(2)
    gyro[12_000:16_000, 2] += 5.0
    assert rest(gyro, accel, RATE).stop.tolist() == [12_000, 20_000]


def test_rest_alone_is_all_rest_and_motion_alone_is_none_where_the_noise_is_known():
    gyro, accel = _still(3)
    assert rest(gyro, accel, RATE).share == 1.0
    moving = gyro + 20 * np.random.default_rng(4).standard_normal(gyro.shape)
    assert rest(moving, accel, RATE, noise=(0.1, 0.005)).share == 0.0


def test_short_pauses_do_not_count():
    gyro, accel = _still(5)
    gyro[:9000:2] += 10.0
    gyro[9100:] += 10.0 * np.sin(np.arange(10_900))[:, None]
    assert rest(gyro, accel, RATE, noise=(0.1, 0.005), shortest_s=2.0).longest() is None


def test_coarse_readings_that_never_change_are_rest():
    flat = np.zeros((5000, 3))
    assert rest(flat, flat + np.array([0, 0, 1]), RATE).share == 1.0
    knocked = flat.copy()
    knocked[2000:2500:3, 0] = 1.0
    assert rest(knocked, None, RATE).stop.tolist() == [2000, 5000]


def test_too_little_is_none_and_a_mismatch_is_told():
    assert rest(np.zeros((3, 3)), None, RATE).longest() is None
    with pytest.raises(ValueError, match="equally long"):
        rest(np.zeros((30, 3)), np.zeros((20, 3)), RATE)
    with pytest.raises(ValueError, match="needs"):
        rest(None, None, RATE)


@pytest.mark.data
def test_a_real_sensor_at_rest_is_at_rest(shared_data):
    recorded = np.load(shared_data / "adis16405_static" / "adis16405_imu1.npz")
    x = recorded["counts"][:300_000] * recorded["scale"]
    assert rest(x[:, :3], x[:, 3:], 100.0).share > 0.99
