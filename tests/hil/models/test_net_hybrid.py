"""Convolutions beside statistics: what the statistics tell, and that each branch can decide alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from net_models import net_model
from test_net_training import LAYERS, waves

from firmware_bridge.errors import UsageError
from hil.models.datasets import load_dataset
from hil.models.int8.trace import trace
from hil.models.model import Model, build_network
from hil.models.nets.hybrid import Hybrid
from hil.models.nets.hybrid_shape import HybridConfig
from hil.models.train import train
from hil.models.training_config import load_config

SHAPE = HybridConfig(
    inputs=3, classes=2, channels=4, stride=2, dilations=(1, 1), pool=14, bands=(1, 3, 8), leads=(2, 7)
)
NET = Hybrid(SHAPE)
LEVEL, SPREAD, BANDS, PAIRS, LEADS = slice(0, 3), slice(3, 6), slice(6, 12), slice(12, 15), slice(15, 18)


def statistics(windows: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return NET.statistics(windows)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 20.0), st.floats(-5.0, 5.0))
def test_a_movement_the_other_way_round_differs_in_what_leads_and_in_nothing_else(
    seed: int, gain: float, level: float
) -> None:
    chance = torch.Generator().manual_seed(seed)
    window = gain * torch.randn(1, SHAPE.memory, 3, generator=chance).cumsum(1) + level
    there, back = statistics(window), statistics(window.flip(1))
    assert there.shape == (1, SHAPE.statistics)
    same = [*range(6), *range(12, 15)]
    assert torch.allclose(there[:, same], back[:, same], atol=1e-3)
    assert torch.allclose(there[:, LEADS], -back[:, LEADS], atol=1e-3)
    assert float(there[:, LEADS].abs().max()) > 1e-2


def test_statistics_are_the_level_the_spread_and_the_band_that_a_wave_is_in() -> None:
    t = torch.arange(SHAPE.memory) / SHAPE.memory
    wave = torch.stack((2 + torch.sin(2 * np.pi * 2 * t), torch.cos(2 * np.pi * 5 * t), torch.zeros_like(t)), 1)
    found = statistics(wave[None])[0]
    assert found[LEVEL].tolist() == pytest.approx([2, 0, 0], abs=1e-5)
    assert found[SPREAD][:2].exp().tolist() == pytest.approx([np.sqrt(0.5)] * 2, rel=1e-3)
    low, high = found[BANDS].view(2, 3)
    assert low[0] > high[0] + 1  # a Hann window lets half of it into the next cycle
    assert high[1] > low[1] + 1
    assert float(found[PAIRS].abs().max()) < 1e-3
    assert bool(torch.isfinite(statistics(torch.full((1, SHAPE.memory, 3), 7.0))).all())  # a board that lies still


@pytest.mark.training
def test_each_branch_learns_to_decide_alone(tmp_path: Path) -> None:
    config = load_config(waves(tmp_path, architecture=LAYERS["hybrid"]))
    more = config.training.model_copy(update={"epochs": 30})
    dataset = load_dataset(config.data, tmp_path)
    package = train(config.model_copy(update={"training": more}), dataset, ["4"])
    net, contract = build_network(package), package.contract
    scale = [torch.tensor([getattr(one, key) for one in contract.inputs]) for key in ("mean", "std")]
    for series in dataset.of(["4"]):
        x = (torch.from_numpy(series.values) - scale[0]) / scale[1]
        with torch.inference_mode():
            for said in net.experts(x[None], 10):
                assert float((said[0].argmax(1) == int(series.labels[0])).float().mean()) > 0.8


def test_a_board_that_cannot_compute_it_is_told_which_operator() -> None:
    model: Model = net_model("hybrid", 5)
    with pytest.raises(UsageError, match="does not run on a board"):
        trace(build_network(model.package), model.contract.memory_samples, 3)
