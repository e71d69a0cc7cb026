"""From a float network to integers: factors, memory, and how near the answers stay."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import hil.models
from firmware_bridge.errors import UsageError
from firmware_bridge.oplist import Code, Raw, Reason, pack, refusal
from firmware_bridge.oplist.reference import dequantised, run
from firmware_bridge.oplist.table import SHIFT_MAX
from hil.models import load_model
from hil.models.int8.arena import plan
from hil.models.int8.calibrate import evaluate, ranges
from hil.models.int8.deploy import deploy, preview, readings_of
from hil.models.int8.graph import Graph, Node, View
from hil.models.int8.quantise import Readings, factor, quantise
from hil.models.int8.trace import trace
from hil.models.windows import joined, windows_of
from hil.recording.reader import Recording

SHIPPED = Path(hil.models.__file__).parent
RECORDINGS = Path(__file__).resolve().parents[3] / "scenarios" / "recordings"


@given(st.floats(1e-12, 0.2499999))
def test_a_factor_is_as_near_as_31_bits_allow(value: float) -> None:
    mult, shift = factor(value)
    assert 0 <= mult < 2**31
    assert 1 <= shift <= SHIFT_MAX
    error = abs(Fraction(mult, 2 ** (32 + shift)) - Fraction(value))
    assert error <= max(Fraction(value) / 2**30, Fraction(1, 2**62))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Chains with residuals: for the planner only sizes and who reads whom matter."""
    rows, channels = draw(st.integers(4, 12)), draw(st.integers(1, 5))
    nodes = [Node(Code.INPUT, (), rows, channels)]
    for _ in range(draw(st.integers(1, 8))):
        index = draw(st.integers(max(0, len(nodes) - 3), len(nodes) - 1))
        source = nodes[index]
        skip = draw(st.integers(0, min(1, source.rows - 1)))
        view = View(index, skip, source.rows - skip)
        same = [
            other for other, node in enumerate(nodes) if node.channels == source.channels and node.rows >= view.rows
        ]
        if draw(st.booleans()):
            other = draw(st.sampled_from(same))
            second = View(other, nodes[other].rows - view.rows, view.rows)
            nodes.append(Node(Code.ADD, (view, second), view.rows, source.channels))
        else:
            nodes.append(Node(Code.MAX_POOL, (view,), view.rows, source.channels))
    return Graph(tuple(nodes))


@settings(max_examples=150)
@given(graphs())
def test_the_planned_memory_gives_the_same_answers_as_memory_for_everyone(graph: Graph) -> None:
    first = graph.nodes[0]
    count = first.channels
    readings = Readings(Raw.I8, count, tuple(range(count)), (1.0,) * count, (0.0,) * count, (0.0,) * count,
                        (1.0,) * count)  # fmt: skip
    raw = np.random.default_rng(1).integers(-100, 100, (3, first.rows, count)).astype(np.int8)
    found = ranges(graph, readings.normalised(raw))
    oplist = quantise(graph, found, readings)
    apart, top = [], 0
    for node in graph.nodes:
        apart.append(top)
        top += node.rows * node.channels
    ops = []
    for op, node, place in zip(oplist.ops, graph.nodes, apart, strict=True):
        reads = [apart[view.node] + view.skip * node.channels for view in node.sources] or [0]
        ops.append(replace(op, output=place, input=reads[0], input2=reads[-1] if len(reads) > 1 else 0))
    expected = run(replace(oplist, arena=top, ops=tuple(ops)), raw)
    assert refusal(pack(oplist)).reason is Reason.FINE
    assert all((a == b).all() for a, b in zip(run(oplist, raw), expected, strict=True))
    assert oplist.arena == plan(graph).size <= top


def random_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    pick = np.random.default_rng(seed)
    groups = int(pick.choice([1, 2, 8]))
    return nn.Sequential(
        nn.Conv1d(3, 8, int(pick.integers(1, 6)), stride=int(pick.integers(1, 3)), padding=2), nn.ReLU(),
        nn.MaxPool1d(2), nn.Conv1d(8, 8, 3, groups=groups, dilation=int(pick.integers(1, 3))), nn.ReLU(),
        nn.AvgPool1d(2), nn.Flatten(), nn.LazyLinear(5),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_integers_of_every_layer_stand_for_nearly_the_float_values(seed: int) -> None:
    net = random_network(seed)
    net(torch.zeros(1, 3, 40))
    graph = trace(net, 40, 3, layout="channels_time")
    readings = Readings(Raw.I16, 4, (3, 0, 1), (1e-3,) * 3, (0.5, 0.0, -20.0), (0.2, 0.0, -20.0), (1.0, 2.0, 0.5))
    raw = np.random.default_rng(seed).normal(0, 800, (32, 40, 4)).astype("<i2")
    windows = readings.normalised(raw)
    oplist = quantise(graph, ranges(graph, windows), readings)
    for op, layer, value in zip(oplist.ops, run(oplist, raw), evaluate(graph, windows), strict=True):
        off = np.abs(dequantised(op, layer) - value)
        assert off.mean() < 0.02 * np.ptp(value)
        assert off.max() < 0.1 * np.ptp(value)
    first = oplist.ops[0]
    exact = np.clip(np.floor(windows / first.out_scale + first.out_zero + 0.5), -128, 127)
    assert np.abs(run(oplist, raw)[0] - exact).max() <= 1
    assert (run(oplist, raw)[0] == exact).mean() > 0.99


def test_a_layer_of_zeros_or_of_wild_scales_still_gives_an_op_list_that_boards_take() -> None:
    net = nn.Sequential(nn.Conv1d(1, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).eval()
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([0.0, 1e-12, 1e6]).reshape(3, 1, 1)
        net[0].bias[:] = torch.tensor([0.0, 1e6, -1e-9])
        net[3].weight.zero_()
    graph = trace(net, 4, 1, layout="channels_time")
    readings = Readings(Raw.U8, 1, (0,), (1.0,), (0.0,), (128.0,), (50.0,))
    raw = np.arange(40, dtype=np.uint8).reshape(10, 4, 1) * 6
    windows = readings.normalised(raw)
    oplist = quantise(graph, ranges(graph, windows), readings)
    assert refusal(pack(oplist)).reason is Reason.FINE
    value = evaluate(graph, windows)[-1]
    assert np.abs(dequantised(oplist.ops[-1], run(oplist, raw)[-1]) - value).max() <= 0.01


def test_the_small_model_fits_a_20_kb_board_and_keeps_its_score_on_unseen_people() -> None:
    model = load_model(SHIPPED / "exercise-small.hilmodel")
    parts = []
    for person in ("9", "10"):
        with Recording(RECORDINGS / f"watch-unseen-{person}.mcap") as recording:
            parts.append(windows_of(recording, model.contract))
    assert not {"9", "10"} & set(model.contract.lineage["trained_on"])
    windows = joined(parts, "both")
    assert len(windows) >= 500
    assert set(windows.people) == {"9", "10"}
    deployed = deploy(model, parts[0])
    assert deployed.flash + deployed.ram < 20_000
    assert sum(op.flash for op in deployed.oplist.ops) + 28 == deployed.flash
    assert (SHIPPED / "exercise-small.hilmodel").stat().st_size < 50_000


@pytest.mark.parametrize(("name", "share"), [("exercise-small", 0.98), ("exercise", 0.97)])
def test_integers_stay_within_a_point_of_the_float_score_on_a_person_nobody_calibrated_on(
    name: str, share: float
) -> None:
    from hil.models.int8.agreement import compare

    model = load_model(SHIPPED / f"{name}.hilmodel")
    with Recording(RECORDINGS / "watch-unseen-9.mcap") as recording:
        deployed = deploy(model, windows_of(recording, model.contract))
    found = compare(model, deployed.oplist, [str(RECORDINGS / "watch-unseen-10.mcap")])
    assert found.windows >= 500
    assert found.share >= share
    assert found.low < found.share < found.high
    assert found.macro_f1_float is not None
    assert found.macro_f1_int8 is not None
    assert found.macro_f1_int8 >= found.macro_f1_float - 0.01


def test_sizes_need_no_data_and_a_stream_of_floats_is_refused() -> None:
    model = load_model(SHIPPED / "exercise.hilmodel")
    found = preview(model)
    assert (found.calibrated_on, found.ram, found.oplist.outputs) == (0, 18432, 7)
    with Recording(RECORDINGS / "watch-unseen-9.mcap") as recording:
        stream = recording.streams()[0].stream
    with pytest.raises(UsageError, match="readings of type float32"):
        readings_of(model.contract, replace(stream, dtype="<f4"), tuple(range(6)))
