"""Windows as a few numbers each: what a quick model reads that is no network.

Rule of this room: of every channel the mean, spread, least, greatest and mean step of a window, and nothing that
depends on other windows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["simple_features", "window_ends"]

Float = npt.NDArray[np.float64]


def window_ends(count: int, window: int, hop: int, first: int = 0) -> npt.NDArray[np.int64]:
    """Return the indices after the last samples of windows that end at multiples of `hop`.

    Args:
        count: Samples.
        window: Samples in a window.
        hop: Samples between windows.
        first: Number of the first sample.
    """
    begin = -(-(first + window) // hop) * hop
    return np.arange(begin, first + count + 1, hop, dtype=np.int64) - first


def simple_features(values: npt.NDArray[Any], ends: npt.NDArray[np.int64], window: int) -> Float:
    """Return `(len(ends), 5 * C)` features of windows of readings `(N, C)`; of windows of one sample the readings."""
    if not len(ends):
        return np.zeros((0, values.shape[1] * (1 if window == 1 else 5)))
    if window == 1:
        return values[ends - 1].astype(np.float64)
    seen = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
    found = []
    for start in range(0, len(ends), 1024):  # so that a long series is never there window by window
        part = seen[ends[start : start + 1024] - window].astype(np.float64)
        steps = np.abs(np.diff(part, axis=-1)).mean(axis=-1)
        found.append(np.concatenate((part.mean(-1), part.std(-1), part.min(-1), part.max(-1), steps), axis=1))
    return np.concatenate(found)
