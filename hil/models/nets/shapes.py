"""Shapes of the networks that a model file may name: the allow-list, and what each depends on and stores.

Rule: no torch here, and no name from a file is ever imported or evaluated. What a file says is checked against what
the configuration implies (every weight's name and shape) before any network is built. A shape is in two parts: what a
person chooses (`...Layers`) and, over it, what the data and the window imply.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod
from operator import mul
from typing import Annotated

from pydantic import Field, model_validator

from hil.models.nets.hybrid_shape import HybridConfig
from hil.models.nets.shape import Layers, NetShape, TurnsShape, Weights, convolution, gru, linear

__all__ = [
    "SHAPES", "CnnConfig", "CnnGruConfig", "CnnGruLayers", "CnnLayers", "GruConfig", "GruLayers", "ResnetConfig",
    "ResnetLayers", "ShotsConfig", "ShotsLayers", "TcnConfig", "TcnLayers",
]  # fmt: skip

_Count = Annotated[int, Field(ge=1, le=4096)]
_Width = Annotated[int, Field(ge=1, le=512)]
_Kernel = Annotated[int, Field(ge=1, le=31)]
_Stride = Annotated[int, Field(ge=1, le=16)]
_Pool = Annotated[int, Field(ge=1, le=100_000)]
_Frame = tuple[Annotated[int, Field(ge=1, le=256)], Annotated[int, Field(ge=1, le=256)]]


class TcnLayers(Layers):
    """Dilated causal residual convolutions.

    Attributes:
        channels: Width of every layer.
        kernel: Taps of every convolution.
        dilations: One layer for each, in order.
    """

    channels: _Width = 48
    kernel: _Kernel = 5
    dilations: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=16)] = (1, 2, 4, 8)

    @property
    def receptive(self) -> int:
        """Samples that one frame of the last layer depends on."""
        return 1 + (self.kernel - 1) * sum(self.dilations)


class TcnConfig(TcnLayers, NetShape):
    """Shape of a `hil.models.nets.tcn.Tcn`.

    Attributes:
        pool: Frames averaged for a decision, in samples.
    """

    pool: _Pool = 140

    @property
    def widths(self) -> tuple[tuple[int, int], ...]:
        """Channels into and out of every layer."""
        return tuple(pairwise([self.inputs] + [self.channels] * len(self.dilations)))

    @property
    def memory(self) -> int:
        """Samples that one decision depends on."""
        return self.receptive + self.pool - 1

    def shapes(self) -> Weights:
        """Name and shape of every stored weight; convolutions are `(out, in, taps)`, tap 0 the oldest sample."""
        found: Weights = {}
        for index, (a, b) in enumerate(self.widths):
            found |= convolution(f"convs.{index}", b, a, self.kernel)
        return found | linear("head", self.classes, self.channels)


class ResnetLayers(Layers):
    """Residual blocks of two causal convolutions, the first of them strided.

    Attributes:
        channels: Width of every block.
        strides: Stride of every block.
        kernel: Taps of every convolution.
    """

    channels: Annotated[tuple[_Width, ...], Field(min_length=1, max_length=12)] = (32, 48, 64)
    strides: Annotated[tuple[_Stride, ...], Field(min_length=1, max_length=12)] = (1, 2, 2)
    kernel: _Kernel = 5

    @model_validator(mode="after")
    def _paired(self) -> ResnetLayers:
        if len(self.strides) != len(self.channels):
            raise ValueError(f"{len(self.channels)} channels and {len(self.strides)} strides: give one of each a block")
        if prod(self.strides) > 4096:
            raise ValueError(f"the strides multiply to {prod(self.strides)}; 4096 is the most")
        return self

    @property
    def rates(self) -> tuple[int, ...]:
        """Samples between the rows that enter the first block, leave it, leave the second, ..."""
        return (1, *accumulate(self.strides, mul))

    @property
    def receptive(self) -> int:
        """Samples that one frame of the last layer depends on."""
        return 1 + (self.kernel - 1) * sum(a + b for a, b in pairwise(self.rates))


class ResnetConfig(ResnetLayers, NetShape):
    """Shape of a `hil.models.nets.resnet.Resnet`.

    Attributes:
        pool: Frames of the last block averaged for a decision; they are `rates[-1]` samples apart.
    """

    pool: _Pool

    @property
    def widths(self) -> tuple[tuple[int, int], ...]:
        """Channels into and out of every block."""
        return tuple(pairwise((self.inputs, *self.channels)))

    @property
    def memory(self) -> int:
        """Samples that one decision depends on."""
        return self.receptive + (self.pool - 1) * self.rates[-1]

    def skips(self, index: int) -> bool:
        """Whether a block's input reaches its sum through a convolution of one tap, being of another width."""
        a, b = self.widths[index]
        return a != b

    def shapes(self) -> Weights:
        """Name and shape of every stored weight; convolutions are `(out, in, taps)`, tap 0 the oldest row."""
        found: Weights = {}
        for index, (a, b) in enumerate(self.widths):
            found |= convolution(f"blocks.{index}.first", b, a, self.kernel)
            found |= convolution(f"blocks.{index}.second", b, b, self.kernel)
            if self.skips(index):
                found |= convolution(f"blocks.{index}.skip", b, a, 1)
        return found | linear("head", self.classes, self.channels[-1])


class GruLayers(Layers):
    """A gated recurrent network of one layer.

    Attributes:
        hidden: Size of its state.
    """

    hidden: _Width = 64


class GruConfig(GruLayers, TurnsShape):
    """Shape of a `hil.models.nets.gru.Gru`."""

    def shapes(self) -> Weights:
        """Name and shape of every stored weight."""
        return gru("gru", self.inputs, self.hidden) | linear("head", self.classes, self.hidden)


class CnnLayers(Layers):
    """Convolutions over one frame.

    Attributes:
        channels: Width of every layer.
        strides: Stride of every layer, in both directions.
        kernel: Taps of every convolution in both directions; the frame is padded with zeros.
        features: Numbers that stand for a frame.
        centred: Whether the mean of each frame is taken from it, so that only differences inside it count.
    """

    channels: Annotated[tuple[_Width, ...], Field(min_length=1, max_length=8)] = (16, 32)
    strides: Annotated[tuple[_Stride, ...], Field(min_length=1, max_length=8)] = (1, 1)
    kernel: Annotated[int, Field(ge=1, le=9)] = 3
    features: _Width = 48
    centred: bool = False

    @model_validator(mode="after")
    def _paired(self) -> CnnLayers:
        if len(self.strides) != len(self.channels):
            raise ValueError(f"{len(self.channels)} channels and {len(self.strides)} strides: give one of each a layer")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel} and must be odd")
        return self


class _Frames(CnnLayers, NetShape):
    """A network that reads frames.

    Attributes:
        frame: Rows and columns of a frame.
    """

    frame: _Frame

    @model_validator(mode="after")
    def _whole(self) -> _Frames:
        if self.inputs != prod(self.frame):
            raise ValueError(f"frame is {list(self.frame)} and inputs {self.inputs}: give all pixels of it")
        return self

    @property
    def flat(self) -> int:
        """Numbers that leave the last convolution."""
        sides = list(self.frame)
        for stride in self.strides:
            sides = [-(-side // stride) for side in sides]
        return self.channels[-1] * prod(sides)

    def encoder(self) -> Weights:
        """Name and shape of the weights that make features of a frame."""
        found: Weights = {}
        for index, (a, b) in enumerate(pairwise((1, *self.channels))):
            found |= convolution(f"encoder.convs.{index}", b, a, self.kernel, self.kernel)
        return found | linear("encoder.flat", self.features, self.flat)


class CnnConfig(_Frames):
    """Shape of a `hil.models.nets.cnn.Cnn`.

    Attributes:
        pool: Frames averaged for a decision.
    """

    pool: _Pool = 1

    @property
    def memory(self) -> int:
        """Frames that a decision depends on."""
        return self.pool

    def shapes(self) -> Weights:
        """Name and shape of every stored weight."""
        return self.encoder() | linear("head", self.classes, self.features)


class CnnGruLayers(CnnLayers, GruLayers):
    """Convolutions over every frame and a gated recurrent layer over their sequence."""


class CnnGruConfig(GruLayers, _Frames, TurnsShape):
    """Shape of a `hil.models.nets.cnn_gru.CnnGru`."""

    def shapes(self) -> Weights:
        """Name and shape of every stored weight."""
        return self.encoder() | gru("gru", self.features, self.hidden) | linear("head", self.classes, self.hidden)


class ShotsLayers(Layers):
    """Statistics of a whole window under a learned metric, and one prototype for each class.

    Attributes:
        bands: Edges of the bands whose energy is taken, in cycles a window; empty: five or fewer that fit the window.
    """

    bands: Annotated[tuple[_Count, ...], Field(max_length=33)] = ()


class ShotsConfig(ShotsLayers, NetShape):
    """Shape of a `hil.models.nets.shots.Shots`.

    Attributes:
        window: Samples of a decision.
    """

    window: Annotated[int, Field(ge=8, le=100_000)]

    @model_validator(mode="after")
    def _bands_fit(self) -> ShotsConfig:
        edges = self.edges
        if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)) or edges[-1] > self.window // 2:
            raise ValueError(f"bands are {list(edges)} and must rise to at most {self.window // 2}, half of the window")
        return self

    @property
    def edges(self) -> tuple[int, ...]:
        """Edges of the bands, in cycles a window."""
        half = self.window // 2
        return self.bands or (*(edge for edge in (1, 3, 6, 12, 30) if edge < half), half)

    @property
    def memory(self) -> int:
        """Samples that one decision depends on."""
        return self.window

    @property
    def features(self) -> int:
        """Statistics of a window: of each channel its mean, two spreads and its bands; of each pair their likeness."""
        return self.inputs * (3 + len(self.edges) - 1) + self.inputs * (self.inputs - 1) // 2

    @property
    def embedding(self) -> int:
        """Numbers of an embedding: one more than there are statistics, so that its direction tells their length too."""
        return self.features + 1

    def shapes(self) -> Weights:
        """Name and shape of every stored weight."""
        return linear("metric", self.embedding, self.features) | linear("head", self.classes, self.embedding)


SHAPES: dict[str, type[NetShape]] = {
    "tcn": TcnConfig, "resnet": ResnetConfig, "hybrid": HybridConfig, "gru": GruConfig, "cnn": CnnConfig,
    "cnn_gru": CnnGruConfig, "shots": ShotsConfig,
}  # fmt: skip
"""Every name that a model file may give its network."""
