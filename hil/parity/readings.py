"""The readings that a model looks at in a recording, so that a window can end at any sample.

Rule of this room: what was recorded, nothing filled in. A window exists only where all of its samples lie in one
unbroken stretch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.datasets import NONE, window_truth
from hil.models.matching import match
from hil.models.recorded import labels_of_samples, unbroken
from hil.models.windows import stream_read
from hil.recording.reader import Recording

__all__ = ["Readings", "readings_in"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """One stream of one board.

    Attributes:
        board: Role of the board.
        stream: What was sampled.
        picked: Column of every input of the model.
        raw: `(N, C)`, in the wire's dtype and the stream's order.
        numbers: `(N,)`, sample numbers.
        boot: `(N,)`, boot of each.
        t_ns: `(N,)`, UTC.
        ticks: `(N,)`, the board's clock.
        begin: `(N,)`, index at which the unbroken stretch of each sample begins.
        labels: `(N,)`, index into the contract's labels, or `NONE`.
        start_ns: UTC of the recording's first sample.
    """

    board: str
    stream: Stream
    picked: tuple[int, ...]
    raw: npt.NDArray[Any]
    numbers: Ints
    boot: Ints
    t_ns: Ints
    ticks: Ints
    begin: Ints
    labels: Ints
    start_ns: int

    def __len__(self) -> int:
        return len(self.raw)

    def whole(self, ends: Ints, length: int) -> npt.NDArray[np.bool_]:
        """Return at which ends a window of so many samples lies in one stretch.

        Args:
            ends: `(M,)`, index of each window's last sample; what lies outside the recording has no window.
            length: Samples in a window.
        """
        inside = (ends >= 0) & (ends < len(self))
        at = np.where(inside, ends, 0)
        found: npt.NDArray[np.bool_] = inside & (ends - length + 1 >= self.begin[at])
        return found

    def windows(self, ends: Ints, length: int) -> npt.NDArray[np.float32]:
        """Return readings in the model's channels and units, float32 `(M, length, inputs)`, of whole windows."""
        values: npt.NDArray[np.float32] = self.stream.values(self.raw_windows(ends, length))[..., list(self.picked)]
        return values

    def raw_windows(self, ends: Ints, length: int) -> npt.NDArray[Any]:
        """Return raw readings `(M, length, C)` of whole windows."""
        found: npt.NDArray[Any] = self.raw[ends[:, None] + np.arange(1 - length, 1)]
        return found

    def truth(self, ends: Ints, window: int, classes: int) -> Ints:
        """Return the label that covers at least half of each window, or `NONE`."""
        return window_truth(self.labels, ends + 1, window, classes)


def readings_in(recording: Recording, contract: Contract, board: str | None = None) -> Readings:
    """Return what a model reads in a recording.

    Args:
        recording: The recording.
        contract: The model's contract.
        board: Role of the board; None: the first with a stream that fits.

    Raises:
        UsageError: No stream fits.
    """
    role, stream = stream_read(recording, contract, board)
    picked = match(contract, stream, f"{role}/{stream.name}")
    arrays = recording.read(role, stream.name)
    place = {label: index for index, label in enumerate(contract.labels)}
    texts = labels_of_samples(arrays, recording.labels, recording.header.about.get("label"), role)
    labels = np.array([NONE if text is None else place.get(text, NONE) for text in texts], np.int64)
    begin = np.zeros(len(arrays), np.int64)
    for piece in unbroken(recording, arrays, role, stream.name):
        begin[piece] = piece.start
    return Readings(
        role, stream, picked, arrays.raw, arrays.numbers, arrays.boot.astype(np.int64), arrays.t_ns, arrays.ticks,
        begin, labels, recording.start_ns,
    )  # fmt: skip
