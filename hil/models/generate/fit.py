"""Learning a generator: a rectified flow from noise to windows, one seed, one result.

Rule of this room: nothing of a held-out person is touched, not even for the normalisation. Labels are drawn equally
often, so that a rare one is learnt as well as its few readings allow. What is kept is the running mean of the weights.
Every chance comes from one generator: the same configuration, data and machine give the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from firmware_bridge.errors import UsageError
from hil.models.contract import Card, Input
from hil.models.datasets import Dataset, digest
from hil.models.fit import Progress, alone
from hil.models.generate.config import GenerateConfig
from hil.models.generate.contract import GeneratorContract, Style
from hil.models.generate.file import GeneratorPackage, pack_generator, unpack_generator
from hil.models.generate.net import FlowNet, coloured
from hil.models.generate.shape import FlowShape
from hil.models.generate.stretches import Stretch, colour_of, constants, stretches, style_of

__all__ = ["train_generator"]


def train_generator(
    config: GenerateConfig,
    dataset: Dataset,
    held_out: Sequence[str],
    progress: Callable[[Progress], None] | None = None,
) -> GeneratorPackage:
    """Learn from everyone but `held_out`.

    Args:
        config: What to learn and how.
        dataset: Labelled readings of channels.
        held_out: People who must not be seen.
        progress: Called every hundredth of the way.

    Raises:
        UsageError: Samples are frames, nobody is left, a stranger is held out, or a label has too short stretches.
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
    found = stretches(series, dataset.labels, config.window)
    with alone(torch.device("cpu")):
        learnt = _Learning(config, dataset, found)
        every = max(1, config.training.steps // 100)
        for step in range(config.training.steps):
            learnt.step(step)
            if progress is not None and (step + 1) % every == 0:
                progress(Progress(step + 1, config.training.steps, learnt.loss, "flow"))
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
        training_data_sha256=digest(series),
        card=Card(summary=config.summary, limits=config.limits, data_source=config.data.source,
                  data_licence=config.data.licence),
    )  # fmt: skip
    weights = {name: value.numpy() for name, value in learnt.mean.state_dict().items()}
    packed = pack_generator(contract, {**weights, "styles": learnt.styles.numpy(), "colour": learnt.colour.numpy()})
    return unpack_generator(packed, contract.name)


class _Learning:
    """A training under way."""

    def __init__(self, config: GenerateConfig, dataset: Dataset, found: Sequence[Stretch]) -> None:
        self.config, self.window, self.loss = config.training, config.window, 0.0
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

    def step(self, number: int) -> None:
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
        self._keep(number)
        value = float(loss.detach())
        self.loss = value if number == 0 else 0.98 * self.loss + 0.02 * value

    def _windows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Windows `(B, window, C)`, the stretch of each, and the level of noise that is in them."""
        chance, count = self.chance, self.config.batch
        which = torch.multinomial(self.share, count, replacement=True, generator=chance)
        begin = (torch.rand(count, generator=chance) * self.room[which]).long() + self.start[which]
        readings = self.values[begin[:, None] + torch.arange(self.window)]
        clean = torch.rand(count, generator=chance) < 0.5
        noise = torch.where(clean, 0.0, torch.rand(count, generator=chance) * self.config.noise)
        return readings + torch.randn(readings.shape, generator=chance) * noise[:, None, None], which, noise

    def _keep(self, number: int) -> None:
        decay = min(self.config.average, (1 + number) / (10 + number))  # what came first counts for nothing
        with torch.no_grad():
            for kept, new in zip(self.mean.parameters(), self.net.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
