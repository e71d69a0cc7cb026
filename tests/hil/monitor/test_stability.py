"""The Allan deviation grows while a board rests: motion and gaps stay out, and the curve is the one of the readings."""

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from hil.dsp.allan import deviation
from hil.monitor.monitor import Bench, Monitor
from hil.monitor.stability import Stability
from hil.views.snapshot import Snapshot
from hil.views.view import View

RATE = 200.0
IMU = Stream("imu", ("ax", "ay"), ("g", "g"), "<i2", (2,), RATE, (0.001,))
START = 1_700_000_000_000_000_000


def raw(seconds: float, seed: int = 1, motion: tuple[float, float] | None = None) -> np.ndarray:
    count = int(seconds * RATE)
    values = np.random.default_rng(seed).normal(0, 20, (count, 2))
    if motion is not None:
        piece = slice(int(motion[0] * RATE), int(motion[1] * RATE))
        values[piece] += 3000 * np.sin(np.arange(piece.stop - piece.start) / 9)[:, None]
    return np.rint(values).astype("<i2")


def batches(readings: np.ndarray, first: int = 0, size: int = 37, stream: Stream = IMU) -> list[Batch]:
    made = []
    for start in range(0, len(readings), size):
        part = readings[start : start + size]
        numbers = first + start + np.arange(len(part))
        made.append(Batch("arm", stream, 0, first + start, numbers * 5000, START + numbers * 5_000_000, part))
    return made


def fed(parts: list[Batch]) -> Stability:
    made = Stability("arm", IMU)
    for part in parts:
        made.take([part])
    return made


def test_the_curve_is_that_of_all_readings_at_rest() -> None:
    readings = raw(20)
    view = fed(batches(readings)).view()
    whole = deviation(readings * 0.001, RATE, overlap=128)
    assert view.resting
    assert view.rest_s == 20.0
    np.testing.assert_allclose(view.tau_s, whole.tau_s[: len(view.tau_s)])
    np.testing.assert_allclose(view.deviation.T, whole.deviation[: len(view.tau_s)], rtol=1e-6)


def test_it_grows_with_the_readings() -> None:
    made = fed(batches(raw(5)))
    first = made.view()
    for part in batches(raw(60, seed=2), first=1000):
        made.take([part])
    later = made.view()
    assert len(later.tau_s) > len(first.tau_s)
    assert later.rest_s == 65.0


def test_motion_is_left_out_and_told() -> None:
    made = fed(batches(raw(30, motion=(10, 15))))
    view = made.view()
    assert 4.5 <= view.left_out_s <= 7.0
    assert view.rest_s + view.left_out_s == 30.0
    still = deviation(raw(30) * 0.001, RATE, overlap=128)
    reach = view.tau_s <= 1.0
    np.testing.assert_allclose(view.deviation[:, reach].T, still.deviation[: reach.sum()], rtol=0.2)
    for part in batches(raw(2, motion=(0, 2)), first=6000):
        made.take([part])
    assert not made.view().resting


def test_motion_at_the_start_is_forgotten_once_it_rests() -> None:
    view = fed(batches(raw(30, motion=(0, 8)))).view()
    assert view.rest_s <= 22.5
    assert view.deviation[0, 0] < 0.03


def test_no_average_reaches_over_a_gap() -> None:
    """A level that differs on both sides of a gap does not show as noise."""
    readings = raw(20)
    shifted = (raw(20, seed=3) + 500).astype("<i2")
    view = fed([*batches(readings), *batches(shifted, first=10_000)]).view()
    alone = fed(batches(readings)).view()
    np.testing.assert_allclose(view.deviation[:, :6], alone.deviation[:, :6], rtol=0.15)


def test_a_steady_channel_has_no_noise_and_does_not_look_like_motion() -> None:
    view = fed(batches(np.zeros((4000, 2), "<i2"))).view()
    assert view.rest_s == 20.0
    assert not view.deviation.any()


def shown(monitor: Monitor, allan: tuple[str, str] | None, now_s: float = 30.0) -> Snapshot:
    return monitor.snapshot(View(columns=10, allan=allan), START + int(now_s * 1e9), Bench())


def monitored(stream: Stream = IMU, seconds: float = 20.0) -> Monitor:
    monitor = Monitor()
    for seq, part in enumerate(batches(raw(seconds), stream=stream)):
        monitor.accept([Arrival("arm", seq, int(part.t_ns[-1]), "rx", b"", items=(part,))])
    return monitor


def test_a_screen_that_asks_late_sees_what_is_still_at_hand_and_the_curve_crosses_to_it() -> None:
    monitor = monitored()
    assert shown(monitor, None).allan is None
    view = shown(monitor, ("arm", "imu")).allan
    assert view is not None
    assert view.rest_s == 20.0
    back = Snapshot.from_wire(shown(monitor, ("arm", "imu")).to_wire()).allan
    assert back is not None
    np.testing.assert_array_equal(back.deviation, view.deviation)
    more = batches(raw(4, seed=9), first=4000)
    monitor.accept([Arrival("arm", 1000, int(more[-1].t_ns[-1]), "rx", b"", items=tuple(more))])
    grown = shown(monitor, ("arm", "imu")).allan
    assert grown is not None
    assert grown.rest_s == 24.0


def test_a_curve_that_no_screen_asks_for_is_given_up() -> None:
    monitor = monitored()
    assert shown(monitor, ("arm", "imu"), 30.0).allan is not None
    assert monitor._stabilities._kept
    other = shown(monitor, ("arm", "absent"), 100.0).allan
    assert other is not None
    assert other.sentence == "no readings have come yet"
    shown(monitor, ("arm", "imu"), 140.0)
    assert len(monitor._stabilities._kept) == 1
    monitor.reset()
    assert not monitor._stabilities._kept


@pytest.mark.parametrize(
    ("stream", "words"),
    [(Stream("imu", ("ax", "ay"), ("g", "g"), "<i2", (2,), None), "rate is not known"),
     (Stream("imu", ("t",), ("degC",), "<i2", (2, 2), 8.0), "a picture has no Allan deviation")],
)  # fmt: skip
def test_a_stream_without_a_curve_says_why(stream: Stream, words: str) -> None:
    readings = np.zeros((10, *stream.shape), "<i2")
    numbers = np.arange(10)
    batch = Batch("arm", stream, 0, 0, numbers, START + numbers, readings)
    monitor = Monitor()
    monitor.accept([Arrival("arm", 0, START, "rx", b"", items=(batch,))])
    view = shown(monitor, ("arm", "imu")).allan
    assert view is not None
    assert words in view.sentence
    assert not len(view.tau_s)
