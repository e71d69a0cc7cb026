"""A plot column is the exact minimum and maximum of its samples, whatever the history, the wrap and the cache."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.monitor.ring import Ring


def brute(raw: np.ndarray, time: np.ndarray, first: int, count: int, width_ns: int) -> list[tuple | None]:
    rows: list[tuple | None] = []
    for column in range(first, first + count):
        inside = raw[(time >= column * width_ns) & (time < (column + 1) * width_ns)]
        rows.append((inside.min(0).tolist(), inside.max(0).tolist()) if len(inside) else None)
    return rows


def shown(ring: Ring, first: int, count: int, width_ns: int) -> list[tuple | None]:
    low, high, there = ring.columns(first, count, width_ns)
    return [(low[at].tolist(), high[at].tolist()) if there[at] else None for at in range(count)]


@settings(max_examples=60)
@given(st.data())
def test_columns_equal_brute_force_through_wraps_and_repeated_looks(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    dtype = data.draw(st.sampled_from(["<i2", "<u1", "<f4"]))
    random = np.random.default_rng(seed)
    ring = Ring(2, dtype, 512)
    raw, time = np.empty((0, 2), dtype), np.empty(0, np.int64)
    now = 1_000_000
    for _ in range(data.draw(st.integers(1, 12))):
        size = data.draw(st.sampled_from([1, 7, 16, 100, 300, 700]))
        steps = random.integers(0, 9, size)
        if data.draw(st.booleans()):
            steps[0] += 5000
        times = now + np.cumsum(steps)
        values = random.integers(0, 255, (size, 2)).astype(dtype)
        ring.append(values, times)
        now = int(times[-1])
        raw, time = np.concatenate([raw, values]), np.concatenate([time, times])
        width = data.draw(st.sampled_from([1, 50, 333, 1200]))
        last = now // width
        count = data.draw(st.integers(1, 40))
        kept = slice(ring.oldest, None)
        first = max(last - count + 1, int(time[kept][0]) // width + 1) if ring.oldest else last - count + 1
        if first <= last:
            assert shown(ring, first, last - first + 1, width) == brute(
                raw[kept], time[kept], first, last - first + 1, width
            )


def test_one_spike_is_never_lost_at_any_time_base() -> None:
    ring = Ring(1, "<i2", 600_000)
    raw = np.zeros((500_000, 1), np.int16)
    raw[123_456] = 30_000
    ring.append(raw, np.arange(500_000, dtype=np.int64) * 1_000_000)
    for columns in (1, 3, 80, 240, 999):
        width = -(-500_000_000_000 // columns)
        _, high, there = ring.columns(0, columns, width)
        assert there.all()
        assert high.max() == 30_000
        assert int(high[:, 0].argmax()) == 123_456_000_000 // width


def test_missing_values_do_not_hide_their_neighbours() -> None:
    ring = Ring(1, "<f4", 1000)
    raw = np.full((400, 1), np.nan, np.float32)
    raw[100], raw[200] = -5, 7
    ring.append(raw, np.arange(400, dtype=np.int64))
    low, high, _ = ring.columns(0, 1, 400)
    assert (low[0, 0], high[0, 0]) == (-5, 7)


def test_time_that_goes_back_starts_anew() -> None:
    ring = Ring(1, "<i2", 1000)
    ring.append(np.full((10, 1), 5, np.int16), np.arange(100, 110, dtype=np.int64))
    ring.columns(0, 10, 20)
    ring.append(np.full((10, 1), 3, np.int16), np.arange(0, 10, dtype=np.int64))
    low, high, there = ring.columns(0, 10, 20)
    assert there.tolist() == [True] + [False] * 9
    assert (low[0, 0], high[0, 0]) == (3, 3)


def test_the_newest_sample_before_a_time_is_found() -> None:
    ring = Ring(1, "<i2", 512)
    assert ring.before(10) is None
    ring.append(np.arange(1000, dtype=np.int16).reshape(-1, 1), np.arange(1000, dtype=np.int64) * 10)
    found = ring.before(9_004)
    assert found is not None
    assert (int(found[0][0]), found[1]) == (900, 9_000)
    assert ring.before(5) is None


@pytest.mark.parametrize("capacity", [1, 256, 1000])
def test_memory_is_bounded_and_the_promised_history_kept(capacity: int) -> None:
    ring = Ring(3, "<i2", capacity)
    for start in range(0, 10_000, 50):
        ring.append(np.zeros((50, 3), np.int16), np.arange(start, start + 50, dtype=np.int64))
    assert ring.count - ring.oldest >= ring.capacity - 256
    assert ring.capacity <= max(512, capacity + 256)
