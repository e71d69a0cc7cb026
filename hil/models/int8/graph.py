"""A network in the operators that boards have, in floating point: what every front end gives and the quantiser takes.

Rule of this room: time-major and without a batch axis: a node gives rows x channels. A node reads views, which are some
rows of another node; slices, transposes, flattening and padding exist as views and attributes only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from firmware_bridge.oplist.table import Code

__all__ = ["Graph", "Node", "View"]

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """Some rows of a node: from row `skip` on, `rows` of them."""

    node: int
    skip: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operator.

    Attributes:
        code: Which.
        sources: What it reads: nothing (INPUT), two views (ADD), else one.
        rows: Rows it gives.
        channels: Channels it gives.
        weight: `(channels, kernel, channels in a group)`, tap 0 the oldest row; CONV and LINEAR.
        bias: `(channels,)`; CONV and LINEAR.
        kernel: Taps, or rows of a pool.
        stride: Rows between two windows.
        dilation: Rows between two taps.
        pad_left: Rows of zero before the first.
        pad_right: Rows of zero behind the last.
        groups: Groups of channels.
        low: Least output: 0 for a relu.
        high: Largest output.
        clamp_of: The same node without its clamp, where there is one.
    """

    code: Code
    sources: tuple[View, ...]
    rows: int
    channels: int
    weight: Float64 = field(default_factory=lambda: np.zeros((0, 0, 0)))
    bias: Float64 = field(default_factory=lambda: np.zeros(0))
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    pad_left: int = 0
    pad_right: int = 0
    groups: int = 1
    low: float = -np.inf
    high: float = np.inf
    clamp_of: int | None = None

    @property
    def clamped(self) -> bool:
        """Whether a relu or the like is part of it."""
        return self.low > -np.inf or self.high < np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes in the order they are computed; the first is the normalised window, the last the answer."""

    nodes: tuple[Node, ...]
