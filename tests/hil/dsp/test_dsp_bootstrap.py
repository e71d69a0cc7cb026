"""Bootstrap intervals cover what they should, for dependent series too, and are the same for the same seed."""

import numpy as np
import pytest
from scipy.signal import lfilter

from hil.dsp.bootstrap import block_bootstrap, block_length, two_sample


def _dependent(seed: int, n: int = 800, memory: float = 0.7) -> np.ndarray:
    return lfilter([1.0], [1.0, -memory], np.random.default_rng(seed).standard_normal(n + 100))[100:]


def _mean(x):
    return float(np.mean(x))


def test_the_same_seed_gives_the_same_interval():
    x = _dependent(1)
    assert block_bootstrap(x, _mean, seed=3, resamples=99) == block_bootstrap(x, _mean, seed=3, resamples=99)
    assert block_bootstrap(x, _mean, seed=3, resamples=99) != block_bootstrap(x, _mean, seed=4, resamples=99)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_mean_of_a_dependent_series_is_covered(method):
    covered = 0
    for seed in range(100):
        interval = block_bootstrap(_dependent(seed), _mean, resamples=199, method=method, seed=seed)
        covered += interval.low <= 0 <= interval.high
    assert covered >= 86


def test_blocks_of_one_would_not_cover_it():
    covered = 0
    for seed in range(60):
        interval = block_bootstrap(_dependent(seed), _mean, resamples=199, block=1, seed=seed)
        covered += interval.low <= 0 <= interval.high
    assert covered <= 45


def test_the_variance_is_covered():
    covered = 0
    for seed in range(100):
        x = np.random.default_rng(seed).standard_normal(100)
        interval = block_bootstrap(x, lambda v: float(np.var(v, ddof=1)), resamples=299, seed=seed)
        covered += interval.low <= 1 <= interval.high
    assert covered >= 86


def test_an_interval_moves_and_scales_with_the_series():
    x = _dependent(2)
    one, other = (block_bootstrap(y, _mean, resamples=99, block=20) for y in (x, 10 * x + 5))
    assert other.low == pytest.approx(10 * one.low + 5)
    assert other.high == pytest.approx(10 * one.high + 5)


def test_the_block_grows_with_the_memory():
    lengths = [np.median([block_length(_dependent(s, 2000, memory)) for s in range(9)]) for memory in (0.0, 0.5, 0.9)]
    assert lengths[0] <= 3
    assert lengths[0] < lengths[1] < lengths[2]


def test_a_ratio_of_two_series():
    rng = np.random.default_rng(3)
    a, b = 2 * rng.standard_normal(2000), rng.standard_normal(1500)
    interval = two_sample(a, b, lambda x, y: float(np.std(x) / np.std(y)), resamples=299)
    assert interval.low < 2 < interval.high
    assert interval.high - interval.low < 0.3


def test_rows_of_channels_stay_together():
    x = _dependent(4)[:, None] * [1.0, 1.0]
    interval = block_bootstrap(x, lambda v: float(np.corrcoef(v.T)[0, 1]), resamples=50)
    assert interval.low == pytest.approx(1.0)


def test_what_has_no_interval_is_told():
    with pytest.raises(ValueError, match="8 or more"):
        block_bootstrap([1.0, 2.0], _mean)
    with pytest.raises(ValueError, match="percentile or bca"):
        block_bootstrap(np.zeros(10), _mean, method="normal")
    flat = block_bootstrap(np.ones(50), _mean, resamples=20)
    assert flat.low == flat.high == 1.0
