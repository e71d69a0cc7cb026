"""The schedule of a replay is absolute, and its lateness report states what it can know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import UsageError
from hil.replay.lateness import MISSED_NS, Lateness
from hil.replay.schedule import Schedule, check_speed


@given(st.floats(0.1, 1000), st.integers(0, 10**15), st.integers(0, 10**12))
def test_due_times_follow_from_the_base_alone(speed: float, at: int, distance: int) -> None:
    schedule = Schedule(speed, at, 77)
    assert schedule.due_ns(at, 0) == 77
    assert schedule.due_ns(at + distance, 0) == 77 + int(distance / speed)


def test_the_place_never_passes_what_comes_next_nor_goes_back() -> None:
    schedule = Schedule(10.0, 1000, 0)
    assert schedule.place_ns(50, 1000, 10_000) == 1500
    assert schedule.place_ns(50, 1000, 1200) == 1200
    assert schedule.place_ns(50, 1800, 10_000) == 1800
    schedule.paused = True
    assert schedule.place_ns(5000, 1000, 10_000) == 1000


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.09, 1001.0, float("nan")])
def test_a_speed_that_cannot_be_meant_is_refused(speed: float) -> None:
    with pytest.raises(UsageError, match=r"0\.1 to 1000, or max"):
        check_speed(speed)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300))
def test_quantiles_are_right_to_a_bin_and_the_rest_is_exact(late: list[int]) -> None:
    lateness = Lateness()
    for start in range(0, len(late), 7):
        lateness.add(np.array(late[start : start + 7], np.int64))
    report = lateness.report()
    assert report.arrivals == len(late)
    assert report.max_ms == max(late) / 1e6
    assert report.missed == sum(value > MISSED_NS for value in late)
    exact = sorted(late)[max(0, -(-len(late) // 2) - 1)] / 1e6
    assert report.p50_ms is not None
    assert exact - 1e-9 <= max(report.p50_ms, exact if exact <= 0.001 else 0)
    assert report.p50_ms <= max(exact * 1.06, 0.001)


def test_without_arrivals_nothing_is_claimed() -> None:
    assert Lateness().report().as_dict()["late_p50_ms"] is None
