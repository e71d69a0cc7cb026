"""onnxruntime beside torch, and other people's networks: accepted as data, run on boards, refused in sentences."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from model_boards import (
    CHANNELS,
    HOP,
    STREAM,
    UNITS,
    batch,
    contract,
    decide,
    gap,
    network,
    readings,
    small_model,
    split,
)
from onnx import TensorProto, helper, numpy_helper

from firmware_bridge.errors import FileError, UsageError
from hil.models import load_model, save_model
from hil.models.contract import Contract, Input

SIZE = 120
WINDOW = 20


def window_contract(**changes: object) -> Contract:
    return contract(architecture=None, window=WINDOW, memory_samples=WINDOW, backend="onnxruntime", **changes)


class Recurrent(torch.nn.Module):
    """A network that we know nothing about."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.cell = torch.nn.GRU(3, 8, batch_first=True)
        self.head = torch.nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.cell(x)
        out: torch.Tensor = self.head(states[:, -1])
        return out


def linear_program(batch: int | str = "n", channels: int = 3, classes: int = 4, window: int = WINDOW) -> bytes:
    """The mean of the window times a matrix, written without torch."""
    matrix = np.random.default_rng(0).standard_normal((channels, classes)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["m", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, window, channels])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, classes])],
        [numpy_helper.from_array(matrix, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    program: bytes = made.SerializeToString()
    return program


def test_the_streaming_step_on_onnxruntime_stays_within_the_tolerance_of_the_contract() -> None:
    model = small_model()
    raw = [readings(SIZE, seed) for seed in range(3)]
    items = [
        *(batch(part, board=str(i)) for i, part in enumerate(raw)),
        gap(SIZE, 10, board="1"),
        *(batch(part, first=SIZE + (10 if i == 1 else 0), board=str(i)) for i, part in enumerate(raw)),
    ]
    eager, other = decide(items, model), decide(items, model, backend="onnxruntime")
    assert [(d.board, d.sample, d.label) for d in eager] == [(d.board, d.sample, d.label) for d in other]
    worst = max(np.abs(np.subtract(a.scores, b.scores)).max() for a, b in zip(eager, other, strict=True))
    assert worst <= 1e-5 < model.contract.tolerance


def test_on_onnxruntime_too_every_split_gives_the_same_bits() -> None:
    model = small_model()
    whole = model.runner(boards=["a", "b"], slots=2, backend="onnxruntime").push([batch(readings(SIZE))])
    runner = model.runner(boards=["a", "b"], slots=2, backend="onnxruntime")
    made = []
    for mine, other in zip(
        split(batch(readings(SIZE)), range(0, SIZE, 7)),
        split(batch(readings(SIZE, 5), board="b"), range(0, SIZE, 7)),
        strict=True,
    ):
        made += [d for d in runner.push([other, mine]) if d.board == "a"]
    assert made == whole


def test_a_network_of_the_users_own_is_exported_and_decides_on_boards(tmp_path: Path) -> None:
    module = Recurrent()
    path = tmp_path / "own.hilmodel"
    save_model(module, window_contract(), path)
    model = load_model(path)
    assert model.package.program is not None
    raw = readings(SIZE)
    made = model.runner(boards=["a", "b"]).push([batch(raw), batch(readings(SIZE, 1), board="b")])
    mine = [decision for decision in made if decision.board == "a"]
    assert [decision.sample + 1 for decision in mine] == list(range(WINDOW, SIZE + 1, HOP))
    values = (STREAM.values(raw) - [i.mean for i in model.contract.inputs]) / [i.std for i in model.contract.inputs]
    for decision in mine:
        window = torch.from_numpy(values[decision.sample + 1 - WINDOW : decision.sample + 1]).double()
        with torch.inference_mode():
            expected = torch.softmax(module.double()(window[None])[0], 0).numpy()
        assert np.abs(np.array(decision.scores) - expected).max() <= 1e-5
    pieces = model.runner(boards=["a", "b"])
    again = [d for part in split(batch(raw), range(0, SIZE, 11)) for d in pieces.push([part])]
    assert [d.sample for d in again] == [d.sample for d in mine]
    assert again == mine


def test_our_own_network_is_kept_as_weights(tmp_path: Path) -> None:
    model = save_model(network(), contract(architecture=None, window=23, memory_samples=23), tmp_path / "n.hilmodel")
    assert model.package.program is None
    assert decide([batch(readings(SIZE))], model) == decide([batch(readings(SIZE))])


@pytest.mark.parametrize("rows", ["n", 1])
def test_an_onnx_file_is_accepted_with_a_free_batch_axis_or_one_of_1(rows: int | str, tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(linear_program(rows))
    model = save_model(source, window_contract(), tmp_path / "net.hilmodel")
    items = [batch(readings(SIZE, seed), board=str(seed)) for seed in range(3)]
    made = load_model(tmp_path / "net.hilmodel").runner(slots=2).push(items)
    assert len(made) == 3 * ((SIZE - WINDOW) // HOP + 1)
    alone = decide([items[2]], model, slots=2)
    assert [d.label for d in made if d.board == "2"] == [d.label for d in alone]


def test_an_onnx_file_with_its_contract_beside_it_is_a_model(tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(linear_program())
    with pytest.raises(FileError, match=r"net.contract.json is not beside it"):
        load_model(source)
    (tmp_path / "net.contract.json").write_text(window_contract().to_json())
    packed = save_model(source, window_contract(), tmp_path / "net.hilmodel")
    assert decide([batch(readings(SIZE))], load_model(source)) == decide([batch(readings(SIZE))], packed)


def test_a_hop_longer_than_the_window_reads_the_end_of_each_hop() -> None:
    promised = contract(architecture=None, window=4, memory_samples=4, hop=10, backend="onnxruntime")
    from hil.models.model import Model
    from hil.models.package import pack, unpack

    model = Model(unpack(pack(promised, linear_program(window=4)), "x"))
    raw = readings(40)
    made = decide([batch(raw)], model)
    assert [d.sample for d in made] == [9, 19, 29, 39]
    assert made[-1].scores == decide([batch(raw[36:], 36)], model)[0].scores


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"not a program", "cannot be loaded"),
        (linear_program(channels=5), "takes .* and the contract says windows of"),
        (linear_program(window=21), "takes .* and the contract says windows of"),
        (linear_program(batch=2), "takes .* and the contract says windows of"),
        (linear_program(classes=7), "gives \\[7\\] scores and the contract has 4 labels"),
    ],
)
def test_a_program_that_does_not_fit_is_refused_in_a_sentence(program: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=said):
        save_model(program, window_contract(), tmp_path / "x.hilmodel")
    assert not list(tmp_path.iterdir())


def test_a_module_that_does_not_fit_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 labels"):
        save_model(Recurrent(), window_contract(labels=("A", "B")), tmp_path / "x.hilmodel")
    with pytest.raises(UsageError, match="is no network"):
        save_model(object(), window_contract(), tmp_path / "x.hilmodel")  # type: ignore[arg-type]


def test_a_program_does_not_run_on_torch_and_an_unknown_backend_is_said_so(tmp_path: Path) -> None:
    model = save_model(linear_program(), window_contract(), tmp_path / "x.hilmodel")
    with pytest.raises(UsageError, match="onnxruntime only"):
        model.runner(backend="eager")
    with pytest.raises(UsageError, match="no backend 'tpu'"):
        small_model().runner(backend="tpu")


def test_channels_first_programs_get_their_axes_swapped(tmp_path: Path) -> None:
    class First(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat((x[:, :, -1], x[:, :1, 0]), 1)  # last reading of each channel, first of the first

    promised = Contract(
        name="first", inputs=tuple(Input(channel=c, unit=u) for c, u in zip(CHANNELS, UNITS, strict=True)), rate_hz=50,
        window=WINDOW, hop=HOP, memory_samples=WINDOW, labels=("x", "y", "z", "w"), layout="channels_time",
    )  # fmt: skip
    model = save_model(First(), promised, tmp_path / "first.hilmodel")
    raw = readings(WINDOW)
    values = STREAM.values(raw).astype(np.float64)
    logits = np.array([*values[-1], values[0, 0]])
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert np.allclose(decide([batch(raw)], model)[0].scores, expected, atol=1e-6)


def test_the_step_program_passes_the_checker_of_onnx() -> None:
    from hil.models.step_onnx import step_program

    model = small_model()
    assert model.contract.architecture is not None
    program = step_program(model.contract.architecture.config, model.package.weights, HOP)
    onnx.checker.check_model(onnx.load_from_string(program), full_check=True)
