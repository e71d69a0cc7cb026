"""Training from a configuration to a network: held-out people, one seed, the streaming form from the first step on.

Rule: nothing of a held-out person is touched, not even for the normalisation. The loss is taken over the decisions
that the streaming form would make (causal, window after window), so that what is trained is what runs. Same
configuration, data, machine and seed: same weights.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from firmware_bridge.errors import UsageError
from hil.models.augment import Crops
from hil.models.contract import Architecture, Card, Contract, Input
from hil.models.datasets import NONE, Dataset, Series, digest
from hil.models.nets.shapes import TcnConfig
from hil.models.nets.tcn import Tcn
from hil.models.package import Package, pack, unpack, write_package
from hil.models.training_config import TrainConfig

__all__ = ["Progress", "fit", "train", "train_and_judge"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands: `step` of `steps`, and the mean loss of the last epoch."""

    step: int
    steps: int
    loss: float


def architecture_of(config: TrainConfig, dataset: Dataset) -> TcnConfig:
    """The network that a configuration asks for: its memory is the window, whatever its receptive field."""
    shape = config.architecture
    receptive = 1 + (shape.kernel - 1) * sum(shape.dilations)
    if receptive > config.window:
        raise UsageError(
            f"the layers see {receptive} samples and the window has {config.window}",
            "architecture.dilations",
            "use a longer window, fewer taps or smaller dilations",
        )
    return TcnConfig(
        inputs=len(dataset.channels), classes=len(dataset.labels), channels=shape.channels, kernel=shape.kernel,
        dilations=shape.dilations, pool=config.window - receptive + 1,
    )  # fmt: skip


def train(
    config: TrainConfig, dataset: Dataset, held_out: Sequence[str], progress: Callable[[Progress], None] | None = None
) -> Package:
    """Train on everyone but `held_out` and return the model as a package with a contract and an empty card.

    Args:
        config: What to train and how.
        dataset: Labelled readings.
        held_out: People who must not be seen.
        progress: Called after every epoch.

    Raises:
        UsageError: Nobody is left to train on, or the data are too short for a window.
    """
    people = [person for person in dataset.people if person not in set(held_out)]
    series = dataset.of(people)
    longest = max((len(item.values) for item in series), default=0)
    if longest < config.window:
        raise UsageError(
            f"the {len(people)} people to train on have no series of {config.window} samples (longest: {longest})",
            "data.held_out",
            "hold out fewer people, record more, or use a shorter window",
        )
    readings = np.concatenate([item.values for item in series]).astype(np.float64)
    mean, std = readings.mean(axis=0), readings.std(axis=0)
    std = np.where(std > 0, std, 1.0)
    shape = architecture_of(config, dataset)
    net = fit(config, shape, series, dataset, (mean, std), progress)
    contract = Contract(
        name=config.name,
        version=config.version,
        stream=config.stream,
        inputs=tuple(
            Input(channel=name, unit=unit, mean=float(np.float32(m)), std=float(np.float32(s)))
            for name, unit, m, s in zip(dataset.channels, dataset.units, mean, std, strict=True)
        ),
        rate_hz=dataset.rate_hz,
        window=config.window,
        hop=config.hop,
        memory_samples=shape.memory,
        labels=dataset.labels,
        architecture=Architecture(name="tcn", config=shape),
        training_data_sha256=digest(series),
        lineage={
            "trained_on": people,
            "held_out": list(held_out),
            "seed": config.seed,
            "config": config.model_dump(mode="json", by_alias=True, exclude={"data"}),
            "torch": str(torch.__version__),
        },
        card=Card(
            data_source=config.data.source,
            data_licence=config.data.licence,
            summary=config.summary,
            limits=config.limits,
        ),
    )
    weights: dict[str, Any] = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    return unpack(pack(contract, weights), config.name)


def train_and_judge(
    config: TrainConfig,
    dataset: Dataset,
    output: str | os.PathLike[str],
    progress: Callable[[Progress], None] | None = None,
) -> Package:
    """Train on everyone but the configured held-out people, judge the model on them, and write it: `hil train`.

    Args:
        config: What to train and how.
        dataset: Labelled readings.
        output: The model file.
        progress: Called after every epoch.

    Returns:
        The model, its card filled with the figures on the held-out people.

    Raises:
        UsageError: A held-out person is not in the data, or `train` cannot learn from the rest.
        FileError: The file cannot be written.
    """
    from hil.models.evaluate import held_out_card

    strangers = [person for person in config.data.held_out if person not in dataset.people]
    if strangers:
        raise UsageError(
            f"nobody in the data is called {', '.join(strangers)} (there are {', '.join(dataset.people)})",
            "data.held_out",
            "name people of the data",
        )
    package = train(config, dataset, config.data.held_out, progress)
    contract = package.contract.model_copy(update={"card": held_out_card(package, dataset)})
    return write_package(output, contract, dict(package.weights))


def fit(
    config: TrainConfig,
    shape: TcnConfig,
    series: Sequence[Series],
    dataset: Dataset,
    constants: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]],
    progress: Callable[[Progress], None] | None = None,
) -> Tcn:
    """Train a network of `shape` on `series` and return it fused; `constants` are the mean and std of the channels."""
    settings = config.training
    usable = [item for item in series if len(item.values) >= config.window]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            chance = torch.Generator().manual_seed(config.seed)
            crops = Crops(usable, dataset.channels, settings.crop, config.augment, chance)
            net = Tcn(shape, norm=True, dropout=settings.dropout).train()
            mean, std = (torch.tensor(values, dtype=torch.float32) for values in constants)
            samples = sum(len(item.values) for item in usable)
            each = max(1, math.ceil(samples / (settings.crop * settings.batch)))
            steps = settings.epochs * each
            optimizer = torch.optim.AdamW(net.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, settings.lr, total_steps=max(steps, 2), pct_start=0.2
            )
            total = 0.0
            for step in range(steps):
                readings, labels = crops.draw(settings.batch)
                logits = net.dense((readings - mean) / std, settings.every)
                truth = _truth(labels, shape, config.window, settings.every, logits.shape[1])
                if bool((truth == NONE).all()):
                    schedule.step()
                    continue
                loss = functional.cross_entropy(
                    logits.flatten(0, 1), truth.flatten(), ignore_index=NONE, label_smoothing=settings.label_smoothing
                )
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                total += float(loss.detach())
                if (step + 1) % each == 0:
                    if progress is not None:
                        progress(Progress(step + 1, steps, total / each))
                    total = 0.0
            return net.eval().fused()
    finally:
        torch.set_num_threads(threads)


def _truth(labels: Tensor, shape: TcnConfig, window: int, every: int, decisions: int) -> Tensor:
    """Truth of the decisions of crops: `(B, T)` labels to `(B, decisions)`, `NONE` below half a window."""
    marks = functional.one_hot(labels + 1, shape.classes + 1)[..., 1:].float().transpose(1, 2)
    share = functional.avg_pool1d(marks, window, stride=every)[..., :decisions]
    most, index = share.max(dim=1)
    return torch.where(most >= 0.5, index, torch.full_like(index, NONE))
