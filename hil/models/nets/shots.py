"""Shots: statistics of a window under a learned metric, compared with one prototype for each class.

Rule: a class is a point, so that a few examples are enough for a new one and none of the old ones moves. The head is
linear: its rows are prototypes of length one times a sharpness, and the row of `unknown` is nothing but a bias, the
likeness below which a window resembles no class. Products run slot by slot: a board's bits do not depend on its slot.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from hil.models.nets.causal import follow
from hil.models.nets.seam import Net, State
from hil.models.nets.shapes import ShotsConfig

__all__ = ["Shots"]

_FLOOR = 1e-4
"""Least spread, in normalised units, that is told from none: the logarithm of a channel at rest stays bounded."""


class Shots(Net):
    """Prototype network; weights `metric` `(embedding, features)` and `head` `(classes, embedding)`."""

    name = "shots"
    config: ShotsConfig

    def __init__(self, config: ShotsConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.metric = nn.Linear(config.features, config.embedding)
        self.head = nn.Linear(config.embedding, config.classes)
        length = config.window
        turns = torch.arange(config.edges[0], config.edges[-1], dtype=torch.float64)
        angle = 2 * math.pi * torch.arange(length, dtype=torch.float64)[:, None] * turns / length
        hann = torch.hann_window(length, periodic=False, dtype=torch.float64)[:, None]
        waves = torch.cat((hann * torch.cos(angle), hann * torch.sin(angle)), 1).float()
        self.register_buffer("_waves", waves, persistent=False)
        rows, columns = torch.triu_indices(config.inputs, config.inputs, 1)
        self.register_buffer("_rows", rows, persistent=False)
        self.register_buffer("_columns", columns, persistent=False)

    def features(self, x: Tensor) -> Tensor:
        """Statistics of whole windows: `(B, window, inputs)` normalised -> `(B, features)`."""
        mean = x.mean(1)
        still = (x - mean[:, None]).transpose(1, 2)
        spread = still.square().mean(2)
        change = (x[:, 1:] - x[:, :-1]).square().mean(1)
        waves = torch.bmm(still.contiguous(), self.get_buffer("_waves").expand(x.shape[0], -1, -1))
        cosine, sine = waves.chunk(2, 2)
        power = (cosine.square() + sine.square()) / self.config.window
        first = self.config.edges[0]
        bands = torch.stack(
            [power[..., low - first : high - first].sum(2) for low, high in pairwise(self.config.edges)], 2
        )
        product = torch.bmm(still, still.transpose(1, 2)) / self.config.window
        rows, columns = self.get_buffer("_rows"), self.get_buffer("_columns")
        scale = torch.sqrt(spread + _FLOOR)
        alike = product[:, rows, columns] / (scale[:, rows] * scale[:, columns])
        parts = (
            mean,
            torch.log(spread + _FLOOR),
            torch.log(change + _FLOOR),
            torch.log(bands + _FLOOR).flatten(1),
            alike,
        )
        return torch.cat(parts, 1)

    def embed(self, x: Tensor) -> Tensor:
        """Embedding of whole windows, of length one: `(B, window, inputs)` normalised -> `(B, embedding)`."""
        return functional.normalize(_each(self.metric, self.features(x)), dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        if x.shape[1] != self.config.memory:
            raise ValueError(f"A window of {x.shape[1]} samples was given; this network takes {self.config.memory}.")
        return _each(self.head, self.dropout(self.embed(x)))

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        seen = x.unfold(1, self.config.window, hop).transpose(2, 3)
        made = self.forward(seen.flatten(0, 1))
        return made.view(seen.shape[0], seen.shape[1], -1)

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        return {"past": (max(self.config.window - hop, 0), self.config.inputs)}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        del at
        span, past = follow(state["past"], x)
        past = past if state["past"].shape[1] else state["past"]
        return self.forward(span[:, -self.config.window :]), {"past": past}

    def fused(self) -> Shots:
        """See `Net.fused`."""
        plain = Shots(self.config).eval()
        plain.load_state_dict(self.state_dict())
        return plain


def _each(layer: nn.Linear, x: Tensor) -> Tensor:
    """A linear layer as a product and a sum of each row by itself: a GEMM of few rows gives each its own kernel."""
    return (x[:, None] * layer.weight).sum(2) + layer.bias
