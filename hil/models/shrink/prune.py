"""Structured pruning: whole channels of a trained network are taken away, and with them all that reads them.

Rule of this room: torch-pruning finds which weights hang together; which channels go is said by what the loss would
lose without them (first-order Taylor), over readings of people that the parent has met. Recurrent layers are refused:
there a channel is part of three gates and of the state, for which torch-pruning has no rule.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from firmware_bridge.errors import MissingPart, UsageError
from hil.models.nets.seam import Net, net_class
from hil.models.nets.shape import NetShape

__all__ = ["can_prune", "prune"]


def can_prune(net: Net) -> str:
    """Return why a network cannot be pruned; empty where it can."""
    if any(isinstance(part, nn.RNNBase) for part in net.modules()):
        return f"torch-pruning has no rule for the recurrent layer of a {net.name}"
    return ""


def prune(net: Net, shape: NetShape, windows: Tensor, truth: Tensor) -> Net:
    """Take the least important channels away.

    Args:
        net: The network, without normalisation; it stays as it is.
        shape: What is to be left: the same layers, narrower.
        windows: Normalised `(N, memory, inputs)`, for which importance is asked.
        truth: `(N,)` their labels.

    Raises:
        UsageError: The network cannot be pruned.
        MissingPart: torch-pruning is not installed.
    """
    try:
        import torch_pruning
    except ImportError:
        raise MissingPart(
            "the package torch-pruning is not installed", "hil shrink", "run: pip install 'hil-testbench[shrink]'"
        ) from None
    if why := can_prune(net):
        raise UsageError(why, f"model {net.name}", "make narrower students of it: --method student")
    left = net_class(net.name)(net.config)
    left.load_state_dict(net.state_dict())
    left.eval()
    logits = left(windows)
    nn.functional.cross_entropy(logits, truth).backward()  # type: ignore[no-untyped-call]
    importance = torch_pruning.importance.GroupTaylorImportance(normalizer=None)
    with _quiet():
        graph = torch_pruning.DependencyGraph().build_dependency(left, example_inputs=windows[:1])
        _keep_channels(graph)
        names = {module: name for name, module in left.named_modules()}
        wanted = {name.removesuffix(".weight"): size[0] for name, size in shape.shapes().items()}
        for group in list(graph.get_all_groups(ignored_layers=[_head(left)])):
            layer: Any = group[0].dep.target.module
            score = importance(group)
            spare = len(score) - wanted[names[layer]]
            if spare > 0:
                gone = score.argsort()[:spare].tolist()
                graph.get_pruning_group(layer, group[0].dep.handler, gone).prune()
    made = net_class(net.name)(shape).eval()
    made.load_state_dict({name: value.detach() for name, value in left.state_dict().items()})
    return made


def _keep_channels(graph: Any) -> None:
    """Undo that a slice in time is taken for one of channels: of three axes torch-pruning takes the last for them."""
    from torch_pruning.ops import OPTYPE

    for node in graph.module2node.values():
        if node.type == OPTYPE.SLICE:
            node.type = OPTYPE.ELEMENTWISE
        for dependency in node.dependencies:
            dependency.index_mapping = [
                None if type(mapping).__name__ == "_SliceIndexMapping" else mapping
                for mapping in dependency.index_mapping
            ]


def _head(net: Net) -> nn.Module:
    head = net.head
    assert isinstance(head, nn.Module)
    return head


@contextmanager
def _quiet() -> Iterator[None]:
    """torch-pruning warns of what it traces anyway."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
