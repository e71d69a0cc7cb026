"""A graph in floating point, and the range that every tensor takes over known windows.

Rule of this room: the ranges come from windows that were given, never from assumptions; which percentile is kept is an
argument and is written down with the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hil.models.int8.graph import Float64, Graph, Node, View

__all__ = ["Range", "evaluate", "ranges"]

Range = tuple[float, float]
"""Least and largest value."""

_AT_ONCE = 64


def evaluate(graph: Graph, windows: npt.NDArray[np.floating]) -> list[Float64]:
    """Return what every node gives.

    Args:
        graph: The network.
        windows: Normalised, `(N, rows, channels)`.

    Returns:
        One array a node, float64 `(N, rows, channels)`.
    """
    found: list[Float64] = []
    for node in graph.nodes:
        found.append(_node(node, found, windows.astype(np.float64)))
    return found


def ranges(graph: Graph, windows: npt.NDArray[np.floating], percentile: float = 100.0) -> list[Range]:
    """Return the range of every node over windows.

    Args:
        graph: The network.
        windows: Normalised, `(N, rows, channels)`, at least one.
        percentile: Share of the values, in percent, that lies inside on either side; 100: all of them. It is taken in
            batches of windows and averaged over these, so that memory stays bounded.
    """
    least: list[list[float]] = [[] for _ in graph.nodes]
    most: list[list[float]] = [[] for _ in graph.nodes]
    for at in range(0, len(windows), _AT_ONCE):
        for index, values in enumerate(evaluate(graph, windows[at : at + _AT_ONCE])):
            low, high = np.percentile(values, [100.0 - percentile, percentile])
            least[index].append(float(low))
            most[index].append(float(high))
    if percentile >= 100.0:
        return [(min(low), max(high)) for low, high in zip(least, most, strict=True)]
    return [(float(np.mean(low)), float(np.mean(high))) for low, high in zip(least, most, strict=True)]


def _node(node: Node, found: Sequence[Float64], windows: Float64) -> Float64:
    if not node.sources:
        return windows
    read = [_rows(found, view) for view in node.sources]
    if len(read) == 2:
        return np.clip(read[0] + read[1], node.low, node.high)
    pooled = not len(node.weight)
    largest = pooled and node.code.name == "MAX_POOL"
    around = ((0, 0), (node.pad_left, node.pad_right), (0, 0))
    padded = np.pad(read[0], around, constant_values=-np.inf if largest else 0.0)
    place = np.arange(node.rows)[:, None] * node.stride + np.arange(node.kernel) * node.dilation
    seen = padded[:, place]
    if pooled:
        value: Float64 = seen.max(axis=2) if largest else seen.mean(axis=2)
        return np.clip(value, node.low, node.high)
    each, width = seen.shape[3] // node.groups, node.channels // node.groups
    parts = []
    for group in range(node.groups):
        inner = seen[..., group * each : (group + 1) * each].reshape(len(windows), node.rows, -1)
        parts.append(inner @ node.weight[group * width : (group + 1) * width].reshape(width, -1).T)
    sums: Float64 = np.concatenate(parts, axis=2) + node.bias
    return np.clip(sums, node.low, node.high)


def _rows(found: Sequence[Float64], view: View) -> Float64:
    return found[view.node][:, view.skip : view.skip + view.rows]
