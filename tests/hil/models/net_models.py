"""A small network of every architecture with random weights, as a model, and its whole-window answer in float64."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.models.contract import Architecture, Contract, Input
from hil.models.model import Model, build_network
from hil.models.nets.hybrid_shape import HybridConfig
from hil.models.nets.seam import net_class
from hil.models.nets.shape import NetShape
from hil.models.nets.shapes import CnnConfig, CnnGruConfig, GruConfig, ResnetConfig, ShotsConfig, TcnConfig
from hil.models.package import pack, unpack

FRAME = (3, 4)
CHANNELS = ("ax", "ay", "wz")
IMU = Stream("imu", CHANNELS, ("g", "g", "rad/s"), "<i2", (3,), 50.0, scale=(1 / 4096,))
EYE = Stream("eye", ("t",), ("degC",), "<i2", FRAME, 5.0, scale=(0.1,))


def shape_of(name: str, hop: int) -> NetShape:
    """A shape whose decisions look back 10 to 60 samples, no multiple of the hop where it need not be one."""
    layers: dict[str, Any]
    pixels = FRAME[0] * FRAME[1]
    if name == "tcn":
        return TcnConfig(inputs=3, classes=4, channels=8, kernel=3, dilations=(1, 2, 4), pool=9)
    if name == "resnet":
        return ResnetConfig(inputs=3, classes=4, channels=(6, 8, 8), strides=(1, 2, 3), kernel=3, pool=4)
    if name == "hybrid":
        hybrid = {"channels": 6, "stride": 4, "dilations": (1, 1, 2), "bands": (1, 2, 4), "leads": (1, 5), "hidden": 8}
        return HybridConfig(inputs=3, classes=4, kernel=3, pool=3, **hybrid)
    if name == "gru":
        return GruConfig(inputs=3, classes=4, hidden=8, grid=hop * -(-10 // hop))
    if name == "shots":
        return ShotsConfig(inputs=3, classes=4, window=22)
    layers: dict[str, Any] = {"channels": (4, 6), "strides": (1, 2), "frame": FRAME, "inputs": pixels, "classes": 4}
    if name == "cnn":
        return CnnConfig(**layers, features=8, pool=3, centred=True)
    return CnnGruConfig(**layers, features=8, hidden=6, grid=hop * -(-5 // hop))


def net_model(name: str, hop: int, **changes: Any) -> Model:
    """A model of one architecture; weights are tripled so that decisions differ clearly."""
    shape = shape_of(name, hop)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        net = net_class(name)(shape).eval()
        for parameter in net.parameters():
            parameter.mul_(3.0)
    stream = EYE if "cnn" in name else IMU
    inputs = tuple(
        Input(channel=c, unit=u, mean=0.1, std=1.2) for c, u in zip(stream.channels, stream.units, strict=True)
    )
    promised = Contract(
        name=name, inputs=inputs, frame=FRAME if stream is EYE else None, rate_hz=stream.rate_hz or 0.0,
        window=shape.memory, hop=hop, memory_samples=shape.memory, labels=tuple("ABCD"),
        architecture=Architecture.model_validate({"name": name, "config": shape}), **changes,
    )  # fmt: skip
    return Model(unpack(pack(promised, {k: v.numpy() for k, v in net.state_dict().items()}), name))


def net_readings(name: str, count: int, seed: int = 0, board: str = "a", first: int = 0) -> Batch:
    """Raw readings of a board that the model fits."""
    stream = EYE if "cnn" in name else IMU
    span = 60 if stream is EYE else 12000
    raw = np.random.default_rng(seed).integers(-span, span, (count, *stream.shape)).astype(np.int16)
    ticks = np.arange(first, first + count, dtype=np.int64) * 20_000
    return Batch(board, stream, 0, first, ticks, ticks * 1000, raw)


def whole_windows(model: Model, batch: Batch) -> dict[int, npt.NDArray[np.float64]]:
    """Probabilities of every due decision by its last sample: whole windows, float64, no state."""
    contract, net = model.contract, build_network(model.package).double()
    scale = np.asarray(batch.stream.scale)
    mean, std = (np.array([getattr(item, key) for item in contract.inputs]) for key in ("mean", "std"))
    values = torch.from_numpy(((batch.raw * scale - mean) / std).reshape(len(batch), -1))
    assert contract.architecture is not None
    found = {}
    for end in range(contract.hop, batch.end + 1, contract.hop):
        if end - batch.first >= contract.memory_samples:
            span = contract.architecture.config.span(end)
            with torch.inference_mode():
                logits = net(values[None, end - batch.first - span : end - batch.first])[0]
            found[end - 1] = torch.softmax(logits, 0).numpy()
    return found
