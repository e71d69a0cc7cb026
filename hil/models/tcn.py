"""A small causal network: dilated residual convolutions, a pool over the last frames, one linear layer.

Rule: one set of weights, three readings of it. `forward` sees one whole window, `dense` slides over a long piece
of signal (training and offline scoring), and `hil.models.step` carries state from hop to hop. No layer pads, so
a frame depends on the `receptive` samples that end at it and a decision on exactly `memory` samples; that is why
the three agree. Batch normalisation exists while training only: `fused()` folds it into the convolutions.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

MAX_PARAMETERS = 100_000
"""Ceiling on the weights of a network that we build ourselves."""

_Count = Annotated[int, Field(ge=1, le=4096)]


class TcnConfig(BaseModel):
    """Shape of a `Tcn`; this is what a model file carries under `architecture.config`.

    Attributes:
        inputs: Channels of the stream.
        classes: Number of labels.
        channels: Width of every layer.
        kernel: Taps of every convolution.
        dilations: One layer for each, in order.
        pool: Frames averaged for a decision, in samples.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: Annotated[int, Field(ge=1, le=256)]
    classes: Annotated[int, Field(ge=2, le=1024)]
    channels: Annotated[int, Field(ge=1, le=512)] = 48
    kernel: Annotated[int, Field(ge=1, le=31)] = 5
    dilations: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=16)] = (1, 2, 4, 8)
    pool: Annotated[int, Field(ge=1, le=100_000)] = 140

    @property
    def receptive(self) -> int:
        """Samples that one frame of the last layer depends on."""
        return 1 + (self.kernel - 1) * sum(self.dilations)

    @property
    def memory(self) -> int:
        """Samples that one decision depends on."""
        return self.receptive + self.pool - 1

    @property
    def parameters(self) -> int:
        """Weights of the fused network."""
        widths = [self.inputs] + [self.channels] * len(self.dilations)
        convolutions = sum(a * b * self.kernel + b for a, b in zip(widths, widths[1:], strict=False))
        return convolutions + self.channels * self.classes + self.classes


class Tcn(nn.Module):
    """Dilated causal residual convolutional network.

    Layer 0 is `relu(conv(x))`; every later one is `x + relu(conv(x))`. Weights: `convs.I.weight` `(out, in, taps)`
    (tap 0 is the oldest sample), `convs.I.bias`, `head.weight` `(classes, channels)`, `head.bias`.

    Args:
        config: The shape.
        norm: Batch normalisation behind each convolution, for training.
        dropout: Share of pooled features dropped while training.

    Raises:
        ValueError: The configuration exceeds `MAX_PARAMETERS`.
    """

    def __init__(self, config: TcnConfig, *, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        if config.parameters > MAX_PARAMETERS:
            raise ValueError(
                f"The network has {config.parameters} weights; at most {MAX_PARAMETERS} are allowed: "
                "use fewer channels, taps or layers."
            )
        self.config = config
        widths = [config.inputs] + [config.channels] * len(config.dilations)
        self.convs = nn.ModuleList(
            nn.Conv1d(a, b, config.kernel, dilation=d)
            for a, b, d in zip(widths, widths[1:], config.dilations, strict=False)
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
        pooled = F.avg_pool1d(self.frames(x), self.config.pool, stride=hop).transpose(1, 2)
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
                assert isinstance(conv, nn.Conv1d) and isinstance(target, nn.Conv1d) and conv.bias is not None
                weight, bias = conv.weight.double(), conv.bias.double()
                if isinstance(norm, nn.BatchNorm1d):
                    assert norm.running_var is not None and norm.running_mean is not None
                    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
                    weight = weight * gain[:, None, None]
                    bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
                target.weight.copy_(weight)
                assert target.bias is not None
                target.bias.copy_(bias)
            plain.head.load_state_dict(self.head.state_dict())
        return plain
