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
from torch import Tensor, nn

from hil.models.augment_config import AugmentConfig
from hil.models.contract import Contract
from hil.models.data_config import DataConfig
from hil.models.datasets import Dataset, Series
from hil.models.fit import Job, Progress, Teacher, fit
from hil.models.nets.seam import Net, net_class
from hil.models.nets.shape import NetShape
from hil.models.training_config import TrainConfig, Training

__all__ = ["School", "normalised", "recipe"]

TEMPERATURE = 2.0
SHARE = 0.7
"""Of the loss that is about the parent's answers."""

FINE = 0.5
"""Learning rate of weights that were trained before, in parts of the parent's highest."""

ROUNDED = 0.05
"""The same under rounding."""

Told = Callable[[Progress], None]


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

    def refined(self, net: Net, windows: Tensor, epochs: int, progress: Told | None) -> Net:
        """Train what is left of a network; return it without normalisation.

        Args:
            net: Without normalisation; it stays as it is.
            windows: Normalised `(N, memory, inputs)`, of which its normalisation is made.
            epochs: How many.
            progress: Called after every epoch.
        """
        made = normalised(net, windows, self.config.training.dropout)
        learnt = self._fitted(lambda: made, net.config.memory, epochs, FINE, self.config.training.crop, progress)
        assert isinstance(learnt, Net)
        return learnt.fused()

    def rounded(self, net: nn.Module, epochs: int, progress: Told | None) -> None:
        """Train a network under the rounding of boards, a window a crop, as boards compute each anew."""
        self._fitted(lambda: net, self.parent.config.memory, epochs, ROUNDED, self.config.window, progress)

    def student(self, shape: NetShape, epochs: int, progress: Told | None) -> Net:
        """Train a network of a shape from nothing, as its parent was."""
        kind = net_class(self.parent.name)

        def make() -> Net:
            return kind(shape, norm=True, dropout=self.config.training.dropout)

        made = self._fitted(make, shape.memory, epochs, 1.0, self.config.training.crop, progress)
        assert isinstance(made, Net)
        return made.fused()

    def _fitted(
        self, make: Callable[[], nn.Module], memory: int, epochs: int, rate: float, crop: int,
        progress: Told | None,
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


def normalised(net: Net, windows: Tensor, dropout: float = 0.0) -> Net:
    """Return a network that computes the same with batch normalisation, without which it would learn badly.

    Args:
        net: Without normalisation.
        windows: `(N, memory, inputs)`, over which each normalisation changes nothing in the mean.
        dropout: See `Net`.
    """
    made = net_class(net.name)(net.config, norm=True, dropout=dropout).eval()
    made.load_state_dict(net.state_dict(), strict=False)
    hooks = [
        part.register_forward_pre_hook(_unchanging)
        for part in made.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)
    ]  # fmt: skip
    with torch.no_grad():
        made(windows)
    for hook in hooks:
        hook.remove()
    return made


def _unchanging(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
    """Let a normalisation give back what comes in."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    axes = [axis for axis in range(given[0].ndim) if axis != 1]
    variance, mean = torch.var_mean(given[0], axes, correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_(torch.sqrt(variance + norm.eps))
    norm.bias.copy_(mean)
