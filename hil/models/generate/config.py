"""The file that `hil generate train` reads: what to learn to generate, from whom, and how.

Rule of this room: no torch here. The `[data]` table is that of `hil train`. A mistake names file and key.
"""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hil.models.configfile import checked, plain_of
from hil.models.data_config import DataConfig
from hil.models.generate.shape import Widths

__all__ = ["FlowTraining", "GenerateConfig", "load_generate_config"]


class FlowTraining(BaseModel):
    """How to learn.

    Attributes:
        steps: Steps of the optimizer.
        batch: Windows in a step.
        lr: Highest learning rate of the one-cycle schedule.
        weight_decay: Of AdamW.
        average: Decay of the running mean of the weights, which is what is kept.
        style_noise: Standard deviation of what is added to styles, so that near ones are known too.
        noise: Largest level of white noise that half of the windows get and the network is told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 1500
    batch: Annotated[int, Field(ge=2, le=4096)] = 32
    lr: Annotated[float, Field(gt=0, le=1)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    style_noise: Annotated[float, Field(ge=0, le=1)] = 0.1
    noise: Annotated[float, Field(ge=0, le=10)] = 0.5


class GenerateConfig(BaseModel):
    """All of it.

    Attributes:
        schema_version: Written as `schema`.
        name: Name of the generator.
        version: The author's version.
        summary: What it generates, for the card.
        limits: What it is not for, for the card.
        stream: Name of the stream that it generates.
        seed: Source of all chance.
        window: Samples that the network sees at once, a multiple of 16.
        steps: Steps from noise to readings.
        data: What to learn from; whoever is held out is not learnt from.
        network: The network.
        training: How to learn.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    version: Annotated[str, Field(min_length=1, max_length=64)] = "1"
    summary: str = ""
    limits: str = ""
    stream: Annotated[str, Field(min_length=1, max_length=100)] = "generated"
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    window: Annotated[int, Field(ge=32, le=4096, multiple_of=16)] = 256
    steps: Annotated[int, Field(ge=1, le=200)] = 16
    data: DataConfig
    network: Widths = Widths()
    training: FlowTraining = FlowTraining()


def load_generate_config(path: str | os.PathLike[str]) -> GenerateConfig:
    """Read a configuration.

    Raises:
        FileError: It cannot be read.
        UsageError: It is no TOML, or a key is wrong.
    """
    return checked(GenerateConfig, plain_of(path), str(path))
