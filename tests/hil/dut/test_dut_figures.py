"""Figures of a device under test: as scikit-learn has them, and unknown where they mean nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import BridgeError, FileError, UsageError
from firmware_bridge.wire.dutsession import Answer
from hil.dut.cases import Cases, of_table
from hil.dut.figures import agreement, auc, next_count, quality, throughput
from hil.models.datasets import NONE


def scores(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    right = chance.integers(0, classes, count)
    raw = chance.normal(size=(count, classes)).round(1)  # so that some are equal
    raw[np.arange(count), right] += 0.5
    return raw, right


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_area_under_the_curve_is_scikit_learns(classes: int) -> None:
    from sklearn.metrics import roc_auc_score

    raw, right = scores(200, classes, classes)
    each = [roc_auc_score(right == one, raw[:, one]) for one in range(classes)]
    assert auc(raw, right) == pytest.approx(each[1] if classes == 2 else np.mean(each))


def test_of_one_output_there_is_an_area_and_no_accuracy() -> None:
    found = quality([(0.1,), (0.9,), (0.4,)], np.array([0, 1, 0]), np.arange(3))
    assert (found.accuracy, found.auc) == (None, 1.0)


def test_what_has_no_truth_is_left_out_and_one_class_alone_has_no_area() -> None:
    found = quality([(1, 0), (0, 1), (0, 1)], np.array([0, NONE, 0]), np.arange(3))
    assert (found.things, found.labelled, found.accuracy, found.auc) == (3, 2, 0.5, None)
    assert found.low is not None
    assert found.low < 0.5
    nothing = quality([(1, 0)], np.array([NONE]), np.arange(1))
    assert (nothing.labelled, nothing.accuracy, nothing.macro_f1) == (0, None, None)


def test_parts_of_one_thing_are_averaged_before_they_are_judged() -> None:
    found = quality([(0.6, 0.4), (0.0, 1.0), (0.9, 0.1)], np.array([1, 1, 0]), np.array([4, 4, 9]))
    assert (found.things, found.accuracy) == (2, 1.0)


def test_one_step_of_an_output_is_a_difference_and_rounded_decimals_are_none() -> None:
    expected = np.array([[0.5, 0.25], [0.0, 0.75]])
    found = agreement([(0.501, 0.249), (0.0, 0.5)], expected, 0.25)
    assert (found.identical, found.same_label, found.first_difference) == (1, 2, 1)
    with pytest.raises(BridgeError, match="the board gives 1 outputs and the op list 2"):
        agreement([(0.5,), (0.5,)], expected, 0.25)


def test_speed_is_the_median_by_the_boards_clock_and_a_clock_that_is_off_is_told() -> None:
    def run(count: int, board_us: int, host_us: float) -> Answer:
        return Answer((1.0,), count, board_us, host_us, 1)

    right = throughput([run(100, 10_000_000, 10.01e6), run(300, 10_000_000, 10.01e6), run(50, 10_000_000, 10e6)], 10.0)
    assert (right.median_per_s, right.clock_is_off) == (10.0, False)
    slow = throughput([run(100, 5_000_000, 10e6)], 5.0)
    assert slow.clock_is_off
    assert slow.host_off == pytest.approx(1.0)


@given(st.integers(1, 10**6), st.integers(1, 10**9), st.floats(0.001, 60.0))
def test_the_next_number_of_inferences_lasts_as_long_as_asked_for(count: int, took_us: int, least_s: float) -> None:
    found = next_count(count, took_us, least_s)
    assert 1 <= found <= 100 * count
    if found < 100 * count:
        assert found * took_us / count >= least_s * 1e6 * 1.09
    if took_us < least_s * 1e6:
        assert found > count


# ------------------------------------------------------------------ a truth file


def table(folder: Path, *rows: str) -> Path:
    (folder / "y_labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "y_labels.csv"


def test_a_truth_file_names_files_beside_it_and_cuts_them_into_segments(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(range(10)))
    (tmp_path / "b.bin").write_bytes(bytes(10))
    cases = of_table(table(tmp_path, "a.bin,2,1", "b.bin, 2, 0, 4, 3"))
    assert cases.data == (bytes(range(10)), bytes(4), bytes(4), bytes(4))
    assert (cases.truth.tolist(), cases.item.tolist()) == ([1, 0, 0, 0], [0, 1, 1, 1])


@pytest.mark.parametrize(
    ("row", "error", "why"),
    [("a.bin,2,x", UsageError, "line 1 is not"), ("a.bin,2,2", UsageError, "line 1 is not"),
     ("a.bin", UsageError, "line 1 is not"), ("c.bin,2,1", FileError, "line 1 of"),
     ("a.bin,2,1,99,1", FileError, "a segment 99"), ("", UsageError, "it lists nothing")],
)  # fmt: skip
def test_a_truth_file_that_cannot_be_meant_is_told(tmp_path: Path, row: str, error: type, why: str) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(10))
    with pytest.raises(error, match=why):
        of_table(table(tmp_path, row))


def test_fewer_windows_are_spread_over_all_and_keep_what_belongs_together() -> None:
    cases = Cases(tuple(bytes([at]) for at in range(10)), np.arange(10), np.arange(10) // 2)
    assert cases.thinned(2).item.tolist() == [0, 0, 4, 4]
    assert len(cases.thinned(99)) == 10
