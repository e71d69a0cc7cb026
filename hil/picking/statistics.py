"""Stretches of readings as some dozens of numbers each: level, spread, change, bands, and how channels go together.

Rule of this room: numbers of one stretch depend on nothing else, and every reading counts alike. Spreads and powers
are logarithms, so that twice as strong is equally far at any strength.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["BANDS", "statistics"]

Float = npt.NDArray[np.float64]

BANDS = 5
"""Bands of a spectrum; their edges grow as powers, so that slow motion is not one band among many."""
_MOST_PAIRS = 16
"""Channels above which correlations are left out: pixels of a frame have too many pairs."""
_FLOOR = 1e-4
"""Share of a channel's size below which a spread says nothing."""


def statistics(windows: npt.NDArray[np.floating]) -> Float:
    """Return the statistics of windows.

    Args:
        windows: `(N, W, C)`, `W >= 4`; readings are finite.

    Returns:
        `(N, (3 + BANDS) * C)`, and `C * (C - 1) / 2` correlations more for at most 16 channels.
    """
    x = np.asarray(windows, np.float64)
    length, channels = x.shape[1:]
    level = x.mean(axis=1)
    centred = x - level[:, None]
    spread = centred.std(axis=1)
    floor = _FLOOR * np.sqrt(level**2 + spread**2) + 1e-12
    change = np.diff(x, axis=1).std(axis=1)
    found = [level, np.log(spread + floor), np.log(change + floor)]
    power = np.abs(np.fft.rfft(centred * np.hanning(length)[:, None], axis=1)) ** 2 / length
    edges = np.unique(np.geomspace(1, power.shape[1], BANDS + 1).round().astype(int))
    for low, high in pairwise(edges.tolist()):
        found.append(np.log(power[:, low:high].sum(axis=1) + floor**2))
    if 1 < channels <= _MOST_PAIRS:
        scale = spread + floor
        together = np.einsum("nti,ntj->nij", centred, centred) / length / scale[:, :, None] / scale[:, None]
        above = np.triu_indices(channels, 1)
        found.append(together[:, above[0], above[1]])
    return np.concatenate(found, axis=1)
