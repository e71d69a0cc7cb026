"""Causal convolutions hop by hop, and what folds normalisation into them.

Rule: rows of a layer lie on a grid that is anchored where decisions are. A layer of stride s behind layers of stride S
has rows every `gcd(hop, S s)` samples: as few as the hop allows, so that any hop gives the same decisions. Its taps are
`reach` rows of its input apart, and it takes every `every`-th of them. The product is one GEMM over all slots.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Slid", "convolved", "folded", "follow", "pooled"]


def follow(past: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
    """Put new rows behind the past ones: `(slots, past + new, C)`, and the past of the next hop."""
    span = torch.cat((past, new), 1)
    return span, span[:, new.shape[1] :]


def convolved(span: Tensor, conv: nn.Conv1d, reach: int, every: int) -> Tensor:
    """Convolve the rows of one hop.

    Args:
        span: `(slots, (taps - 1) * reach + new, in)`.
        conv: Its weights `(out, in, taps)`, tap 0 the oldest row.
        reach: Rows between two taps.
        every: Rows between two results; the last result is at the last row.

    Returns:
        `(slots, new // every, out)`.
    """
    out, inputs, taps = conv.weight.shape
    rows = (span.shape[1] - (taps - 1) * reach) // every
    first = every - 1
    parts = [span[:, first + i * reach : first + i * reach + (rows - 1) * every + 1 : every] for i in range(taps)]
    side = torch.cat(parts, 2) if taps > 1 else parts[0]
    weight = conv.weight.permute(2, 1, 0).reshape(taps * inputs, out)
    flat = torch.addmm(cast(Tensor, conv.bias), side.reshape(-1, taps * inputs), weight)
    return flat.view(-1, rows, out)


class Slid(nn.Conv1d):
    """A convolution whose stride and distance of taps are said when it is called: they depend on the hop."""

    def forward(self, y: Tensor, reach: int = 1, every: int = 1) -> Tensor:
        """Over a long piece of signal: `(B, in, T)` -> `(B, out, rows)`, the last result at the last row.

        Args:
            y: The signal.
            reach: Rows between two taps.
            every: Rows between two results.
        """
        spare = (y.shape[2] - 1 - (self.weight.shape[2] - 1) * reach) % every
        return functional.conv1d(y[..., spare:], self.weight, self.bias, stride=every, dilation=reach)


def pooled(span: Tensor, pool: int, step: int) -> Tensor:
    """Mean over the last `pool` rows that are `step` rows apart: `(slots, rows, C)` -> `(slots, C)`."""
    return span[:, span.shape[1] - 1 - (pool - 1) * step :: step].mean(1)


def folded(conv: nn.Conv1d | nn.Conv2d, norm: nn.Module, into: nn.Conv1d | nn.Conv2d) -> None:
    """Write a convolution and the batch normalisation behind it into `into` as one convolution, in float64."""
    assert conv.bias is not None
    weight, bias = conv.weight.double(), conv.bias.double()
    if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
        assert norm.running_var is not None
        assert norm.running_mean is not None
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = weight * gain.view(-1, *[1] * (weight.ndim - 1))
        bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
    with torch.no_grad():
        into.weight.copy_(weight)
        assert into.bias is not None
        into.bias.copy_(bias)
