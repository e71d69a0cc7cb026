"""Recordings as a model sees them: items in order, stretches without a gap, and the label of every sample.

Rule: what was not received is not there. A label is what marks,
their sidecar or the recording itself say at the time of each sample, and `NONE` elsewhere or where two of them differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Gap, Item
from hil.models.contract import Contract
from hil.models.matching import has_channels, match

if TYPE_CHECKING:
    from hil.recording.arrays import StreamArrays
    from hil.recording.marks import Label
    from hil.recording.reader import Recording

__all__ = ["gaps_of", "items_of", "labelled_twice", "labels_of_samples", "unbroken"]


def items_of(
    recording: Recording, contract: Contract, board: str | None = None, start_s: float | None = None,
    end_s: float | None = None,
) -> Iterator[Item]:  # fmt: skip
    """Yield what a model reads from a recording, stream by stream, in bounded memory.

    Args:
        recording: The recording.
        contract: The model's contract.
        board: Role of the one board to read; None: every board with a stream that fits.
        start_s: From this time on, in seconds since the recording's first sample.
        end_s: Before this time.

    Raises:
        UsageError: No stream fits.
    """
    where = str(recording.path)
    offered = [known for known in recording.streams() if board is None or known.board == board]
    meant = {
        (known.board, known.stream.name): known.stream for known in offered if has_channels(contract, known.stream)
    }
    if not meant:
        wanted = ", ".join(item.channel for item in contract.inputs)
        names = "; ".join(f"{known.board}/{known.stream.name}: {', '.join(known.stream.channels)}" for known in offered)
        whose = f"board {board}" if board is not None else "it"
        raise UsageError(
            f"{whose} has no stream with {wanted}, which model {contract.name} reads ({names or 'no streams'})",
            where,
            "name another board or recording",
        )
    fitting = []
    for (role, name), stream in meant.items():
        try:
            match(contract, stream, f"{role}/{name}")
        except UsageError:
            if board is not None or len(meant) == 1:
                raise
        else:
            fitting.append((role, name))
    if not fitting:
        (role, name), stream = next(iter(meant.items()))
        match(contract, stream, f"{role}/{name}")
    for role, name in fitting:
        yield from _stream_items(recording, role, name, start_s, end_s)


def _stream_items(
    recording: Recording, board: str, stream: str, start_s: float | None, end_s: float | None
) -> Iterator[Item]:
    """Batches of a stream, with its gaps between them: where nobody counts, the numbers alone do not show one."""
    gaps = gaps_of(recording, board, stream)
    for arrays in recording.chunks(board, stream, start_s, end_s):
        for batch in arrays.batches():
            rest: Batch = batch
            while gaps and (gaps[0].boot, gaps[0].first) < (rest.boot, rest.end):
                gap = gaps.pop(0)
                cut = gap.first - rest.first if gap.boot == rest.boot else 0
                if cut > 0:
                    yield rest.part(0, cut)
                    rest = rest.part(cut, len(rest))
                yield gap
            yield rest


def gaps_of(recording: Recording, board: str, stream: str) -> list[Gap]:
    """Return the gaps of a stream in order of boot and number."""
    found = [event for event in recording.events(board) if isinstance(event, Gap) and event.stream == stream]
    return sorted(found, key=lambda gap: (gap.boot, gap.first))


def unbroken(recording: Recording, arrays: StreamArrays, board: str, stream: str) -> list[slice]:
    """Stretches without a gap, counted or not."""
    pieces = list(arrays.segments)
    for gap in gaps_of(recording, board, stream):
        at = np.flatnonzero((arrays.boot == gap.boot) & (arrays.numbers >= gap.first))
        where = int(at[0]) if len(at) else len(arrays)
        pieces = [
            part
            for piece in pieces
            for part in (slice(piece.start, min(piece.stop, where)), slice(max(piece.start, where), piece.stop))
            if part.start < part.stop
        ]
    return pieces


def labels_of_samples(arrays: StreamArrays, labels: Sequence[Label], whole: str | None, board: str) -> list[str | None]:
    """The label of every sample: marked stretches first, else the label of the whole recording, else None."""
    spans = _spans(arrays, labels, board)
    if not spans:
        return [whole] * len(arrays)
    found: list[str | None] = [None] * len(arrays)
    for low, high, text in spans:
        found[low:high] = [text] * (high - low)
    for index in np.flatnonzero(_contested(len(arrays), spans)).tolist():
        found[index] = None
    return found


def labelled_twice(arrays: StreamArrays, labels: Sequence[Label], board: str) -> int:
    """Count the samples that two marked stretches name differently: nobody knows what they are."""
    return int(_contested(len(arrays), _spans(arrays, labels, board)).sum())


def _spans(arrays: StreamArrays, labels: Sequence[Label], board: str) -> list[tuple[int, int, str]]:
    """Return begin, end and text of the labels of a board, in places of its samples."""
    found = []
    for label in (one for one in labels if one.board in ("", board)):
        low = int(np.searchsorted(arrays.t_ns, label.start_ns))
        high = len(arrays) if label.stop_ns is None else int(np.searchsorted(arrays.t_ns, label.stop_ns))
        found.append((low, high, label.text))
    return found


def _contested(samples: int, spans: Sequence[tuple[int, int, str]]) -> npt.NDArray[np.bool_]:
    """Return which samples are called different things."""
    names = {text: at for at, text in enumerate(dict.fromkeys(text for *_, text in spans))}
    said, found = np.full(samples, -1, np.int64), np.zeros(samples, np.bool_)
    for low, high, text in spans:
        found[low:high] |= (said[low:high] >= 0) & (said[low:high] != names[text])
        said[low:high] = names[text]
    return found
