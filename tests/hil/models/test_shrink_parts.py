"""What shrinking is made of: widths, pruning, the rounding of boards, learning from a parent."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from shrink_nets import net_of, package_of, people
from torch import nn

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.oplist.reference import run
from hil.models.contract import Integers, parse_contract
from hil.models.cost import cost_of, macs_of
from hil.models.datasets import NONE
from hil.models.fit import Job, Teacher, fit
from hil.models.int8.calibrate import ranges
from hil.models.model import Model
from hil.models.nets.seam import Net
from hil.models.nets.shape import NetShape
from hil.models.nets.shapes import ResnetConfig
from hil.models.shrink.cut import windows_in
from hil.models.shrink.distil import normalised, recipe
from hil.models.shrink.integers import integers_of, stand_in
from hil.models.shrink.narrow import described, fewer, narrower, widest
from hil.models.shrink.points import Plan, Shrinking
from hil.models.shrink.prune import prune
from hil.models.shrink.rounded import Drawn, Rounded, drawn

pytestmark = pytest.mark.training


def macs(name: str, shape: NetShape) -> int:
    """Multiplications of a hop of a network of this shape."""
    package = package_of(net_of(name))
    blank = {key: np.zeros(size, np.float32) for key, size in shape.shapes().items()}
    return macs_of(replace(package, contract=described(package.contract, shape), weights=blank))


@pytest.mark.parametrize("name", ["tcn", "resnet", "gru"])
def test_a_child_is_as_wide_as_its_multiplications_allow_and_no_wider(name: str) -> None:
    contract, whole = package_of(net_of(name)).contract, net_of(name).config
    shape = fewer(contract, 3.0)
    most = macs(name, whole) / 3
    assert macs(name, shape) <= most < macs(name, narrower(whole, (widest(shape) + 1) / widest(whole)))
    assert shape.memory == whole.memory
    with pytest.raises(UsageError, match="one channel a layer"):
        fewer(contract, 1e6)


@given(st.lists(st.integers(2, 40), min_size=1, max_size=5), st.floats(0.05, 1.0))
def test_a_narrower_residual_network_changes_its_width_where_the_wider_one_does(widths: list[int], by: float) -> None:
    shape = ResnetConfig(inputs=6, classes=3, channels=tuple(widths), strides=(1,) * len(widths), kernel=1, pool=5)
    less = narrower(shape, by)
    assert isinstance(less, ResnetConfig)
    assert list(less.shapes()) == list(shape.shapes())
    assert all(ours <= theirs for ours, theirs in zip(less.channels, shape.channels, strict=True))


@pytest.mark.parametrize("name", ["tcn", "resnet", "cnn"])
def test_channels_that_do_nothing_go_first_and_the_answers_stay(name: str) -> None:
    net = net_of(name)
    shape = narrower(net.config, 0.5)
    # Every other channel of every layer is silenced; the last layer stays whole.
    with torch.no_grad():
        for key, value in net.named_parameters():
            if not key.startswith("head"):
                value[1::2] = 0.0
    x = torch.randn(24, net.config.memory, net.config.inputs)
    left = prune(net, shape, x, torch.randint(0, 3, (24,)))
    assert left.config == shape
    torch.testing.assert_close(left(x), net(x), atol=1e-5, rtol=1e-5)


def test_a_recurrent_network_is_not_pruned_and_one_sentence_says_why() -> None:
    net = net_of("gru")
    with pytest.raises(UsageError, match=r"no rule for the recurrent layer of a gru.*--method student"):
        prune(net, narrower(net.config, 0.5), torch.randn(2, 20, 3), torch.tensor([0, 1]))


@pytest.mark.parametrize("name", ["tcn", "resnet", "cnn"])
def test_a_network_that_gets_its_normalisation_back_answers_as_before(name: str) -> None:
    net = net_of(name)
    x = torch.randn(40, net.config.memory, net.config.inputs)
    again = normalised(net, x)
    norms = [part for part in again.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert norms
    assert all(float(part.running_mean.abs().max()) > 0 for part in norms if part.running_mean is not None)
    torch.testing.assert_close(again(x), net(x), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(again.fused()(x), net(x), atol=1e-4, rtol=1e-4)


@cache
def plan_of(name: str) -> Drawn:
    """Tracing takes a second."""
    return drawn(net_of(name))


@settings(max_examples=4)
@given(st.sampled_from(["tcn", "resnet"]), st.integers(0, 2**20), st.floats(99.0, 100.0))
def test_every_layer_under_rounding_is_what_boards_compute(name: str, seed: int, percentile: float) -> None:
    net, data = net_of(name, seed), people("1", seed=seed)
    package, plan = package_of(net), plan_of(name)
    windows, _ = windows_in(package.contract, data.series, 30)
    found = ranges(plan.filled(net), windows, percentile)
    made = integers_of(package.contract, plan.filled(net), found, stand_in(package.contract, data.series))
    raw = np.random.default_rng(seed).integers(-30000, 30000, (8, net.config.memory, 3)).astype(np.int16)
    values = torch.from_numpy(made.stream.values(raw).astype(np.float64))
    layers = Rounded(net.double(), plan, found).layers(values)
    for layer, whole, op in zip(layers, run(made.oplist, raw), made.oplist.ops, strict=True):
        steps = np.rint(layer.detach().numpy().transpose(0, 2, 1) / op.out_scale) + op.out_zero
        # Readings and factors are fixed-point numbers: what lies at a half within their last bit may fall either way.
        assert np.abs(steps - whole).max() <= 1
        assert (steps != whole).mean() < 2e-3


def test_every_weight_learns_under_rounding() -> None:
    net, data = net_of("tcn"), people("1")
    package, plan = package_of(net), drawn(net)
    windows, _ = windows_in(package.contract, data.series, 30)
    x = torch.from_numpy(windows).float()
    rounded = Rounded(net, plan, ranges(plan.filled(net), windows))
    assert torch.equal(rounded.dense(x, 10)[:, 0], rounded(x))
    apart = float((rounded(x) - net(x)).detach().abs().max())
    assert 0.0 < apart < 0.1
    rounded(x).square().sum().backward()  # type: ignore[no-untyped-call]
    for key, value in net.named_parameters():
        assert value.grad is not None, key
        assert float(value.grad.abs().sum()) > 0, key


def test_a_child_learns_what_its_parent_answers_where_labels_say_something_else() -> None:
    data = people("1", "2")
    wrong = replace(data, series=tuple(replace(one, labels=(one.labels + 1) % 3) for one in data.series))
    parent, contract = net_of("tcn"), package_of(net_of("tcn")).contract

    def dense(x: torch.Tensor, hop: int) -> torch.Tensor:
        """Label by the energy of what changes, which labels name otherwise."""
        sharp = x.diff(dim=1).abs()[..., 0].unfold(1, parent.config.memory - 1, hop).mean(-1)
        return torch.stack((0.3 - sharp, 0.1 - (sharp - 0.3).abs(), sharp - 0.5), -1) * 60

    def agreed(share: float) -> float:
        config = recipe(contract, 0)
        training = config.training.model_copy(update={"batch": 16, "crop": 60, "every": 10, "epochs": 60})
        teacher = Teacher(dense, parent.config.memory, 2.0, share)
        job = Job(
            config.model_copy(update={"training": training}), lambda: net_of("tcn", 3), parent.config.memory,
            wrong.series, (), data, (np.zeros(3), np.ones(3)), 60, torch.device("cpu"), teacher=teacher,
        )  # fmt: skip
        net = fit(job).net
        assert isinstance(net, Net)
        x, _ = windows_in(contract, data.series, 60)
        windows = torch.from_numpy(x).float()
        return float((net(windows).argmax(1) == dense(windows, 1)[:, 0].argmax(1)).float().mean())

    assert agreed(1.0) > 0.9
    assert agreed(0.0) < 0.5


def test_ranges_travel_in_the_contract_and_a_model_without_them_is_written_as_before() -> None:
    contract = package_of(net_of("tcn")).contract
    assert "int8" not in contract.to_json()
    held = Integers(ranges=((-1.0, 1.0),) * 10, percentile=99.9, windows=30, trained=True)
    again = parse_contract(contract.model_copy(update={"int8": held}).to_json(), "x")
    assert again.int8 == held
    with pytest.raises(FileError, match="wrong at int8"):
        parse_contract(again.to_json().replace("99.9", "1.0"), "x")


def test_windows_of_a_dataset_carry_the_label_that_covers_them() -> None:
    contract, data = package_of(net_of("tcn")).contract, people("1")
    silent = replace(data, series=tuple(replace(one, labels=np.full_like(one.labels, NONE)) for one in data.series))
    x, truth = windows_in(contract, data.series, 7)
    assert x.shape == (7, contract.memory_samples, 3)
    assert set(truth.tolist()) == {0, 1, 2}
    assert set(windows_in(contract, silent.series, 7)[1].tolist()) == {NONE}
    with pytest.raises(UsageError, match="no series has"):
        windows_in(contract, people("1", samples=5).series, 7)


def test_what_a_network_does_not_allow_is_told_and_the_rest_is_made() -> None:
    data = people("1", "2")
    gru = Shrinking(package_of(net_of("gru"), trained_on=["1"]), data, Plan(times=(2.0,), epochs=1))
    assert gru.left_out.keys() == {"int8", "prune"}
    (point,) = gru.points(lambda share, name: None)
    assert (gru.count, point.name, point.integers) == (1, "student-2x", None)
    assert point.package.contract.lineage["learnt_from"] == ["1"]
    assert Model(point.package).predict(data.series[0].values)

    frames = tuple(replace(one, values=np.repeat(one.values[:, :1], 16, 1)) for one in data.series)
    heat = replace(data, series=frames, channels=("heat",), units=("g",), frame=(4, 4))
    cnn = Shrinking(package_of(net_of("cnn"), trained_on=["1"]), heat, Plan(times=(2.0,), epochs=1))
    assert cnn.left_out == {"int8": "it reads frames, and boards run networks of channels as they sample them"}
    point, student = cnn.points(lambda share, name: None)
    assert [(one.name, one.way) for one in (point, student)] == [("prune-2x", "prune"), ("student-2x", "student")]
    assert cost_of(point.package, 20)["macs_per_hop"] * 2 <= macs_of(package_of(net_of("cnn")))
    with pytest.raises(UsageError, match=r"recurrent layer of a gru.*--method student"):
        Shrinking(package_of(net_of("gru"), trained_on=["1"]), data, Plan(method="prune"))
