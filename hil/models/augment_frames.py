"""What another place of the sensor does to frames: the picture is shifted or mirrored.

Rule: one change for all frames of a crop, as a sensor does not move within it; everything is drawn from one generator.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hil.models.augment_config import AugmentConfig

__all__ = ["moved"]

_AXES = {"up_down": 2, "left_right": 3}


def moved(readings: Tensor, frame: tuple[int, int], config: AugmentConfig, chance: torch.Generator) -> Tensor:
    """Return crops of frames `(B, T, H * W)`, each shifted and mirrored as a whole."""
    pictures = readings.view(*readings.shape[:2], *frame)
    count = len(pictures)
    for kind in config.flip:
        turned = torch.rand(count, generator=chance) < 0.5
        pictures = torch.where(turned[:, None, None, None], pictures.flip(_AXES[kind]), pictures)
    if config.shift:
        for axis in (2, 3):
            size = pictures.shape[axis]
            by = torch.randint(-config.shift, config.shift + 1, (count, 1), generator=chance)
            place = (torch.arange(size)[None] - by).clamp(0, size - 1)  # edges are repeated
            shape = [count, 1, 1, 1]
            shape[axis] = size
            pictures = pictures.gather(axis, place.view(shape).expand(pictures.shape))
    return pictures.reshape(readings.shape)
