"""What a model promises: its inputs, windows, labels, origin and figures, as one JSON document.

Rule: no torch here. A contract is complete by itself: whoever holds it can say which streams fit, when a decision is
due, and how the figures on its card were measured. It is written in the oldest `schema` that can say it (2 has frames,
post-processing and networks other than the TCN, 3 what training looked like), so that older programs read what they
can run; a newer one is refused in a sentence.
"""

from __future__ import annotations

import json
from math import prod
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)  # fmt: skip

from firmware_bridge.errors import FileError
from hil.drift.reference import Reference
from hil.models.data_config import Conditioning
from hil.models.nets.shape import NetShape, TurnsShape
from hil.models.nets.shapes import SHAPES
from hil.models.post import Post

__all__ = [
    "SCHEMA", "Architecture", "Card", "Contract", "Input", "Integers", "Metric", "first_mistake", "parse_contract",
]  # fmt: skip

SCHEMA = 3
"""The newest contract that this version reads."""

_Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Input(_Part):
    """One channel that the model reads, with the constants that normalise it: `(value - mean) / std`.

    Attributes:
        channel: Name of the stream's channel.
        unit: Its unit; a stream in another one is refused.
        mean: In that unit, from the people trained on.
        std: In that unit, from the people trained on.
    """

    channel: _Name
    unit: str
    mean: float = 0.0
    std: Annotated[float, Field(gt=0)] = 1.0


class Metric(_Part):
    """A figure of the model and how it was measured."""

    name: _Name
    value: float
    how: str


class Card(_Part):
    """What a person should know before trusting the model.

    Attributes:
        summary: What it tells apart, in a sentence or two.
        metrics: Figures, each with how it was measured.
        worst_person: The person it serves worst and the figure there.
        data_source: Where the training data come from.
        data_licence: Licence of the training data.
        limits: What it is not for.
    """

    summary: str = ""
    metrics: tuple[Metric, ...] = ()
    worst_person: str = ""
    data_source: str = ""
    data_licence: str = ""
    limits: str = ""

    def markdown(self, title: str) -> str:
        """The card as Markdown."""
        lines = [f"# {title}", "", self.summary, ""]
        lines += [f"- **{metric.name}** {metric.value:.4g}: {metric.how}" for metric in self.metrics]
        for head, text in (
            ("Worst person", self.worst_person),
            ("Data", self.data_source),
            ("Licence of the data", self.data_licence),
            ("Limits", self.limits),
        ):
            if text:
                lines.append(f"- **{head}**: {text}")
        return "\n".join(lines) + "\n"


class Integers(_Part):
    """How the tensors of the network are held in 8 bits, where the model was judged that way: boards hold them so too.

    Attributes:
        ranges: Least and largest value of what every operator gives, in the order in which a board computes them.
        percentile: Share of the values, in percent, that lay inside on either side.
        windows: Windows that the ranges come from.
        trained: Whether the weights were trained under this rounding.
    """

    ranges: Annotated[tuple[tuple[float, float], ...], Field(min_length=2, max_length=1024)]
    percentile: Annotated[float, Field(ge=50, le=100)]
    windows: Annotated[int, Field(ge=1)]
    trained: bool = False


class Architecture(_Part):
    """A network of our own: a name from the allow-list and its shape (`hil.models.nets.shapes`)."""

    name: Literal["tcn", "resnet", "hybrid", "gru", "cnn", "cnn_gru", "shots"]
    config: SerializeAsAny[NetShape]

    @field_validator("config", mode="before")
    @classmethod
    def _of_its_name(cls, value: Any, info: ValidationInfo) -> Any:
        shape = SHAPES.get(info.data.get("name", ""))
        if shape is None or isinstance(value, shape):
            return value
        try:
            return shape.model_validate(value.model_dump() if isinstance(value, NetShape) else value)
        except ValidationError as error:
            raise ValueError(first_mistake(error)) from None


class Contract(_Part):
    """Everything about a model but its weights.

    Attributes:
        name: Name of the model, as predictions and metrics carry it.
        version: The author's version.
        stream: Name of the stream to read; None: the stream that has the channels.
        inputs: The channels, in the network's order; for an image stream the one name that all its pixels have.
        frame: Rows and columns of an image stream's frames; None: a sample is one value for each input.
        rate_hz: Sample rate it was trained at.
        conditioning: What is done to a stream of other units, axes or rate; None: it is refused.
        window: Samples whose majority label is the truth of a decision.
        hop: Samples between decisions; decisions end at multiples of it.
        memory_samples: Samples that a decision depends on; none is made before they were all seen.
        labels: One for each output.
        post: How the network's scores become the decisions that are told.
        outputs: Whether the network gives logits or probabilities.
        layout: Axis order of a window in `program.onnx`.
        architecture: A network of our own (then the file holds `weights.safetensors`), or None (`program.onnx`).
        int8: How its tensors are held in 8 bits; None: as the readings that are given to `hil model deploy` say.
        backend: The backend it was judged on.
        tolerance: Largest difference of a probability on another backend or CPU that still counts as the same.
        lineage: Where it comes from: people, held-out people, seed, settings, parents. Plain JSON values.
        training_data_sha256: Digest of the readings and labels it was trained on.
        reference: What training looked like, for the watch beside the model; None: nobody looked.
        card: For people.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    version: Annotated[str, Field(min_length=1, max_length=64)] = "1"
    stream: str | None = None
    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=256)]
    frame: tuple[Annotated[int, Field(ge=1, le=256)], Annotated[int, Field(ge=1, le=256)]] | None = None
    rate_hz: Annotated[float, Field(gt=0)]
    conditioning: Conditioning | None = None
    window: Annotated[int, Field(ge=1, le=1_000_000)]
    hop: Annotated[int, Field(ge=1, le=1_000_000)]
    memory_samples: Annotated[int, Field(ge=1, le=10_000_000)]
    labels: Annotated[tuple[_Name, ...], Field(min_length=2, max_length=1024)]
    post: Post = Post()
    outputs: Literal["logits", "probabilities"] = "logits"
    layout: Literal["time_channels", "channels_time"] = "time_channels"
    architecture: Architecture | None = None
    int8: Integers | None = None
    backend: Literal["eager", "onnxruntime"] = "eager"
    tolerance: Annotated[float, Field(ge=0, le=1)] = 1e-4
    lineage: dict[str, Any] = Field(default_factory=dict)
    training_data_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    reference: Reference | None = None
    card: Card = Card()

    @model_validator(mode="after")
    def _consistent(self) -> Contract:
        names = [item.channel for item in self.inputs]
        if len(set(names)) != len(names):
            raise ValueError(f"inputs name a channel twice: {', '.join(names)}")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels repeat: {', '.join(self.labels)}")
        if self.conditioning is not None and (strange := set(self.conditioning.axes) - set(names)):
            raise ValueError(f"conditioning.axes names {', '.join(sorted(strange))}, which is no input")
        if self.frame is not None and len(self.inputs) != 1:
            raise ValueError(f"frame is given and {len(self.inputs)} inputs: an image stream has one name")
        if self.architecture is None:
            if self.memory_samples != self.window:
                raise ValueError(f"memory_samples is {self.memory_samples}; a window network has {self.window}")
            return self
        config = self.architecture.config
        for key, found, wanted in (
            ("architecture.config.inputs", config.inputs, self.width),
            ("architecture.config.classes", config.classes, len(self.labels)),
            ("memory_samples", self.memory_samples, config.memory),
        ):
            if found != wanted:
                raise ValueError(f"{key} is {found} where the rest of the contract implies {wanted}")
        if self.frame != (drawn := getattr(config, "frame", self.frame)):
            raise ValueError(f"architecture.config.frame is {drawn} and frame is {self.frame}")
        if isinstance(config, TurnsShape) and config.grid % self.hop:
            raise ValueError(f"architecture.config.grid is {config.grid}, no multiple of the hop of {self.hop}")
        return self

    @property
    def width(self) -> int:
        """Values of a sample: its inputs, or the pixels of a frame."""
        return len(self.inputs) if self.frame is None else prod(self.frame)

    @property
    def reach(self) -> int:
        """Samples that a decision looks back, smoothing included; none is told before they were all seen."""
        return self.memory_samples + self.post.extra(self.hop)

    @property
    def schema_version(self) -> int:
        """The oldest schema that can say it."""
        if self.reference is not None:
            return 3
        newer = self.frame is not None or self.post != Post()
        return 2 if newer or (self.architecture is not None and self.architecture.name != "tcn") else 1

    def to_json(self) -> str:
        """Return the document with keys in a fixed order."""
        plain = {"schema": self.schema_version, **self.model_dump(mode="json", by_alias=True)}
        if plain["schema"] == 1:
            plain = {key: value for key, value in plain.items() if key not in _SINCE_2}
        for key in ("conditioning", "int8", "reference"):
            if getattr(self, key) is None:
                del plain[key]  # so that versions that know of none read it
        return json.dumps(plain, indent=1, sort_keys=True) + "\n"


_SINCE_2 = ("frame", "post")
"""Keys that schema 1 does not have."""


def parse_contract(text: str | bytes, where: str) -> Contract:
    """Read a contract.

    Args:
        text: The JSON document.
        where: File it came from, for the message.

    Raises:
        FileError: Not JSON, a newer schema, or a key that is wrong (the first one is named).
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"its contract.json is not JSON ({error})", where, "write the model again") from None
    found = plain.pop("schema", None) if isinstance(plain, dict) else None
    if isinstance(found, int) and found > SCHEMA:
        raise FileError(
            f"its contract has schema {found} and this version reads up to {SCHEMA}", where, "update this program"
        )
    if not isinstance(plain, dict) or not isinstance(found, int) or found < 1:
        raise FileError("its contract.json names no schema", where, f"a contract is an object with schema = {SCHEMA}")
    try:
        return Contract.model_validate(plain)
    except ValidationError as error:
        raise FileError(
            f"its contract is wrong at {first_mistake(error, 'contract')}", where,
            "correct the contract and save the model again",
        ) from None  # fmt: skip


def first_mistake(error: ValidationError, whole: str = "") -> str:
    """The first mistake: its key (`whole` where it is no one key's), and in brackets what is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or whole
    said = first["msg"].removeprefix("Value error, ")
    return f"{key} ({said})" if key else said
