"""Where every tensor lies in a board's memory, so that little of it is needed.

Rule of this room: two tensors that are alive together never overlap; only an addition may write onto what it reads for
the last time. The largest tensor is placed first, each at the lowest place that is free during its life.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_bridge.oplist.table import Code
from hil.models.int8.graph import Graph

__all__ = ["Layout", "plan"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Places in the arena.

    Attributes:
        offsets: Where the output of every node begins.
        size: Bytes in all.
    """

    offsets: tuple[int, ...]
    size: int


def plan(graph: Graph) -> Layout:
    """Place the outputs of all nodes, one byte an element."""
    nodes = graph.nodes
    last = list(range(len(nodes)))
    for index, node in enumerate(nodes):
        for view in node.sources:
            last[view.node] = index
    last[-1] = len(nodes)
    inside = _written_onto(graph, last)
    life = {index: (index, last[index]) for index in range(len(nodes)) if index not in inside}
    for index in inside:
        home, _ = _home(index, inside)
        life[home] = (home, max(life[home][1], last[index]))
    offsets: dict[int, int] = {}
    size = 0
    for index in sorted(life, key=lambda item: (-_bytes(graph, item), item)):
        born, died = life[index]
        taken = sorted(
            (offsets[other], offsets[other] + _bytes(graph, other))
            for other in offsets
            if life[other][0] <= died and born <= life[other][1]
        )
        place = 0
        for begin, end in taken:
            if begin - place >= _bytes(graph, index):
                break
            place = max(place, end)
        offsets[index] = place
        size = max(size, place + _bytes(graph, index))
    for index in inside:
        home, skip = _home(index, inside)
        offsets[index] = offsets[home] + skip
    return Layout(tuple(offsets[index] for index in range(len(nodes))), size)


def _bytes(graph: Graph, index: int) -> int:
    return graph.nodes[index].rows * graph.nodes[index].channels


def _written_onto(graph: Graph, last: list[int]) -> dict[int, tuple[int, int]]:
    """Additions that write onto one of their inputs: node to (that input's node, bytes skipped in it)."""
    found: dict[int, tuple[int, int]] = {}
    for index, node in enumerate(graph.nodes):
        if node.code is not Code.ADD or _home(node.sources[0].node, found)[0] == _home(node.sources[1].node, found)[0]:
            continue
        for view in node.sources:
            if last[view.node] == index:
                found[index] = (view.node, view.skip * node.channels)
                break
    return found


def _home(index: int, inside: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The node whose memory a node lies in, and how far from its beginning."""
    skip = 0
    while index in inside:
        index, more = inside[index]
        skip += more
    return index, skip
