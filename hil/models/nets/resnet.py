"""Residual 1-D CNN: blocks of two causal convolutions, the first of them strided; a pool and one linear layer.

Rule: no layer pads and every row is dated by its newest sample, so that a decision depends on exactly `memory` samples
whatever the hop. Where the hop is a multiple of the strides a layer computes only the rows that it keeps.
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hil.models.nets.causal import Slid, convolved, folded, follow, pooled
from hil.models.nets.seam import Net, State
from hil.models.nets.shapes import ResnetConfig

__all__ = ["Resnet"]


class _Block(nn.Module):
    """`relu(skip(x) + norm(conv(relu(norm(conv(x))))))`; the skip is a convolution where the width changes."""

    def __init__(self, a: int, b: int, kernel: int, skips: bool, norm: bool) -> None:
        super().__init__()
        self.first, self.second = Slid(a, b, kernel), Slid(b, b, kernel)
        self.skip = nn.Conv1d(a, b, 1) if skips else None
        self.norms = nn.ModuleList(nn.BatchNorm1d(b) if norm else nn.Identity() for _ in range(3 if skips else 2))


class Resnet(Net):
    """Residual causal network with strides.

    Weights: `blocks.I.first`, `blocks.I.second` and, where a block's width changes, `blocks.I.skip`, each with `weight`
    `(out, in, taps)` (tap 0 is the oldest row) and `bias`; `head.weight` `(classes, channels)`, `head.bias`.
    """

    name = "resnet"
    config: ResnetConfig

    def __init__(self, config: ResnetConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.blocks = nn.ModuleList(
            _Block(a, b, config.kernel, config.skips(i), norm) for i, (a, b) in enumerate(config.widths)
        )
        self.head = nn.Linear(config.channels[-1], config.classes)

    def _grids(self, hop: int) -> list[tuple[_Block, int, int, int]]:
        """Every block, the rows between taps of its two convolutions, and the rows of its input for one result.

        Rows lie `gcd(hop, rate)` samples apart: strides are taken as far as the hop allows, taps are moved apart for
        the rest.
        """
        found = []
        for block, (before, rate) in zip(self.blocks, pairwise(self.config.rates), strict=True):
            near, far = gcd(hop, before), gcd(hop, rate)
            found.append((cast(_Block, block), before // near, rate // far, far // near))
        return found

    def frames(self, x: Tensor, hop: int) -> Tensor:
        """Features at the rows that decisions every `hop` samples need, the last at the last sample.

        Args:
            x: `(B, T, inputs)`.
            hop: Samples between decisions.

        Returns:
            `(B, channels, rows)`, rows `gcd(hop, rates[-1])` samples apart.
        """
        y = x.transpose(1, 2)
        for block, reach, inner, every in self._grids(hop):
            z = torch.relu(block.norms[0](block.first(y, reach, every)))
            z = block.norms[1](block.second(z, inner))
            # A pool over one row is how boards take every so many rows; it changes none.
            kept = functional.max_pool1d(y[..., (y.shape[2] - 1) % every :], 1, every) if every > 1 else y
            kept = kept[..., kept.shape[2] - z.shape[2] :]
            if block.skip is not None:
                kept = block.norms[2](block.skip(kept))
            y = torch.relu(kept + z)
        return y

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        config = self.config
        decisions = 1 + (x.shape[1] - config.memory) // hop
        y = self.frames(x[:, : config.memory + (decisions - 1) * hop], hop)
        row = gcd(hop, config.rates[-1])
        step = config.rates[-1] // row
        windows = y.unfold(2, (config.pool - 1) * step + 1, hop // row)[:, :, -decisions:, ::step]
        out: Tensor = self.head(self.dropout(windows.mean(3).transpose(1, 2)))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        if x.shape[1] != self.config.memory:
            raise ValueError(f"A window of {x.shape[1]} samples was given; this network takes {self.config.memory}.")
        means = self.frames(x, self.config.rates[-1]).mean(dim=2)
        out: Tensor = self.head(self.dropout(means))
        return out

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        config, found = self.config, {}
        for index, (_, reach, inner, _) in enumerate(self._grids(hop)):
            a, b = config.widths[index]
            found[f"first.{index}"] = ((config.kernel - 1) * reach, a)
            found[f"second.{index}"] = ((config.kernel - 1) * inner, b)
        row = gcd(hop, config.rates[-1])
        rows = (config.pool - 1) * (config.rates[-1] // row) + 1
        return {**found, "pool": (max(rows - hop // row, 0), config.channels[-1])}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        del at  # hops begin at multiples of themselves, and rows lie on their grid
        after: dict[str, Tensor] = {}
        y, hop = x, x.shape[1]
        for index, (block, reach, inner, every) in enumerate(self._grids(hop)):
            span, after[f"first.{index}"] = follow(state[f"first.{index}"], y)
            z = torch.relu(convolved(span, block.first, reach, every))
            span, after[f"second.{index}"] = follow(state[f"second.{index}"], z)
            z = convolved(span, block.second, inner, 1)
            kept = y[:, every - 1 :: every]
            y = torch.relu((kept if block.skip is None else convolved(kept, block.skip, 1, 1)) + z)
        span, after["pool"] = follow(state["pool"], y)
        out: Tensor = self.head(
            pooled(span, self.config.pool, self.config.rates[-1] // gcd(hop, self.config.rates[-1]))
        )
        return out, after

    def fused(self) -> Resnet:
        """See `Net.fused`."""
        plain = Resnet(self.config).eval()
        for given, target in zip(self.blocks, plain.blocks, strict=True):
            block, into = cast(_Block, given), cast(_Block, target)
            folded(block.first, block.norms[0], into.first)
            folded(block.second, block.norms[1], into.second)
            if block.skip is not None and into.skip is not None:
                folded(block.skip, block.norms[2], into.skip)
        plain.head.load_state_dict(self.head.state_dict())
        return plain
