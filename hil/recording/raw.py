"""Arrivals out of a recording: the raw bytes in their recorded order, or batches where there never were raw bytes.

Rule of this room: the order is the order of writing, which per board is the order of the arrivals' numbers; a replay
that feeds them to a session derives what was derived live.
"""

import heapq
import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected, Item
from firmware_bridge.wire.traffic import Traffic
from hil.recording.pieces import Pieces, RecordedStream

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["RAW_KINDS", "raw_arrivals", "raw_traffic", "sample_arrivals"]

RAW_KINDS = ("rx", "tx", "link")
"""Kinds of channels that arrivals are made of."""
_RX, _LINK = RAW_KINDS.index("rx"), RAW_KINDS.index("link")


def raw_arrivals(pieces: Pieces, from_ns: int | None, to_ns: int | None) -> Iterator[Arrival]:
    """Yield reads, writes and link changes between two times of arrival, in their recorded order."""
    about = _about(pieces)
    chunks = (
        chunk for chunk in pieces.file.chunks.holding(about)
        if (from_ns is None or chunk.end_ns >= from_ns) and (to_ns is None or chunk.start_ns < to_ns)
    )  # fmt: skip
    for data, places, heads in pieces.located(chunks, set(about)):
        fields = (heads[name].tolist() for name in ("len", "channel", "sequence", "log"))
        told = zip(places.tolist(), *fields, strict=True)
        for place, size, channel, seq, t_ns in told:
            if (from_ns is not None and t_ns < from_ns) or (to_ns is not None and t_ns >= to_ns):
                continue
            kind, board = about[channel]
            if kind == "link":
                yield _change(board, seq, t_ns, data[place + 31 : place + 9 + size])
            else:
                yield Arrival(board, seq, t_ns, kind, data[place + 39 : place + 9 + size])


def raw_traffic(pieces: Pieces, board: str, to_ns: int | None) -> Iterator[Arrival | Traffic]:
    """Yield what `raw_arrivals` yields of one board before a time, reads and writes of some chunks in one piece."""
    about = {channel: kind for channel, (kind, role) in _about(pieces).items() if role == board}
    kinds = np.zeros(max(about, default=0) + 1, np.int8)
    for channel, kind in about.items():
        kinds[channel] = RAW_KINDS.index(kind)
    chunks = (chunk for chunk in pieces.file.chunks.holding(about) if to_ns is None or chunk.start_ns < to_ns)
    for data, places, heads in pieces.located(chunks, set(about)):
        if to_ns is not None:
            early = heads["log"] < to_ns
            places, heads = places[early], heads[early]
        ends, t_ns, seq = places + 9 + heads["len"].astype(np.int64), heads["log"].astype(np.int64), heads["sequence"]
        kind_of = kinds[heads["channel"]]
        read, begin = kind_of == _RX, 0
        for at in [*np.flatnonzero(kind_of == _LINK).tolist(), len(places)]:
            if begin < at:
                cut = slice(begin, at)
                spans = zip((places[cut] + 39).tolist(), ends[cut].tolist(), strict=True)
                yield Traffic(board, seq[cut], t_ns[cut], read[cut], [data[low:high] for low, high in spans])
            if at < len(places):
                yield _change(board, int(seq[at]), int(t_ns[at]), data[places[at] + 31 : ends[at]])
            begin = at + 1


def _about(pieces: Pieces) -> dict[int, tuple[str, str]]:
    """Return kind and board of every channel that arrivals are made of."""
    return {
        channel.id: (kind, channel.metadata.get("board", "")) for kind in RAW_KINDS for channel in pieces.channels(kind)
    }


def _change(board: str, seq: int, t_ns: int, data: bytes) -> Arrival:
    change = json.loads(data)
    return Arrival(board, seq, t_ns, change["kind"], change["text"].encode("utf-8", "surrogateescape"))


def sample_arrivals(
    recording: "Recording", streams: Sequence[RecordedStream], from_ns: int | None, to_ns: int | None,
    others: Iterator[Arrival],
) -> Iterator[Arrival]:  # fmt: skip
    """Yield batches of boards without raw bytes as `note` arrivals, merged by time with the other arrivals.

    A batch is handed over when its last sample is due, and is at most 20 ms long.
    """
    start, tie, seqs = recording.start_ns, count(), {known.board: count() for known in streams}
    low = None if from_ns is None else (from_ns - start) / 1e9
    high = None if to_ns is None else (to_ns - start) / 1e9
    told = set()

    def batches(board: str, stream: str) -> Iterator[tuple[int, int, str, Batch | Arrival]]:
        for arrays in recording.chunks(board, stream, low, high):
            longest = max(1, round((arrays.stream.rate_hz or 50.0) * 0.02))
            for batch in arrays.batches(longest):
                yield int(batch.t_ns[-1]), next(tie), board, batch

    def between() -> Iterator[tuple[int, int, str, Batch | Arrival]]:
        for arrival in others:
            yield arrival.t_ns, next(tie), arrival.board, arrival

    names = dict.fromkeys((known.board, known.stream.name) for known in streams)
    merged = heapq.merge(*(batches(*name) for name in names), between(), key=lambda entry: entry[:2])
    for t_ns, _, board, entry in merged:
        if isinstance(entry, Arrival):
            yield entry
            continue
        items: tuple[Item, ...] = (entry,)
        info = recording.boards.get(board)
        if board not in told and info is not None:
            items = (Connected(board, t_ns, info, entry.boot), entry)
        told.add(board)
        yield Arrival(board, next(seqs[board]), t_ns, "note", b"", items)
