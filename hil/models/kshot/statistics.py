"""Labelled series as statistics of windows: what a metric is fitted on, and what episodes are drawn from.

Rule of this room: the statistics are those that the network itself computes (`Shots.features`), of the windows that it
decides on (they end at multiples of the hop), and each has the label that covers at least half of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hil.models.datasets import NONE, Series, window_truth
from hil.models.nets.shapes import ShotsConfig
from hil.models.nets.shots import Shots
from hil.models.step import one_thread

__all__ = ["Statistics", "raw_windows", "statistics_of", "windows_in"]

_AT_ONCE = 256
"""Windows in one call of the network."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Windows of known classes and people; `N` of them.

    Attributes:
        values: float64 `(N, features)`.
        labels: int64 `(N,)`.
        people: `(N,)` text.
        place: float64 `(N, 2)`: where in its series each begins and ends, 0 to 1.
    """

    values: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    people: npt.NDArray[np.str_]
    place: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> tuple[int, ...]:
        """The labels that occur."""
        return tuple(int(one) for one in np.unique(self.labels))

    def where(self, rows: npt.NDArray[Any]) -> Statistics:
        """Return some of the windows: a mask, or their numbers."""
        return Statistics(*(getattr(self, one.name)[rows] for one in fields(self)))


def windows_in(values: npt.NDArray[np.float32], window: int, hop: int) -> npt.NDArray[np.float32]:
    """Return the windows of a stretch, `(N, window, C)`: the first from its start, the others a hop apart."""
    seen = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)[::hop]
    return np.moveaxis(seen, -1, 1)


def statistics_of(
    series: Sequence[Series], shape: ShotsConfig, hop: int, constants: tuple[npt.NDArray[Any], npt.NDArray[Any]]
) -> Statistics:
    """Return the statistics of every labelled window.

    Args:
        series: Readings; each begins at sample 0.
        shape: Of the network.
        hop: Samples between windows.
        constants: Mean and standard deviation that normalise each channel.
    """
    net = Shots(shape).eval()
    mean, std = (torch.tensor(one, dtype=torch.float32) for one in constants)
    found: list[tuple[Any, ...]] = []
    with one_thread(), torch.inference_mode():
        for seen, labels, people, place in _labelled(series, shape.window, hop):
            parts = [net.features((part - mean) / std).numpy() for part in _chunks(seen)]
            found.append((np.concatenate(parts).astype(np.float64), labels, people, place))
    if not found:
        return Statistics(
            np.zeros((0, shape.features)), np.zeros(0, np.int64), np.zeros(0, np.str_), np.zeros((0, 2))
        )  # fmt: skip
    return Statistics(*(np.concatenate(column) for column in zip(*found, strict=True)))


def raw_windows(
    series: Sequence[Series], window: int, hop: int, constants: tuple[npt.NDArray[Any], npt.NDArray[Any]]
) -> npt.NDArray[np.float32]:
    """Return the normalised readings themselves, `(N, window * C)`, in the order of `statistics_of`."""
    mean, std = (np.asarray(one, np.float32) for one in constants)
    parts = [((seen - mean) / std).reshape(len(seen), -1) for seen, *_ in _labelled(series, window, hop)]
    return np.concatenate(parts) if parts else np.zeros((0, window * len(mean)), np.float32)


def _labelled(series: Sequence[Series], window: int, hop: int) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield windows `(N, window, C)`, label, person and place of the labelled windows of each series."""
    for item in series:
        size = len(item.values)
        ends = np.arange(-(-window // hop) * hop, size + 1, hop, dtype=np.int64)
        truth = window_truth(item.labels, ends, window, int(item.labels.max(initial=0)) + 1)
        ends, truth = ends[truth != NONE], truth[truth != NONE]
        if len(ends):
            seen = np.lib.stride_tricks.sliding_window_view(item.values, window, axis=0)[ends - window]
            yield np.moveaxis(seen, -1, 1), truth, np.full(len(ends), item.person), np.stack(
                (ends - window, ends), 1) / size  # fmt: skip


def _chunks(windows: npt.NDArray[np.float32]) -> Iterator[torch.Tensor]:
    for at in range(0, len(windows), _AT_ONCE):
        yield torch.from_numpy(np.ascontiguousarray(windows[at : at + _AT_ONCE]))
