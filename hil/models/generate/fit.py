"""Learning a generator: a rectified flow from noise to windows, one seed, one result.

Rule of this room: nothing of a held-out person is touched, not even for the normalisation. Labels are drawn equally
often, so that a rare one is learnt as well as its few readings allow. What is kept is the running mean of the weights.
Every chance comes from one generator: the same configuration, data and machine give the same weights, and the same ones
again after a kill (`hil.models.checkpoint`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firmware_bridge.errors import UsageError
from hil.models.checkpoint import (
    Checkpoint,
    module_tensors,
    optimizer_tensors,
    restore_module,
    restore_optimizer,
)
from hil.models.contract import Card, Input
from hil.models.datasets import Dataset, digest
from hil.models.fit import Progress, alone
from hil.models.generate.config import GenerateConfig
from hil.models.generate.contract import GeneratorContract, Style
from hil.models.generate.file import GeneratorPackage, pack_generator, unpack_generator, write_generator
from hil.models.generate.net import FlowNet, coloured
from hil.models.generate.shape import FlowShape
from hil.models.generate.stretches import Stretch, colour_of, constants, stretches, style_of

__all__ = ["train_and_write", "train_generator"]


def train_and_write(
    config: GenerateConfig,
    dataset: Dataset,
    held_out: Sequence[str],
    output: Path,
    progress: Callable[[Progress], None] | None = None,
) -> GeneratorPackage:
    """Learn as `train_generator` does, and write what was learnt.

    A kill costs a hundredth of the way: called again, it goes on from the checkpoint beside `output`.

    Raises:
        UsageError: As `train_generator`.
        FileError: The file cannot be written.
    """
    written = write_generator(output, train_generator(config, dataset, held_out, progress, keep=output))
    _checkpoint(output).unlink(missing_ok=True)
    return written


def train_generator(
    config: GenerateConfig,
    dataset: Dataset,
    held_out: Sequence[str],
    progress: Callable[[Progress], None] | None = None,
    *,
    keep: Path | None = None,
) -> GeneratorPackage:
    """Learn from everyone but `held_out`.

    Args:
        config: What to learn and how.
        dataset: Labelled readings of channels.
        held_out: People who must not be seen.
        progress: Called every hundredth of the way.
        keep: Where the checkpoint goes, as `KEEP.flow.ckpt`, and stays; None: nowhere.

    Raises:
        UsageError: Samples are frames, nobody is left, a stranger is held out, a label has too short stretches, or the
            checkpoint is another's.
    """
    if dataset.frame is not None:
        raise UsageError("samples are frames, and it generates channels", "data", "give readings of channels")
    if strangers := [person for person in held_out if person not in dataset.people]:
        raise UsageError(
            f"nobody in the data is called {', '.join(strangers)} (there are {', '.join(dataset.people)})",
            "data.held_out", "name people of the data",
        )  # fmt: skip
    people = dataset.others(held_out)
    series = dataset.of(people)
    found, sha256 = stretches(series, dataset.labels, config.window), digest(series)
    mark = f"{config.model_dump_json(exclude={'data'})}{sha256}{list(held_out)}{torch.__version__}"
    kept = None if keep is None else Checkpoint(_checkpoint(keep), hashlib.sha256(mark.encode()).hexdigest())
    with alone(torch.device("cpu")):
        learnt = _Learning(config, dataset, found)
        if kept is not None and (stand := kept.load()) is not None:
            learnt.restore(*stand)
        steps = config.training.steps
        while learnt.done < steps:
            learnt.step()
            if learnt.done % max(1, steps // 100) == 0:
                if kept is not None:
                    kept.save(*learnt.stand())
                if progress is not None:
                    progress(Progress(learnt.done, steps, learnt.loss, "flow"))
    contract = GeneratorContract(
        name=config.name,
        version=config.version,
        stream=config.stream,
        inputs=tuple(
            Input(channel=name, unit=unit, mean=float(m), std=float(s))
            for name, unit, m, s in zip(dataset.channels, dataset.units, *learnt.constants, strict=True)
        ),
        rate_hz=dataset.rate_hz,
        window=config.window,
        labels=dataset.labels,
        styles=tuple(Style(person=one.person, label=dataset.labels[one.label]) for one in found),
        noise=config.training.noise,
        spread=config.training.style_noise,
        steps=config.steps,
        shape=learnt.shape,
        lineage={
            "trained_on": people, "held_out": list(held_out), "seed": config.seed, "loss": learnt.loss,
            "config": config.model_dump(mode="json", by_alias=True, exclude={"data"}), "torch": str(torch.__version__),
        },
        training_data_sha256=sha256,
        card=Card(summary=config.summary, limits=config.limits, data_source=config.data.source,
                  data_licence=config.data.licence),
    )  # fmt: skip
    weights = {name: value.numpy() for name, value in learnt.mean.state_dict().items()}
    packed = pack_generator(contract, {**weights, "styles": learnt.styles.numpy(), "colour": learnt.colour.numpy()})
    return unpack_generator(packed, contract.name)


class _Learning:
    """A training under way."""

    def __init__(self, config: GenerateConfig, dataset: Dataset, found: Sequence[Stretch]) -> None:
        self.config, self.window = config.training, config.window
        self.done, self.loss = 0, 0.0
        self.constants = constants(found)
        mean, std = self.constants
        self.styles = torch.from_numpy(np.stack([style_of(one.values, mean, std) for one in found]))
        self.colour = torch.from_numpy(colour_of(found, mean, std))
        self.values = torch.from_numpy((np.concatenate([one.values for one in found]) - mean) / std)
        size = torch.tensor([len(one.values) for one in found])
        self.start, self.room = size.cumsum(0) - size, size - config.window + 1
        self.labels = torch.tensor([one.label for one in found])
        every = torch.zeros(len(dataset.labels), dtype=torch.float64).index_add(0, self.labels, self.room.double())
        self.share = self.room / every[self.labels]  # each label as often as any other
        self.chance = torch.Generator().manual_seed(config.seed)
        torch.manual_seed(config.seed)
        self.shape = FlowShape(
            widths=config.network.widths, inputs=len(dataset.channels), classes=len(dataset.labels),
            style=self.styles.shape[1], styles=len(found),
        )  # fmt: skip
        self.net = FlowNet(self.shape)
        self.mean = FlowNet(self.shape)
        self.mean.load_state_dict(self.net.state_dict())
        # One call for all weights: there are many small ones.
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, self.config.lr, total_steps=max(self.config.steps, 2), pct_start=0.1
        )

    def step(self) -> None:
        """Do one step."""
        readings, which, noise = self._windows()
        white = torch.randn(readings.shape[0], 2 * self.window, readings.shape[2], generator=self.chance)
        start = coloured(white, self.colour)[:, : self.window]  # of a longer circle: a window is none
        start = start + torch.randn(start.shape, generator=self.chance) * noise[:, None, None]
        # Half way is where most is to be learnt: the middle of a logistic is drawn more often than its ends.
        at = torch.sigmoid(torch.randn(len(which), generator=self.chance))
        style = self.styles[which]
        style = style + torch.randn(style.shape, generator=self.chance) * self.config.style_noise
        between = torch.lerp(start, readings, at[:, None, None])
        velocity = self.net(between, at, self.labels[which], style, noise)
        loss = (velocity - (readings - start)).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self._keep()
        value = float(loss.detach())
        self.loss = value if self.done == 0 else 0.98 * self.loss + 0.02 * value
        self.done += 1

    def stand(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest depends on."""
        tensors = {
            **module_tensors(self.net, "net"), **module_tensors(self.mean, "mean"),
            **optimizer_tensors(self.optimizer), "chance": self.chance.get_state(),
        }  # fmt: skip
        groups = self.optimizer.state_dict()["param_groups"]
        return tensors, {"done": self.done, "loss": self.loss, "groups": groups, "schedule": self.schedule.last_epoch}

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Stand where `stand` was called."""
        restore_module(self.net, tensors, "net")
        restore_module(self.mean, tensors, "mean")
        restore_optimizer(self.optimizer, tensors, facts["groups"])
        self.chance.set_state(tensors["chance"])
        self.schedule.last_epoch = facts["schedule"]
        self.done, self.loss = facts["done"], facts["loss"]

    def _windows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Windows `(B, window, C)`, the stretch of each, and the level of noise that is in them."""
        chance, count = self.chance, self.config.batch
        which = torch.multinomial(self.share, count, replacement=True, generator=chance)
        begin = (torch.rand(count, generator=chance) * self.room[which]).long() + self.start[which]
        readings = self.values[begin[:, None] + torch.arange(self.window)]
        clean = torch.rand(count, generator=chance) < 0.5
        noise = torch.where(clean, 0.0, torch.rand(count, generator=chance) * self.config.noise)
        return readings + torch.randn(readings.shape, generator=chance) * noise[:, None, None], which, noise

    def _keep(self) -> None:
        decay = min(self.config.average, (1 + self.done) / (10 + self.done))  # what came first counts for nothing
        with torch.no_grad():
            for kept, new in zip(self.mean.parameters(), self.net.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)


def _checkpoint(keep: Path) -> Path:
    return keep.with_name(f"{keep.name}.flow.ckpt")
