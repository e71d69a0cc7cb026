"""A small network with random weights, and boards whose readings are given: what the tests of this folder share."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from firmware_bridge.batch import Batch
from firmware_bridge.events import Gap, Item, Prediction
from firmware_bridge.streams import Stream
from hil.models.contract import Architecture, Contract, Input
from hil.models.model import Model
from hil.models.nets.shapes import TcnConfig
from hil.models.nets.tcn import Tcn
from hil.models.package import pack, unpack

CHANNELS = ("ax", "ay", "wz")
UNITS = ("g", "g", "rad/s")
SCALE = (1 / 4096, 1 / 4096, 1 / 1024)
STREAM = Stream("imu", CHANNELS, UNITS, "<i2", (3,), 50.0, scale=SCALE)
HOP = 5
SHAPE = TcnConfig(inputs=3, classes=4, channels=8, kernel=3, dilations=(1, 2, 4), pool=9)
MEMORY = SHAPE.memory  # 23: no multiple of the hop


def contract(**changes: object) -> Contract:
    """A contract of the small network."""
    plain = {
        "name": "small", "inputs": tuple(
            Input(channel=name, unit=unit, mean=0.1 * i, std=1.0 + 0.1 * i)
            for i, (name, unit) in enumerate(zip(CHANNELS, UNITS, strict=True))
        ),
        "rate_hz": 50.0, "window": MEMORY, "hop": HOP, "memory_samples": MEMORY, "labels": ("A", "B", "C", "D"),
        "architecture": Architecture(name="tcn", config=SHAPE),
    }  # fmt: skip
    return Contract(**{**plain, **changes})  # type: ignore[arg-type]


def network(seed: int = 0) -> Tcn:
    """The small network; weights are tripled so that decisions differ clearly."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Tcn(SHAPE).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3.0)
    return net


def small_model(seed: int = 0) -> Model:
    """The small network as a model."""
    weights = {name: value.numpy() for name, value in network(seed).state_dict().items()}
    return Model(unpack(pack(contract(), weights), "small"))


def readings(count: int, seed: int = 0) -> npt.NDArray[np.int16]:
    """Raw readings `(count, 3)`."""
    return np.random.default_rng(seed).integers(-12000, 12000, (count, 3)).astype(np.int16)


def batch(
    raw: npt.NDArray[np.int16], first: int = 0, board: str = "a", boot: int = 0, stream: Stream = STREAM
) -> Batch:
    """Readings as a batch, timed by their numbers."""
    ticks = np.arange(first, first + len(raw), dtype=np.int64) * 20_000
    return Batch(board, stream, boot, first, ticks, ticks * 1000 + boot, raw)


def split(whole: Batch, cuts: Sequence[int]) -> list[Batch]:
    """A batch in pieces, cut at some indices."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(whole)}), len(whole)]
    return [whole.part(start, stop) for start, stop in pairwise(edges)]


def gap(first: int, count: int | None, board: str = "a", boot: int = 0) -> Gap:
    """Samples that did not come."""
    return Gap(board, 0, "imu", boot, first, count, "unattributed")


def decide(items: Sequence[Item], model: Model | None = None, **options: object) -> list[Prediction]:
    """Push everything at once into a new executor."""
    return (model or small_model()).runner(**options).push(items)  # type: ignore[arg-type]


def by_board(made: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """Decisions of each board, in order."""
    found: dict[str, list[Prediction]] = {}
    for prediction in made:
        found.setdefault(prediction.board, []).append(prediction)
    return found


def reference(raw: npt.NDArray[np.int16], seed: int = 0, start: int = 0) -> dict[int, npt.NDArray[np.float64]]:
    """Probabilities of every due decision by the number of its last sample: whole windows, float64, no state."""
    net, promised = network(seed).double(), contract()
    mean = np.array([item.mean for item in promised.inputs])
    std = np.array([item.std for item in promised.inputs])
    values = (raw.astype(np.float64) * np.array(SCALE) - mean) / std
    found = {}
    for end in range(HOP, start + len(raw) + 1, HOP):
        low = end - MEMORY - start
        if low >= 0:
            with torch.inference_mode():
                logits = net(torch.from_numpy(values[low : low + MEMORY])[None])[0]
            found[end - 1] = torch.softmax(logits, 0).numpy()
    return found
