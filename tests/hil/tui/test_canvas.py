"""The braille canvas: what a person relies on when looking at a line of dots."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hil.tui.charts import canvas

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)
ANY = st.floats(width=32, allow_nan=True, allow_infinity=True)


def dots_of(bits: np.ndarray) -> np.ndarray:
    """The dots of one channel as booleans `(4 * rows, 2 * columns)`, worked out bit by bit."""
    rows, width = bits.shape
    out = np.zeros((4 * rows, 2 * width), bool)
    for column, order in enumerate(((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))):
        for row, bit in enumerate(order):
            out[row::4, column::2] = (bits & bit) > 0
    return out


def drawn(values: list[float], rows: int = 4, columns: int | None = None) -> np.ndarray:
    low, high = canvas.envelope(np.array(values, np.float32), columns or len(values))
    return dots_of(canvas.raster(low, high, canvas.limits(low, high), rows)[0])


@given(
    st.integers(1, 3000), st.integers(1, 60), st.integers(1, 12), st.floats(0, 1), st.floats(1.5, 1e6), st.booleans()
)
def test_a_spike_of_one_sample_never_vanishes(count, width, rows, place, size, down) -> None:
    values = np.sin(np.arange(count) / 7).astype(np.float32)
    at = min(count - 1, int(place * count))
    values[at] = -size if down else size
    low, high = canvas.envelope(values, 2 * width)
    dots = dots_of(canvas.raster(low, high, (-size if down else -1.0, 1.0 if down else size), rows)[0])
    filled = np.arange(2 * width) * count // (2 * width)
    column = int(np.flatnonzero((filled <= at) & (np.append(filled[1:], count) > at))[0])
    assert dots[-1 if down else 0, column]


@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 200), st.integers(0, 4)), elements=ANY), st.integers(0, 40))
def test_an_envelope_holds_exactly_the_least_and_greatest(values, columns) -> None:
    low, high = canvas.envelope(values, columns)
    assert low.shape == high.shape == (values.shape[1], columns)
    for column in range(columns if len(values) else 0):
        start, stop = column * len(values) // columns, (column + 1) * len(values) // columns
        for channel in range(values.shape[1]):
            some = [value for value in values[start:stop, channel].tolist() if value == value]
            expected = (min(some), max(some)) if some else (np.nan, np.nan)
            np.testing.assert_array_equal((low[channel, column], high[channel, column]), np.float32(expected))


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(0, 30).map(lambda half: 2 * half)), elements=ANY),
    st.integers(0, 9),
)
def test_any_readings_can_be_drawn_and_only_those_that_are_numbers_are(values, rows) -> None:
    axis = canvas.limits(values, values)
    assert axis[0] < axis[1]
    bits = canvas.raster(values, values, axis, rows)
    assert bits.shape == (values.shape[0], rows, values.shape[1] // 2)
    for channel, line in enumerate(values):
        if rows and len(line):
            np.testing.assert_array_equal(dots_of(bits[channel]).any(axis=0), ~np.isnan(line))


def test_infinite_readings_stand_at_the_edges() -> None:
    dots = drawn([0.0, 1.0, float("inf"), 0.0, -float("inf"), 0.0])
    assert dots[0, 2]
    assert dots[-1, 4]


def test_a_constant_signal_is_a_line_in_the_middle() -> None:
    for value in (0.0, 5.0, -1e9, 1e-9):
        dots = drawn([value] * 20)
        assert dots.sum() == 20
        assert 0 < np.flatnonzero(dots[:, 0])[0] < 15


def test_one_column_and_none_at_all() -> None:
    assert canvas.envelope(np.array([3.0]), 1)[0].tolist() == [[3.0]]
    assert canvas.raster(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), (0, 1), 3).shape == (1, 3, 0)
    assert canvas.envelope(np.empty((0, 2)), 6)[0].shape == (2, 6)
    assert canvas.limits(np.empty((2, 0)), np.empty((2, 0))) == (0.0, 1.0)
    assert canvas.blend(np.zeros((0, 2, 3), np.uint8))[0].shape == (2, 3)


def test_steep_lines_have_no_holes() -> None:
    dots = drawn([0.0, 10.0, 0.0, 10.0, 5.0, 0.0])
    for left, right in zip(range(5), range(1, 6), strict=True):
        a, b = np.flatnonzero(dots[:, left]), np.flatnonzero(dots[:, right])
        assert a.max() >= b.min() - 1
        assert b.max() >= a.min() - 1


@given(hnp.arrays(np.float32, st.tuples(st.just(1), st.just(40)), elements=FINITE), st.integers(1, 37))
def test_a_gap_stays_empty_and_is_not_joined(values, start) -> None:
    gaps = np.zeros(40, bool)
    gaps[start : start + 2] = True
    values[:, gaps] = np.nan
    low, high = canvas.bridged(values, values, 40, gaps)
    dots = dots_of(canvas.raster(low, high, canvas.limits(low, high), 5, gaps)[0])
    assert not dots[:, gaps].any()
    assert dots[:, ~gaps].any(axis=0).all()


def test_a_slow_stream_is_joined_as_far_as_its_rate_allows() -> None:
    line = np.full((1, 12), np.nan, np.float32)
    line[0, [0, 4, 11]] = [0.0, 4.0, 4.0]
    low, high = canvas.bridged(line, line, 3)
    np.testing.assert_array_equal(low[0, :5], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(low, high)
    assert np.isnan(low[0, 5:11]).all()
    assert canvas.bridged(line, line, 0)[0] is line


@given(FINITE, FINITE, st.integers(1, 30))
def test_ticks_are_round_numbers_inside_the_range(one, other, most) -> None:
    low, high = min(one, other), max(one, other)
    marks = canvas.ticks(low, high, most)
    if high <= low:
        assert marks == ()
        return
    assert len(marks) <= most + 1
    for mark in marks:
        assert len(mark.label) <= canvas.LABEL
        assert low - (high - low) * 1e-6 <= mark.value <= high + (high - low) * 1e-6
    steps = {round(b.value - a.value, 12) for a, b in itertools.pairwise(marks)}
    for step in steps if 0.01 < high - low < 1e3 else ():
        assert f"{step:.0e}"[0] in "125"


def test_ticks_are_written_with_the_digits_they_need() -> None:
    assert [tick.label for tick in canvas.ticks(-0.02, 0.03, 5)] == ["-0.02", "-0.01", "0.00", "0.01", "0.02", "0.03"]
    assert [tick.label for tick in canvas.ticks(0, 1000, 2)] == ["0", "500", "1000"]


def test_a_range_in_use_is_kept_until_the_readings_leave_it() -> None:
    assert canvas.limits([0.0], [9.0], (-10.0, 10.0)) == (-10.0, 10.0)
    assert canvas.limits([0.0], [10.5], (-10.0, 10.0)) == (0.0, 12.0)
    assert canvas.limits([0.0], [1.0], (-10.0, 10.0)) == (0.0, 1.0)
    assert canvas.limits([np.nan], [np.nan], (-1.0, 1.0)) == (-1.0, 1.0)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9))))
def test_channels_laid_over_each_other_keep_every_dot(bits) -> None:
    cells, owner = canvas.blend(bits)
    for row, column in np.ndindex(cells.shape):
        stack = bits[:, row, column]
        assert cells[row, column] == np.bitwise_or.reduce(stack)
        counts = [int(byte).bit_count() for byte in stack]
        assert counts[owner[row, column]] == max(counts)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (1, "1.000"), (-0.012346, "-0.01235"), (123456, "1.2e5"), (9.80665, "9.807"), (1e-5, "1.0e-5"),
     (float("nan"), "nan"), (float("-inf"), "-inf"), (99999, "99999")],
)  # fmt: skip
def test_numbers_are_short(value, words) -> None:
    assert canvas.number(value) == words


@given(st.floats(width=32))
def test_every_number_fits_its_place(value) -> None:
    assert len(canvas.number(value)) <= 8
    assert len(canvas.number(value, 3)) <= canvas.LABEL
