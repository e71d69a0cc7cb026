"""The shape of the generating network: what it reads, which weights it stores.

Rule of this room: no torch here. A shape is checked before a network is built from it; its ceiling keeps a hostile
file small.
"""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hil.models.nets.shape import Weights, linear

__all__ = ["COLOURS", "EMBEDDED", "MAX_PARAMETERS", "PATCH", "WAVES", "FlowShape", "Widths"]

MAX_PARAMETERS = 400_000
"""Ceiling on the weights of a generator."""

PATCH = 4
"""Samples that the network takes as one row: its convolutions run at a quarter of the rate."""

COLOURS = 65
"""Frequencies, from 0 to half the rate, at which the colour of the noise that it begins with is kept."""

WAVES = 16
"""Frequencies in which the network is told how far from noise a window is."""

EMBEDDED = 64
"""Width of what the conditions become."""

_GROUPS = 4


class Widths(BaseModel):
    """What a person chooses of the network.

    Attributes:
        widths: Channels at a quarter, an eighth and a sixteenth of the rate; multiples of 4.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    widths: tuple[Annotated[int, Field(ge=4, le=256, multiple_of=_GROUPS)], ...] = (48, 64, 64)

    @model_validator(mode="after")
    def _three(self) -> Widths:
        if len(self.widths) != 3:
            raise ValueError(f"there are {len(self.widths)} widths and 3 are needed")
        return self


class FlowShape(Widths):
    """Shape of a `FlowNet`.

    Attributes:
        inputs: Channels of the stream.
        classes: Number of labels.
        style: Numbers that say a style.
        styles: Styles that are kept, one for each stretch learnt from.
    """

    inputs: Annotated[int, Field(ge=1, le=64)]
    classes: Annotated[int, Field(ge=1, le=1024)]
    style: Annotated[int, Field(ge=1, le=256)]
    styles: Annotated[int, Field(ge=1, le=10_000)]

    @model_validator(mode="after")
    def _small(self) -> FlowShape:
        if self.parameters > MAX_PARAMETERS:
            raise ValueError(
                f"the network has {self.parameters} weights and {MAX_PARAMETERS} are allowed: use smaller widths"
            )
        return self

    @property
    def parameters(self) -> int:
        """Weights of the network; styles and colour are no part of it."""
        return sum(prod(shape) for name, shape in self.shapes().items() if name not in ("styles", "colour"))

    def shapes(self) -> Weights:
        """Name and shape of every stored weight, of the styles and of the colour."""
        a, b, c = self.widths
        row = self.inputs * PATCH
        return {
            "styles": (self.styles, self.style),
            "colour": (self.inputs, COLOURS),
            **linear("time", EMBEDDED, 2 * WAVES),
            "label.weight": (self.classes, EMBEDDED),
            **linear("style", EMBEDDED, self.style),
            "noise.weight": (EMBEDDED, 1),
            **linear("mix", EMBEDDED, EMBEDDED),
            **linear("enter", a, 3 * row),
            **linear("down.0", b, 2 * a),
            **linear("down.1", c, 2 * b),
            **linear("up.0", 2 * b, c),
            **linear("up.1", 2 * a, b),
            **linear("leave", row, 3 * a),
            **{
                key: shape
                for at, width in enumerate((a, b, c, c, b, a))
                for key, shape in _block(f"blocks.{at}", width).items()
            },
        }


def _block(name: str, width: int) -> Weights:
    return {
        **linear(f"{name}.first", width, 3 * width),
        **linear(f"{name}.second", width, 3 * width),
        **linear(f"{name}.told", 2 * width, EMBEDDED),
        f"{name}.norm.weight": (width,), f"{name}.norm.bias": (width,),
    }  # fmt: skip
