"""The attitude that a screen shows is that of the derived stream, at the time of its picture."""

from dataclasses import replace

import numpy as np
import pytest
from test_orientation import IMU, batch_of, turned

from firmware_bridge.events import Arrival
from hil.monitor.monitor import Bench, Monitor
from hil.orientation import Orientation
from hil.views.figure import Ask
from hil.views.snapshot import BoardView, FigureView
from hil.views.view import View

pytest.importorskip("vqf", reason="the library vqf is not installed")

ASK = Ask("arm", "imu", "attitude")


def look(monitor: Monitor, end_ns: int, ask: Ask = ASK) -> FigureView:
    view = View(columns=1000, envelopes=False, end_ns=end_ns, figures=(ask,))
    return monitor.snapshot(view, end_ns, Bench(boards=(BoardView("arm", "live"),))).figures[0]


def feed(monitor: Monitor, readings: np.ndarray, begin: int, end: int) -> None:
    for first in range(begin, end, 10):
        monitor.accept([Arrival("arm", 0, 0, "rx", items=(batch_of(readings[first : first + 10], first),))])


def test_it_is_that_of_the_derived_stream_also_at_a_time_that_has_passed() -> None:
    readings, _ = turned(8)
    monitor = Monitor()
    feed(monitor, readings, 0, 200)
    settled = look(monitor, 2_000_000_000)
    assert settled.resting is True
    feed(monitor, readings, 200, 800)
    made = Orientation(IMU, "arm/imu").batch(batch_of(readings)).raw
    for number in (798, 400):
        found = look(monitor, number * 10_000_000)
        at = found.end_ns // 10_000_000
        assert number - 2 <= at <= number
        np.testing.assert_allclose(found.x, made[at, :4], atol=1e-5)
        np.testing.assert_allclose(found.marks[0], made[at, 4:], rtol=1e-3, atol=1e-4)
    assert look(monitor, 7_980_000_000).resting is False


def test_what_has_no_attitude_says_why() -> None:
    monitor = Monitor()
    assert look(monitor, 1).sentence == "no readings have come yet"
    plain = replace(IMU, name="plain", units=("?",) * 6)
    one = batch_of(turned(1)[0])
    monitor.accept([Arrival("arm", 0, 0, "rx", items=(replace(one, stream=plain),))])
    assert "three axes of a gyroscope" in look(monitor, 10**9, replace(ASK, stream="plain")).sentence
    monitor.reset()
    assert look(monitor, 10**9, replace(ASK, stream="plain")).sentence
