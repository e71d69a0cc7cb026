"""Many reads at once, where they hold nothing out of the ordinary: for replay, with what reading one by one gives.

Rule of this room: looking changes nothing. Plain are whole frames with right CRCs that follow each other without a
loss: samples, pongs, status and log lines of a board that is known. Anything else (damage, a HELLO, a fragment, an
answer to a command) is nobody's business here: the reads are then taken one by one, and there alone stands what it
means.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.bulk import decode_bulk
from firmware_bridge.wire.dialect import Answer, Samples, Text
from firmware_bridge.wire.frames import Frames
from firmware_bridge.wire.messages import HEADER, Kind, Message, unpack
from firmware_bridge.wire.samples import SampleReader
from firmware_bridge.wire.sequence import FrameCounter
from firmware_bridge.wire.walk import PARTS, UNKNOWN_FLAGS, grouped, heads_of, is_single

__all__ = ["Part", "Plain", "look"]

Int64 = npt.NDArray[np.int64]

_KINDS = (Kind.PONG, Kind.STATUS, Kind.LOG)


@dataclass(frozen=True, slots=True)
class Part:
    """Samples `start` to `stop` of one of the runs."""

    run: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """What reads hold.

    Attributes:
        data: Their bytes, end to end.
        size: Bytes of all frames, with what was held back before.
        numbers: uint16, sequence numbers of the frames.
        runs: Samples of equal frames, stream by stream, each with the reads that completed them: int64 `(N,)`, one
            for each sample.
        heard: What was heard, in order, each with the read that completed it (the last). Samples are parts of runs,
            grouped by stream between two other messages.
    """

    data: bytes
    size: int
    numbers: npt.NDArray[np.uint16]
    runs: list[tuple[Samples, Int64]]
    heard: list[tuple[Part | Answer | Text, int]]


def look(
    data: bytes,
    complete: bytes,
    ends: Int64,
    reader: SampleReader,
    counter: FrameCounter,
    limits: tuple[int, int],
    text: Callable[[Message], Text],
) -> Plain | None:
    """Return what reads hold, or None where they are not plain.

    Args:
        data: The bytes of all reads.
        complete: Whole frames with their zeros, from what was held back on.
        ends: int64 `(reads,)`, how many bytes of `data` have come with each read.
        reader: Reads samples.
        counter: Frames so far.
        limits: Bits of the CRC and the longest frame, as HELLO named them.
        text: Makes a line for people of a LOG.
    """
    frames = decode_bulk(complete, *limits)
    if frames.damaged or not len(frames):
        return None
    # A frame belongs to the read that brought its last byte.
    stops = np.cumsum(frames.size) - (len(complete) - (data.rfind(0) + 1))
    read = np.searchsorted(ends, stops)
    heads = heads_of(frames)
    if not counter.follows(heads["seq"]):
        return None
    single = is_single(heads)
    singles = np.flatnonzero(single)
    others = _messages(frames, singles, text)
    if others is None:
        return None
    runs: list[tuple[Samples, Int64]] = []
    parts: list[tuple[int, Part, int]] = []
    for at, run in enumerate(grouped(frames, heads, np.flatnonzero(~single)) if len(singles) < len(frames) else ()):
        samples, which = reader.read(run), run.which
        if not isinstance(samples, Samples) or which is None:
            return None
        came = read[which]
        runs.append((samples, came if run.n == 1 else np.repeat(came, run.n)))
        before = np.searchsorted(singles, which)
        cuts = [0, *(np.flatnonzero(before[1:] != before[:-1]) + 1).tolist(), run.count]
        parts += [
            (int(before[start]), Part(at, start * run.n, stop * run.n), int(came[stop - 1]))
            for start, stop in pairwise(cuts)
        ]
    parts.sort(key=lambda part: part[0])  # runs keep their order between two messages
    heard = list(_merged(parts, others, read[singles].tolist()))
    return Plain(data, int(frames.size.sum()), heads["seq"], runs, heard)


def _messages(frames: Frames, singles: Int64, text: Callable[[Message], Text]) -> list[Answer | Text] | None:
    """Return what is no samples; None where it is not plain."""
    found: list[Answer | Text] = []
    for index in singles.tolist():
        body = frames.body(index)
        kind, flags, _ = HEADER.unpack_from(body)
        if kind not in _KINDS or flags & (PARTS | UNKNOWN_FLAGS):
            return None
        message = unpack(kind, flags, body[HEADER.size :])
        if message is None:
            return None
        found.append(text(message) if message.kind == Kind.LOG else Answer(message))
    return found


def _merged(
    parts: list[tuple[int, Part, int]], others: list[Answer | Text], read: list[int]
) -> Iterator[tuple[Part | Answer | Text, int]]:
    """Yield everything in order: parts by how many messages come before them, and the messages."""
    at = 0
    for count, other in enumerate(others):
        while at < len(parts) and parts[at][0] <= count:
            yield parts[at][1:]
            at += 1
        yield other, read[count]
    for part in parts[at:]:
        yield part[1:]
