"""Orientation as a derived stream: against rotations that are known, and against gravity on a real board."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Disconnected, Event, Gap, RateChanged
from firmware_bridge.streams import Stream
from hil.orientation import Orientation, OrientationStage, with_orientation

pytest.importorskip("vqf", reason="the library vqf is not installed")

RATE = 100.0
IMU = Stream("imu", ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3, "<f4", (6,), RATE)


def turned(seconds: float, bias: float = 0.0) -> tuple[np.ndarray, Rotation]:
    """Readings of a board that tilts and turns, at rest at first, and its true attitude (SciPy's integration)."""
    count = round(seconds * RATE)
    t = np.arange(count) / RATE
    moving = (t > 3.0)[:, None]
    rates = moving * np.stack((0.5 * np.sin(0.7 * t), 0.4 * np.cos(0.5 * t), 0.3 * np.sin(0.3 * t)), axis=1)
    attitude = Rotation.from_euler("xyz", (20.0, -10.0, 0.0), degrees=True)
    attitudes = []
    for rate in rates:
        attitude = attitude * Rotation.from_rotvec(rate / RATE)
        attitudes.append(attitude.as_quat())
    true = Rotation.from_quat(attitudes)
    forces = true.inv().apply(np.tile((0.0, 0.0, 1.0), (count, 1)))
    noise = np.random.default_rng(0)
    readings = np.concatenate((forces, rates + bias), axis=1) + noise.standard_normal((count, 6)) * 1e-4
    return readings.astype(np.float32), true


def batch_of(readings: np.ndarray, first: int = 0, boot: int = 0) -> Batch:
    numbers = np.arange(first, first + len(readings), dtype=np.int64)
    return Batch("arm", IMU, boot, first, numbers * 10_000, numbers * 10_000_000, readings)


def error_deg(made: np.ndarray, true: Rotation) -> tuple[np.ndarray, np.ndarray]:
    """Inclination and heading error; headings are compared from the first sample on."""
    found = Rotation.from_quat(made[:, [1, 2, 3, 0]])
    away = found * true.inv()
    up = away.apply((0.0, 0.0, 1.0))
    heading = np.unwrap(2 * np.arctan2(away.as_quat()[:, 2], away.as_quat()[:, 3]))
    return np.degrees(np.arccos(np.clip(up[:, 2], -1, 1))), np.degrees(np.abs(heading - heading[0]))


def test_a_known_rotation_is_followed() -> None:
    readings, true = turned(40)
    made = Orientation(IMU, "arm/imu").batch(batch_of(readings))
    inclination, heading = error_deg(made.raw, true)
    assert inclination.max() < 1.0
    assert heading.max() < 2.0
    assert (made.stream.name, made.stream.units[4:]) == ("imu.orientation", ("deg",) * 3)
    np.testing.assert_allclose(np.linalg.norm(made.raw[:, :4], axis=1), 1.0, atol=1e-5)
    true_up = np.degrees(np.arccos(np.clip(true.apply((0.0, 0.0, 1.0))[:, 2], -1, 1)))
    np.testing.assert_allclose(made.raw[:, 4], true_up, atol=1.0)


@pytest.mark.parametrize("bias", [0.0, 0.002, -0.005])
def test_what_a_biased_gyroscope_does_stays_within_what_is_stated(bias: float) -> None:
    readings, true = turned(40, bias)
    made = Orientation(IMU, "arm/imu").batch(batch_of(readings)).raw
    inclination, heading = error_deg(made, true)
    assert (inclination[100:] <= 3 * made[100:, 5] + 0.1).all()
    assert (heading[100:] <= 3 * made[100:, 6] + 0.1).all()
    assert made[-1, 6] > made[200, 6]
    assert made[-1, 6] < 60.0


@settings(max_examples=15)
@given(st.lists(st.integers(1, 199), max_size=6))
def test_how_samples_came_changes_no_bit(cuts: list[int]) -> None:
    readings, _ = turned(2)
    whole = Orientation(IMU, "arm/imu").batch(batch_of(readings)).raw
    one, low, parts = Orientation(IMU, "arm/imu"), 0, []
    for high in [*sorted(set(cuts)), len(readings)]:
        parts.append(one.batch(batch_of(readings[low:high], low)).raw)
        low = high
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_a_gap_begins_anew() -> None:
    readings, _ = turned(4)
    one = Orientation(IMU, "arm/imu")
    one.batch(batch_of(readings[:200]))
    after = one.batch(batch_of(readings[200:], first=300))
    fresh = Orientation(IMU, "arm/imu").batch(batch_of(readings[200:], first=300))
    assert after.raw.tobytes() == fresh.raw.tobytes()


@pytest.mark.parametrize(
    ("event", "anew"),
    [
        (Gap("arm", 0, "imu", 0, 200, None, "unattributed"), True), (RateChanged("arm", 0, "imu", 0, 200, 50.0), True),
        (Gap("arm", 0, "light", 0, 200, 1, "unattributed"), False), (Disconnected("arm", 0, "pulled"), False),
    ],
)  # fmt: skip
def test_what_ends_a_segment_begins_anew_and_is_told_of_the_derived_stream_too(event: Event, anew: bool) -> None:
    readings, _ = turned(4)
    before, after = batch_of(readings[:200]), batch_of(readings[200:], 200)
    *_, last = with_orientation([before, event, after])
    (_, fresh), (_, _, _, whole) = with_orientation([after]), with_orientation([before, after])
    assert last.raw.tobytes() == (fresh if anew else whole).raw.tobytes()  # type: ignore[union-attr]
    told = [item for item in with_orientation([before, event]) if getattr(item, "stream", "") == "imu.orientation"]
    assert len(told) == anew


def test_another_scale_begins_anew_and_a_better_estimate_of_the_rate_does_not() -> None:
    readings, _ = turned(4)
    inferred = replace(IMU, rate_inferred=True)
    one, better, other = (
        Batch("arm", stream, 0, low, np.arange(200), np.arange(200), readings[low : low + 200])
        for stream, low in ((inferred, 0), (replace(inferred, rate_hz=100.2), 200), (replace(IMU, scale=(2.0,)), 200))
    )
    plain = list(with_orientation([one, replace(better, stream=inferred)]))[-1]
    assert list(with_orientation([one, better]))[-1].raw.tobytes() == plain.raw.tobytes()  # type: ignore[union-attr]
    scaled = list(with_orientation([one, other]))[-1]
    assert scaled.raw.tobytes() == list(with_orientation([other]))[-1].raw.tobytes()  # type: ignore[union-attr]


def test_it_passes_a_pipeline_as_a_stream_of_its_own_and_leaves_others_alone() -> None:
    readings, _ = turned(1)
    light = Batch("arm", Stream("light", ("x",), ("lx",), "<f4", (1,), RATE), 0, 0, np.arange(3), np.arange(3),
                  np.zeros((3, 1), np.float32))  # fmt: skip
    given_ = Arrival("arm", 0, 5, "rx", items=(batch_of(readings), light))
    passed = OrientationStage().process([given_])
    assert passed[0] is given_
    (made,) = passed[1].items
    assert isinstance(made, Batch)
    assert (made.stream.name, made.first, len(made)) == ("imu.orientation", 0, 100)
    assert [type(item).__name__ for item in with_orientation([light])] == ["Batch"]
    with pytest.raises(UsageError, match="three axes of a gyroscope"):
        Orientation(light.stream, "arm/light")


@pytest.mark.data
def test_on_a_real_board_the_vertical_is_where_gravity_is(shared_data: Path) -> None:
    rows = np.loadtxt(shared_data / "ximu3_9axis" / "sensor_data.csv", delimiter=",", skiprows=1)[:, 1:7]
    stream = Stream("imu", ("wx", "wy", "wz", "ax", "ay", "az"), ("deg/s",) * 3 + ("g",) * 3, "<f4", (6,), 99.2)
    numbers = np.arange(len(rows), dtype=np.int64)
    batch = Batch("arm", stream, 0, 0, numbers, numbers * 10_080_645, rows.astype(np.float32))
    made = Orientation(stream, "arm/imu").batch(batch).raw
    up = Rotation.from_quat(made[:, [1, 2, 3, 0]]).inv().apply((0.0, 0.0, 1.0))
    force = rows[:, 3:] / np.linalg.norm(rows[:, 3:], axis=1, keepdims=True)
    still = (np.linalg.norm(rows[:, :3], axis=1) < 3.0) & (np.abs(np.linalg.norm(rows[:, 3:], axis=1) - 1) < 0.02)
    still[:200] = False
    away = np.degrees(np.arccos(np.clip((up * force).sum(axis=1), -1, 1)))
    assert still.sum() > 500
    assert np.median(away[still]) < 1.0
    assert (away[still] <= 3 * made[still, 5] + 1.0).mean() > 0.95
