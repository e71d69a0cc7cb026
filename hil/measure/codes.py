"""Which readings occur how often: distribution, quantisation step, missing codes, saturation.

Rule of this room: integers up to 16 bits are counted one by one, wider and floating readings one by one up to
`MOST` different ones and then in bins; what cannot be told from bins (step, missing codes) is then unknown. A code is
missing only where its neighbours are so frequent that chance cannot explain its absence.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["MOST", "Codes", "Spread"]

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

MOST = 1 << 16
"""Different readings that are counted one by one."""

_BINS = 8192
_EXPECTED = 20.0
"""Mean count of the neighbours from which an absent code is missing: chance would leave one in 5e8 empty."""


class Spread:
    """Counts the readings of one channel.

    Args:
        dtype: Of the readings as they are recorded.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._dense: Int | None = None
        self._least = 0
        if dtype.kind in "iu" and dtype.itemsize <= 2:
            self._least = int(np.iinfo(dtype).min)
            self._dense = np.zeros(1 << (8 * dtype.itemsize), np.int64)
        self._codes: npt.NDArray[np.generic] = np.empty(0, dtype)
        self._counts: Int = np.empty(0, np.int64)
        self._edges: Float | None = None
        self._binned: Int | None = None
        self.not_finite = 0

    @property
    def exact(self) -> bool:
        """Whether every different reading is counted."""
        return self._edges is None

    def add(self, raw: npt.NDArray[np.generic]) -> None:
        """Take readings `(N,)` as they are recorded."""
        if self._dense is not None:
            shifted = raw.astype(np.int64) - self._least
            self._dense += np.bincount(shifted, minlength=len(self._dense))
            return
        if raw.dtype.kind == "f":
            good = np.isfinite(raw.astype(np.float64))
            self.not_finite += int(len(raw) - good.sum())
            raw = raw[good]
        if self._edges is not None:
            self._bin(raw.astype(np.float64), None)
            return
        codes, counts = np.unique(raw, return_counts=True)
        together, where = np.unique(np.concatenate((self._codes, codes)), return_inverse=True)
        weights = np.concatenate((self._counts, counts))
        self._codes, self._counts = together, np.bincount(where, weights, len(together)).astype(np.int64)
        if len(self._codes) > MOST:
            self._to_bins()

    def _to_bins(self) -> None:
        values = self._codes.astype(np.float64)
        low, high = float(values[0]), float(values[-1])
        room = high - low
        self._edges = np.linspace(low - room, high + room, _BINS + 1)
        self._binned = np.zeros(_BINS, np.int64)
        self._bin(values, self._counts)
        self._codes, self._counts = self._codes[:0], self._counts[:0]

    def _bin(self, values: Float, weights: Int | None) -> None:
        assert self._edges is not None
        assert self._binned is not None
        while len(values) and (values.min() < self._edges[0] or values.max() > self._edges[-1]):
            # Twice as wide about the middle: old bins fall two and two into new ones.
            middle, half = (self._edges[0] + self._edges[-1]) / 2, self._edges[-1] - self._edges[0]
            inner = self._binned.reshape(-1, 2).sum(axis=1)
            self._binned = np.concatenate((np.zeros(_BINS // 4, np.int64), inner, np.zeros(_BINS // 4, np.int64)))
            self._edges = np.linspace(middle - half, middle + half, _BINS + 1)
        self._binned += np.histogram(values, self._edges, weights=weights)[0].astype(np.int64)

    def counted(self) -> tuple[Float, Int]:
        """Return the codes that occur (or the middles of bins) as float64, rising, and how often each does."""
        if self._edges is not None and self._binned is not None:
            used = self._binned > 0
            return ((self._edges[:-1] + self._edges[1:]) / 2)[used], self._binned[used]
        if self._dense is not None:
            places = np.flatnonzero(self._dense)
            return (places + self._least).astype(np.float64), self._dense[places]
        return self._codes.astype(np.float64), self._counts


class Codes:
    """What the counts of one channel say.

    Args:
        spread: The counts.
    """

    def __init__(self, spread: Spread) -> None:
        self.codes, self.counts = spread.counted()
        self.total = int(self.counts.sum())
        self.spread = spread

    def step(self) -> tuple[float | None, str]:
        """Return the step all codes are multiples of (from the first), and why if there is none."""
        if not self.spread.exact:
            return None, f"there are more than {MOST} different readings"
        if len(self.codes) < 3:
            return None, f"only {len(self.codes)} different readings occur"
        gaps = np.diff(self.codes)
        if self.spread.dtype.kind in "iu":
            return float(np.gcd.reduce(gaps.astype(np.int64))), ""
        if self.total < 2 * len(self.codes):
            return None, "hardly any reading occurs twice: no step shows"
        least = float(np.percentile(gaps, 5))
        multiples = gaps / least
        off = np.abs(multiples - np.rint(multiples))
        if np.mean(off < 0.05) < 0.95 or np.median(multiples) > 20:
            return None, "the readings lie on no common grid"
        step = float((gaps / np.maximum(np.rint(multiples), 1)).mean())
        return step, ""

    def missing(self, step: float) -> tuple[int | None, int, str]:
        """Return how many codes are missing, among how many that were judged, and why if nobody knows."""
        places = np.rint((self.codes - self.codes[0]) / step).astype(np.int64)
        span = int(places[-1]) + 1
        if span > 1 << 22:
            return None, 0, "the range holds too many codes"
        counts = np.zeros(span)
        np.add.at(counts, places, self.counts)
        # The median: one crowded code (a stuck pixel, a rail) promises nothing about its neighbours.
        around = ndimage.median_filter(counts, 9, mode="constant")
        judged = around >= _EXPECTED
        if not judged.any():
            return None, 0, f"no code's neighbours occur {_EXPECTED:.0f} times on average"
        return int(np.count_nonzero(judged & (counts == 0))), int(judged.sum()), ""

    def saturated(self) -> tuple[int, str]:
        """Return how many readings are at an end of the range, and how that was told."""
        if self.spread.dtype.kind in "iu":
            info = np.iinfo(self.spread.dtype)
            ends = (self.codes == info.max) | ((self.codes == info.min) & (info.min < 0))
            if ends.any():
                return int(self.counts[ends].sum()), "at the end of the code range"
        if len(self.codes) < 12:
            return 0, "too few different readings to tell an end of the range"
        hits, told = 0, []
        for end, inside, name in ((0, slice(1, 5), "lower"), (-1, slice(-5, -1), "upper")):
            # A clipped signal heaps up at its extreme; an unclipped one thins out towards it.
            if self.counts[end] >= 10 and self.counts[end] > 5 * self.counts[inside].mean():
                hits += int(self.counts[end])
                told.append(f"readings heap up at the {name} extreme")
        return hits, " and ".join(told) or "no heap at either extreme"

    def histogram(self, most: int = 200) -> tuple[Float, Int]:
        """Return edges `(K + 1,)` and counts `(K,)` of at most `most` bins, whole codes to a bin."""
        if not len(self.codes):
            return np.array([0.0, 1.0]), np.zeros(1, np.int64)
        step = self.step()[0] or (self.codes[-1] - self.codes[0]) / most or 1.0
        wide = step * max(1, math.ceil(((self.codes[-1] - self.codes[0]) / step + 1) / most))
        bins = max(1, math.ceil((self.codes[-1] - self.codes[0] + step / 2) / wide))
        edges = self.codes[0] - step / 2 + wide * np.arange(bins + 1)
        return edges, np.histogram(self.codes, edges, weights=self.counts)[0].astype(np.int64)
