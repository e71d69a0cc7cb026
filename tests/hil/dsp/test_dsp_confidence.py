"""Degrees of freedom agree with the published method, and the type of noise is found."""

import numpy as np
import pytest

from hil.dsp.confidence import LagSums, bounds, degrees_of_freedom


@pytest.mark.parametrize(("order", "modified", "overlapping"), [(2, False, True), (2, False, False), (2, True, True),
                                                                 (3, False, True), (3, False, False)])  # fmt: skip
@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2, -3, -4])
def test_degrees_of_freedom_are_those_of_greenhall_and_riley(alpha, order, modified, overlapping):
    ci = pytest.importorskip("allantools.ci")
    if alpha < -2 and order == 2:
        pytest.skip("the Allan variance does not exist for noise so steep")
    compared = 0
    for points in (1001, 20_000, 1_000_000):
        for m in (1, 4, 32, 100, 1000, 10_000):
            terms = points - (order + modified) * m + modified
            if terms < 1:
                continue
            if not overlapping:
                terms = -(-(points - order * m) // m)
            try:
                wanted = ci.edf_greenhall(alpha, order, m, points, overlapping=overlapping, modified=modified)
            except (AssertionError, NotImplementedError):
                continue  # outside its tables
            got = degrees_of_freedom(alpha, order, m, m if overlapping else 1, terms, modified=modified)
            assert got == pytest.approx(wanted, rel=0.06)
            compared += 1
    assert compared >= 4


def _phase(alpha: int, seed: int, n: int = 60_000) -> np.ndarray:
    """Return phase with frequency noise f**alpha, made in the frequency domain."""
    rng = np.random.default_rng(seed)
    frequency = np.fft.rfftfreq(2 * n)
    frequency[0] = frequency[1]
    shape = frequency ** ((alpha - 2) / 2)
    white = rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))
    return np.fft.irfft(shape * white)[:n]


@pytest.mark.parametrize(("alpha", "depth"), [(2, 2), (1, 2), (0, 2), (-1, 2), (-2, 2), (0, 3), (-2, 3), (-4, 3)])
def test_the_type_of_noise_is_found(alpha, depth):
    right = 0
    for seed in range(10):
        sums = LagSums(1, depth)
        sums.add(_phase(alpha, seed)[None, ::8].copy() if alpha < 1 else _phase(alpha, seed)[None])
        right += sums.alpha(depth)[0] == alpha
    assert right >= 9


def test_a_drift_does_not_change_the_type():
    sums = LagSums(1)
    sums.add((np.cumsum(np.random.default_rng(1).standard_normal(5000)) + 1e-4 * np.arange(5000) ** 2)[None])
    assert sums.alpha(2)[0] == 0


def test_too_few_averages_have_no_type():
    sums = LagSums(2)
    sums.add(np.random.default_rng(0).standard_normal((2, 20)))
    assert np.isnan(sums.alpha(2)).all()


def test_bounds_are_chi_square_and_unknown_without_freedom():
    low, high = bounds(np.array([1.0, 1.0]), np.array([10.0, np.nan]), 0.95)
    assert low[0] == pytest.approx(np.sqrt(10 / 20.483), rel=1e-4)
    assert high[0] == pytest.approx(np.sqrt(10 / 3.247), rel=1e-4)
    assert np.isnan(low[1])
    assert np.isnan(high[1])
