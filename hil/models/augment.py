"""Training crops, and the small changes that another wrist, tempo or sensor would make to them.

Rule: everything is drawn from one generator, so that a seed fixes it; nothing is used when a model is judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from firmware_bridge.errors import UsageError
from hil.models.augment_config import AugmentConfig
from hil.models.augment_frames import moved
from hil.models.datasets import Series

__all__ = ["Crops"]


class Crops:
    """Draws crops from series.

    Args:
        series: What to draw from, each at least two samples long; longer ones are drawn more often.
        channels: Their channel names.
        length: Samples in a crop.
        config: How far crops are changed.
        generator: Source of all chance.
        rate_hz: Samples a second: with it a density of noise is a standard deviation.
        frame: Rows and columns where a sample is a frame.

    Raises:
        UsageError: The configuration names a channel that is not there.
    """

    def __init__(
        self,
        series: Sequence[Series],
        channels: Sequence[str],
        length: int,
        config: AugmentConfig,
        generator: torch.Generator,
        *,
        rate_hz: float = 1.0,
        frame: tuple[int, int] | None = None,
    ) -> None:
        self.values = torch.from_numpy(np.concatenate([item.values for item in series]))
        self.labels = torch.from_numpy(np.concatenate([item.labels for item in series]))
        sizes = np.array([len(item.values) for item in series])
        self.start = torch.from_numpy(np.concatenate(([0], np.cumsum(sizes)[:-1])))
        self.size = torch.from_numpy(sizes)
        self.length, self.config, self.generator = length, config, generator
        named = {*config.per_second, *config.noise_density, *(name for vector in config.vectors for name in vector)}
        if strange := sorted(named.difference(channels)):
            raise UsageError(
                f"no channel is called {', '.join(strange)} (there are {', '.join(channels)})", "augment",
                "name channels of the data",
            )  # fmt: skip
        self.vectors = [[channels.index(name) for name in vector] for vector in config.vectors]
        self.rates = [channels.index(name) for name in config.per_second]
        self.frame = frame
        # White noise of a density reaches up to half the rate.
        density = [config.noise_density.get(name, 0.0) for name in channels]
        self.noise = torch.tensor(density) * math.sqrt(rate_hz / 2) if any(density) else None

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Return `count` crops: readings `(count, length, C)` and labels `(count, length)`."""
        chance, config = self.generator, self.config
        which = torch.multinomial(self.size.double(), count, replacement=True, generator=chance)
        tempo = torch.exp((torch.rand(count, generator=chance) * 2 - 1) * math.log1p(config.warp))
        free = (self.size[which] - 1 - (self.length - 1) * tempo).clamp(min=0)
        begin = torch.rand(count, generator=chance) * free
        if not config.warp:
            begin = begin.round()
        place = begin[:, None] + torch.arange(self.length) * tempo[:, None]
        place = torch.minimum(place, (self.size[which] - 1).to(place)[:, None])  # a short series holds its last reading
        low = torch.minimum(place.floor().long(), self.size[which][:, None] - 2)
        part = (place - low)[..., None]
        low = low + self.start[which][:, None]
        readings = self.values[low] * (1 - part) + self.values[low + 1] * part
        labels = torch.where(part[..., 0] < 0.5, self.labels[low], self.labels[low + 1])
        if self.rates:
            readings[..., self.rates] = readings[..., self.rates] * tempo[:, None, None]
        if self.vectors:
            turn = self._rotations(count)
            gain = torch.exp(torch.randn(count, len(self.vectors), generator=chance) * config.gain)
            for index, columns in enumerate(self.vectors):
                turned = readings[..., columns] @ turn.transpose(1, 2)
                readings[..., columns] = turned * gain[:, index, None, None]
        if self.frame is not None and (config.flip or config.shift):
            readings = moved(readings, self.frame, config, chance)
        if config.offset:
            readings = readings + torch.randn(count, 1, 1, generator=chance) * config.offset
        if self.noise is not None:
            readings = readings + torch.randn(readings.shape, generator=chance) * self.noise
        if config.drop:
            readings = self._dropped(readings)
        return readings, labels

    def _dropped(self, readings: Tensor) -> Tensor:
        """Put the reading before in the place of those that do not come; the first of a crop always does."""
        came = torch.rand(readings.shape[:2], generator=self.generator) >= self.config.drop
        came[:, 0] = True
        last = torch.where(came, torch.arange(self.length), 0).cummax(1).values
        return readings.gather(1, last[..., None].expand(readings.shape))

    def _rotations(self, count: int) -> Tensor:
        """Rotation matrices `(count, 3, 3)` by up to `rotate_deg` about axes of any direction (Rodrigues' formula)."""
        axis = torch.randn(count, 3, generator=self.generator)
        axis = axis / axis.norm(dim=1, keepdim=True)
        angle = torch.rand(count, generator=self.generator)[:, None, None] * math.radians(self.config.rotate_deg)
        x, y, z = axis.unbind(1)
        zero = torch.zeros(count)
        cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=1).view(count, 3, 3)
        return torch.eye(3) + torch.sin(angle) * cross + (1 - torch.cos(angle)) * cross @ cross
