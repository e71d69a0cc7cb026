"""The fitted line of a board's clock: drift, its interval, and the asymmetry that nothing can see."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from timebase_bench import START, Bench, one_sided

from firmware_bridge.envelope import fit_line, student95


def bell_shaped(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.maximum(0, 5e6 + rng.normal(0, 1e6, n))


def steady(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.full(n, 250_000.0)


def cover(delay: Callable[[np.random.Generator, int], np.ndarray], seeds: int) -> tuple[int, int, int]:
    """How often drift is within 1 ppm, inside its interval, and the offset inside its own, after 600 pings in 60 s."""
    near = drift = offset = 0
    for seed in range(seeds):
        bench = Bench(seed)
        sent, ticks, received = bench.exchanges(60, delay)
        line = fit_line(START + sent, ticks, START + received, 1000.0)
        assert line is not None
        true = 1 / (1 + 50e-6) - 1
        near += abs(line.stretch - true) < 1e-6
        drift += abs(line.stretch - true) <= line.quantile * line.stretch_error
        now = int(received[-1])
        tick = int(bench.tick(now))
        there = line.t_ns - START + (tick - line.tick) * 1000 * (1 + line.stretch)
        offset += abs(there - now) <= line.uncertainty_ns(tick)
    return near, drift, offset


def binomial_low(n: int, p: float) -> float:
    """A count that a binomial variable falls below once in ten thousand."""
    return n * p - 3.8 * math.sqrt(n * p * (1 - p))


def test_drift_is_within_one_ppm_after_a_minute_of_pings_through_one_sided_jitter_and_a_wrap() -> None:
    seeds = 40
    near = 0
    for seed in range(seeds):
        bench = Bench(seed)
        fit = bench.ping(bench.exchanges(60, one_sided))
        near += abs(fit.drift_ppm - 50) < 1
        assert fit.exchanges == 600
        assert fit.inferred_wraps == 0
        assert fit.span_s == pytest.approx(60, abs=0.3)
    assert near >= 0.95 * seeds


@pytest.mark.parametrize("delay", [one_sided, bell_shaped])
def test_the_stated_intervals_hold_as_often_as_they_say(delay: Callable[..., np.ndarray]) -> None:
    seeds = 120
    _, drift, offset = cover(delay, seeds)
    assert binomial_low(seeds, 0.95) <= drift
    assert binomial_low(seeds, 0.95) <= offset


@pytest.mark.slow
@pytest.mark.parametrize("delay", [one_sided, bell_shaped])
def test_coverage_over_a_thousand_seeds_is_95_within_2_percent(delay: Callable[..., np.ndarray]) -> None:
    near, drift, offset = cover(delay, 1000)
    print(
        f"\n{delay.__name__}: within 1 ppm {near / 10} %, drift covered {drift / 10} %, offset covered {offset / 10} %"
    )
    assert 930 <= drift <= 970
    assert 930 <= offset <= 970
    if delay is one_sided:
        assert near >= 950


def test_an_interval_of_few_exchanges_is_wide_and_narrows() -> None:
    bench = Bench(3)
    rows = bench.exchanges(60, one_sided)
    widths = []
    for start, stop in ((0, 20), (20, 100), (100, 600)):
        fit = bench.ping(rows[:, start:stop])
        widths.append(fit.drift_high - fit.drift_low)
    assert widths[0] > 20
    assert widths[0] > 3 * widths[1] > 9 * widths[2]


def test_no_fit_is_claimed_from_too_few_exchanges() -> None:
    bench = Bench(1)
    rows = bench.exchanges(0.7, one_sided)
    for sent, tick, received in rows.T.tolist():
        bench.timebase.exchange(START + sent, tick, START + received)
    assert bench.timebase.fit(START + 10**9) is None


def test_students_point_is_that_of_the_tables() -> None:
    for freedom, true in ((4, 2.7764), (6, 2.4469), (10, 2.2281), (22, 2.0739), (100, 1.9840)):
        assert student95(freedom) == pytest.approx(true, rel=3e-3)


def test_a_one_way_delay_that_nothing_can_see_is_bounded_by_the_asymmetry_and_not_by_the_uncertainty() -> None:
    bench = Bench(5)
    sent, ticks, _ = bench.exchanges(60, steady)
    ticks = bench.tick(sent + 100_000.0)  # 0.1 ms there, 3 ms back
    received = (sent + 3_100_000 + bench.rng.exponential(50_000, len(sent))).astype(np.int64)
    fit = bench.ping(np.array([sent, ticks, received]))
    error = abs(bench.offset_error_ns(fit))
    assert error == pytest.approx(1_450_000, rel=0.02)
    assert fit.uncertainty_ns < 50_000 < error <= fit.asymmetry_ns
    assert fit.asymmetry_ns == pytest.approx(1_550_000, rel=0.02)
    assert fit.two_way


def test_a_direction_with_much_jitter_does_not_spoil_the_other() -> None:
    def drift_error(back_ms: float) -> float:
        errors = []
        for seed in range(20):
            bench = Bench(seed)
            sent, _, _ = bench.exchanges(60, steady)
            there = sent + bench.rng.exponential(20_000, len(sent))
            back = np.maximum.accumulate(there + bench.rng.exponential(back_ms * 1e6, len(sent)))
            fit = bench.ping(np.array([sent, bench.tick(there), back.astype(np.int64)]))
            errors.append(abs(fit.drift_ppm - 50))
        return float(np.median(errors))

    assert drift_error(16.0) < 0.05
