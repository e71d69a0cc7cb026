"""Networks that can be rebuilt from a name and a few numbers: the allow-list of a model file.

Rule: no torch here, and no name from a file is ever imported or evaluated. What a file says is checked against what
the configuration implies (every weight's name and shape) before any network is built.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["MAX_PARAMETERS", "TcnConfig"]

MAX_PARAMETERS = 100_000
"""Ceiling on the weights of a network of our own."""

_Count = Annotated[int, Field(ge=1, le=4096)]


class TcnConfig(BaseModel):
    """Shape of a `hil.models.tcn.Tcn`.

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

    @model_validator(mode="after")
    def _small(self) -> TcnConfig:
        if self.parameters > MAX_PARAMETERS:
            raise ValueError(
                f"the network has {self.parameters} weights and {MAX_PARAMETERS} are allowed: "
                "use fewer channels, taps or layers"
            )
        return self

    @property
    def widths(self) -> tuple[tuple[int, int], ...]:
        """Channels into and out of every layer."""
        sizes = [self.inputs] + [self.channels] * len(self.dilations)
        return tuple(pairwise(sizes))

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
        """Weights of the network as it is stored (normalisation folded in)."""
        convolutions = sum(a * b * self.kernel + b for a, b in self.widths)
        return convolutions + self.channels * self.classes + self.classes

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every stored weight; convolutions are `(out, in, taps)`, tap 0 the oldest sample."""
        found: dict[str, tuple[int, ...]] = {}
        for index, (a, b) in enumerate(self.widths):
            found[f"convs.{index}.weight"] = (b, a, self.kernel)
            found[f"convs.{index}.bias"] = (b,)
        found["head.weight"] = (self.classes, self.channels)
        found["head.bias"] = (self.classes,)
        return found
