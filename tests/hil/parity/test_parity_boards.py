"""Three answers to the same windows give one verdict; what is quantisation and what is chance are told apart."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from parity_board import SMALL, WATCH

from firmware_bridge.oplist import OpList
from hil.models import load_model
from hil.models.int8.deploy import deploy
from hil.models.int8.reference import Int8, run
from hil.models.model import Model
from hil.models.whole import probabilities
from hil.models.windows import Windows
from hil.parity.boards import judge_board, some_of
from hil.parity.cost import cost_of
from hil.parity.figures import Labelled, agreement, labelled, reliability
from hil.parity.run import windows_in
from hil.recording.reader import Recording


@dataclass(frozen=True)
class Said:
    """What a board answers."""

    outputs: Int8
    again: int = 0
    elapsed_ticks: int = 1000
    instructions: int | None = None


@pytest.fixture(scope="module")
def real() -> tuple[Model, OpList, Windows]:
    model = load_model(SMALL)
    windows = windows_in(model, [WATCH])
    return model, deploy(model, windows).oplist, some_of(windows, 40)


def answers(oplist: OpList, windows: Windows) -> list[Said | None]:
    return [Said(outputs.reshape(-1)) for outputs in run(oplist, windows.raw)[-1]]


def never(window: int, layer: int) -> Int8:
    raise AssertionError((window, layer))


def test_a_window_by_itself_is_decided_as_in_the_stream(real: tuple[Model, OpList, Windows]) -> None:
    model, _, windows = real
    with Recording(WATCH) as recording:
        streamed = {made.sample: made.scores for made in model.predict(recording)}
    values = windows.stream.values(windows.raw)[..., list(windows.picked)]
    found = probabilities(model, values)
    assert np.array_equal(found, np.array([streamed[end] for end in windows.ends.tolist()]))


def test_a_board_that_says_what_the_reference_says_is_identical(real: tuple[Model, OpList, Windows]) -> None:
    model, oplist, windows = real
    found = judge_board(model, oplist, windows, answers(oplist, windows), never)
    assert (found.verdict, found.ok, found.identical) == ("identical", True, 40), found.why
    assert found.agreement.windows == 40
    assert found.labelled.macro_f1_other is not None


def test_answers_that_had_to_be_asked_again_are_counted(real: tuple[Model, OpList, Windows]) -> None:
    model, oplist, windows = real
    said = answers(oplist, windows)
    assert said[3] is not None
    said[3] = replace(said[3], again=2)
    found = judge_board(model, oplist, windows, said, never)
    assert (found.verdict, found.again) == ("identical", 1)
    assert "1 had to be asked again" in found.why


def test_a_network_that_8_bits_spoil_is_blamed_on_quantisation_though_the_board_is_right(
    real: tuple[Model, OpList, Windows],
) -> None:
    model, oplist, windows = real
    last = oplist.ops[-1]
    bias = last.arrays["bias"] + np.array([10**6, 0, 0, 0, 0, 0, 0], np.int32)
    spoilt = replace(oplist, ops=(*oplist.ops[:-1], replace(last, arrays={**last.arrays, "bias": bias})))
    found = judge_board(model, spoilt, windows, answers(spoilt, windows), never)
    assert (found.verdict, found.ok) == ("quantisation", True)
    assert "macro-F1 falls" in found.why
    bare = replace(windows, truth=np.full(len(windows), -1))
    found = judge_board(model, spoilt, bare, answers(spoilt, bare), never)
    assert found.verdict == "quantisation"
    assert "keep their label" in found.why


def test_one_window_that_flips_is_no_loss_beyond_chance() -> None:
    truth, said = np.arange(40) % 4, np.arange(40) % 4
    other = said.copy()
    other[0] = 3
    found = labelled(truth, said, other, 4)
    assert found.loss is not None
    assert found.loss > 1.0
    assert (found.spoilt, found.mended, found.surely_worse) == (1, 0, False)
    assert replace(found, spoilt=5).surely_worse
    assert Labelled(0, None, None, None, None, 0, 0).loss is None


def test_agreement_has_an_interval_and_nothing_has_none() -> None:
    found = agreement(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]))
    assert (found.windows, found.same, found.share) == (4, 3, 0.75)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.75 < found.high
    nothing = agreement(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert (nothing.share, nothing.low, nothing.high) == (None, None, None)


def test_reliability_is_judged_by_labels_where_there_are_some() -> None:
    board = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    found = reliability(np.array([0, 0, 0, 1]), board, board)
    assert found.against == "labels"
    assert [(one.decisions, one.right) for one in found.bins] == [(2, 0.5), (2, 1.0)]
    assert found.ece == pytest.approx(0.1)
    assert reliability(np.full(4, -1), board, board).against == "model"


def test_cost_sums_up_what_was_counted_and_knows_nothing_of_what_was_not() -> None:
    outputs = np.zeros(7, np.int8)
    each = [Said(outputs, instructions=count) for count in (1000, 1010, 990)]
    same = [Said(outputs, instructions=1000)] * 5
    found = cost_of(each, same, ram_bytes=10, flash_bytes=20, seconds=2.0, tick_hz=1e6)
    assert (found.instructions, found.least_instructions, found.calls) == (1010, 990, 8)
    assert (found.repeated, found.spread, found.windows_per_s, found.board_ms) == (5, 0, 4.0, 1.0)
    bare = cost_of([None, Said(outputs)], [Said(outputs)], ram_bytes=10, flash_bytes=20, seconds=0.0, tick_hz=None)
    assert (bare.instructions, bare.spread, bare.windows_per_s, bare.board_ms) == (None, None, None, None)
