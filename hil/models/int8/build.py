"""Operators of a network, as a front end meets them one by one, into a `Graph`.

Rule of this room: whatever a board cannot do is refused by the operator's name, never approximated. Batch normalisation
goes into the convolution before it, relu and clamp into any operator before them, padding into the one behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.table import Code
from hil.models.int8.graph import Float64, Graph, Node, View

__all__ = ["SUPPORTED", "Builder", "Value"]

SUPPORTED = (
    "conv1d, batch_norm, relu, clamp, add, max_pool1d, avg_pool1d, mean and maximum over time, linear, flatten, slice, "
    "pad"
)
"""Operators that deploy, for people."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an operator gives: rows of a node, how its axes stand and what zeros were put around it.

    Attributes:
        view: The rows.
        axes: `bct` or `btc`, with `1` for an axis of one element; `bf` once flattened.
        flat: Order of the features once flattened: `ct` or `tc`.
        pad: Zero rows before and behind.
    """

    view: View
    axes: str
    flat: str = ""
    pad: tuple[int, int] = (0, 0)


class Builder:
    """Collects nodes.

    Args:
        name: Name of the model, for messages.
        rows: Rows of a window.
        channels: Its channels.
        axes: How its axes stand: `btc` or `bct`.
    """

    def __init__(self, name: str, rows: int, channels: int, axes: str) -> None:
        self._name = name
        self._nodes = [Node(Code.INPUT, (), rows, channels)]
        self.window = Value(View(0, 0, rows), axes)

    def refuse(self, operator: str, why: str = "") -> NoReturn:
        """Say which operator a board cannot run."""
        raise UsageError(
            f"the operator {operator} does not run on a board{f' ({why})' if why else ''}",
            f"model {self._name}",
            f"build the network from {SUPPORTED}",
        )

    def shape(self, value: Value) -> tuple[int, int]:
        """Rows, with padding, and channels of a value."""
        return value.view.rows + sum(value.pad), self._nodes[value.view.node].channels

    def conv(
        self, operator: str, x: Value, weight: npt.NDArray[np.floating], bias: npt.NDArray[np.floating] | None,
        stride: int = 1, padding: tuple[int, int] = (0, 0), dilation: int = 1, groups: int = 1,
    ) -> Value:  # fmt: skip
        """A convolution with weights `(out, in / groups, taps)`."""
        if x.axes != "bct":
            self.refuse(operator, "along channels")
        w = np.ascontiguousarray(weight.astype(np.float64).transpose(0, 2, 1))
        b = np.zeros(len(w)) if bias is None else bias.astype(np.float64)
        left, right = x.pad[0] + padding[0], x.pad[1] + padding[1]
        rows = (x.view.rows + left + right - (w.shape[1] - 1) * dilation - 1) // stride + 1
        node = Node(
            Code.CONV, (x.view,), rows, len(w), w, b, w.shape[1], stride, dilation, left, right, groups
        )  # fmt: skip
        return self._add(node)

    def linear(
        self, operator: str, x: Value, weight: npt.NDArray[np.floating], bias: npt.NDArray[np.floating] | None
    ) -> Value:
        """A fully connected layer with weights `(out, in)`: of everything, or of the channels of every row."""
        self._unpadded(operator, x)
        rows, channels = self.shape(x)
        w = weight.astype(np.float64)
        b = np.zeros(len(w)) if bias is None else bias.astype(np.float64)
        if x.axes == "btc":
            return replace(self._add(Node(Code.CONV, (x.view,), rows, len(w), w[:, None, :], b)), axes="btc")
        if x.axes == "bct":
            self.refuse(operator, "along time")
        if x.flat == "ct":
            w = w.reshape(len(w), channels, rows).transpose(0, 2, 1)
        w = np.ascontiguousarray(w.reshape(len(w), rows, channels))
        value = self._add(Node(Code.LINEAR, (x.view,), 1, len(w), w, b, rows))
        return replace(value, axes=x.axes, flat=x.flat)

    def scale(self, operator: str, x: Value, gain: Float64, shift: Float64, axis: int = 1) -> Value:
        """`x * gain + shift` for each channel, which are on `axis`: batch normalisation."""
        self._unpadded(operator, x)
        if x.view.rows > 1 and x.axes[axis] != "c":
            self.refuse(operator, "along time")
        node = self._whole(x)
        if node is not None and node.code in (Code.CONV, Code.LINEAR) and not node.clamped:
            weight, bias = node.weight * gain[:, None, None], node.bias * gain + shift
            return self._like(x, replace(node, weight=weight, bias=bias))
        rows, channels = self.shape(x)
        return self._like(x, Node(Code.CONV, (x.view,), rows, channels, gain.reshape(-1, 1, 1), shift, groups=channels))

    def clamp(self, operator: str, x: Value, low: float = -np.inf, high: float = np.inf) -> Value:
        """Limit every element: relu, relu6, clamp."""
        if any(x.pad) and not low <= 0.0 <= high:
            self.refuse(operator, "of padding")
        node = self._whole(x)
        if node is None or node.code is Code.INPUT:
            rows, channels = self.shape(replace(x, pad=(0, 0)))
            return self._like(x, Node(Code.MAX_POOL, (x.view,), rows, channels, low=low, high=high))
        low, high = min(max(node.low, low), high), max(min(node.high, high), low)
        origin = x.view.node if node.clamp_of is None else node.clamp_of
        return self._like(x, replace(node, low=low, high=high, clamp_of=origin))

    def pool(
        self, operator: str, x: Value, code: Code, kernel: int, stride: int, padding: tuple[int, int] = (0, 0),
        ceil: bool = False, counted: bool = True,
    ) -> Value:  # fmt: skip
        """The largest or the mean of each channel over `kernel` rows."""
        if x.axes != "bct":
            self.refuse(operator, "along channels")
        if ceil:
            self.refuse(operator, "with ceil_mode")
        if code is Code.AVERAGE_POOL and any(padding) and not counted:
            self.refuse(operator, "without counting its padding")
        if code is Code.MAX_POOL:
            self._unpadded(operator, x)
        left, right = x.pad[0] + padding[0], x.pad[1] + padding[1]
        rows, channels = x.view.rows, self.shape(x)[1]
        out = (rows + left + right - kernel) // stride + 1
        if max(left, right) >= kernel:
            self.refuse(operator, "with as much padding as it has rows")
        return self._add(
            Node(code, (x.view,), out, channels, kernel=kernel, stride=stride, pad_left=left, pad_right=right)
        )

    def reduce(self, operator: str, x: Value, code: Code, axes: Sequence[int], keep: bool) -> Value:
        """The mean or the largest over time."""
        names = {x.axes[axis] for axis in axes}
        if x.axes == "bf" or names - {"1"} != {"t"}:
            self.refuse(operator, "over another axis than time")
        self._unpadded(operator, x)
        rows, _ = self.shape(x)
        pooled = self.pool(operator, replace(x, axes="bct"), code, rows, rows)
        left = x.axes if keep else "".join(axis for axis in x.axes if axis not in names)
        return self.flatten(operator, pooled) if left == "bc" else replace(pooled, axes=left)

    def unsqueeze(self, operator: str, x: Value, axis: int) -> Value:
        """One more axis, of one element."""
        if x.axes == "bf":
            self.refuse(operator, "of features")
        place = axis + len(x.axes) + 1 if axis < 0 else axis
        return replace(x, axes=x.axes[:place] + "1" + x.axes[place:])

    def squeeze(self, operator: str, x: Value, axis: int) -> Value:
        """One axis less, of one element."""
        place = axis % len(x.axes)
        if x.axes[place] == "1":
            return replace(x, axes=x.axes[:place] + x.axes[place + 1 :])
        if x.axes[place] != "t" or self.shape(x)[0] != 1 or len(x.axes) != 3:
            self.refuse(operator, "of an axis with more than one element")
        return self.flatten(operator, x)

    def add(self, operator: str, x: Value, y: Value) -> Value:
        """The sum of two values of the same shape."""
        if any(x.pad) or any(y.pad):
            self.refuse(operator, "of padding")
        if self.shape(x) != self.shape(y) or x.axes != y.axes or (x.flat != y.flat and x.view.rows > 1):
            self.refuse(operator, "of two shapes")
        rows, channels = self.shape(x)
        return self._like(x, Node(Code.ADD, (x.view, y.view), rows, channels))

    def pad(self, operator: str, x: Value, left: int, right: int) -> Value:
        """Rows of zero around; the operator behind takes them in. Fewer than none: rows are cut off."""
        if left < 0 or right < 0:
            stop = self.shape(x)[0] - max(-right, 0)
            return self.pad(operator, self.slice(operator, x, max(-left, 0), stop), max(left, 0), max(right, 0))
        return replace(x, pad=(x.pad[0] + left, x.pad[1] + right))

    def slice(self, operator: str, x: Value, start: int, stop: int) -> Value:
        """Rows `start` to `stop`."""
        self._unpadded(operator, x)
        rows = x.view.rows
        start, stop = (min(max(at + rows if at < 0 else at, 0), rows) for at in (start, stop))
        if stop <= start:
            self.refuse(operator, "of nothing")
        return replace(x, view=View(x.view.node, x.view.skip + start, stop - start))

    def transpose(self, operator: str, x: Value, order: Sequence[int]) -> Value:
        """Axes in another order; the batch stays in front."""
        if len(order) != len(x.axes) or order[0] != 0:
            self.refuse(operator, "of the batch axis")
        return replace(x, axes="".join(x.axes[place] for place in order)) if x.axes != "bf" else x

    def flatten(self, operator: str, x: Value) -> Value:
        """All rows and channels as one list of features."""
        self._unpadded(operator, x)
        return x if x.axes == "bf" else replace(x, axes="bf", flat=x.axes[1:].replace("1", ""))

    def unflatten(self, operator: str, x: Value, axes: str) -> Value:
        """A list of channels as one row again."""
        if x.view.rows != 1:
            self.refuse(operator, "that mixes time and channels")
        return replace(x, axes=axes, flat="")

    def finish(self, x: Value) -> Graph:
        """The graph that gives `x`, without what nobody reads."""
        rows = self._nodes[x.view.node].rows
        if any(x.pad) or x.view.rows != rows or self._nodes[x.view.node].code is Code.INPUT:
            self.refuse("at the end", "the answer must come from an operator")
        nodes = self._nodes
        for index in sorted(self._live(x.view.node)):
            origin = nodes[index].clamp_of
            if origin is not None and origin in self._live(x.view.node):
                plain, node = nodes[origin], nodes[index]
                nodes[index] = Node(
                    Code.MAX_POOL, (View(origin, 0, plain.rows),), plain.rows, plain.channels, low=node.low,
                    high=node.high,
                )  # fmt: skip
        kept = sorted(self._live(x.view.node) | {0})
        place = {old: new for new, old in enumerate(kept)}
        return Graph(
            tuple(
                replace(
                    nodes[index],
                    sources=tuple(replace(view, node=place[view.node]) for view in nodes[index].sources),
                    clamp_of=None,
                )
                for index in kept
            )
        )

    def _live(self, last: int) -> set[int]:
        found, todo = set[int](), [last]
        while todo:
            index = todo.pop()
            if index not in found:
                found.add(index)
                todo += [view.node for view in self._nodes[index].sources]
        return found

    def _add(self, node: Node) -> Value:
        if node.rows < 1:
            self.refuse(node.code.name.lower(), "of fewer rows than it has taps")
        self._nodes.append(node)
        return Value(View(len(self._nodes) - 1, 0, node.rows), "bct")

    def _like(self, x: Value, node: Node) -> Value:
        return replace(x, view=self._add(node).view)

    def _whole(self, x: Value) -> Node | None:
        """The node behind a value that is all of it."""
        node = self._nodes[x.view.node]
        return node if x.view.rows == node.rows else None

    def _unpadded(self, operator: str, x: Value) -> None:
        if any(x.pad):
            self.refuse(operator, "of padding")
