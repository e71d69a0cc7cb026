"""The training loop: one seed, one order of chance, one result, whether it was killed on the way or not.

Rule: the loss is taken over the decisions that the streaming form would make (causal, window after window), so that
what is trained is what runs. Chance comes from two generators, for crops and for torch; both are in the checkpoint.
Who decides when to stop are people set apart inside those trained on, never those held out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from firmware_bridge.errors import UsageError
from hil.models.augment import Crops
from hil.models.checkpoint import Checkpoint, module_tensors, optimizer_tensors, restore_module, restore_optimizer
from hil.models.datasets import NONE, PIECE, Dataset, Series
from hil.models.nets.seam import Net
from hil.models.score import macro_f1
from hil.models.training_config import TrainConfig

__all__ = ["Epoch", "Fitted", "Job", "Progress", "Teacher", "alone", "fit"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch: mean training loss, learning rate at its end, and how it does on the people set apart (or None)."""

    epoch: int
    loss: float
    rate: float
    validation_loss: float | None = None
    validation_macro_f1: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands: `step` of `steps`, the mean loss of the last epoch, and what is being done."""

    step: int
    steps: int
    loss: float
    stage: str = ""
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """Another network whose answers are learnt beside the labels: knowledge distillation.

    Attributes:
        dense: Its logits of every decision in normalised readings, as `hil.models.nets.seam.Net.dense` gives them.
        memory: Samples that a decision of it depends on.
        temperature: What its logits are divided by, so that the less likely labels are learnt as well.
        share: Of the loss that is about its answers, 0 to 1.
    """

    dense: Callable[[Tensor, int], Tensor]
    memory: int
    temperature: float
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What to fit.

    Attributes:
        config: How.
        make: Makes the network; its weights are drawn from torch's generator.
        memory: Samples that a decision of it depends on.
        series: What to learn from.
        apart: Series of people who decide when to stop; empty: all epochs are done.
        dataset: Channels, rate and labels.
        constants: Mean and standard deviation of every value of a sample.
        epochs: How many at most.
        device: Where.
        stage: What is being done, for people.
        teacher: Whose answers are learnt beside the labels; None: nobody's.
        more: Generated series that are drawn from too and count for no epoch.
    """

    config: TrainConfig
    make: Callable[[], nn.Module]
    memory: int
    series: Sequence[Series]
    apart: Sequence[Series]
    dataset: Dataset
    constants: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    epochs: int
    device: torch.device
    stage: str = ""
    teacher: Teacher | None = None
    more: Sequence[Series] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What came of it: the network in evaluation mode, every epoch, and the epoch whose weights it has."""

    net: nn.Module
    epochs: list[Epoch]
    best: int


def fit(job: Job, kept: Checkpoint | None = None, progress: Callable[[Progress], None] | None = None) -> Fitted:
    """Train; go on from `kept` where there is a checkpoint, and keep one after every epoch."""
    with alone(job.device):
        torch.manual_seed(job.config.seed)
        run = _Run(job)
        if kept is not None and (found := kept.load()) is not None:
            run.restore(*found)
        while not run.done:
            run.epoch()
            if kept is not None:
                kept.save(*run.stand())
            if progress is not None:
                last = run.epochs[-1]
                step = (last.epoch + 1) * run.each
                progress(Progress(step, job.epochs * run.each, last.loss, job.stage, last.validation_loss))
        return Fitted(*run.result())


class _Run:
    """A fit under way."""

    def __init__(self, job: Job) -> None:
        settings, config = job.config.training, job.config
        self.job, self.window, self.every = job, config.window, settings.every
        taught = 0 if job.teacher is None else job.teacher.memory
        self.start = max(config.window, job.memory, taught)  # where the first decision of a crop ends
        self.chance = torch.Generator().manual_seed(config.seed)
        usable = [item for item in job.series if len(item.values) >= config.window]
        self.crops = Crops(
            [*usable, *job.more], job.dataset.channels, max(settings.crop, self.start), config.augment, self.chance,
            rate_hz=job.dataset.rate_hz, frame=job.dataset.frame,
        )  # fmt: skip
        self.net = job.make().train().to(job.device)
        self.mean, self.std = (torch.tensor(v, dtype=torch.float32, device=job.device) for v in job.constants)
        samples = sum(len(item.values) for item in usable)
        self.each = max(1, math.ceil(samples / (settings.crop * settings.batch)))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
        steps = max(job.epochs * self.each, 2)
        steps += steps == 5  # a way up that ends with the first step makes torch divide by zero
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.lr, total_steps=steps, pct_start=0.2
        )
        self.epochs: list[Epoch] = []
        self.best: int | None = None
        self.kept: dict[str, Tensor] = {}  # the weights of the best epoch

    @property
    def done(self) -> bool:
        """Whether the last epoch was done, or nothing has got better for long enough."""
        patience, count = self.job.config.early_stopping.patience, len(self.epochs)
        stale = bool(self.job.apart) and self.best is not None and count - 1 - self.best >= patience
        return stale or count >= self.job.epochs

    def epoch(self) -> None:
        """Do one."""
        total = 0.0
        for _ in range(self.each):
            total += self._step()
        if not math.isfinite(total):
            raise UsageError(
                f"the loss of epoch {len(self.epochs) + 1} is no number: the training has run away",
                f"stage {self.job.stage}" if self.job.stage else "training",
                "lower training.lr, or look at the network if it is your own",
            )
        loss, reached = self._validate() if self.job.apart else (None, None)
        rate = float(self.optimizer.param_groups[0]["lr"])
        self.epochs.append(Epoch(len(self.epochs), total / self.each, rate, loss, reached))
        if loss is not None and (self.best is None or loss < (self.epochs[self.best].validation_loss or math.inf)):
            self.best = len(self.epochs) - 1
            self.kept = {name: value.clone() for name, value in module_tensors(self.net, "best").items()}

    def _step(self) -> float:
        settings = self.job.config.training
        readings, labels = self.crops.draw(settings.batch)
        x = self._normalised(readings)
        truth = self._truths(labels, x.shape[1])
        if bool((truth == NONE).all()):
            self.schedule.step()
            return 0.0
        own = x[:, self.start - self.job.memory :]
        experts = (
            self.net.experts(own, self.every) if isinstance(self.net, Net) else (self.net.dense(own, self.every),)  # type: ignore[operator]
        )
        smooth = settings.label_smoothing
        losses = [
            functional.cross_entropy(one.flatten(0, 1), truth.flatten(), ignore_index=NONE, label_smoothing=smooth)
            for one in experts
        ]
        loss = torch.stack(losses).mean()
        if self.job.teacher is not None:
            taught = torch.stack([self._taught(self.job.teacher, x, one) for one in experts]).mean()
            loss = torch.lerp(loss, taught, self.job.teacher.share)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        return float(loss.detach())

    def _normalised(self, readings: Tensor) -> Tensor:
        return (readings.to(self.job.device) - self.mean) / self.std

    def _taught(self, teacher: Teacher, x: Tensor, logits: Tensor) -> Tensor:
        """How far the answers are from the teacher's (Hinton et al. 2015): the gradients weigh what labels weigh."""
        with torch.no_grad():
            wanted = teacher.dense(x[:, self.start - teacher.memory :], self.every)
        warm = teacher.temperature
        said = functional.log_softmax(logits.flatten(0, 1) / warm, 1)
        target = functional.log_softmax(wanted.flatten(0, 1) / warm, 1)
        return functional.kl_div(said, target, reduction="batchmean", log_target=True) * warm**2

    def _truths(self, labels: Tensor, length: int) -> Tensor:
        """Truth `(B, D)` of the decisions in pieces of signal of so many samples."""
        decisions = 1 + (length - self.start) // self.every
        marks = labels[:, self.start - self.window :]
        truth = _truth(marks, len(self.job.dataset.labels), self.window, self.every, decisions)
        return truth.to(self.job.device)

    def _validate(self) -> tuple[float, float]:
        """Mean cross-entropy and macro-F1 over the decisions about the people set apart, without augmentation."""
        self.net.eval()
        logits, truths = [], []
        with torch.no_grad():
            for values, labels in self._apart():
                x = self._normalised(values[None])[:, self.start - self.job.memory :]
                logits.append(self.net.dense(x, self.every)[0].cpu())  # type: ignore[operator]
                truths.append(self._truths(labels[None], len(values))[0].cpu())
        self.net.train()
        every, truth = torch.cat(logits), torch.cat(truths)
        known = truth != NONE
        loss = float(functional.cross_entropy(every[known].double(), truth[known]))
        return loss, macro_f1(truth[known].numpy(), every[known].argmax(1).numpy(), every.shape[1])

    def _apart(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Readings and labels of the people set apart, so many at once as have no more than `PIECE` new samples."""
        step = max(1, PIECE // self.every) * self.every
        for item in self.job.apart:
            for low in range(0, len(item.values) - self.start + 1, step):
                high = low + self.start + step - self.every
                yield torch.from_numpy(item.values[low:high]), torch.from_numpy(item.labels[low:high])

    def stand(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest depends on."""
        tensors = {
            **module_tensors(self.net, "net"), **optimizer_tensors(self.optimizer), **self.kept,
            "chance.crops": self.chance.get_state(), "chance.torch": torch.get_rng_state(),
        }  # fmt: skip
        if self.job.device.type != "cpu":
            tensors["chance.device"] = torch.get_device_module(self.job.device).get_rng_state()
        groups = self.optimizer.state_dict()["param_groups"]
        facts = {"epochs": [asdict(one) for one in self.epochs], "best": self.best, "groups": groups}
        return tensors, {**facts, "schedule": self.schedule.last_epoch}

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Stand where `stand` was called."""
        restore_module(self.net, tensors, "net")
        restore_optimizer(self.optimizer, tensors, facts["groups"])
        self.kept = {name: value for name, value in tensors.items() if name.startswith("best.")}
        self.chance.set_state(tensors["chance.crops"])
        torch.set_rng_state(tensors["chance.torch"])
        if "chance.device" in tensors:
            torch.get_device_module(self.job.device).set_rng_state(tensors["chance.device"])
        self.schedule.last_epoch = facts["schedule"]
        self.epochs = [Epoch(**one) for one in facts["epochs"]]
        self.best = facts["best"]

    def result(self) -> tuple[nn.Module, list[Epoch], int]:
        """The network with the weights of the best epoch, or of the last where nobody was set apart."""
        if self.best is not None:
            restore_module(self.net, self.kept, "best")
        return self.net.eval().cpu(), self.epochs, len(self.epochs) - 1 if self.best is None else self.best


def _truth(labels: Tensor, classes: int, window: int, every: int, decisions: int) -> Tensor:
    """Truth of the decisions of crops: `(B, T)` labels to `(B, decisions)`, `NONE` below half a window."""
    marks = functional.one_hot(labels + 1, classes + 1)[..., 1:].float().transpose(1, 2)
    share = functional.avg_pool1d(marks, window, stride=every)[..., :decisions]
    most, index = share.max(dim=1)
    return torch.where(most >= 0.5, index, torch.full_like(index, NONE))


@contextmanager
def alone(device: torch.device) -> Iterator[None]:
    """One thread, so that sums have one order, and torch's generators as they were afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    devices = [] if device.type == "cpu" else [device.index or 0]
    try:
        with torch.random.fork_rng(devices=devices, device_type=device.type if devices else "cuda"):
            yield
    finally:
        torch.set_num_threads(threads)
