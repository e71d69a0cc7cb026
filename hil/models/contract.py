"""What a model promises: its inputs, windows, labels, origin and figures, as one JSON document.

Rule: no torch here. A contract is complete by itself: whoever holds it can say which streams fit, when a decision is
due, and how the figures on its card were measured. `schema` is 1; a newer one is refused in a sentence.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_bridge.errors import FileError
from hil.models.architecture import TcnConfig
from hil.models.data_config import Conditioning

__all__ = ["SCHEMA", "Architecture", "Card", "Contract", "Input", "Metric", "parse_contract"]

SCHEMA = 1
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


class Architecture(_Part):
    """A network of our own: a name from the allow-list and its configuration."""

    name: Literal["tcn"]
    config: TcnConfig


class Contract(_Part):
    """Everything about a model but its weights.

    Attributes:
        schema_version: Written as `schema`.
        name: Name of the model, as predictions and metrics carry it.
        version: The author's version.
        stream: Name of the stream to read; None: the stream that has the channels.
        inputs: The channels, in the network's order.
        rate_hz: Sample rate it was trained at.
        conditioning: What is done to a stream of other units, axes or rate; None: it is refused.
        window: Samples whose majority label is the truth of a decision.
        hop: Samples between decisions; decisions end at multiples of it.
        memory_samples: Samples that a decision depends on; none is made before they were all seen.
        labels: One for each output.
        outputs: Whether the network gives logits or probabilities.
        layout: Axis order of a window in `program.onnx`.
        architecture: A network of our own (then the file holds `weights.safetensors`), or None (`program.onnx`).
        backend: The backend it was judged on.
        tolerance: Largest difference of a probability on another backend or CPU that still counts as the same.
        lineage: Where it comes from: people, held-out people, seed, settings, parents. Plain JSON values.
        training_data_sha256: Digest of the readings and labels it was trained on.
        card: For people.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = SCHEMA
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    version: Annotated[str, Field(min_length=1, max_length=64)] = "1"
    stream: str | None = None
    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=256)]
    rate_hz: Annotated[float, Field(gt=0)]
    conditioning: Conditioning | None = None
    window: Annotated[int, Field(ge=1, le=1_000_000)]
    hop: Annotated[int, Field(ge=1, le=1_000_000)]
    memory_samples: Annotated[int, Field(ge=1, le=10_000_000)]
    labels: Annotated[tuple[_Name, ...], Field(min_length=2, max_length=1024)]
    outputs: Literal["logits", "probabilities"] = "logits"
    layout: Literal["time_channels", "channels_time"] = "time_channels"
    architecture: Architecture | None = None
    backend: Literal["eager", "onnxruntime"] = "eager"
    tolerance: Annotated[float, Field(ge=0, le=1)] = 1e-4
    lineage: dict[str, Any] = Field(default_factory=dict)
    training_data_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
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
        if self.architecture is None:
            if self.memory_samples != self.window:
                raise ValueError(f"memory_samples is {self.memory_samples}; a window network has {self.window}")
            return self
        config = self.architecture.config
        for key, found, wanted in (
            ("architecture.config.inputs", config.inputs, len(self.inputs)),
            ("architecture.config.classes", config.classes, len(self.labels)),
            ("memory_samples", self.memory_samples, config.memory),
        ):
            if found != wanted:
                raise ValueError(f"{key} is {found} where the rest of the contract implies {wanted}")
        return self

    def to_json(self) -> str:
        """Return the document with keys in a fixed order."""
        plain = self.model_dump(mode="json", by_alias=True)
        if self.conditioning is None:
            del plain["conditioning"]  # so that versions that know of none read it
        return json.dumps(plain, indent=1, sort_keys=True) + "\n"


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
    found = plain.get("schema") if isinstance(plain, dict) else None
    if isinstance(found, int) and found > SCHEMA:
        raise FileError(
            f"its contract has schema {found} and this version reads up to {SCHEMA}", where, "update this program"
        )
    if not isinstance(plain, dict) or not isinstance(found, int):
        raise FileError("its contract.json names no schema", where, f"a contract is an object with schema = {SCHEMA}")
    try:
        return Contract.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "contract"
        raise FileError(
            f"its contract is wrong at {key} ({first['msg']})", where, "correct the contract and save the model again"
        ) from None
