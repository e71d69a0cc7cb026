"""A small causal network: dilated residual convolutions, a pool over the last frames, one linear layer.

Rule: one set of weights, three readings of it. `forward` sees one whole window, `dense` slides over a long piece
of signal (training and offline scoring), and `hil.models.step` carries state from hop to hop. No layer pads, so
a frame depends on the `receptive` samples that end at it and a decision on exactly `memory` samples; that is why
the three agree. Batch normalisation exists while training only: `fused()` folds it into the convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hil.models.architecture import TcnConfig

__all__ = ["Tcn"]


class Tcn(nn.Module):
    """Dilated causal residual convolutional network.

    Layer 0 is `relu(conv(x))`; every later one is `x + relu(conv(x))`. Weights: `convs.I.weight` `(out, in, taps)`
    (tap 0 is the oldest sample), `convs.I.bias`, `head.weight` `(classes, channels)`, `head.bias`.

    Args:
        config: The shape.
        norm: Batch normalisation behind each convolution, for training.
        dropout: Share of pooled features dropped while training.
    """

    def __init__(self, config: TcnConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.convs = nn.ModuleList(
            nn.Conv1d(a, b, config.kernel, dilation=d)
            for (a, b), d in zip(config.widths, config.dilations, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(config.channels) if norm else nn.Identity() for _ in config.dilations)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(config.channels, config.classes)

    def frames(self, x: Tensor) -> Tensor:
        """Features of every sample whose past is complete: `(B, T, inputs)` -> `(B, channels, T - receptive + 1)`."""
        y = x.transpose(1, 2)
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            z = torch.relu(norm(conv(y)))
            y = z if index == 0 else z + y[..., y.shape[-1] - z.shape[-1] :]
        return y

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """Logits of every decision in a piece of signal: at `memory`, `memory + hop`, ... samples from its start.

        Args:
            x: Normalised samples `(B, T, inputs)`, `T >= memory`.
            hop: Samples between decisions.

        Returns:
            `(B, D, classes)` with `D = 1 + (T - memory) // hop`.
        """
        pooled = functional.avg_pool1d(self.frames(x), self.config.pool, stride=hop).transpose(1, 2)
        out: Tensor = self.head(self.dropout(pooled))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Logits of one whole window: `(B, memory, inputs)` normalised -> `(B, classes)`."""
        if x.shape[1] != self.config.memory:
            raise ValueError(f"A window of {x.shape[1]} samples was given; this network takes {self.config.memory}.")
        pooled = self.frames(x).mean(dim=2)
        out: Tensor = self.head(self.dropout(pooled))
        return out

    def fused(self) -> Tcn:
        """A copy without normalisation or dropout that computes the same in evaluation mode."""
        plain = Tcn(self.config).eval()
        with torch.no_grad():
            for conv, norm, target in zip(self.convs, self.norms, plain.convs, strict=True):
                assert isinstance(conv, nn.Conv1d)
                assert isinstance(target, nn.Conv1d)
                assert conv.bias is not None
                weight, bias = conv.weight.double(), conv.bias.double()
                if isinstance(norm, nn.BatchNorm1d):
                    assert norm.running_var is not None
                    assert norm.running_mean is not None
                    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
                    weight = weight * gain[:, None, None]
                    bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
                target.weight.copy_(weight)
                assert target.bias is not None
                target.bias.copy_(bias)
            plain.head.load_state_dict(self.head.state_dict())
        return plain
