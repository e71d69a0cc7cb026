"""Shape of a `hil.models.nets.hybrid.Hybrid`: strided causal convolutions beside plain statistics of the same window.

Rule: no torch here. Both branches read the same samples, so that one number says how far a decision looks back.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from hil.models.nets.shape import Layers, NetShape, Weights, convolution, linear

__all__ = ["HybridConfig", "HybridLayers"]

_Count = Annotated[int, Field(ge=1, le=4096)]


class HybridLayers(Layers):
    """Two branches whose logits are averaged: one learns its features, the other knows them.

    Attributes:
        channels: Width of every convolution.
        kernel: Taps of every convolution.
        stride: Samples between the rows of the first convolution and of all behind it.
        dilations: One convolution for each; those behind the first have their taps this many rows apart.
        bands: Edges of the frequency bands, in whole cycles a window: `(1, 3, 6)` are 1 to 2 and 3 to 5 cycles.
        leads: Samples by which one channel is held against another later: which of the two goes ahead tells a movement
            from the one that runs the other way round.
        hidden: Width of the layer over the statistics.
    """

    channels: Annotated[int, Field(ge=1, le=512)] = 48
    kernel: Annotated[int, Field(ge=1, le=31)] = 5
    stride: Annotated[int, Field(ge=1, le=16)] = 5
    dilations: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=16)] = (1, 1, 2)
    bands: Annotated[tuple[_Count, ...], Field(min_length=2, max_length=33)] = (1, 3, 6, 12, 30, 100)
    leads: Annotated[tuple[_Count, ...], Field(max_length=16)] = (5, 15, 30)
    hidden: Annotated[int, Field(ge=1, le=512)] = 64

    @model_validator(mode="after")
    def _rising(self) -> HybridLayers:
        if any(a >= b for a, b in pairwise(self.bands)):
            raise ValueError(f"bands are {list(self.bands)} and must rise")
        return self

    @property
    def receptive(self) -> int:
        """Samples that one row of the last convolution depends on."""
        return self.kernel + (self.kernel - 1) * self.stride * sum(self.dilations[1:])


class HybridConfig(HybridLayers, NetShape):
    """Shape of a `hil.models.nets.hybrid.Hybrid`.

    Attributes:
        pool: Rows of the last convolution that a decision pools; they are `stride` samples apart.
    """

    pool: Annotated[int, Field(ge=1, le=100_000)]

    @model_validator(mode="after")
    def _heard(self) -> HybridConfig:
        if 2 * (self.bands[-1] - 1) >= self.memory:
            raise ValueError(
                f"bands end at {self.bands[-1] - 1} cycles; {self.memory} samples hold fewer than {self.memory / 2:g}"
            )
        if max(self.leads, default=0) >= self.memory:
            raise ValueError(f"leads reach {max(self.leads)} samples and a window has {self.memory}")
        return self

    @property
    def widths(self) -> tuple[tuple[int, int], ...]:
        """Channels into and out of every convolution."""
        return tuple(pairwise([self.inputs] + [self.channels] * len(self.dilations)))

    @property
    def memory(self) -> int:
        """Samples that one decision depends on."""
        return self.receptive + (self.pool - 1) * self.stride

    @property
    def statistics(self) -> int:
        """Plain statistics of a window: level, spread and bands of a channel; correlation and leads of two."""
        pairs = self.inputs * (self.inputs - 1) // 2
        return self.inputs * (1 + len(self.bands)) + pairs * (1 + len(self.leads))

    def shapes(self) -> Weights:
        """Name and shape of every stored weight; convolutions are `(out, in, taps)`, tap 0 the oldest row."""
        found: Weights = {}
        for index, (a, b) in enumerate(self.widths):
            found |= convolution(f"convs.{index}", b, a, self.kernel)
        found |= linear("learnt", self.classes, 2 * self.channels)
        return found | linear("hidden", self.hidden, self.statistics) | linear("known", self.classes, self.hidden)
