"""A live tick: eight boards at 1 kHz hand over ten samples each and get eight decisions.

Rule: both sides take the same batches and end with the same kind of answer (label and confidence of every board). Ours
is the executor with carried state and one call for all boards; the peer keeps the last window of every board and runs
the same network over it, board by board, as the usual loop around a model does. Both in eager torch on one thread,
without autograd. Before anything is timed the two must agree. Time is CPU time of the thread: neither side waits, and a
busy neighbour on a shared core would otherwise decide the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import thread_time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Prediction
from firmware_bridge.streams import Stream
from hil.bench.row import Row, judge, paired

if TYPE_CHECKING:
    from hil.models.model import Model
    from hil.models.nets.shape import NetShape

__all__ = ["BAR", "BOARDS", "GRU_BAR", "HOP", "Peer", "Ticks", "against", "compared", "run", "tick_model"]

BAR, GRU_BAR = 20.0, 25.0
BOARDS, HOP, RATE_HZ = 8, 10, 1000.0
_CHANNELS = ("ax", "ay", "az", "wx", "wy", "wz")
_STREAM = Stream("imu", _CHANNELS, ("g",) * 3 + ("rad/s",) * 3, "<i2", (6,), RATE_HZ, scale=(1 / 4096,) * 6)


class Peer(Protocol):
    """Another way to the same decisions."""

    def tick(self, batches: Sequence[Batch]) -> list[tuple[str, float]]:
        """Label and confidence of every board after its next batch."""
        ...


class Ticks:
    """The same readings again and again with numbers that go on: one list of batches a tick."""

    def __init__(self, seed: int = 7) -> None:
        chance = np.random.default_rng(seed)
        self._raw = chance.integers(-8000, 8000, (64, BOARDS, HOP, len(_CHANNELS)), dtype=np.int16)
        self._count = 0

    def take(self, count: int) -> list[list[Batch]]:
        """The next ticks, made before they are timed: what a board sends is no part of the figure."""
        return [self.next() for _ in range(count)]

    def next(self) -> list[Batch]:
        """The next tick: a batch of every board."""
        first = self._count * HOP
        raw = self._raw[self._count % len(self._raw)]
        ticks = np.arange(first, first + HOP, dtype=np.int64) * 1000
        self._count += 1
        return [Batch(f"board{i}", _STREAM, 0, first, ticks, ticks * 1000, raw[i]) for i in range(BOARDS)]


class _OneByOne:
    """The usual loop: the last samples of every board, and the network over all that a decision depends on."""

    def __init__(self, model: Model) -> None:
        import torch

        from hil.models.model import build_network

        self.torch, self.net = torch, build_network(model.package)
        self.labels, inputs = model.contract.labels, model.contract.inputs
        self.windows = [np.zeros((model.contract.memory_samples, len(inputs)), np.float32) for _ in range(BOARDS)]
        self.mean = np.array([item.mean for item in inputs], np.float32)
        self.std = np.array([item.std for item in inputs], np.float32)

    def tick(self, batches: Sequence[Batch]) -> list[tuple[str, float]]:
        made = []
        with self.torch.inference_mode():
            for index, batch in enumerate(batches):
                window = np.concatenate((self.windows[index][HOP:], (batch.values - self.mean) / self.std))
                self.windows[index] = window
                seen = self.torch.from_numpy(window[-self.net.config.span(batch.end) :])
                scores = self.torch.softmax(self.net(seen[None])[0], 0)
                best = int(scores.argmax())
                made.append((self.labels[best], float(scores[best])))
        return made


def tick_model(name: str, shape: NetShape) -> Model:
    """A model of a shape with random weights for the boards of a tick."""
    import torch

    from hil.models.contract import Architecture, Contract, Input
    from hil.models.model import Model
    from hil.models.nets.seam import net_class
    from hil.models.package import pack, unpack

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = net_class(name)(shape)
    contract = Contract(
        name="tick",
        inputs=tuple(
            Input(channel=name, unit=unit, mean=0.1, std=0.9)
            for name, unit in zip(_CHANNELS, _STREAM.units, strict=True)
        ),
        rate_hz=RATE_HZ,
        window=shape.memory,
        hop=HOP,
        memory_samples=shape.memory,
        labels=tuple("ABCDEFG"),
        architecture=Architecture.model_validate({"name": name, "config": shape}),
    )
    return Model(unpack(pack(contract, {name: value.numpy() for name, value in net.state_dict().items()}), "tick"))


def _agree(ours: Sequence[Prediction], theirs: Sequence[tuple[str, float]]) -> None:
    worst = max(abs(a.confidence - b[1]) for a, b in zip(ours, theirs, strict=True))
    if worst > 1e-5 or [a.label for a in ours] != [b[0] for b in theirs]:
        raise AssertionError(f"the two sides disagree by {worst:.3g}: the comparison would be of different work")


def _seconds(tick: Callable[[Sequence[Batch]], object], ticks: Sequence[Sequence[Batch]]) -> float:
    """CPU seconds of one tick."""
    start = thread_time()
    for batches in ticks:
        tick(batches)
    return (thread_time() - start) / len(ticks)


def compared(model: Model, peer: Peer, named: str, against: str, bar: float, *, quick: bool = False) -> Row:
    """Measure the tick of a model beside a peer, after both have agreed.

    Args:
        model: Runs as boards are run live, in eager torch.
        peer: The other way.
        named: The network, in words.
        against: The peer, in words.
        bar: How many times cheaper ours must be.
        quick: Take fewer ticks a round.
    """
    runner = model.runner(boards=[f"board{i}" for i in range(BOARDS)], slots=BOARDS, backend="eager")
    ticks, peer_ticks = Ticks(), Ticks()
    for _ in range(3 * model.contract.memory_samples // HOP):
        ours, theirs = runner.push(ticks.next()), peer.tick(peer_ticks.next())
    _agree(ours, theirs)
    rounds, repeat, repeat_theirs = (9, 100, 10) if quick else (21, 400, 40)
    pairs = paired(
        lambda: _seconds(runner.push, ticks.take(repeat)),
        lambda: _seconds(peer.tick, peer_ticks.take(repeat_theirs)),
        rounds=rounds,
        self_timed=True,
    )
    assert model.contract.architecture is not None
    size = model.contract.architecture.config.parameters
    what = f"live tick of a {named}, {BOARDS} boards at 1 kHz, hop {HOP}, {size} weights, samples in, decisions out"
    return judge(what, pairs.ours_s * 1e6, "us", against, pairs.ratios, bar)


def against(name: str, shape: NetShape, named: str, bar: float, *, quick: bool = False) -> Row:
    """Measure the tick of a network beside the usual loop around it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = tick_model(name, shape)
        return compared(model, _OneByOne(model), named, "whole window, boards one by one, eager", bar, quick=quick)
    finally:
        torch.set_num_threads(threads)


def run(quick: bool = False) -> list[Row]:
    """Measure the ticks of a TCN and a GRU; `quick` takes fewer ticks a round.

    A decision of the TCN depends on 128 samples, one of the GRU on 90 to 160, 125 on average.
    """
    from hil.models.nets.shapes import GruConfig, TcnConfig

    tcn = TcnConfig(inputs=6, classes=7, channels=32, kernel=3, dilations=(1, 2, 4, 8, 16, 32), pool=2)
    gru = GruConfig(inputs=6, classes=7, hidden=64, grid=80)
    return [against("tcn", tcn, "TCN", BAR, quick=quick), against("gru", gru, "GRU", GRU_BAR, quick=quick)]
