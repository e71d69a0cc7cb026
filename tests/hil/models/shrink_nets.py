"""Small networks of every kind with random weights, and readings for them."""

from typing import Any

import numpy as np
import torch

from hil.models.contract import Architecture, Contract, Input
from hil.models.datasets import Dataset, Series
from hil.models.nets.seam import Net, net_class
from hil.models.nets.shapes import SHAPES
from hil.models.package import Package, pack, unpack

LAYERS: dict[str, dict[str, Any]] = {
    "tcn": {"inputs": 3, "channels": 12, "kernel": 3, "dilations": (1, 2, 4), "pool": 10},
    "resnet": {"inputs": 3, "channels": (8, 8, 12), "strides": (1, 2, 2), "kernel": 3, "pool": 4},
    "gru": {"inputs": 3, "hidden": 16, "grid": 10},
    "cnn": {"inputs": 16, "frame": (4, 4), "channels": (6, 8), "strides": (1, 1), "features": 12, "pool": 2},
}


def net_of(name: str, seed: int = 0) -> Net:
    """Return a network of three labels."""
    torch.manual_seed(seed)
    return net_class(name)(SHAPES[name].model_validate({"classes": 3, **LAYERS[name]})).eval()


def package_of(net: Net, **lineage: Any) -> Package:
    """Return a model file of a network, for hops of 10 samples."""
    shape = net.config
    frame = getattr(shape, "frame", None)
    names = ("heat",) if frame else tuple("xyz")
    contract = Contract(
        name=net.name, inputs=tuple(Input(channel=name, unit="g") for name in names), frame=frame, rate_hz=50,
        window=shape.memory, hop=1 if frame else 10, memory_samples=shape.memory, labels=("a", "b", "c"),
        architecture=Architecture.model_validate({"name": net.name, "config": shape}), lineage=lineage,
    )  # fmt: skip
    return unpack(pack(contract, {key: value.numpy() for key, value in net.state_dict().items()}), net.name)


def people(*names: str, samples: int = 200, seed: int = 0) -> Dataset:
    """Return readings of three labels, each of another tempo, of some people."""
    chance = np.random.default_rng(seed)
    series = []
    for at, name in enumerate(names):
        for label, hz in enumerate((0.8, 2.5, 7.0)):
            t = np.arange(samples) / 50
            wave = np.sin(2 * np.pi * hz * (1 + 0.02 * at) * t)
            values = np.stack((wave, 0.4 * wave, np.ones_like(t)), 1) + 0.1 * chance.standard_normal((samples, 3))
            series.append(Series(name, values.astype(np.float32), np.full(samples, label, np.int64), f"{name}{label}"))
    return Dataset(tuple(series), ("x", "y", "z"), ("g",) * 3, 50.0, ("a", "b", "c"))
