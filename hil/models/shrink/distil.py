"""What is left of a network learns again: from the labels, and from what its parent answers to the same readings.

Rule of this room: the parent's own recipe (augmentation, loss, normalisation), as far as its lineage tells; only epochs
and learning rate are others. Nothing is chosen while learning: the number of epochs is fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from hil.models.augment_config import AugmentConfig
from hil.models.contract import Contract
from hil.models.data_config import DataConfig
from hil.models.datasets import Dataset, Series
from hil.models.fit import Job, Progress, Teacher, fit
from hil.models.nets.seam import Net, net_class
from hil.models.nets.shape import NetShape
from hil.models.training_config import TrainConfig, Training

__all__ = ["School", "recipe"]

TEMPERATURE = 2.0
SHARE = 0.7
"""Of the loss that is about the parent's answers."""

FINE = 0.25
"""Learning rate of weights that were trained before, in parts of the parent's highest."""

ROUNDED = 0.05
"""The same under rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class School:
    """Who teaches, what is learnt from, and how.

    Attributes:
        parent: The parent's network.
        contract: Its contract.
        dataset: Channels, rate and labels.
        series: Of people whom the parent has met.
        config: The parent's recipe.
    """

    parent: Net
    contract: Contract
    dataset: Dataset
    series: Sequence[Series]
    config: TrainConfig

    def refined(self, net: nn.Module, epochs: int, rate: float, progress: Callable[[Progress], None] | None) -> nn.Module:
        """Train a network that knows something already; return it in evaluation mode.

        Args:
            net: With `dense` as a `Net` has it; it is changed.
            epochs: How many.
            rate: In parts of the parent's highest.
            progress: Called after every epoch.
        """
        return self._fitted(lambda: net, self.parent.config.memory, epochs, rate, self.config.training.crop, progress)

    def rounded(self, net: nn.Module, epochs: int, progress: Callable[[Progress], None] | None) -> nn.Module:
        """Train a network under the rounding of boards, a window a crop, as boards compute each anew."""
        return self._fitted(lambda: net, self.parent.config.memory, epochs, ROUNDED, self.config.window, progress)

    def student(self, shape: NetShape, epochs: int, progress: Callable[[Progress], None] | None) -> Net:
        """Train a network of a shape from nothing, as its parent was."""
        kind = net_class(self.parent.name)

        def make() -> Net:
            return kind(shape, norm=True, dropout=self.config.training.dropout)

        made = self._fitted(make, shape.memory, epochs, 1.0, self.config.training.crop, progress)
        assert isinstance(made, Net)
        return made.fused()

    def _fitted(
        self, make: Callable[[], nn.Module], memory: int, epochs: int, rate: float, crop: int,
        progress: Callable[[Progress], None] | None,
    ) -> nn.Module:  # fmt: skip
        given = self.config.training
        training = given.model_copy(update={"lr": given.lr * rate, "crop": crop, "epochs": epochs})
        config = self.config.model_copy(update={"training": training})
        constants = tuple(np.array([getattr(item, key) for item in self.contract.inputs]) for key in ("mean", "std"))
        teacher = Teacher(self.parent.dense, self.parent.config.memory, TEMPERATURE, SHARE)
        job = Job(config, make, memory, self.series, (), self.dataset, (constants[0], constants[1]), epochs,
                  torch.device("cpu"), teacher=teacher)  # fmt: skip
        return fit(job, None, progress).net


def recipe(contract: Contract, seed: int) -> TrainConfig:
    """Return how a model was trained, as far as its lineage tells; defaults for the rest."""
    told: dict[str, Any] = contract.lineage.get("config") or {}
    training = Training.model_validate(told.get("training", {"crop": max(400, contract.window)}))
    return TrainConfig(
        name=contract.name, seed=seed, window=contract.window, hop=contract.hop, data=DataConfig(folder="."),
        training=training, augment=AugmentConfig.model_validate(told.get("augment", {})),
    )  # fmt: skip
