"""Hybrid: strided causal convolutions pooled to mean and spread, beside plain statistics of the same window.

Rule: the two branches are averaged and each learns as if it were alone (`experts`), so that neither leans on the other:
what the statistics of a known movement miss the convolutions see, and on people who move otherwise the statistics hold.
A window's statistics are computed anew from its samples at every hop; nothing accumulates.
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd, pi
from typing import cast

import torch
from torch import Tensor, nn

from hil.models.nets.causal import Slid, convolved, folded, follow
from hil.models.nets.hybrid_shape import HybridConfig
from hil.models.nets.seam import Net, State

__all__ = ["Hybrid"]

_STILL = 1e-4
"""Variance, in that of the training readings, under which a channel counts as still: it keeps logarithms finite."""
_SILENT = 1e-3
"""The same for the energy of a band."""


class Hybrid(Net):
    """Learnt and known features of a window, one classifier over each, their logits averaged.

    Weights: `convs.I.weight` `(out, in, taps)` (tap 0 is the oldest row), `convs.I.bias`; `learnt` over mean and spread
    of the last convolution; `hidden` and `known` over the statistics.
    """

    name = "hybrid"
    config: HybridConfig
    spectrum: Tensor

    def __init__(self, config: HybridConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.convs = nn.ModuleList(Slid(a, b, config.kernel) for a, b in config.widths)
        self.norms = nn.ModuleList(nn.BatchNorm1d(config.channels) if norm else nn.Identity() for _ in config.dilations)
        self.pooled = nn.BatchNorm1d(2 * config.channels) if norm else nn.Identity()
        self.learnt = nn.Linear(2 * config.channels, config.classes)
        self.scaled = nn.BatchNorm1d(config.statistics) if norm else nn.Identity()
        self.hidden = nn.Linear(config.statistics, config.hidden)
        self.known = nn.Linear(config.hidden, config.classes)
        self.register_buffer("spectrum", _spectrum(config), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        if x.shape[1] != self.config.memory:
            raise ValueError(f"A window of {x.shape[1]} samples was given; this network takes {self.config.memory}.")
        return self.dense(x, self.config.stride)[:, 0]

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        return _average(*self.experts(x, hop))

    def experts(self, x: Tensor, hop: int) -> tuple[Tensor, ...]:
        """See `Net.experts`: the logits of the two branches."""
        config = self.config
        decisions = 1 + (x.shape[1] - config.memory) // hop
        x = x[:, : config.memory + (decisions - 1) * hop]
        row, step = self._rows(hop)
        y = x.transpose(1, 2)
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            reach, every = (config.dilations[index] * step, 1) if index else (1, row)
            z = torch.relu(norm(cast(Slid, conv)(y, reach, every)))
            y = y[..., y.shape[2] - z.shape[2] :] + z if index else z
        pools = y.unfold(2, (config.pool - 1) * step + 1, hop // row)[:, :, -decisions:, ::step]
        features = self._spread(pools.permute(0, 2, 3, 1)).flatten(0, 1)
        windows = x.unfold(1, config.memory, hop).transpose(2, 3).flatten(0, 1)
        both = self._learnt(features), self._known(windows)
        return tuple(one.view(x.shape[0], decisions, -1) for one in both)

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        config = self.config
        row, step = self._rows(hop)
        pasts = {
            f"past.{index}": ((config.kernel - 1) * (config.dilations[index] * step if index else 1), a)
            for index, (a, _) in enumerate(config.widths)
        }
        rows = (config.pool - 1) * step + 1
        pool = (max(rows - hop // row, 0), config.channels)
        return {**pasts, "pool": pool, "window": (max(config.memory - hop, 0), config.inputs)}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        del at  # hops begin at multiples of themselves, and rows lie on their grid
        config, after, y = self.config, dict[str, Tensor](), x
        row, step = self._rows(x.shape[1])
        for index, conv in enumerate(self.convs):
            reach, every = (config.dilations[index] * step, 1) if index else (1, row)
            span, after[f"past.{index}"] = follow(state[f"past.{index}"], y)
            z = torch.relu(convolved(span, cast(nn.Conv1d, conv), reach, every))
            y = y + z if index else z
        span, after["pool"] = follow(state["pool"], y)
        features = self._spread(span[:, span.shape[1] - 1 - (config.pool - 1) * step :: step])
        window, after["window"] = follow(state["window"], x)
        return _average(self._learnt(features), self._known(window[:, window.shape[1] - config.memory :])), after

    def fused(self) -> Hybrid:
        """See `Net.fused`."""
        plain = Hybrid(self.config).eval()
        for conv, norm, target in zip(self.convs, self.norms, plain.convs, strict=True):
            folded(cast(nn.Conv1d, conv), norm, cast(nn.Conv1d, target))
        _scaled_before(self.pooled, self.learnt, plain.learnt)
        _scaled_before(self.scaled, self.hidden, plain.hidden)
        plain.known.load_state_dict(self.known.state_dict())
        return plain

    def _rows(self, hop: int) -> tuple[int, int]:
        """Samples between the rows that are computed, and rows between those that a decision pools."""
        row = gcd(hop, self.config.stride)
        return row, self.config.stride // row

    def _spread(self, rows: Tensor) -> Tensor:
        """Mean and standard deviation over the rows that a decision pools: `(..., pool, C)` -> `(..., 2 C)`."""
        mean = rows.mean(-2)
        return torch.cat((mean, torch.sqrt((rows - mean.unsqueeze(-2)).square().mean(-2) + _STILL)), -1)

    def _learnt(self, features: Tensor) -> Tensor:
        out: Tensor = self.learnt(self.dropout(self.pooled(features)))
        return out

    def _known(self, windows: Tensor) -> Tensor:
        hidden = torch.relu(self.hidden(self.scaled(self.statistics(windows))))
        out: Tensor = self.known(self.dropout(hidden))
        return out

    def statistics(self, windows: Tensor) -> Tensor:
        """Level, logarithm of spread and of each band's energy of every channel; of two channels how they go together.

        That is their correlation, and for every lead how much more the first resembles the second later than earlier.

        Args:
            windows: `(N, memory, inputs)`, normalised.

        Returns:
            `(N, config.statistics)`.
        """
        config = self.config
        level = windows.mean(1)
        moved = windows - level[:, None]
        variance = moved.square().mean(1) + _STILL
        each = moved.transpose(1, 2)
        parts = torch.matmul(each, self.spectrum).square()
        energy = parts.view(-1, config.inputs, 2, parts.shape[2] // 2).sum(2)
        low = config.bands[0]
        bands = [energy[..., a - low : b - low].sum(2) for a, b in pairwise(config.bands)]
        deviation = torch.sqrt(variance)
        joint = [torch.matmul(each, moved)]
        for lead in config.leads:
            later = torch.matmul(each[..., :-lead], moved[:, lead:])
            joint.append(later - later.transpose(1, 2))
        first, second = torch.triu_indices(config.inputs, config.inputs, 1)
        scale = config.memory * deviation[:, first] * deviation[:, second]
        related = [one[:, first, second] / scale for one in joint]
        return torch.cat((level, torch.log(deviation), *(torch.log(one + _SILENT) for one in bands), *related), 1)


def _average(*logits: Tensor) -> Tensor:
    return torch.stack(logits).mean(0)


def _spectrum(config: HybridConfig) -> Tensor:
    """Cosines, then sines, of every cycle of the bands under a Hann window: `(memory, 2 cycles)`."""
    cycles = torch.arange(config.bands[0], config.bands[-1], dtype=torch.float64)
    angle = torch.arange(config.memory, dtype=torch.float64)[:, None] * cycles * (2 * pi / config.memory)
    window = torch.hann_window(config.memory, periodic=True, dtype=torch.float64)
    return (torch.cat((torch.cos(angle), torch.sin(angle)), 1) * window[:, None]).float()


def _scaled_before(norm: nn.Module, linear: nn.Linear, into: nn.Linear) -> None:
    """Write a batch normalisation and the linear layer behind it into `into` as one layer, in float64."""
    weight, bias = linear.weight.double(), linear.bias.double()
    if isinstance(norm, nn.BatchNorm1d):
        assert norm.running_var is not None
        assert norm.running_mean is not None
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        bias = bias + weight @ (norm.bias.double() - norm.running_mean.double() * gain)
        weight = weight * gain
    with torch.no_grad():
        into.weight.copy_(weight)
        into.bias.copy_(bias)
