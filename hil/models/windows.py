"""Recordings as whole windows of raw readings: what a network that runs on a board itself is calibrated and judged on.

Rule of this room: the same decisions at the same samples as the streaming form makes: windows end at multiples of the
hop, none reaches over a gap, and each has the label that covers at least half of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.datasets import NONE, window_truth
from hil.models.matching import has_channels, match
from hil.models.recorded import labels_of_samples, unbroken

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["Windows", "joined", "stream_read", "windows_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows of one stream.

    Attributes:
        stream: What was sampled, and how raw readings become values.
        picked: Column of every input of the model.
        raw: `(N, memory, C)`, in the wire's dtype and the stream's order.
        ends: `(N,)`, number of each window's last sample.
        boot: `(N,)`, boot it lies in.
        truth: `(N,)`, index into the contract's labels, or `NONE`.
        people: Who wore the board in each, or empty.
    """

    stream: Stream
    picked: tuple[int, ...]
    raw: npt.NDArray[Any]
    ends: npt.NDArray[np.int64]
    boot: npt.NDArray[np.int64]
    truth: npt.NDArray[np.int64]
    people: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.raw)


def windows_of(recording: Recording, contract: Contract, board: str | None = None) -> Windows:
    """Return the windows that a model decides on in a recording.

    Args:
        recording: The recording.
        contract: The model's contract.
        board: Role of the board; None: the first with a stream that fits.

    Raises:
        UsageError: No stream fits, or no stretch is as long as a window.
    """
    if contract.conditioning is not None:
        raise UsageError(
            f"model {contract.name} reads conditioned readings, and nobody conditions those that a board samples",
            str(recording.path), "train it on recordings of that board as they are",
        )  # fmt: skip
    role, stream = stream_read(recording, contract, board)
    picked = match(contract, stream, f"{role}/{stream.name}")
    arrays = recording.read(role, stream.name)
    place = {label: index for index, label in enumerate(contract.labels)}
    texts = labels_of_samples(arrays, recording.labels, recording.header.about.get("label"), role)
    labels = np.array([NONE if text is None else place.get(text, NONE) for text in texts], np.int64)
    memory, found = contract.memory_samples, []
    for piece in unbroken(recording, arrays, role, stream.name):
        numbers = arrays.numbers[piece]
        after = np.flatnonzero((numbers + 1) % contract.hop == 0) + 1
        after = after[after >= memory]
        if len(after):
            seen = np.lib.stride_tricks.sliding_window_view(arrays.raw[piece], memory, axis=0)
            truth = window_truth(labels[piece], after, contract.window, len(contract.labels))
            raw = np.ascontiguousarray(np.moveaxis(seen[after - memory], -1, 1))
            found.append((raw, numbers[after - 1], arrays.boot[piece][after - 1].astype(np.int64), truth))
    if not found:
        raise UsageError(
            f"{role}/{stream.name} has no {memory} samples without a gap, which model {contract.name} reads at once",
            str(recording.path), "give a longer recording",
        )  # fmt: skip
    raw, ends, boot, truth = (np.concatenate(parts) for parts in zip(*found, strict=True))
    person = str(recording.header.about.get("person") or "")
    return Windows(stream, picked, raw, ends, boot, truth, (person,) * len(raw))


def stream_read(recording: Recording, contract: Contract, board: str | None = None) -> tuple[str, Stream]:
    """Return the board and the stream that a model reads in a recording: the first with its channels.

    Raises:
        UsageError: No stream has them.
    """
    offered = [known for known in recording.streams() if board in (None, known.board)]
    meant = [known for known in offered if has_channels(contract, known.stream)]
    if not meant:
        wanted = ", ".join(item.channel for item in contract.inputs)
        names = "; ".join(f"{known.board}/{known.stream.name}: {', '.join(known.stream.channels)}" for known in offered)
        raise UsageError(
            f"no stream has the channels {wanted} that model {contract.name} reads ({names or 'no streams'})",
            str(recording.path), "name another board or recording",
        )  # fmt: skip
    return meant[0].board, meant[0].stream


def joined(parts: Sequence[Windows], where: str) -> Windows:
    """Return windows of several recordings of one kind of board as one.

    Raises:
        UsageError: Their streams differ in type, scale or order.
    """
    first = parts[0]
    for part in parts[1:]:
        if _layout(part.stream) != _layout(first.stream):
            raise UsageError(
                f"the stream {part.stream.name} has another type, scale or order of channels than the one before it",
                where, "give recordings of one kind of board",
            )  # fmt: skip
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("raw", "ends", "boot", "truth")
    }
    people = tuple(person for part in parts for person in part.people)
    return Windows(first.stream, first.picked, people=people, **columns)


def _layout(stream: Stream) -> tuple[Any, ...]:
    count = len(stream.channels)
    scale, offset = (tuple(np.broadcast_to(np.asarray(given), count)) for given in (stream.scale, stream.offset))
    return stream.channels, np.dtype(stream.dtype), scale, offset
