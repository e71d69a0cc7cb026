"""Boards that cannot be pinged are dated by arrivals, and narrow ticks are unwrapped."""

from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timebase_bench import HZ, START, Bench

from firmware_bridge.timebase import Timebase


def test_a_board_that_cannot_be_pinged_is_dated_by_its_arrivals() -> None:
    bench = Bench(29)
    taken = np.arange(0, 60 * 10**9, 10_000_000)
    arrived = np.maximum.accumulate(taken + 300_000 + bench.rng.exponential(1e6, len(taken))).astype(np.int64)
    for tick, now in zip(bench.tick(taken).tolist(), arrived.tolist(), strict=True):
        bench.timebase.arrived(tick, START + now)
    fit = bench.timebase.fit(START + 60 * 10**9)
    assert fit is not None
    assert fit.drift_ppm == pytest.approx(50, abs=1)
    assert fit.drift_low <= 50 <= fit.drift_high
    assert fit.asymmetry_ns is None
    assert not fit.two_way
    late = bench.timebase.to_ns(bench.tick(np.array([60.1e9])), START + 61 * 10**9)[0] - START - 60_100_000_000
    assert 200_000 < late < 500_000  # the least delay of 0.3 ms is in it, and the docstring says so


def test_a_garbled_time_column_is_passed_over_and_a_restarted_one_is_followed() -> None:
    timebase = Timebase(1000.0)
    for step in range(600):
        now = START + step * 100_000_000 + 3_000_000
        garbled = step in (200, 201)
        timebase.arrived(step * 100 + 10**9 * garbled, now)
        timebase.to_ns(np.array([step * 100]), now)
    fit = timebase.fit(START + 60 * 10**9)
    assert fit is not None
    assert fit.exchanges == 598
    assert fit.drift_ppm == pytest.approx(0, abs=20)
    for step in range(600, 900):  # the column begins again from 0
        timebase.arrived((step - 600) * 100, START + step * 100_000_000 + 3_000_000)
    times = timebase.to_ns(np.array([29_000]), START + 90 * 10**9)
    assert abs(times[0] - START - 89_000_000_000) < 5_000_000


def test_pings_take_over_from_arrivals() -> None:
    timebase = Timebase(HZ)
    for step in range(100):
        timebase.arrived(step * 100_000, START + step * 100_000_000 + 5_000_000)
    for step in range(100, 200):
        timebase.exchange(START + step * 10**8 - 10_000, step * 100_000, START + step * 10**8 + 10_000)
        timebase.arrived(step * 100_000, START + step * 10**8 + 5_000_000)
    fit = timebase.fit(START + 200 * 10**8)
    assert fit is not None
    assert fit.two_way
    assert abs(fit.offset_ns - START) < 2000


@settings(max_examples=150)
@given(
    st.integers(0, 2**32 - 1), st.lists(st.integers(1, 2**30), min_size=1, max_size=60),
    st.lists(st.integers(1, 7), min_size=1, max_size=20),
)  # fmt: skip
def test_ticks_are_unwrapped_whatever_the_split_into_batches(first: int, steps: list[int], sizes: list[int]) -> None:
    true = first + np.cumsum([0, *steps])
    timebase = Timebase(HZ)
    out: list[int] = []
    at, size = 0, cycle(sizes)
    while at < len(true):
        part = true[at : at + next(size)]
        now = START + (int(part[-1]) - first) * 1000
        out += timebase.unwrap((part % 2**32).astype(np.uint64), 32, now).tolist()
        at += len(part)
    assert out == true.tolist()
    assert timebase.inferred_wraps == 0


@pytest.mark.parametrize("hours", [0.5, 1.0, 1.3, 5.0, 100.0])
def test_after_a_long_silence_the_wrap_is_chosen_by_host_time_and_counted(hours: float) -> None:
    timebase = Timebase(HZ)
    timebase.unwrap(np.array([1000], np.uint64), 32, START)
    true = 1000 + int(hours * 3600 * HZ * (1 + 50e-6))
    now = START + int(hours * 3600e9)
    assert timebase.unwrap(np.array([true % 2**32], np.uint64), 32, now).tolist() == [true]
    assert timebase.inferred_wraps == (hours * 3600 > 2**31 / HZ)


def test_a_late_frame_steps_back_without_a_wrap() -> None:
    timebase = Timebase(HZ)
    timebase.unwrap(np.array([2**32 - 10], np.uint64), 32, START)
    assert timebase.unwrap(np.array([5], np.uint64), 32, START + 15_000).tolist() == [2**32 + 5]
    assert timebase.unwrap(np.array([2**32 - 4], np.uint64), 32, START + 16_000).tolist() == [2**32 - 4]
    assert timebase.unwrap(np.array([20], np.uint64), 32, START + 30_000).tolist() == [2**32 + 20]


def test_wide_ticks_are_left_alone_and_nothing_is_nothing() -> None:
    timebase = Timebase(HZ)
    big = 2**60 + 12345
    assert timebase.unwrap(np.array([big], np.uint64), 64, START).tolist() == [big]
    assert timebase.unwrap(np.array([], np.uint64), 32, START).shape == (0,)
    assert timebase.to_ns(np.array([], np.int64), START).shape == (0,)
