"""TCN: dilated causal residual convolutions, a pool over the last frames, one linear layer.

Rule: no layer pads, so a frame depends on the `receptive` samples that end at it and a decision on exactly `memory`
samples; that is why all readings of it agree. `hil.models.step` has a faster streaming form of the same network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hil.models.nets.causal import convolved, folded, follow, pooled
from hil.models.nets.seam import Net, State
from hil.models.nets.shapes import TcnConfig

__all__ = ["Tcn"]


class Tcn(Net):
    """Dilated causal residual convolutional network.

    Layer 0 is `relu(conv(x))`; every later one is `x + relu(conv(x))`. Weights: `convs.I.weight` `(out, in, taps)`
    (tap 0 is the oldest sample), `convs.I.bias`, `head.weight` `(classes, channels)`, `head.bias`.
    """

    name = "tcn"
    config: TcnConfig

    def __init__(self, config: TcnConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__(config, norm=norm, dropout=dropout)
        self.convs = nn.ModuleList(
            nn.Conv1d(a, b, config.kernel, dilation=d)
            for (a, b), d in zip(config.widths, config.dilations, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(config.channels) if norm else nn.Identity() for _ in config.dilations)
        self.head = nn.Linear(config.channels, config.classes)

    def frames(self, x: Tensor) -> Tensor:
        """Features of every sample whose past is complete: `(B, T, inputs)` -> `(B, channels, T - receptive + 1)`."""
        y = x.transpose(1, 2)
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            z = torch.relu(norm(conv(y)))
            y = z if index == 0 else z + y[..., y.shape[-1] - z.shape[-1] :]
        return y

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`."""
        means = functional.avg_pool1d(self.frames(x), self.config.pool, stride=hop).transpose(1, 2)
        out: Tensor = self.head(self.dropout(means))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """See `Net.forward`."""
        if x.shape[1] != self.config.memory:
            raise ValueError(f"A window of {x.shape[1]} samples was given; this network takes {self.config.memory}.")
        means = self.frames(x).mean(dim=2)
        out: Tensor = self.head(self.dropout(means))
        return out

    def states(self, hop: int) -> dict[str, tuple[int, ...]]:
        """See `Net.states`."""
        config = self.config
        pasts = {
            f"past.{i}": ((config.kernel - 1) * d, a)
            for i, ((a, _), d) in enumerate(zip(config.widths, config.dilations, strict=True))
        }
        return {**pasts, "pool": (max(config.pool - hop, 0), config.channels)}

    def advance(self, x: Tensor, at: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Net.advance`."""
        del at  # the same at every sample
        after: dict[str, Tensor] = {}
        y = x
        for index, (conv, dilation) in enumerate(zip(self.convs, self.config.dilations, strict=True)):
            assert isinstance(conv, nn.Conv1d)
            span, after[f"past.{index}"] = follow(state[f"past.{index}"], y)
            z = torch.relu(convolved(span, conv, dilation, 1))
            y = z if index == 0 else y + z
        span, after["pool"] = follow(state["pool"], y)
        out: Tensor = self.head(pooled(span, self.config.pool, 1))
        return out, after

    def fused(self) -> Tcn:
        """See `Net.fused`."""
        plain = Tcn(self.config).eval()
        for conv, norm, target in zip(self.convs, self.norms, plain.convs, strict=True):
            assert isinstance(conv, nn.Conv1d)
            assert isinstance(target, nn.Conv1d)
            folded(conv, norm, target)
        plain.head.load_state_dict(self.head.state_dict())
        return plain
