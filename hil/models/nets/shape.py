"""What every network's shape says: what it reads, how far it looks back, which weights it stores.

Rule: no torch here. A shape is checked before a network is built from it; its ceiling keeps a hostile file small.
"""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["MAX_PARAMETERS", "Layers", "NetShape", "TurnsShape", "Weights", "convolution", "gru", "linear"]

MAX_PARAMETERS = 100_000
"""Ceiling on the weights of a network of our own."""

Weights = dict[str, tuple[int, ...]]
"""Name and shape of every stored weight."""


class Layers(BaseModel):
    """What a person chooses of a network."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetShape(Layers):
    """What every network has.

    Attributes:
        inputs: Values of a sample: channels of the stream, or pixels of a frame.
        classes: Number of labels.
    """

    inputs: Annotated[int, Field(ge=1, le=65_536)]
    classes: Annotated[int, Field(ge=2, le=1024)]

    @model_validator(mode="after")
    def _small(self) -> NetShape:
        if self.parameters > MAX_PARAMETERS:
            raise ValueError(
                f"the network has {self.parameters} weights and {MAX_PARAMETERS} are allowed: "
                "use fewer channels, taps or layers"
            )
        return self

    @property
    def memory(self) -> int:
        """Samples that a decision depends on, at most."""
        raise NotImplementedError

    @property
    def cycle(self) -> int:
        """Samples after which the network does the same again; 1: it does the same at every sample."""
        return 1

    def span(self, end: int) -> int:
        """Samples that the decision at the end of sample `end - 1` depends on: `memory` at most."""
        del end  # of most networks every decision depends on as much
        return self.memory

    @property
    def parameters(self) -> int:
        """Weights of the network as it is stored (normalisation folded in)."""
        return sum(prod(shape) for shape in self.shapes().values())

    def shapes(self) -> Weights:
        """Name and shape of every stored weight."""
        raise NotImplementedError


class TurnsShape(NetShape):
    """A recurrent network whose two states take turns: see `hil.models.nets.turns`.

    Attributes:
        grid: Samples between two clearings; a multiple of the hop.
    """

    grid: Annotated[int, Field(ge=1, le=1_000_000)]

    @property
    def memory(self) -> int:
        """Samples that a decision depends on, at most; more than half as many at least."""
        return 2 * self.grid

    @property
    def cycle(self) -> int:
        """Samples after which the same state is cleared again."""
        return 2 * self.grid

    def span(self, end: int) -> int:
        """Samples since the state that decides at `end` was cleared."""
        return (end - 1) % self.grid + 1 + self.grid


def convolution(name: str, into: int, *others: int) -> Weights:
    """Weights of a convolution; the last axes are its taps."""
    return {f"{name}.weight": (into, *others), f"{name}.bias": (into,)}


def linear(name: str, into: int, out_of: int) -> Weights:
    """Weights of a linear layer."""
    return {f"{name}.weight": (into, out_of), f"{name}.bias": (into,)}


def gru(name: str, inputs: int, hidden: int) -> Weights:
    """Weights of one gated recurrent layer."""
    return {
        f"{name}.weight_ih_l0": (3 * hidden, inputs), f"{name}.weight_hh_l0": (3 * hidden, hidden),
        f"{name}.bias_ih_l0": (3 * hidden,), f"{name}.bias_hh_l0": (3 * hidden,),
    }  # fmt: skip
