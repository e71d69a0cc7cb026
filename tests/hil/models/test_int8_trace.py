"""Networks that boards can run are read with nothing lost, and others are refused by the operator's name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from firmware_bridge.errors import FileError, UsageError
from hil.models import Contract, Input, save_model
from hil.models.int8.calibrate import evaluate
from hil.models.int8.deploy import graph_of
from hil.models.int8.graph import Graph
from hil.models.int8.onnx_graph import read_program
from hil.models.int8.trace import trace
from hil.models.nets.resnet import Resnet
from hil.models.nets.shapes import ResnetConfig, TcnConfig
from hil.models.nets.tcn import Tcn

ROWS, CHANNELS = 40, 3


class Functional(nn.Module):
    """Padding by hand, a residual, a relu whose input is still needed, a mean, all as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS, 8, 3, dilation=2)
        self.second = nn.Conv1d(8, 8, 3, groups=8, padding=1)
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(F.pad(x.transpose(1, 2), (4, 0)))
        z = self.second(F.relu(y)) + y
        return torch.softmax(self.head(z[:, :, 3:].clamp(-1.0, 2.0).mean(dim=2)), dim=1)


class Dense(nn.Module):
    """Layers on the channels of every row, then on all of a window."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.Linear(CHANNELS, 5)
        self.all = nn.Linear(5 * ROWS, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.all(torch.relu(self.each(x)).flatten(1))


class Swapped(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x.transpose(1, 2))


def sequential() -> nn.Module:
    return Swapped(
        nn.BatchNorm1d(CHANNELS), nn.Conv1d(CHANNELS, 8, 5, stride=2, padding=2, bias=False), nn.BatchNorm1d(8),
        nn.ReLU6(), nn.MaxPool1d(3, 2, padding=1), nn.Conv1d(8, 12, 3, padding="same", dilation=2, groups=4), nn.ReLU(),
        nn.AvgPool1d(2, padding=1), nn.Dropout(0.5), nn.Flatten(), nn.Linear(12 * 6, 4), nn.BatchNorm1d(4),
    )  # fmt: skip


def pooled() -> nn.Module:
    return Swapped(nn.Conv1d(CHANNELS, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 4))


NETWORKS = {
    "functional": Functional, "dense": Dense, "sequential": sequential, "pooled": pooled,
    "tcn": lambda: Tcn(TcnConfig(inputs=3, classes=4, channels=6, kernel=3, dilations=(1, 2, 4), pool=26)),
    "resnet": lambda: Resnet(
        ResnetConfig(inputs=3, classes=4, channels=(6, 8), strides=(1, 2), kernel=4, pool=13), norm=True
    ),
}  # fmt: skip


def trained(make: object) -> nn.Module:
    """A network whose statistics are not those of a new one."""
    torch.manual_seed(3)
    net: nn.Module = make()  # type: ignore[operator]
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.randn(16, ROWS, CHANNELS) * 2 + 1)
    return net.eval()


def answer(graph: Graph, windows: np.ndarray, name: str) -> np.ndarray:
    found = evaluate(graph, windows)[-1][:, 0]
    return np.exp(found) / np.exp(found).sum(axis=1, keepdims=True) if name == "functional" else found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_traced_network_computes_what_torch_computes(name: str) -> None:
    net = trained(NETWORKS[name])
    windows = torch.randn(6, ROWS, CHANNELS)
    with torch.no_grad():
        expected = net(windows).numpy()
    found = answer(trace(net, ROWS, CHANNELS), windows.numpy(), name)
    assert np.abs(found - expected).max() < 1e-5
    assert not net.training


@pytest.mark.parametrize(
    "name", ["functional", *(pytest.param(name, marks=pytest.mark.slow) for name in ("sequential", "pooled", "dense"))]
)
def test_a_network_in_an_onnx_file_is_read_the_same(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    net = trained(NETWORKS[name])
    contract = Contract(
        name=name, inputs=tuple(Input(channel=text, unit="g") for text in "xyz"), rate_hz=50, window=ROWS, hop=10,
        memory_samples=ROWS, labels=("a", "b", "c", "d"),
        outputs="probabilities" if name == "functional" else "logits",
    )  # fmt: skip
    model = save_model(net, contract, tmp_path / "mine.hilmodel")
    windows = np.random.default_rng(0).standard_normal((4, ROWS, CHANNELS))
    with torch.no_grad():
        expected = net(torch.from_numpy(windows).float()).numpy()
    assert np.abs(answer(graph_of(model), windows, name) - expected).max() < 1e-5


def test_a_user_network_may_keep_channels_first() -> None:
    net = nn.Sequential(nn.Conv1d(3, 4, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()).eval()
    windows = torch.randn(2, 3, ROWS)
    found = evaluate(trace(net, ROWS, 3, layout="channels_time"), windows.transpose(1, 2).numpy())[-1][:, 0]
    with torch.no_grad():
        assert np.abs(found - net(windows).numpy()).max() < 1e-5


class Lambda(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.conv = nn.Conv1d(CHANNELS, 4, 3)
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.conv(x.transpose(1, 2))).flatten(1)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        (torch.sigmoid, "sigmoid"),
        (lambda y: y * 2, "mul"),
        (lambda y: torch.cat((y, y), dim=1), "cat"),
        (F.gelu, "gelu"),
        (lambda y: y + 1, "add"),
        (lambda y: y.mean(dim=1), "mean"),
        (lambda y: torch.relu(torch.softmax(y, dim=1)), "softmax"),
        (lambda y: F.pad(y, (1, 1), mode="circular"), "pad"),
        (lambda y: y[:, 1:], "slice"),
        (lambda y: F.avg_pool1d(y, 2, ceil_mode=True), "avg_pool1d"),
    ],
)
def test_what_a_board_cannot_do_is_refused_by_its_name(function: object, operator: str) -> None:
    with pytest.raises(UsageError, match=f"the operator {operator}.* does not run on a board") as caught:
        trace(Lambda(function), ROWS, CHANNELS)
    assert "\n" not in str(caught.value)


def test_a_recurrent_network_is_refused_by_its_name() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(CHANNELS, 4, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.gru(x)[0][:, -1]

    with pytest.raises(UsageError, match="does not run on a board"):
        trace(Recurrent(), ROWS, CHANNELS)


def test_bytes_that_are_no_program_end_in_a_sentence() -> None:
    pytest.importorskip("onnx")
    with pytest.raises(FileError, match="cannot be read"):
        read_program(b"not onnx", ROWS, CHANNELS)
