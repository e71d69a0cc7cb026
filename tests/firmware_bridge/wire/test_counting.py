"""Sample numbers: unwrapped, gaps found, duplicates and late samples told apart."""

from itertools import cycle

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.wire.counting import Numbering


def take(numbering: Numbering, *numbers: int, ahead: float = 1e9, restarts: bool = False):
    taken = numbering.take(np.array(numbers, np.uint64) % (1 << numbering.bits), ahead, restarts)
    runs = [(run.first, len(np.arange(len(numbers))[run.which]), run.missing) for run in taken.runs]
    return runs, taken.duplicate, taken.late, taken.restart


def test_numbers_in_order_are_one_run():
    numbering = Numbering(32)
    assert take(numbering, 5, 6, 7) == ([(5, 3, 0)], 0, 0, None)
    assert take(numbering, 8, 9) == ([(8, 2, 0)], 0, 0, None)


def test_a_known_start_makes_the_head_missing():
    assert take(Numbering(32, start=0), 3, 4) == ([(3, 2, 3)], 0, 0, None)


def test_gaps_cut_runs():
    assert take(Numbering(32), 1, 2, 5, 6, 9)[0] == [(1, 2, 0), (5, 2, 2), (9, 1, 2)]


def test_numbers_unwrap_past_two_to_the_32():
    numbering = Numbering(32, start=2**32 - 2)
    assert take(numbering, 2**32 - 2, 2**32 - 1, 0, 1) == ([(2**32 - 2, 4, 0)], 0, 0, None)
    assert take(numbering, 4)[0] == [(2**32 + 4, 1, 2)]


def test_a_narrow_counter_leans_ahead():
    numbering = Numbering(8)
    take(numbering, 0)
    assert take(numbering, 180)[0] == [(180, 1, 179)]
    assert take(numbering, 175) == ([], 0, 1, None)


def test_a_number_seen_before_is_a_duplicate_and_one_from_a_gap_is_late_and_retracts_nothing():
    numbering = Numbering(32)
    take(numbering, 0, 1, 5, 6)
    assert take(numbering, 1, 6, 3) == ([], 2, 1, None)
    assert take(numbering, 3, 7) == ([(7, 1, 0)], 0, 1, None)


def test_what_is_older_than_the_first_sample_is_late():
    numbering = Numbering(32)
    take(numbering, 100, 101)
    assert take(numbering, 99)[2] == 1


def test_samples_out_of_order_within_one_read_keep_the_run_whole_around_them():
    numbering = Numbering(32)
    taken = numbering.take(np.array([0, 1, 1, 2, 4, 3], np.uint64), 1e9, restarts=False)
    assert [(run.first, np.arange(6)[run.which].tolist(), run.missing) for run in taken.runs] == [
        (0, [0, 1, 3], 0), (4, [4], 1)
    ]  # fmt: skip
    assert (taken.duplicate, taken.late) == (1, 1)


def test_a_step_back_far_or_to_zero_is_a_restart_where_numbers_tell():
    numbering = Numbering(32)
    take(numbering, 1000, 1001)
    assert take(numbering, 1002, 0, 1, restarts=True) == ([(1002, 1, 0)], 0, 0, 1)
    assert take(numbering, 900, restarts=True)[3] == 0
    assert take(numbering, 1001, 980, restarts=True) == ([], 1, 1, None)


def test_an_impossible_jump_is_not_believed_until_it_goes_on():
    numbering = Numbering(32)
    take(numbering, 0, 1, 2)
    assert take(numbering, 2_000_000_000, ahead=1000) == ([], 0, 1, None)
    assert take(numbering, 3, 4, ahead=1000) == ([(3, 2, 0)], 0, 0, None)
    assert take(numbering, 500_000, ahead=1000)[2] == 1
    assert take(numbering, 500_001, 500_002, ahead=1000)[0] == [(500_001, 2, 499_996)]


def test_many_gaps_are_remembered_in_bounded_memory():
    numbering = Numbering(32)
    numbering.take(np.arange(0, 60_000, 2, dtype=np.uint64), 1e9, restarts=False)
    assert len(numbering._starts) <= 2 * 4096
    assert take(numbering, 59_997) == ([], 0, 1, None)
    assert take(numbering, 59_998) == ([], 1, 0, None)


class Naive:
    """The rules of the module, one number at a time."""

    def __init__(self) -> None:
        self.next: int | None = None
        self.missing: set[int] = set()
        self.first = 0

    def take(self, number: int) -> tuple[str, int]:
        if self.next is None:
            self.first = self.next = number
        if number >= self.next:
            gap = number - self.next
            self.missing.update(range(self.next, number))
            self.next = number + 1
            return "new", gap
        return ("late" if number in self.missing or number < self.first else "duplicate"), 0


@settings(max_examples=200)
@given(
    st.lists(st.integers(-6, 6), min_size=1, max_size=60),
    st.integers(2**32 - 200, 2**32 + 50),
    st.lists(st.integers(1, 7), min_size=1, max_size=20),
)
def test_any_order_and_any_split_agrees_with_the_rules_one_by_one(steps, start, sizes):
    numbers = (start + np.cumsum(np.abs(steps) * np.sign(np.array(steps) + 3))).tolist()
    naive = Naive()
    # below the first number everything is late for both, so begin at the smallest
    expected = [naive.take(number) for number in numbers]
    numbering = Numbering(32)
    duplicate = late = missing = new = 0
    place, size = 0, cycle(sizes)
    base = numbers[0] - numbers[0] % 2**32
    while place < len(numbers):
        stop = place + next(size)
        chunk = np.array(numbers[place:stop], np.int64) % 2**32
        taken = numbering.take(chunk.astype(np.uint64), 1e9, restarts=False)
        duplicate, late = duplicate + taken.duplicate, late + taken.late
        for run in taken.runs:
            chosen = np.array(numbers[place:stop])[run.which]
            assert chosen.tolist() == [base + run.first + k for k in range(len(chosen))]
            new, missing = new + len(chosen), missing + run.missing
        place = stop
    assert new == sum(kind == "new" for kind, _ in expected)
    assert missing == sum(gap for _, gap in expected)
    assert duplicate == sum(kind == "duplicate" for kind, _ in expected)
    assert late == sum(kind == "late" for kind, _ in expected)
