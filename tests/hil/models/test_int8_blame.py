"""Planted bugs in a board are blamed on the right stage, with the first element that differs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hil.models
from firmware_bridge.oplist import OpList
from firmware_bridge.oplist.reference import run
from hil.models import load_model
from hil.models.int8.blame import Verdict, blame
from hil.models.int8.deploy import deploy
from hil.models.windows import windows_of
from hil.recording.reader import Recording

RECORDING = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-10.mcap"
Read = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def real() -> tuple[OpList, np.ndarray]:
    model = load_model(Path(hil.models.__file__).parent / "exercise-small.hilmodel")
    with Recording(RECORDING) as recording:
        windows = windows_of(recording, model.contract)
    return deploy(model, windows).oplist, windows.raw[40:440:20]


class Board:
    """Answers as the reference does, but from what it read and with the network that it has."""

    def __init__(self, oplist: OpList, raw: np.ndarray) -> None:
        self.layers = run(oplist, raw)

    def answers(self) -> list[np.ndarray | None]:
        return [answer.reshape(-1) for answer in self.layers[-1]]

    def tap(self, window: int, layer: int) -> np.ndarray:
        return self.layers[layer][window].reshape(-1)


def judged(real: tuple[OpList, np.ndarray], board: Board) -> Verdict:
    return blame(*real, board.answers(), board.tap)


def test_a_board_that_does_it_right_is_identical_and_is_asked_for_no_layer(real: tuple[OpList, np.ndarray]) -> None:
    def never(window: int, layer: int) -> np.ndarray:
        raise AssertionError((window, layer))

    found = blame(*real, Board(*real).answers(), never)
    assert (found.verdict, found.identical, found.first_difference) == ("identical", 20, None)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda raw: raw[:, :, [1, 0, 2, 3, 4, 5]], "in the order 1, 0, 2, 3, 4, 5"),
        (lambda raw: np.concatenate((raw[:, 1:], raw[:, -1:]), axis=1), "begins 1 sample late"),
        (lambda raw: np.concatenate((raw[:, :2], raw[:, :-2]), axis=1), "begins 2 samples early"),
        (lambda raw: (raw * np.array([1, 1, 1, 0.5, 0.5, 0.5])).astype("<i2"), "times as large in channel 3, 4, 5"),
        (lambda raw: raw[:, ::-1], "no shift, order or scale explains it"),
    ],
)
def test_a_window_that_was_misread_is_blamed_on_preprocessing(
    real: tuple[OpList, np.ndarray], read: Read, why: str
) -> None:
    oplist, raw = real
    found = judged(real, Board(oplist, np.ascontiguousarray(read(raw))))
    assert found.verdict == "preprocessing"
    assert why in found.why
    assert found.first_difference is not None
    assert found.first_difference.layer == 0


def test_swapped_weights_are_blamed_on_their_layer(real: tuple[OpList, np.ndarray]) -> None:
    oplist, raw = real
    op = oplist.ops[4]
    weight = op.arrays["weight"].reshape(op.out_channels, op.kernel, -1)[:, ::-1].reshape(-1)
    ops = list(oplist.ops)
    ops[4] = replace(op, arrays={**op.arrays, "weight": weight})
    found = judged(real, Board(replace(oplist, ops=tuple(ops)), raw))
    assert found.verdict == "board"
    first = found.first_difference
    assert first is not None
    assert (first.layer, first.operator) == (4, "conv1d")
    assert first.expected != first.found
    right = run(oplist, raw)[4][first.window]
    assert first.expected == right[first.row, first.channel]


def test_a_sum_that_overflows_is_blamed_on_its_layer(
    real: tuple[OpList, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    oplist, raw = real
    from firmware_bridge.oplist import reference

    sums = reference._convolution

    def narrow(op: object, rows: np.ndarray) -> np.ndarray:
        if op is not oplist.ops[6]:
            return sums(op, rows)
        kept = reference.rescaled
        monkeypatch.setattr(
            reference, "rescaled", lambda acc, mult, shift: kept(acc.astype(np.int16).astype(np.int64), mult, shift)
        )
        try:
            return sums(op, rows)
        finally:
            monkeypatch.setattr(reference, "rescaled", kept)

    with monkeypatch.context() as patch:
        patch.setattr(reference, "_convolution", narrow)
        board = Board(oplist, raw)
    found = judged(real, board)
    assert found.verdict == "board"
    assert found.first_difference is not None
    assert found.first_difference.layer == 6


def test_an_answer_that_never_came_is_blamed_on_transport_and_counted(real: tuple[OpList, np.ndarray]) -> None:
    board = Board(*real)
    answers = board.answers()
    answers[7] = answers[9] = None
    found = blame(*real, answers, board.tap)
    assert (found.verdict, found.missing, found.identical) == ("transport", 2, 18)
    assert "first window 7" in found.why


def test_an_answer_that_is_wrong_once_and_right_when_asked_again_is_blamed_on_transport(
    real: tuple[OpList, np.ndarray],
) -> None:
    board = Board(*real)
    answers = board.answers()
    answers[3] = answers[3] ^ np.int8(1)
    found = blame(*real, answers, board.tap)
    assert (found.verdict, found.identical, found.missing) == ("transport", 19, 0)
    assert "window 3" in found.why


def test_a_layer_that_cannot_be_had_leaves_the_blame_with_transport(real: tuple[OpList, np.ndarray]) -> None:
    board = Board(*real)
    answers = board.answers()
    answers[3] = answers[3] ^ np.int8(1)
    found = blame(*real, answers, lambda window, layer: None)
    assert found.verdict == "transport"
    assert "asked for layer 0 of window 3" in found.why
