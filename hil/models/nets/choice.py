"""What a training configuration may say of its network, and the shape that data and window make of it.

Rule: no torch here. A person chooses layers; how many values come in, how many labels go out and how far a decision
looks back follow from the data and the window, so that they cannot contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError

from firmware_bridge.errors import UsageError
from hil.models.contract import first_mistake
from hil.models.nets.hybrid_shape import HybridLayers
from hil.models.nets.shape import Layers, NetShape
from hil.models.nets.shapes import (
    SHAPES,
    CnnGruLayers,
    CnnLayers,
    GruLayers,
    ResnetLayers,
    ShotsLayers,
    TcnLayers,
)

__all__ = ["Choice", "Facts", "OwnChoice", "ShotsChoice", "TcnChoice", "shape_for"]


class TcnChoice(TcnLayers):
    """`[architecture]` of a TCN."""

    name: Literal["tcn"] = "tcn"


class ResnetChoice(ResnetLayers):
    """`[architecture]` of a residual 1-D CNN."""

    name: Literal["resnet"]


class HybridChoice(HybridLayers):
    """`[architecture]` of a CNN beside statistics of the window."""

    name: Literal["hybrid"]


class GruChoice(GruLayers):
    """`[architecture]` of a GRU."""

    name: Literal["gru"]


class CnnChoice(CnnLayers):
    """`[architecture]` of a CNN over frames."""

    name: Literal["cnn"]


class CnnGruChoice(CnnGruLayers):
    """`[architecture]` of a CNN and GRU over frames."""

    name: Literal["cnn_gru"]


class ShotsChoice(ShotsLayers):
    """`[architecture]` of prototypes, which learn a new class from a few examples (`hil enrol`).

    Attributes:
        shrinkage: Share of a ball in the spread that is whitened, so that statistics that hardly vary are not blown up.
        episodes: Episodes by which the metric is refined after it was fitted; kept only where people and classes set
            apart are told apart better with it. 0: none.
        false_reject: Share of the windows of known classes, of people not met, that may be taken for unknown.
    """

    name: Literal["shots"]
    shrinkage: Annotated[float, Field(gt=0, le=1)] = 0.1
    episodes: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    false_reject: Annotated[float, Field(gt=0, lt=1)] = 0.1


class OwnChoice(Layers):
    """`[architecture]` of a user's own network, or `architecture = "module:Class"`.

    Attributes:
        module: `module:Class`; the module lies beside the configuration or can be imported. `Class(inputs=, classes=,
            window=, **options)` is a `torch.nn.Module` that takes normalised windows `(B, window, inputs)` and gives
            logits `(B, classes)`.
        options: Further arguments.
    """

    name: Literal["own"] = "own"
    module: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    options: dict[str, str | int | float | bool | list[int]] = Field(default_factory=dict)


_NOT_SHAPE = {"name", "shrinkage", "episodes", "false_reject"}
"""What is chosen beside layers."""


def _name_of(given: Any) -> str:
    return str(given.get("name", "tcn") if isinstance(given, dict) else getattr(given, "name", ""))


Choice = Annotated[
    Annotated[TcnChoice, Tag("tcn")]
    | Annotated[ResnetChoice, Tag("resnet")]
    | Annotated[HybridChoice, Tag("hybrid")]
    | Annotated[GruChoice, Tag("gru")]
    | Annotated[CnnChoice, Tag("cnn")]
    | Annotated[CnnGruChoice, Tag("cnn_gru")]
    | Annotated[ShotsChoice, Tag("shots")]
    | Annotated[OwnChoice, Tag("own")],
    Discriminator(_name_of),
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What data and window say of a network.

    Attributes:
        inputs: Values of a sample.
        classes: Number of labels.
        window: Samples of a decision.
        hop: Samples between decisions.
        frame: Rows and columns of a frame, or None.
    """

    inputs: int
    classes: int
    window: int
    hop: int
    frame: tuple[int, int] | None


def shape_for(choice: Any, facts: Facts) -> NetShape:
    """Return the shape of a network of ours: its memory is the window, as nearly as its strides and grid allow.

    Raises:
        UsageError: The layers do not fit the window, the data, or each other.
    """
    frames = isinstance(choice, CnnLayers)
    if frames != (facts.frame is not None):
        what, better = ("frames", "tcn, resnet, hybrid, gru or shots") if frames else ("channels", "cnn or cnn_gru")
        raise UsageError(
            f"{choice.name} reads {what} and the data have {'channels' if frames else 'frames'}", "architecture.name",
            f"use {better}",
        )  # fmt: skip
    implied: dict[str, Any] = {"inputs": facts.inputs, "classes": facts.classes}
    if isinstance(choice, TcnLayers | ResnetLayers | HybridLayers):
        rate = choice.rates[-1] if isinstance(choice, ResnetLayers) else getattr(choice, "stride", 1)
        if choice.receptive > facts.window:
            raise UsageError(
                f"the layers see {choice.receptive} samples and the window has {facts.window}",
                f"architecture.{'strides' if isinstance(choice, ResnetLayers) else 'dilations'}",
                "use a longer window, fewer taps or smaller dilations and strides",
            )
        implied["pool"] = (facts.window - choice.receptive) // rate + 1
    elif isinstance(choice, ShotsLayers):
        implied["window"] = facts.window
    elif isinstance(choice, GruLayers | CnnGruLayers):
        implied["grid"] = facts.hop * -(-facts.window // (2 * facts.hop))
    else:
        implied["pool"] = facts.window
    if frames:
        implied["frame"] = facts.frame
    try:
        return SHAPES[choice.name].model_validate({**choice.model_dump(exclude=_NOT_SHAPE), **implied})
    except ValidationError as error:
        raise UsageError(first_mistake(error), "architecture", "choose a smaller network") from None
