"""Chunks give what the whole array gives, in memory that does not grow."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.dsp.allan import deviation
from hil.dsp.allanstream import AllanStream

KINDS = ("adev", "oadev", "mdev", "tdev", "hdev", "ohdev")


def _series(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2)) + 0.02 * np.cumsum(rng.standard_normal((n, 2)), axis=0) + [50.0, -3.0]


@settings(max_examples=25)
@given(st.integers(0, 1000), st.lists(st.integers(0, 900), min_size=1, max_size=8), st.sampled_from([None, 1, 8, 100]),
       st.sampled_from(["rate", "phase"]))  # fmt: skip
def test_any_chunks_give_the_curve_of_the_whole(seed, sizes, overlap, data_type):
    x = _series(seed, sum(sizes))
    stream = AllanStream(10.0, 2, KINDS, overlap=overlap, data_type=data_type)
    start = 0
    for size in sizes:
        stream.append(x[start : start + size])
        start += size
    assert stream.samples == len(x)
    for kind in KINDS:
        ours, whole = stream.result(kind), deviation(x, 10.0, kind, overlap=overlap, data_type=data_type)
        np.testing.assert_array_equal(ours.factor, whole.factor)
        np.testing.assert_array_equal(ours.count, whole.count)
        np.testing.assert_allclose(ours.deviation, whole.deviation, rtol=1e-9)
        np.testing.assert_array_equal(ours.alpha, whole.alpha)
        np.testing.assert_allclose(ours.high, whole.high, rtol=1e-8)


def test_the_curve_grows_with_the_data():
    x = _series(1, 5000)
    stream = AllanStream(100.0, 2, ("oadev",))
    lengths = []
    for start in range(0, 5000, 500):
        stream.append(x[start : start + 500])
        curve = stream.result("oadev")
        lengths.append(len(curve.tau_s))
        np.testing.assert_allclose(
            curve.deviation, deviation(x[: start + 500], 100.0, overlap=128).deviation, rtol=1e-9
        )
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0]


def test_no_difference_reaches_over_a_gap():
    x = _series(2, 3000)
    jumped = x.copy()
    jumped[1000:] += 1000.0
    stream = AllanStream(1.0, 2, ("oadev",), overlap=None)
    stream.append(jumped[:1000])
    stream.gap()
    stream.append(jumped[1000:])
    curve = stream.result("oadev")
    first, second = deviation(x[:1000], 1.0), deviation(x[1000:], 1.0)
    for row, m in enumerate(curve.factor):
        parts = [
            (c.deviation[c.factor == m][0] ** 2, c.count[c.factor == m][0]) for c in (first, second) if m in c.factor
        ]
        count = sum(part[1] for part in parts)
        assert curve.count[row] == count
        np.testing.assert_allclose(curve.deviation[row] ** 2, sum(p[0] * p[1] for p in parts) / count, rtol=1e-9)


def test_memory_does_not_grow():
    stream = AllanStream(100.0, 3)
    rng = np.random.default_rng(4)

    def kept() -> int:
        return sum(t.tail.nbytes for f in stream._families.values() for t in f.tracks.values())

    sizes = []
    for _ in range(20):
        stream.append(rng.standard_normal((50_000, 3)))
        sizes.append(kept())
    assert sizes[-1] < 1.25 * sizes[4]  # a new octave for every doubling, no more
    assert sizes[-1] < 1_000_000


def test_a_large_offset_and_a_long_drift_do_not_spoil_the_short_times():
    n = 200_000
    noise = np.random.default_rng(5).standard_normal(n) * 1e-6
    x = noise + 9.81 + 1e-3 * np.arange(n) / n
    stream = AllanStream(100.0, 1, ("mdev", "ohdev"))
    for start in range(0, n, 1000):
        stream.append(x[start : start + 1000])
    for kind in ("mdev", "ohdev"):
        curve = stream.result(kind)
        assert curve.deviation[0, 0] == pytest.approx(deviation(noise, 100.0, kind).deviation[0], rel=1e-3)


def test_what_cannot_be_is_told():
    with pytest.raises(ValueError, match="totdev"):
        AllanStream(1.0, 1, ("totdev",))
    with pytest.raises(ValueError, match="1 or more"):
        AllanStream(1.0, 1, overlap=0)
    stream = AllanStream(1.0, 2, ("oadev",))
    with pytest.raises(ValueError, match="2 channels"):
        stream.append(np.zeros(5))
    with pytest.raises(ValueError, match="gap"):
        stream.append(np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="asked"):
        stream.result("mdev")
    assert len(stream.result("oadev").tau_s) == 0


DAY = """
import resource, sys, time
import numpy as np
from hil.dsp.allanstream import AllanStream
from hil.dsp.noisefit import fit_noise
from hil.dsp.noisespectrum import noise_spectrum
rng = np.random.default_rng(0)
raw = np.empty((24 * 3600 * 100, 6), np.int16)
stream = AllanStream(100.0, 6)
begin = time.process_time()
for start in range(0, len(raw), 60_000):
    raw[start : start + 60_000] = rng.integers(-100, 100, (60_000, 6), np.int16)
    stream.append(raw[start : start + 60_000])
fits = [fit_noise(noise_spectrum(raw[:, channel], 100.0)) for channel in range(6)]
assert all(fit["white"].known for fit in fits)
assert stream.result("oadev").tau_s[-1] > 20_000
took = time.process_time() - begin
if sys.platform == "linux":  # what the system says of a child holds the peak of the process that started it
    peak = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) / 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(took, peak)
"""


@pytest.mark.slow
def test_a_day_of_six_axes_is_measured_in_bounded_memory_and_soon():
    told = subprocess.run([sys.executable, "-c", DAY], capture_output=True, text=True, check=True).stdout
    seconds, mebibytes = (float(word) for word in told.split())
    print(f"24 h x 100 Hz x 6: {seconds:.1f} s of CPU, {mebibytes:.0f} MiB")
    assert mebibytes < 600
    assert seconds < 120
