"""A live tick beside another library that carries state: `continual-inference`.

Rule: as in `hil.bench.live_tick`, both sides take the same batches, and must agree before anything is timed.
`continual-inference` knows no dilation above 1, so both sides run the same network without any; it takes a whole hop of
all boards in one call, the faster of its two ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.errors import MissingPart
from hil.bench.live_tick import compared, tick_model
from hil.bench.row import Row
from hil.models.model import Model

__all__ = ["BAR", "run"]

BAR = 20.0


def run(quick: bool = False) -> list[Row]:
    """Measure the tick of a TCN without dilation beside `continual-inference`.

    Raises:
        MissingPart: The peer is not installed.
    """
    import torch

    from hil.models.nets.shapes import TcnConfig

    shape = TcnConfig(inputs=6, classes=7, channels=32, kernel=3, dilations=(1,) * 6, pool=2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = tick_model("tcn", shape)
        name = "continual-inference, all boards in one call, eager"
        return [compared(model, _Continual(model), "TCN without dilation", name, BAR, quick=quick)]
    finally:
        torch.set_num_threads(threads)


class _Continual:
    """The same network in the layers of `continual-inference`, with the same weights."""

    def __init__(self, model: Model) -> None:
        try:
            import continual
        except ImportError:
            raise MissingPart(
                "continual-inference, the peer, is not here", "bench continual", "pip install 'hil-testbench[peers]'"
            ) from None
        import torch

        from hil.models.model import build_network

        self.torch, self.net, self.labels = torch, build_network(model.package), model.contract.labels
        inputs = model.contract.inputs
        self.mean, self.std = (np.array([getattr(one, key) for one in inputs], np.float32) for key in ("mean", "std"))
        layers: list[Any] = []
        for at, conv in enumerate(self.net.get_submodule("convs").children()):
            assert isinstance(conv, torch.nn.Conv1d)
            layer = continual.Conv1d(conv.in_channels, conv.out_channels, conv.kernel_size[0])
            layer.weight, layer.bias = conv.weight, conv.bias
            block = continual.Sequential(layer, torch.nn.ReLU())
            layers.append(continual.Residual(block, residual_shrink="leading") if at else block)
        self.layers = continual.Sequential(*layers).eval()

    def tick(self, batches: Sequence[Batch]) -> list[tuple[str, float]]:
        with self.torch.inference_mode():
            hop = np.stack([((batch.values - self.mean) / self.std).T for batch in batches])
            frames = self.layers.forward_steps(self.torch.from_numpy(hop))
            if not isinstance(frames, self.torch.Tensor):
                return []  # it has not seen enough yet
            logits = self.net.get_submodule("head")(frames[..., -2:].mean(2))
            scores = self.torch.softmax(logits, 1)
            best = scores.argmax(1).tolist()
            return [(self.labels[at], float(scores[board, at])) for board, at in enumerate(best)]
