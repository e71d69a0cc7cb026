"""A benchmark row says ok only where the whole interval clears the bar."""

import pytest

from hil.bench.row import interval, judge, paired


def test_nine_values_leave_one_out_on_each_side():
    assert interval([9, 1, 2, 3, 4, 5, 6, 7, 8]) == (2, 8)


def test_eleven_values_leave_one_out_on_each_side():
    assert interval(range(11)) == (1, 9)


def test_more_values_narrow_the_interval():
    assert interval(range(100)) == (39, 60)


def test_too_few_values_are_refused():
    with pytest.raises(ValueError, match="at least 9"):
        interval([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="at least 9"):
        judge("a", 1.0, "s", "b", [5.0] * 8, 1.0)
    with pytest.raises(ValueError, match="at least 9"):
        paired(lambda: None, lambda: None, rounds=8)


def test_one_low_ratio_is_forgiven_and_two_are_not():
    assert judge("a", 1.0, "s", "b", [1.0, *[4.0] * 8], 3.0).ok
    assert not judge("a", 1.0, "s", "b", [1.0, 1.0, *[4.0] * 7], 3.0).ok


def test_at_most_wants_the_interval_below():
    assert judge("a", 1.0, "s", "b", [0.5] * 9, 0.6, at_most=True).ok
    assert not judge("a", 1.0, "s", "b", [0.5] * 7 + [0.9] * 2, 0.6, at_most=True).ok


def test_pairs_take_turns_and_ratios_tell_how_much_longer_the_peer_took():
    order: list[str] = []

    def ours() -> float:
        order.append("o")
        return 1.0

    def theirs() -> float:
        order.append("t")
        return 3.0

    pairs = paired(ours, theirs, rounds=9, self_timed=True)
    assert pairs.ratios == (3.0,) * 9
    assert order[2:8] == ["o", "t", "t", "o", "o", "t"]
    assert (pairs.ours_s, pairs.theirs_s) == (1.0, 3.0)


def test_a_row_reads_as_one_line():
    row = judge("bulk decode", 2.0, "ms", "cobs + zlib", [4.0] * 9, 3.0)
    assert str(row) == "bulk decode: 2 ms, 4x [4, 4] against cobs + zlib (bar 3): ok"
    assert row.as_dict()["ok"] is True
