"""Ticks become host time while fits change: causal, monotone, whatever the board does to its clock."""

import time

import numpy as np
import pytest
from timebase_bench import HZ, START, Bench, one_sided

from firmware_bridge.timebase import Timebase


def test_times_never_lie_in_the_future_and_never_run_back_while_fits_change() -> None:
    bench = Bench(7)
    rows = bench.exchanges(30, one_sided)
    last = 0
    for sent, tick, received in rows.T.tolist():
        now = START + received
        bench.timebase.exchange(START + sent, tick, now)
        ticks = bench.tick(np.arange(received - 9_000_000, received, 1_000_000))
        times = bench.timebase.to_ns(ticks[ticks > 0], now)
        assert times[-1] <= now
        assert (np.diff(times) >= 0).all()
        assert times[0] >= last
        last = int(times[-1])


def test_samples_get_the_time_at_which_they_were_taken() -> None:
    bench = Bench(11)
    bench.ping(bench.exchanges(60, one_sided))
    taken = np.arange(60_100_000_000, 60_200_000_000, 1_000_000)
    times = bench.timebase.to_ns(bench.tick(taken), START + 61 * 10**9)
    assert np.abs(times - START - taken).max() < 60_000  # 1 ms of jitter each way, yet 60 us


def test_a_slower_stream_keeps_the_line_its_ticks_belong_to() -> None:
    bench = Bench(13)
    rows = bench.exchanges(40, one_sided)
    slow: list[int] = []
    for index, (sent, tick, received) in enumerate(rows.T.tolist()):
        now = START + received
        bench.timebase.exchange(START + sent, tick, now)
        bench.timebase.to_ns(bench.tick(np.array([received - 1_000_000])), now)
        if index % 10 == 9:  # this stream's samples are a second old when they come
            slow += bench.timebase.to_ns(bench.tick(received - 10**9 + np.arange(5) * 1000), now).tolist()
    assert (np.diff(slow) >= 0).all()


def test_before_any_exchange_the_newest_tick_is_now_and_the_rest_follow_at_the_nominal_rate() -> None:
    timebase = Timebase(HZ)
    times = timebase.to_ns(np.array([5000, 6000, 7000]), START)
    assert times.tolist() == [START - 2_000_000, START - 1_000_000, START]


def test_the_same_calls_give_the_same_times() -> None:
    def run() -> list[int]:
        bench = Bench(17)
        out: list[int] = []
        for sent, tick, received in bench.exchanges(20, one_sided).T.tolist():
            bench.timebase.exchange(START + sent, tick, START + received)
            out += bench.timebase.to_ns(np.array([tick]), START + received).tolist()
        return out

    assert run() == run()


def test_a_reboot_forgets_the_old_clock() -> None:
    bench = Bench(19)
    bench.ping(bench.exchanges(20, one_sided))
    bench.timebase.reset()
    assert bench.timebase.fit(START + 21 * 10**9) is None
    again = bench.timebase.unwrap(np.array([100], np.uint64), 32, START + 21 * 10**9)
    assert again.tolist() == [100]
    assert bench.timebase.to_ns(again, START + 21 * 10**9).tolist() == [START + 21 * 10**9]


def test_a_damaged_tick_spoils_neither_the_fit_nor_the_times_after_it() -> None:
    bench = Bench(41)
    rows = bench.exchanges(60, one_sided)
    rows[1, 300] += 900_000_000  # a quarter of an hour ahead, in one answer
    fit = bench.ping(rows[:, :400])
    now = START + int(rows[2, 399])
    bench.timebase.to_ns(bench.tick(40e9) + np.array([0, 2**31]), now)  # and in one sample
    fit = bench.ping(rows[:, 400:])
    assert fit.drift_ppm == pytest.approx(50, abs=1)
    late = bench.timebase.to_ns(bench.tick(np.array([60e9])), START + 61 * 10**9)[0] - START - 60 * 10**9
    assert abs(late) < 60_000


def test_a_board_that_sets_its_clock_is_dated_anew_and_times_do_not_run_back() -> None:
    bench = Bench(43)
    rows = bench.exchanges(60, one_sided)
    bench.ping(rows[:, :300])
    before = bench.timebase.to_ns(bench.tick(np.array([29.9e9])), START + 30 * 10**9)[0]
    for sent, tick, received in rows[:, 300:].T.tolist():
        bench.timebase.exchange(START + sent, tick - 25_000_000, START + received)
    fit = bench.timebase.fit(START + int(rows[2, -1]))
    assert fit is not None
    assert fit.exchanges == 300
    assert fit.drift_ppm == pytest.approx(50, abs=2)
    after = bench.timebase.to_ns(bench.tick(np.array([59.5e9])) - 25_000_000, START + 60 * 10**9)[0]
    assert after >= before
    assert abs(after - START - 59_500_000_000) < 60_000


@pytest.mark.parametrize("ppm", [-20_000.0, 30_000.0])
def test_an_oscillator_that_is_percents_off_is_dated_from_the_first_seconds_on(ppm: float) -> None:
    bench = Bench(47, ppm=ppm)
    fit = bench.ping(bench.exchanges(3, one_sided))
    assert fit.drift_low <= ppm <= fit.drift_high
    late = bench.timebase.to_ns(bench.tick(np.array([3e9])), START + 4 * 10**9)[0] - START - 3 * 10**9
    assert abs(late) < 2_000_000


def test_a_clock_that_wanders_is_followed() -> None:
    timebase = Timebase(HZ)
    rng = np.random.default_rng(23)
    tick, fit = 0.0, None
    for step in range(6000):  # ten minutes, from 0 to 20 ppm
        tick += 100_000 * (1 + step / 6000 * 20e-6)
        sent = step * 100_000_000 - int(rng.exponential(1e5))
        timebase.exchange(START + sent, int(tick), START + step * 100_000_000 + int(rng.exponential(1e5)))
        fit = timebase.fit(START + step * 100_000_000)
    assert fit is not None
    assert fit.drift_ppm == pytest.approx(18, abs=1.0)  # the mean of the last two minutes
    assert fit.exchanges <= 1210  # two minutes and what came since the last fit


def test_memory_is_bounded_and_calls_are_cheap() -> None:
    timebase = Timebase(HZ)
    for step in range(30_000):
        timebase.exchange(START + step * 10**6, step * 1000 + 500, START + step * 10**6 + 900_000)
    fit = timebase.fit(START + 30 * 10**9)
    assert fit is not None
    assert fit.exchanges <= 2048
    ticks = np.arange(30_000_000, 30_010_000, 1000)
    begun = time.process_time()
    for step in range(2000):
        timebase.to_ns(ticks + step * 10_000, START + 31 * 10**9 + step * 10**7)
    assert (time.process_time() - begun) / 2000 < 200e-6  # about 8 us; the bound is for a loaded machine
