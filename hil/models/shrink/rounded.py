"""A network of ours as boards compute it, in torch: every tensor on its grid of 8 bits, gradients as if it were smooth.

Rule of this room: no formula of its own. The graph is the one that op lists are made of, scales and zero points come
from `hil.models.int8.quantise`, and a test holds every layer against the reference in integers. What is trained here
are the network's own weights: they are put on the grid anew at every step (straight-through estimator, Jacob et al.
2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from firmware_bridge.oplist.table import Code
from hil.models.int8.calibrate import Range
from hil.models.int8.graph import Graph, Node
from hil.models.int8.quantise import Steps, held, weight_scales
from hil.models.int8.trace import trace
from hil.models.nets.seam import Net, net_class

__all__ = ["Drawn", "Rounded", "drawn"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The graph of a network without its weights.

    Attributes:
        graph: In place of every weight its place in the list of all parameters, from 1; 0 where there is none.
    """

    graph: Graph

    def places(self, node: Node) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the places of a node's weights `(out, taps, in)` and biases `(out,)`."""
        return node.weight.astype(np.int64), node.bias.astype(np.int64)

    def filled(self, net: Net) -> Graph:
        """Return the graph with the weights of a network of this shape."""
        with torch.no_grad():
            values = _listed(net).double().numpy()
        return Graph(tuple(_filled(node, *(values[at] for at in self.places(node))) for node in self.graph.nodes))


def drawn(net: Net, name: str = "network") -> Drawn:
    """Return the graph of a network; its weights may change afterwards.

    Raises:
        UsageError: An operator does not run on a board.
    """
    numbered = net_class(net.name)(net.config).eval()
    first = 1
    with torch.no_grad():
        for parameter in numbered.parameters():
            # What a weight is worth is where it stands, so that the trace tells what became of each.
            parameter.copy_(torch.arange(first, first + parameter.numel()).view(parameter.shape))
            first += parameter.numel()
    return Drawn(trace(numbered, net.config.memory, net.config.inputs, name=name))


class Rounded(nn.Module):
    """A network in the arithmetic of boards.

    Args:
        net: The network, without normalisation; its weights are trained.
        plan: Its graph.
        ranges: Range of every node; they stay as they are.
    """

    def __init__(self, net: Net, plan: Drawn, ranges: Sequence[Range]) -> None:
        super().__init__()
        self.net = net
        self._plan, self._ranges = plan, list(ranges)
        self._places = [plan.places(node) for node in plan.graph.nodes]

    def dense(self, x: Tensor, hop: int) -> Tensor:
        """See `Net.dense`; boards compute every window anew."""
        windows = x.unfold(1, self.net.config.memory, hop).transpose(2, 3)
        logits: Tensor = self(windows.flatten(0, 1))
        return logits.reshape(*windows.shape[:2], -1)

    def forward(self, windows: Tensor) -> Tensor:
        """Logits `(B, classes)` of normalised windows `(B, memory, inputs)`."""
        return self.layers(windows)[-1].flatten(1)

    def layers(self, windows: Tensor) -> list[Tensor]:
        """Return what every node gives, `(B, channels, rows)`."""
        graph = self._plan.filled(self.net)
        steps = held(graph, self._ranges)
        values = _listed(self.net)
        found: list[Tensor] = []
        for node, places, out in zip(graph.nodes, self._places, steps, strict=True):
            read = [found[view.node][..., view.skip : view.skip + view.rows] for view in node.sources]
            if not read:
                x = windows.transpose(1, 2)
            elif node.code is Code.ADD:
                x = read[0] + read[1]
            elif len(node.weight):
                weight, bias = (values[torch.from_numpy(place)] for place in places)
                x = _weighed(node, read[0], weight, bias, steps[node.sources[0].node])
            else:
                x = _pooled(node, read[0])
            found.append(_on_grid(x, out, out.step(node.low), out.step(node.high)))
        return found


def _listed(net: Net) -> Tensor:
    """All parameters of a network in one list, behind a 0."""
    parameters = [one.reshape(-1) for one in net.parameters()]
    return torch.cat([parameters[0].new_zeros(1), *parameters])


def _filled(node: Node, weight: Any, bias: Any) -> Node:
    return replace(node, weight=weight, bias=bias) if len(node.weight) else node


def _weighed(node: Node, x: Tensor, weight: Tensor, bias: Tensor, into: Steps) -> Tensor:
    """A convolution or a linear layer with rounded weights and biases."""
    scales = torch.from_numpy(weight_scales(node, into)).to(weight)
    whole = torch.clamp(torch.round(weight / scales[:, None, None]), -127, 127) * scales[:, None, None]
    step = into.scale * scales
    taps = _through(weight, whole).transpose(1, 2)
    constant = _through(bias, torch.round(bias / step) * step)
    padded = functional.pad(x, (node.pad_left, node.pad_right))
    return functional.conv1d(padded, taps, constant, stride=node.stride, dilation=node.dilation, groups=node.groups)


def _pooled(node: Node, x: Tensor) -> Tensor:
    largest = node.code is Code.MAX_POOL
    padded = functional.pad(x, (node.pad_left, node.pad_right), value=-torch.inf if largest else 0.0)
    pool = functional.max_pool1d if largest else functional.avg_pool1d
    found: Tensor = pool(padded, node.kernel, node.stride)
    return found[..., : node.rows]


def _on_grid(x: Tensor, out: Steps, low: int, high: int) -> Tensor:
    """The nearest step, halves up, within `low` and `high`; beyond these no gradient passes."""
    inside = x.clamp((low - out.zero) * out.scale, (high - out.zero) * out.scale)
    steps = torch.clamp(torch.floor(x / out.scale + 0.5) + out.zero, low, high)
    return _through(inside, (steps - out.zero) * out.scale)


def _through(smooth: Tensor, rounded: Tensor) -> Tensor:
    """`rounded`, with the gradient of `smooth`."""
    return smooth + (rounded - smooth).detach()
