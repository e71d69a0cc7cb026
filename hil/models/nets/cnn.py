"""2-D CNN: convolutions over each frame, a pool over the last frames, one linear layer.

Rule: a frame is read by itself (the only padding is at its edges, in space), so that nothing but the features of the
last frames is carried. Its pixels come as one row of a sample, row by row of the frame.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hil.models.nets.causal import folded, follow, pooled
from hil.models.nets.seam import Net, State
from hil.models.nets.shapes import CnnConfig

if TYPE_CHECKING:
    from hil.models.nets.shapes import CnnGruConfig

__all__ = ["Cnn", "Encoder"]


class Encoder(nn.Module):
    """Features of frames, each by itself: `(..., pixels)` -> `(..., features)`.

    Args:
        config: Layers and the size of a frame.
        norm: Batch normalisation behind each convolution, for training.
    """

    def __init__(self, config: CnnConfig | CnnGruConfig, norm: bool) -> None:
        super().__init__()
        self.frame, self.centred = config.frame, config.centred
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, config.kernel, stride=stride, padding=config.kernel // 2)
            for (a, b), stride in zip(pairwise((1, *config.channels)), config.strides, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) if norm else nn.Identity() for width in config.channels)
        self.flat = nn.Linear(config.flat, config.features)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of every frame."""
        y = x.reshape(-1, 1, *self.frame)
        if self.centred:
            y = y - y.mean((1, 2, 3), keepdim=True)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            y = torch.relu(norm(conv(y)))
        y = torch.relu(self.flat(y.flatten(1)))
        return y.view(*x.shape[:-1], -1)

    def fold_into(self, plain: Encoder) -> None:
        """Write what this computes in evaluation mode into one without normalisation."""
        for conv, norm, target in zip(self.convs, self.norms, plain.convs, strict=True):
            folded(cast(nn.Conv2d, conv), norm, cast(nn.Conv2d, target))
        plain.flat.load_state_dict(self.flat.state_dict())


class Cnn(Net):
    """Convolutional network over frames; weights `encoder.convs.I`, `encoder.flat` and `head`."""

    name = "cnn"
    config: CnnConfig

    def __init__(self, config: CnnConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.encoder = Encoder(config, norm)
        self.head = nn.Linear(config.features, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        out: Tensor = self.head(self.dropout(self.encoder(x).mean(1)))
        return out

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        features = self.encoder(x).transpose(1, 2)
        means = functional.avg_pool1d(features, self.config.pool, stride=hop).transpose(1, 2)
        out: Tensor = self.head(self.dropout(means))
        return out

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        return {"pool": (max(self.config.pool - hop, 0), self.config.features)}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        del at  # the same at every frame
        span, after = follow(state["pool"], self.encoder(x))
        out: Tensor = self.head(pooled(span, self.config.pool, 1))
        return out, {"pool": after}

    def fused(self) -> Cnn:
        """See `Net.fused`."""
        plain = Cnn(self.config).eval()
        self.encoder.fold_into(plain.encoder)
        plain.head.load_state_dict(self.head.state_dict())
        return plain
