"""The file that `hil train` reads: one TOML document that says what to learn, from whom, and how.

Rule: no torch here. A mistake names file and key, what was found and what is allowed. Defaults are the settings of the
shipped exercise model, fixed from what was known before and from inner splits of training people.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from firmware_bridge.errors import UsageError
from hil.models.augment_config import AugmentConfig
from hil.models.configfile import checked, plain_of
from hil.models.data_config import DataConfig
from hil.models.nets.choice import Choice, TcnChoice
from hil.models.post import Post

__all__ = ["GeneratedShare", "TrainConfig", "Training", "load_config"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Training(_Part):
    """How to learn.

    Attributes:
        epochs: Passes over as many samples as there are.
        batch: Crops in a step.
        crop: Samples in a crop, at least a window.
        every: Samples between the decisions of a crop.
        lr: Highest learning rate of the one-cycle schedule.
        weight_decay: Of AdamW.
        label_smoothing: Share of a label given to all.
        dropout: Share of pooled features dropped.
    """

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 100
    batch: Annotated[int, Field(ge=2, le=4096)] = 32
    crop: Annotated[int, Field(ge=2)] = 400
    every: Annotated[int, Field(ge=1)] = 25
    lr: Annotated[float, Field(gt=0, le=1)] = 4e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.05
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2


class EarlyStopping(_Part):
    """When to stop: people (or days) set apart inside those trained on decide, by their loss.

    Attributes:
        groups: How many are set apart, drawn by the seed; 0: all epochs are done.
        patience: Epochs without an improvement after which no more are done.
        refit: Whether to train once more on everybody, for as many epochs as were best.
    """

    groups: Annotated[int, Field(ge=0, le=1000)] = 0
    patience: Annotated[int, Field(ge=1)] = 20
    refit: bool = True


class GeneratedShare(_Part):
    """Generated readings among those that are learnt from.

    Attributes:
        model: The generator: a file that `hil generate train` made, of nobody who is held out.
        share: Their share in what is drawn.
        noise: White noise that they get, in standard deviations of each channel.
    """

    model: Annotated[str, Field(min_length=1)]
    share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    noise: Annotated[float, Field(ge=0)] = 0.0


class TrainConfig(_Part):
    """All of it.

    Attributes:
        schema_version: Written as `schema`.
        name: Name of the model.
        version: The author's version.
        summary: What it tells apart, for the card.
        limits: What it is not for, for the card.
        stream: Stream it will read; None: the one that has the channels.
        seed: Source of all chance.
        window: Samples of a decision.
        hop: Samples between decisions.
        data: What to learn from.
        architecture: The network: a table, or `module:Class` of your own.
        training: How to learn.
        early_stopping: When to stop.
        augment: How far training readings are changed.
        generated: Readings of a generator that are learnt from too; None: none.
        post: How the network's scores become the decisions that are told.
        device: Where to train; the result on another one has other last bits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    version: str = "1"
    summary: str = ""
    limits: str = ""
    stream: str | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    window: Annotated[int, Field(ge=1)]
    hop: Annotated[int, Field(ge=1)]
    data: DataConfig
    architecture: Choice = TcnChoice()
    training: Training = Training()
    early_stopping: EarlyStopping = EarlyStopping()
    augment: AugmentConfig = AugmentConfig()
    generated: GeneratedShare | None = None
    post: Post = Post()
    device: Literal["cpu", "cuda", "mps", "auto"] = "cpu"

    @field_validator("architecture", mode="before")
    @classmethod
    def _own(cls, given: Any) -> Any:
        return {"name": "own", "module": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _crop(self) -> TrainConfig:
        if self.training.crop < self.window:
            raise ValueError(f"training.crop is {self.training.crop} and must be at least the window of {self.window}")
        return self


def load_config(path: str | os.PathLike[str]) -> TrainConfig:
    """Read a training configuration.

    Raises:
        FileError: It cannot be read.
        UsageError: It is no TOML, or a key is wrong.
    """
    plain = plain_of(path)
    schema = plain.get("schema", 1)
    if isinstance(schema, int) and schema > 1:
        raise UsageError(f"its schema is {schema} and this version reads 1", str(path), "update this program")
    return checked(TrainConfig, plain, str(path))
