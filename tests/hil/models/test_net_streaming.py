"""Every architecture, hop by hop: the bits of the scanned offline pass and the answer of whole windows, at any hop."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_boards import by_board, split
from net_models import net_model, net_readings, shape_of, whole_windows

from firmware_bridge.errors import UsageError
from hil.models.contract import parse_contract
from hil.models.model import build_network
from hil.models.nets.seam import net_class
from hil.models.nets.shapes import SHAPES
from hil.models.step_plain import PlainStep

NAMES = tuple(SHAPES)
HOPS = (1, 4, 5, 7)
SIZE = 100
MODELS = {(name, hop): net_model(name, hop) for name in NAMES for hop in HOPS}
EXPECTED: dict[tuple[str, int, int], list[Any]] = {}


def offline(name: str, hop: int, seed: int = 0) -> list[Any]:
    """Decisions of one board, scanned from the start in one call, in slot `seed`."""
    key = (name, hop, seed)
    if key not in EXPECTED:
        runner = MODELS[name, hop].runner(boards=["a", "b", "c"], slots=3)
        EXPECTED[key] = runner.push([net_readings(name, SIZE, seed, "abc"[seed])])
    return EXPECTED[key]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=6)
@given(st.data())
def test_streaming_equals_the_scanned_offline_pass_bit_for_bit(name: str, data: st.DataObject) -> None:
    """Any hop, any split into batches, any interleaving of boards."""
    hop = data.draw(st.sampled_from(HOPS))
    boards = data.draw(st.permutations([0, 1, 2]))[: data.draw(st.integers(1, 3))]
    waiting = {
        seed: split(
            net_readings(name, SIZE, seed, "abc"[seed]), data.draw(st.lists(st.integers(1, SIZE - 1), max_size=9))
        )
        for seed in boards
    }
    runner, made = MODELS[name, hop].runner(boards=["a", "b", "c"], slots=3), []
    while any(waiting.values()):
        seed = data.draw(st.sampled_from([seed for seed in boards if waiting[seed]]))
        made += runner.push([waiting[seed].pop(0)])
    found = by_board(made)
    for seed in boards:
        assert found["abc"[seed]] == offline(name, hop, seed)


@pytest.mark.parametrize("hop", HOPS)
@pytest.mark.parametrize("name", NAMES)
def test_decisions_equal_whole_windows_in_float64_within_1e_5(name: str, hop: int) -> None:
    expected = whole_windows(MODELS[name, hop], net_readings(name, SIZE))
    made = offline(name, hop)
    assert [decision.sample for decision in made] == list(expected)
    assert made
    assert max(np.abs(np.array(one.scores) - expected[one.sample]).max() for one in made) <= 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_the_comparison_notices_lost_state(name: str) -> None:
    """Negative control: a break that the readings do not have must show."""
    model, whole = MODELS[name, 1], net_readings(name, SIZE)
    expected, runner = whole_windows(model, whole), model.runner(boards=["a"], slots=1)
    worst = 0.0
    for start in range(SIZE):
        if start == 70:
            step = runner._groups[0].step
            step.input[...] = 0.0
            step.run([0], [0], [start])  # what is in the state is dropped once
        for one in runner.push([whole.part(start, start + 1)]):
            worst = max(worst, float(np.abs(np.array(one.scores) - expected[one.sample]).max()))
    assert worst > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_a_seek_gives_the_same_bits_wherever_it_lands(name: str) -> None:
    model, whole = MODELS[name, 5], net_readings(name, SIZE)
    for start in (1, 5, 33):
        made = model.runner(boards=["a", "b", "c"], slots=3).push([whole.part(start, SIZE)])
        later = [one for one in offline(name, 5) if one.sample + 1 - model.contract.memory_samples >= start]
        assert made == later
        assert made


@pytest.mark.parametrize("name", NAMES)
def test_sliding_over_a_signal_gives_what_whole_windows_give(name: str) -> None:
    """What training sees is what runs, with normalisation folded in or not."""
    shape = shape_of(name, 6)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net = net_class(name)(shape, norm=True, dropout=0.1)
        with torch.no_grad():
            net.dense(torch.randn(8, shape.memory + 12, shape.inputs), 6)  # running statistics that are not trivial
        x = torch.randn(2, shape.memory + 31, shape.inputs)
    with torch.inference_mode():
        slid = net.eval().double().dense(x.double(), 6)
        plain = net.fused()
        assert {name: tuple(value.shape) for name, value in plain.state_dict().items()} == shape.shapes()
        for at in range(slid.shape[1]):
            end = shape.memory + 6 * at
            window = x[:, end - shape.span(end) : end]
            assert torch.allclose(plain(window).double(), slid[:, at], atol=2e-5)


@pytest.mark.parametrize("name", ["tcn", "gru", "cnn_gru"])
def test_a_fast_form_equals_the_plain_form(name: str) -> None:
    model, hop = MODELS[name, 5], 5
    plain, fast = PlainStep(build_network(model.package), hop, 3), model.step(3)
    assert type(fast) is not PlainStep
    chance = np.random.default_rng(3)
    for at in range(25):
        plain.input[...] = fast.input[...] = chance.standard_normal(plain.input.shape).astype(np.float32)
        active = [slot for slot in range(3) if chance.random() < 0.8]
        reset = active[:1] if at == 13 else []
        said = [step.run(active, reset, [5 * (at + slot) for slot in active]) for step in (plain, fast)]
        assert np.allclose(said[0][active], said[1][active], atol=1e-5), at


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_of_every_network_survives_its_json(name: str) -> None:
    contract = MODELS[name, 4].contract
    assert parse_contract(contract.to_json(), "here") == contract
    assert contract.schema_version == (1 if name == "tcn" else 2)


def test_a_stream_of_other_frames_is_refused_in_a_sentence() -> None:
    frames, values = net_readings("cnn", 10), net_readings("gru", 10)
    other = type(frames.stream)(**{**frames.stream.as_dict(), "channels": ("t",), "units": ("degC",), "shape": (4, 3)})
    wrong = type(frames)("a", other, 0, 0, frames.ticks, frames.t_ns, np.zeros((10, 4, 3), np.int16))
    with pytest.raises(UsageError, match=r"it sends frames of 4 x 3 and model cnn reads frames of 3 x 4 of t \[degC\]"):
        MODELS["cnn", 1].runner(boards=["a"]).push([wrong])
    assert MODELS["cnn", 1].runner().push([values]) == []
    assert MODELS["gru", 1].runner().push([frames]) == []


def refused(change: Callable[[dict[str, Any]], None], name: str = "gru") -> str:
    import json

    plain = json.loads(MODELS[name, 4].contract.to_json())
    change(plain)
    with pytest.raises(Exception, match="its contract is wrong") as caught:
        parse_contract(json.dumps(plain), "here")
    return str(caught.value)


def test_a_shape_that_contradicts_its_contract_is_refused() -> None:
    assert "no multiple of the hop" in refused(lambda plain: plain.update(hop=5))
    assert "hidden" in refused(lambda plain: plain["architecture"]["config"].update(hidden=0))
    assert "weights and 100000 are allowed" in refused(lambda plain: plain["architecture"]["config"].update(hidden=500))
    assert "frame" in refused(lambda plain: plain.update(frame=[2, 6]), "cnn")
