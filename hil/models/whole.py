"""A model asked about whole windows that nobody cut on its hop: what it would have decided there.

Rule of this room: the executor that live boards use does the work (every window is a boot of its own that ends on a
hop), so that an answer about a window is the answer at that sample of a recording.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.models.model import Model

__all__ = ["Whole", "probabilities"]

_SIDE_BY_SIDE = 32
"""Windows in one call of the network."""


class Whole:
    """Asks a model about whole windows, as often as one likes.

    Args:
        model: The model.
        backend: See `hil.models.model.BACKENDS`; None: the contract's.

    Raises:
        UsageError: There is no such backend, or it cannot run this network.
    """

    def __init__(self, model: Model, backend: str | None = None) -> None:
        contract = self._contract = model.contract
        self._runner = model.runner(slots=_SIDE_BY_SIDE, backend=backend)
        self._boot = 0
        names = tuple(item.channel for item in contract.inputs)
        units = tuple(item.unit for item in contract.inputs)
        self._stream = Stream(contract.stream or "windows", names, units, "<f4", (len(names),), contract.rate_hz)
        first = -contract.memory_samples % contract.hop
        self._numbers = np.arange(first, first + contract.memory_samples, dtype=np.int64)
        self._t_ns = (self._numbers / contract.rate_hz * 1e9).astype(np.int64)

    def probabilities(self, windows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the probability of every label.

        Args:
            windows: `(N, memory_samples, inputs)`, in the contract's channels and units.

        Returns:
            float64 `(N, labels)`; NaN for a window in which a reading is no number.
        """
        begin = self._boot
        found = np.full((len(windows), len(self._contract.labels)), np.nan)
        for made in self._runner.push(self._boots(windows)):
            found[(made.boot - begin) * _SIDE_BY_SIDE + int(made.board)] = made.scores
        return found

    def _boots(self, windows: npt.NDArray[np.floating]) -> Iterator[Batch]:
        begin = self._boot
        for index, window in enumerate(windows):
            raw = np.ascontiguousarray(window, np.float32)
            boot = begin + index // _SIDE_BY_SIDE
            first, board = int(self._numbers[0]), str(index % _SIDE_BY_SIDE)
            yield Batch(board, self._stream, boot, first, self._numbers, self._t_ns, raw)
        self._boot = begin + -(-len(windows) // _SIDE_BY_SIDE)


def probabilities(
    model: Model, windows: npt.NDArray[np.floating], backend: str | None = None
) -> npt.NDArray[np.float64]:
    """Ask a model once; see `Whole`."""
    return Whole(model, backend).probabilities(windows)
