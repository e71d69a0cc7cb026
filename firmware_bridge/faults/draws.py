"""Random numbers by place: the same seed, series and place give the same number, whatever was asked for before.

A series is a text (the fault's key, a board, a stream, what is drawn); a place is a sample number, cell or byte offset.
Numbers are made in blocks, each by a Philox generator of its own whose counter is the block, so that any part can be
made alone and in any order.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

__all__ = ["chosen", "uniform", "uniforms"]

Float = npt.NDArray[np.float64]


@lru_cache(maxsize=1024)
def _key(series: str) -> int:
    return int.from_bytes(blake2b(series.encode(), digest_size=8).digest(), "little")


def _length(width: int) -> int:
    return 1024 if width <= 16 else 16


@lru_cache(maxsize=128)
def _block(what: str, seed: int, series: str, width: int, block: int) -> Float:
    drawn = np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), _key(f"{series}/{what}")],
                                                 counter=[0, 0, 0, block & (2**64 - 1)]))  # fmt: skip
    size = (_length(width), width)
    if what == "uniform":
        made = drawn.random(size)
    else:
        made = drawn.standard_normal(size) if what == "normal" else drawn.standard_exponential(size)
    made.flags.writeable = False
    return made


def _part(what: str, seed: int, series: str, first: int, n: int, width: int) -> Float:
    size = _length(width)
    parts = []
    while n > 0:
        block, start = divmod(first, size)
        count = min(n, size - start)
        parts.append(_block(what, seed, series, width, block)[start : start + count])
        first, n = first + count, n - count
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, width)), *parts])


def uniforms(seed: int, series: str, first: int, n: int, width: int = 1) -> Float:
    """Return numbers from 0 up to 1, `(n, width)`, of places `first` on."""
    return _part("uniform", seed, series, first, n, width)


def uniform(seed: int, series: str, place: int) -> float:
    """Return one number from 0 up to 1."""
    block, at = divmod(place, _length(1))
    return float(_block("uniform", seed, series, 1, block)[at, 0])


def chosen(what: str, seed: int, series: str, places: npt.NDArray[np.int64], width: int = 1) -> Float:
    """Return the numbers of some places, `(len(places), width)`, which mostly follow each other.

    Args:
        what: `uniform` (from 0 up to 1), `normal` (variance 1) or `exponential` (mean 1).
        seed: Of the schedule.
        series: What is drawn.
        places: int64 `(N,)`, N at least 1.
        width: Numbers a place.
    """
    first = int(places.min())
    span = int(places.max()) - first + 1
    if span <= 4 * len(places) + 1024:
        return _part(what, seed, series, first, span, width)[places - first]
    return np.concatenate([_part(what, seed, series, int(place), 1, width) for place in places])
