"""Training from a configuration to a model file: held-out people, one seed, the streaming form from the first step on.

Rule: nothing of a held-out person is learnt from, not even for the normalisation; only what the finished network says
of strangers, which the drift watch must know, is looked at on them. Same configuration, data, machine and
seed: same weights, and the same ones again after a kill (`hil.models.checkpoint`). When to stop is decided by people
set apart inside those trained on, who are then learnt from as well.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from firmware_bridge.errors import UsageError
from hil.models.checkpoint import Checkpoint, checkpoint_of, clear_checkpoints
from hil.models.contract import Architecture, Card, Contract, Input
from hil.models.datasets import PIECE, Dataset, Series, digest
from hil.models.device import device_for
from hil.models.drifting import referenced
from hil.models.export import exported_program
from hil.models.fit import Fitted, Job, Progress, fit
from hil.models.nets.choice import Facts, OwnChoice, ShotsChoice, shape_for
from hil.models.nets.own import Windowed, own_digest, own_network
from hil.models.nets.seam import Net, net_class
from hil.models.nets.shapes import ShotsConfig
from hil.models.package import Package, pack, unpack, write_package
from hil.models.training_config import TrainConfig

__all__ = ["Progress", "Trained", "set_apart", "train", "train_and_judge", "trained"]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model and how it was learnt.

    Attributes:
        package: The model.
        curves: Plain JSON values: `stages[]` with `stage`, `apart`, `best` and `epochs[]`.
    """

    package: Package
    curves: dict[str, Any]


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
    return trained(config, dataset, held_out, progress=progress).package


def trained(
    config: TrainConfig,
    dataset: Dataset,
    held_out: Sequence[str],
    *,
    folder: Path = Path(),
    keep: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train as `train` does and tell how it went.

    Args:
        config: What to train and how.
        dataset: Labelled readings.
        held_out: People who must not be seen.
        folder: Where the configuration lies, for a network of the user's own.
        keep: Where checkpoints go, as `KEEP.STAGE.ckpt`, and stay; None: nowhere.
        progress: Called after every epoch.

    Raises:
        UsageError: Nobody is left to train on, the data are too short for a window, or a checkpoint is another's.
    """
    people = dataset.others(held_out)
    series = dataset.of(people)
    longest = max((len(item.values) for item in series), default=0)
    if longest < config.window:
        raise UsageError(
            f"the {len(people)} people to train on have no series of {config.window} samples (longest: {longest})",
            "data.held_out",
            "hold out fewer people, record more, or use a shorter window",
        )
    if isinstance(config.architecture, ShotsChoice):
        return _prototypes(config, config.architecture, dataset, held_out)
    make, memory, shape = _network(config, dataset, folder)
    code = own_digest(config.architecture, folder) if isinstance(config.architecture, OwnChoice) else ""
    device = device_for(config.device)
    sha256 = digest(series)
    mark = f"{config.model_dump_json(exclude={'data'})}{sha256}{held_out}{torch.__version__}{device.type}"
    more, generator = _generated(config, dataset, series, held_out, folder)
    mark += generator + code

    def run(stage: str, some: Sequence[Series], apart: Sequence[Series], epochs: int) -> Fitted:
        kept = None
        if keep is not None:
            identity = hashlib.sha256(f"{stage}{mark}".encode()).hexdigest()
            kept = Checkpoint(checkpoint_of(keep, stage), identity)
        constants = _constants(some, dataset)
        job = Job(config, make, memory, some, apart, dataset, constants, epochs, device, stage, more=more)
        return fit(job, kept, progress)

    stages = []
    apart = set_apart(people, config)
    if apart:
        inside = dataset.of([person for person in people if person not in apart])
        found = run("search", inside, dataset.of(apart), config.training.epochs)
        stages.append({"stage": "search", "apart": list(apart), **_told(found)})
    if not apart or config.early_stopping.refit:
        epochs = found.best + 1 if apart else config.training.epochs
        found = run("fit", series, (), epochs)
        stages.append({"stage": "fit", "apart": [], **_told(found)})
        constants = _constants(series, dataset)
    else:
        constants = _constants(inside, dataset)
    contract = _contract(config, dataset, people, held_out, constants, memory, sha256)
    if generator:
        contract = contract.model_copy(update={"lineage": {**contract.lineage, "generator_sha256": generator}})
    if code:
        contract = contract.model_copy(update={"lineage": {**contract.lineage, "code_sha256": code}})
    package = _packed(found.net, contract, shape)
    return Trained(package, {"schema": 1, "model": config.name, "seed": config.seed, "stages": stages})


def train_and_judge(
    config: TrainConfig,
    dataset: Dataset,
    output: str | os.PathLike[str],
    progress: Callable[[Progress], None] | None = None,
    folder: Path = Path(),
) -> Trained:
    """Train on everyone but the configured held-out people, judge the model on them, and write it: `hil train`.

    A kill costs the epoch that was under way: called again, it goes on from the checkpoint beside `output`.

    Args:
        config: What to train and how.
        dataset: Labelled readings.
        output: The model file.
        progress: Called after every epoch.
        folder: Where the configuration lies, for a network of the user's own.

    Returns:
        The model, its card filled with the figures on the held-out people, and the curves.

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
    made = trained(config, dataset, config.data.held_out, folder=folder, keep=Path(output), progress=progress)
    held_out = config.data.held_out
    package = referenced(made.package, dataset.of(dataset.others(held_out)), dataset.of(held_out), seed=config.seed)
    contract = package.contract.model_copy(update={"card": held_out_card(package, dataset)})
    content: Any = dict(package.weights) if package.program is None else package.program
    written = write_package(output, contract, content)
    clear_checkpoints(Path(output))
    return Trained(written, made.curves)


def set_apart(people: Sequence[str], config: TrainConfig) -> tuple[str, ...]:
    """The people of those trained on who decide when to stop, drawn by the seed.

    Raises:
        UsageError: Nobody would be left to learn from.
    """
    count = config.early_stopping.groups
    if count and count >= len(people):
        raise UsageError(
            f"{count} of {len(people)} people are set apart and nobody is left",
            "early_stopping.groups",
            "set fewer apart",
        )
    drawn = np.random.default_rng([config.seed, 7]).permutation(len(people))[:count]
    return tuple(people[at] for at in sorted(drawn.tolist()))


def _generated(
    config: TrainConfig, dataset: Dataset, series: Sequence[Series], held_out: Sequence[str], folder: Path
) -> tuple[tuple[Series, ...], str]:
    """Generated series to learn from too, and the digest of what made them; nothing where nobody asked."""
    if config.generated is None:
        return (), ""
    from hil.models.generate.mixing import generated_for

    samples = sum(len(item.values) for item in series if len(item.values) >= config.window)
    return generated_for(config.generated, dataset, samples, held_out, config.seed, folder)


def _network(config: TrainConfig, dataset: Dataset, folder: Path) -> tuple[Callable[[], Any], int, Any]:
    """What makes the network, how far it looks back, and its shape (None of a user's own)."""
    width = dataset.series[0].values.shape[1]
    facts = Facts(width, len(dataset.labels), config.window, config.hop, dataset.frame)
    if isinstance(config.architecture, OwnChoice):
        choice = config.architecture
        return lambda: own_network(choice, facts, folder), config.window, None
    shape = shape_for(config.architecture, facts)
    made = net_class(config.architecture.name)
    return lambda: made(shape, norm=True, dropout=config.training.dropout), shape.memory, shape


def _prototypes(config: TrainConfig, choice: ShotsChoice, dataset: Dataset, held_out: Sequence[str]) -> Trained:
    """A model that was fitted, not trained step by step."""
    from hil.models.kshot.base import fit_base, shots_net, with_unknown

    people = dataset.others(held_out)
    series = dataset.of(people)
    told = replace(dataset, labels=with_unknown(dataset.labels))
    width = series[0].values.shape[1]
    shape = shape_for(choice, Facts(width, len(told.labels), config.window, config.hop, dataset.frame))
    assert isinstance(shape, ShotsConfig)
    constants = _constants(series, dataset)
    base = fit_base(series, dataset.labels, choice, shape, config.hop, constants, config.seed)
    contract = _contract(config, told, people, held_out, constants, shape.memory, digest(series))
    contract = contract.model_copy(update={"lineage": {**contract.lineage, **base.facts}})
    package = _packed(shots_net(base, shape), contract, shape)
    return Trained(package, {"schema": 1, "model": config.name, "seed": config.seed, "stages": []})


def _constants(series: Sequence[Series], dataset: Dataset) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Mean and standard deviation of every channel; of a frame's pixels together."""

    def pieces() -> Iterator[npt.NDArray[np.float64]]:
        for item in series:
            for low in range(0, len(item.values), PIECE):
                values = item.values[low : low + PIECE].astype(np.float64)
                yield values if dataset.frame is None else values.reshape(-1, 1)

    count = sum(len(one) for one in pieces())
    mean = sum(one.sum(axis=0) for one in pieces()) / count
    std = np.sqrt(sum(np.square(one - mean).sum(axis=0) for one in pieces()) / count)
    return mean, np.where(std > 0, std, 1.0)


def _contract(
    config: TrainConfig, dataset: Dataset, people: Sequence[str], held_out: Sequence[str],
    constants: tuple[npt.NDArray[Any], npt.NDArray[Any]], memory: int, sha256: str,
) -> Contract:  # fmt: skip
    """The contract of what was trained, as a network over windows: `_packed` adds an architecture of ours."""
    return Contract(
        name=config.name,
        version=config.version,
        stream=config.stream,
        inputs=tuple(
            Input(channel=name, unit=unit, mean=float(np.float32(m)), std=float(np.float32(s)))
            for name, unit, m, s in zip(dataset.channels, dataset.units, *constants, strict=True)
        ),
        frame=dataset.frame,
        rate_hz=dataset.rate_hz,
        conditioning=config.data.conditioning,
        window=config.window,
        hop=config.hop,
        memory_samples=config.window,
        labels=dataset.labels,
        post=config.post,
        training_data_sha256=sha256,
        lineage={
            "trained_on": list(people),
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


def _packed(net: Any, contract: Contract, shape: Any) -> Package:
    if isinstance(net, Windowed):
        described = contract.model_copy(update={"backend": "onnxruntime"})
        return unpack(pack(described, exported_program(net.inner, described)), contract.name)
    assert isinstance(net, Net)
    architecture = Architecture.model_validate({"name": net.name, "config": shape})
    plain = {**contract.model_dump(), "architecture": architecture, "memory_samples": shape.memory}
    weights: dict[str, Any] = {name: tensor.numpy() for name, tensor in net.fused().state_dict().items()}
    return unpack(pack(Contract.model_validate(plain), weights), contract.name)


def _told(found: Fitted) -> dict[str, Any]:
    return {"best": found.best, "epochs": [asdict(one) for one in found.epochs]}
