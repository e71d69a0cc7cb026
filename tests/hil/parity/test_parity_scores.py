"""What a text board printed of its own model is compared with the model on the board's own readings."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from parity_board import LABELS, SMALL, Change, model, recorded, spoken, watch

from firmware_bridge.errors import UsageError
from hil.cli import app
from hil.models.model import Model
from hil.parity.run import parity_of_scores
from hil.parity.scores import ScoreParity


@pytest.fixture(scope="module")
def opened() -> Model:
    return model()


@pytest.fixture(scope="module")
def raw() -> np.ndarray:
    return watch()


Judge = Callable[..., ScoreParity]


@pytest.fixture
def judge(tmp_path: Path, opened: Model) -> Judge:
    def judged(lines: list[bytes], **how: object) -> ScoreParity:
        return parity_of_scores(opened, recorded(tmp_path, lines, **how), "scores")  # type: ignore[arg-type]

    return judged


def test_a_board_that_does_it_right_is_identical_to_the_last_printed_digit(
    judge: Judge, opened: Model, raw: np.ndarray
) -> None:
    found = judge(spoken(raw, opened))
    assert (found.verdict, found.ok, found.first_difference) == ("identical", True, None)
    assert (found.join.rule, len(found.join.rows)) == ("sample number", 55)
    assert (found.form, found.step) == ("probabilities", 1e-4)
    assert found.agreement.share == 1.0
    assert found.agreement.low == pytest.approx(0.9351, abs=1e-4)
    assert found.reliability is not None
    assert sum(one.decisions for one in found.reliability.bins) == 55


CHANGES: dict[str, tuple[Change, str]] = {
    "order": (lambda windows: windows[..., [1, 0, 2, 3, 4, 5]], "in the order ay, ax, az, wx, wy, wz"),
    "units": (lambda windows: windows * np.float32([9.80665] * 3 + [1] * 3), "9.81 times as large in ax"),
    "raw": (lambda windows: windows * np.float32([4096] * 3 + [1024] * 3), "reads raw counts"),
    "groups": (lambda windows: windows[..., [3, 4, 5, 0, 1, 2]], "in the order wx, wy, wz, ax, ay, az"),
    "gain": (lambda windows: windows * np.float32([1.3] * 3 + [1] * 3), "1.3 times as large in ax, ay, az"),
    "sign": (lambda windows: windows * np.float32([1, -1, 1, 1, 1, 1]), "reads ay with the opposite sign"),
    "backwards": (lambda windows: windows[:, ::-1].copy(), "runs backwards"),
}
RARE = ("groups", "gain", "sign", "backwards")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in RARE else ()) for name in CHANGES]
)
def test_readings_that_the_board_misreads_are_blamed_on_preprocessing_by_name(
    judge: Judge, opened: Model, raw: np.ndarray, name: str
) -> None:
    change, why = CHANGES[name]
    found = judge(spoken(raw[:1500], opened, change))
    assert (found.verdict, found.ok) == ("preprocessing", False), found.why
    assert why in found.why
    assert found.first_difference is not None


@pytest.mark.parametrize(
    ("late", "why"), [(1, "1 sample late"), pytest.param(-2, "2 samples early", marks=pytest.mark.slow)]
)
def test_a_window_that_is_off_by_samples_is_found_though_it_changes_less_than_8_bits_do(
    judge: Judge, opened: Model, raw: np.ndarray, late: int, why: str
) -> None:
    found = judge(spoken(raw, opened, late=late))
    assert found.verdict == "preprocessing", found.why
    assert why in found.why


def test_scores_of_swapped_labels_are_blamed_on_the_board(judge: Judge, opened: Model, raw: np.ndarray) -> None:
    found = judge(spoken(raw, opened, scores=lambda p: [f"{value:.4f}" for value in p[[1, 2, 0, 3, 4, 5, 6]]]))
    assert found.verdict == "board"
    assert "none of 8" in found.why
    assert found.wrong > 20


def test_a_board_in_8_bits_differs_by_quantisation(judge: Judge, opened: Model, raw: np.ndarray) -> None:
    coarse = np.random.default_rng(0)

    def rounded(p: np.ndarray) -> list[str]:
        logits = np.log(p) + coarse.normal(0, 0.01, len(p))
        q = np.exp(logits) / np.exp(logits).sum()
        return [f"{value:.4f}" for value in q]

    found = judge(spoken(raw, opened, scores=rounded))
    assert (found.verdict, found.ok) == ("quantisation", True), found.why
    assert found.allowed is not None
    assert 0 < found.distance <= found.allowed


def test_scores_and_readings_that_were_lost_are_blamed_on_transport_and_counted(
    judge: Judge, opened: Model, raw: np.ndarray
) -> None:
    lines = spoken(raw, opened)
    said = [index for index, line in enumerate(lines) if line.startswith(b"S")]
    found = judge([line for index, line in enumerate(lines) if index not in said[5:7]])
    assert (found.verdict, found.join.lost) == ("transport", 2)
    assert "2 never came" in found.why


def test_a_reading_that_was_lost_takes_its_windows_out(judge: Judge, opened: Model, raw: np.ndarray) -> None:
    lines = spoken(raw, opened)
    del lines[1200]
    found = judge(lines)
    assert (found.verdict, found.join.torn, len(found.join.rows)) == ("transport", 4, 51)


def test_scores_that_are_no_numbers_are_missing_and_spoil_nothing(judge: Judge, opened: Model, raw: np.ndarray) -> None:
    lines = spoken(raw[:1000], opened)
    said = [index for index, line in enumerate(lines) if line.startswith(b"S")]
    start, _, _ = lines[said[4]].rpartition(b",")
    lines[said[4]] = start + b",nan\r\n"
    found = judge(lines)
    assert (found.verdict, found.join.torn, found.form) == ("transport", 1, "probabilities"), found.why
    assert np.isfinite(found.distance)


def test_without_numbers_scores_are_joined_by_time_and_a_lost_reading_is_found(
    judge: Judge, opened: Model, raw: np.ndarray
) -> None:
    lines = spoken(raw, opened, printed_late=4)
    del lines[1200]
    found = judge(lines, counted=False)
    assert (found.verdict, found.join.rule) == ("transport", "board time")
    assert (found.join.lag, found.join.lag_s) == (4, 0.08)
    assert "4 of 55 windows differ" in found.why
    assert any("0.080 s" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("scores", "columns", "form"),
    [
        (lambda p: [f"{100 * value:.1f}" for value in p], LABELS, "probabilities"),
        (lambda p: [f"{round(256 * value) - 128}" for value in p], LABELS, "probabilities"),
        (lambda p: [f"{np.log(value) + 3:.3f}" for value in p], LABELS, "logits"),
        (lambda p: [str(int(p.argmax()))], ("label",), "label"),
        (lambda p: [f"{value:.4f}" for value in p], tuple(f"s{i}" for i in range(7)), "probabilities"),
    ],
)
def test_percent_8_bit_steps_logits_and_bare_labels_are_read_as_what_they_are(
    judge: Judge, opened: Model, raw: np.ndarray, scores: Callable[[np.ndarray], list[str]], columns: tuple[str, ...],
    form: str,
) -> None:  # fmt: skip
    found = judge(spoken(raw[:1000], opened, scores=scores), columns=columns)
    assert (found.verdict, found.form) == ("identical", form), found.why
    assert (found.reliability is None) == (form == "label")
    assert bool(found.remarks) == (columns[0] == "s0")


def test_scores_that_belong_to_no_readings_are_a_usage_error(judge: Judge, opened: Model, raw: np.ndarray) -> None:
    with pytest.raises(UsageError, match="belongs to a whole window"):
        judge(spoken(raw[:600], opened, key=lambda number: number + 100_000))


def test_the_verb_prints_a_table_and_ends_by_its_verdict(
    tmp_path: Path, opened: Model, raw: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(*more: str) -> object:
        return app(["parity", str(SMALL), "--scores", "scores", *more], standalone_mode=False)

    right = recorded(tmp_path, spoken(raw[:1000], opened))
    assert verb("--data", str(right)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("identical: all 15 scores")
    assert "joined by sample number" in printed
    assert "expected calibration error" in printed
    (tmp_path / "b").mkdir()
    wrong = recorded(tmp_path / "b", spoken(raw[:1500], opened, lambda windows: windows[..., [1, 0, 2, 3, 4, 5]]))
    assert verb("--data", str(wrong), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "preprocessing"
    assert found["first_difference"]["sample"] >= 199
    assert found["agreement"]["windows"] == found["join"]["matched"] == 25
