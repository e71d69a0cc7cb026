"""Afterwards a clock is fitted again, and fits made together have the bits of fits made alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from timebase_bench import HZ, START

from firmware_bridge.envelope import fit_line, fit_lines
from firmware_bridge.events import ClockReading
from firmware_bridge.timebase import Timebase, refit


def test_the_refit_of_a_wandering_clock_is_better_than_one_line() -> None:
    rng = np.random.default_rng(31)
    when = np.arange(0, 1800 * 10**9, 10**8)
    rate = 1e-3 * (1 + 20e-6 * np.sin(2 * np.pi * when / 1.8e12))
    tick = np.cumsum(np.concatenate(([0], rate[:-1] * 1e8)))
    readings = [
        ClockReading("imu", START, START + int(t - rng.exponential(1e6)), int(k), START + int(t + rng.exponential(1e6)))
        for t, k in zip(when, tick, strict=True)
    ]
    found = refit(readings, HZ)
    assert found is not None
    error = found.to_ns(tick.astype(np.int64)) - START - when
    line = fit_line(
        np.array([one.sent_ns for one in readings]), tick.astype(np.int64),
        np.array([one.received_ns for one in readings]), 1000.0,
    )  # fmt: skip
    assert line is not None
    straight = line.t_ns + (tick - line.tick) * 1000 * (1 + line.stretch) - START - when
    assert np.abs(error).max() < 100_000 < 1_000_000 < np.abs(straight).max()
    assert (np.diff(found.to_ns(tick.astype(np.int64))) > 0).all()


def test_there_is_no_refit_without_exchanges() -> None:
    assert refit([], HZ) is None


@given(st.integers(0, 2**32), st.integers(1, 80), st.integers(1, 9), st.booleans())
@settings(max_examples=60)
def test_lines_fitted_together_have_the_bits_of_lines_fitted_alone(
    seed: int, exchanges: int, many: int, two_way: bool
) -> None:
    draw = np.random.default_rng(seed)
    true = np.sort(draw.integers(0, 200_000_000_000, (many, exchanges)), axis=1)
    sent = START + true - draw.exponential(3e5, true.shape).astype(np.int64)
    received = START + true + draw.exponential(3e5, true.shape).astype(np.int64)
    ticks = true // 1000
    ticks[0] = ticks[0, 0]  # a clock that stands still
    together = fit_lines(sent if two_way else None, ticks, received, 1000.0)
    assert together == [
        fit_line(one if two_way else None, two, three, 1000.0)
        for one, two, three in zip(sent, ticks, received, strict=True)
    ]


@given(st.integers(0, 2**32), st.integers(0, 60))
@settings(max_examples=40)
def test_what_was_foreseen_changes_no_fit(seed: int, wrong: int) -> None:
    draw = np.random.default_rng(seed)
    true = np.cumsum(draw.integers(100_000_000, 1_500_000_000, 120))
    sent = (START + true - draw.exponential(3e5, 120).astype(np.int64)).tolist()
    received = (START + true + draw.exponential(3e5, 120).astype(np.int64)).tolist()
    ticks = (true // 1000).tolist()
    alone, told = Timebase(1e6), Timebase(1e6)
    for at, exchange in enumerate(zip(sent, ticks, received, strict=True)):
        if at % 40 == 5:
            coming = slice(at, at + 30)
            guess = np.array(ticks[coming], np.uint64)
            guess[min(wrong, len(guess) - 1)] += wrong  # from here on another clock than it turns out to be
            told.foresee(sent[coming], guess & np.uint64(0xFFFFFFFF), 32, received[coming])
        for clock in (alone, told):
            clock.unwrap(np.array([exchange[1] & 0xFFFFFFFF], np.uint64), 32, exchange[2])
            clock.exchange(*exchange)
        assert alone.fit(exchange[2]) == told.fit(exchange[2])
