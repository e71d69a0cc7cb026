"""Augmentation has a physical meaning: noise of the sensor's density, samples that are dropped, frames moved whole."""

from typing import Any

import numpy as np
import pytest
import torch

from hil.models.augment import Crops
from hil.models.augment_config import AugmentConfig
from hil.models.augment_frames import moved
from hil.models.datasets import Series


def crops(config: AugmentConfig, **options: Any) -> Crops:
    values = np.stack((np.arange(300.0), np.zeros(300)), 1).astype(np.float32)
    series = [Series("1", values, np.zeros(300, np.int64), "s")]
    return Crops(series, ("x", "y"), 60, config, torch.Generator().manual_seed(1), **options)


def test_noise_has_the_density_of_the_sensor_and_dropped_samples_repeat_the_one_before() -> None:
    noisy, _ = crops(AugmentConfig(noise_density={"y": 0.02}), rate_hz=50.0).draw(200)
    assert float(noisy[..., 1].std()) == pytest.approx(0.02 * np.sqrt(25), rel=0.05)
    assert torch.equal(noisy[..., 0], noisy[..., 0].round())
    dropped, _ = crops(AugmentConfig(drop=0.25)).draw(200)
    steps = dropped[:, 1:, 0] - dropped[:, :-1, 0]
    assert float((steps == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(steps.min()) == 0.0
    warm, _ = crops(AugmentConfig(offset=2.0)).draw(400)
    assert torch.equal(warm[..., 1], warm[:, :1, 1].expand(-1, 60))
    assert float(warm[:, 0, 1].std()) == pytest.approx(2.0, rel=0.1)


def test_frames_are_shifted_and_mirrored_as_a_whole() -> None:
    pictures = torch.arange(12.0).expand(64, 5, 12)
    chance = torch.Generator().manual_seed(0)
    found = moved(pictures, (3, 4), AugmentConfig(shift=1, flip=("left_right",)), chance).view(64, 5, 3, 4)
    assert torch.equal(found, found[:, :1].expand(found.shape))
    rows = {tuple(row.tolist()) for row in found[:, 0, 1]}
    for row in rows:
        base = 4 * (row[0] // 4)
        inside = [value - base for value in row]
        assert inside in ([0, 1, 2, 3], [0, 0, 1, 2], [1, 2, 3, 3], [3, 2, 1, 0], [3, 3, 2, 1], [2, 1, 0, 0])
    assert len(rows) > 10
