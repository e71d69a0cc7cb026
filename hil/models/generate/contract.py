"""What a generator promises: channels, labels, whose styles it knows, where it comes from, as one JSON document.

Rule of this room: no torch here. It stands in a model file as `generator.json`, where a model that decides has its
`contract.json`, so that neither is ever taken for the other.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from firmware_bridge.errors import FileError
from hil.models.contract import Card, Input, first_mistake
from hil.models.generate.shape import FlowShape

__all__ = ["SCHEMA", "GeneratorContract", "Style", "parse_generator"]

SCHEMA = 1
"""The newest document that this version reads."""

_Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Style(_Part):
    """Whose a kept style is: person and label of a stretch that was learnt from."""

    person: _Name
    label: _Name


class GeneratorContract(_Part):
    """Everything about a generator but its weights.

    Attributes:
        name: Name of the generator.
        version: The author's version.
        stream: Name of the stream that it generates.
        inputs: The channels, with the constants that make a unit of each.
        rate_hz: Sample rate.
        window: Samples that the network sees at once.
        labels: What it can be asked for.
        styles: One for each kept style, in their order.
        noise: Largest level of white noise that it learnt, in standard deviations of each channel.
        spread: How far from a kept style it learnt to go: standard deviation of each number of a style.
        steps: Steps from noise to readings.
        shape: The network.
        lineage: Where it comes from: people, held-out people, seed, settings. Plain JSON values.
        training_data_sha256: Digest of the readings and labels it learnt from.
        card: For people.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    version: Annotated[str, Field(min_length=1, max_length=64)] = "1"
    stream: _Name = "generated"
    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=64)]
    rate_hz: Annotated[float, Field(gt=0, le=1e6)]
    window: Annotated[int, Field(ge=32, le=4096, multiple_of=16)]
    labels: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=1024)]
    styles: Annotated[tuple[Style, ...], Field(min_length=1, max_length=10_000)]
    noise: Annotated[float, Field(ge=0, le=10)] = 0.0
    spread: Annotated[float, Field(ge=0, le=1)] = 0.0
    steps: Annotated[int, Field(ge=1, le=200)] = 16
    shape: FlowShape
    lineage: dict[str, Any] = Field(default_factory=dict)
    training_data_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    card: Card = Card()

    @model_validator(mode="after")
    def _consistent(self) -> GeneratorContract:
        for what, names in (("inputs name a channel", [item.channel for item in self.inputs]), ("labels", self.labels)):
            if len(set(names)) != len(names):
                raise ValueError(f"{what} twice: {', '.join(names)}")
        if strange := {one.label for one in self.styles} - set(self.labels):
            raise ValueError(f"styles name {', '.join(sorted(strange))}, which is no label")
        for key, found, wanted in (
            ("shape.inputs", self.shape.inputs, len(self.inputs)),
            ("shape.classes", self.shape.classes, len(self.labels)),
            ("shape.style", self.shape.style, 2 * len(self.inputs)),
            ("shape.styles", self.shape.styles, len(self.styles)),
        ):
            if found != wanted:
                raise ValueError(f"{key} is {found} where the rest of the document implies {wanted}")
        return self

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone whose styles it knows, in order of first appearance."""
        return tuple(dict.fromkeys(one.person for one in self.styles))

    def to_json(self) -> str:
        """Return the document with keys in a fixed order."""
        return json.dumps({"schema": SCHEMA, **self.model_dump(mode="json")}, indent=1, sort_keys=True) + "\n"


def parse_generator(text: bytes, where: str) -> GeneratorContract:
    """Read the document.

    Args:
        text: The JSON document.
        where: File it came from, for the message.

    Raises:
        FileError: Not JSON, a newer schema, or a key that is wrong (the first one is named).
    """
    again = "train the generator again"
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"its generator.json is not JSON ({error})", where, again) from None
    found = plain.pop("schema", None) if isinstance(plain, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise FileError("its generator.json names no schema", where, again)
    if found > SCHEMA:
        raise FileError(
            f"its generator.json has schema {found} and this version reads up to {SCHEMA}", where, "update this program"
        )
    try:
        return GeneratorContract.model_validate(plain)
    except ValidationError as error:
        raise FileError(f"its generator.json is wrong at {first_mistake(error, 'document')}", where, again) from None
