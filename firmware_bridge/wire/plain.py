"""Many reads at once, where they hold nothing out of the ordinary: for replay, with what reading one by one gives.

Rule of this room: looking changes nothing. Plain are whole frames with right CRCs that follow each other without a
loss: samples, pongs, status and log lines of a board that is known. Anything else (damage, a HELLO, a fragment, an
answer to a command) is nobody's business here: the reads are then taken one by one, and there alone stands what it
means.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.bulk import decode_bulk
from firmware_bridge.wire.dialect import Answer, Samples, Text
from firmware_bridge.wire.messages import HEADER, Kind, Message, unpack
from firmware_bridge.wire.samples import SampleReader
from firmware_bridge.wire.sequence import FrameCounter
from firmware_bridge.wire.walk import PARTS, UNKNOWN_FLAGS, Run, walk_many

__all__ = ["Plain", "look"]

Int64 = npt.NDArray[np.int64]

_KINDS = (Kind.PONG, Kind.STATUS, Kind.LOG)


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """What reads hold.

    Attributes:
        data: Their bytes, end to end.
        size: Bytes of all frames, with what was held back before.
        numbers: uint16, sequence numbers of the frames.
        heard: What was heard, in order, each with the read that completed it: int64 `(N,)`, one for each sample;
            `(1,)` for anything else. Samples are grouped by stream between two other messages.
    """

    data: bytes
    size: int
    numbers: npt.NDArray[np.uint16]
    heard: list[tuple[Samples | Answer | Text, Int64]]


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
    heads = frames.data[frames.start[:, None] + np.arange(HEADER.size)]
    numbers: npt.NDArray[np.uint16] = heads[:, 2].astype(np.uint16) | heads[:, 3].astype(np.uint16) << 8
    if not counter.follows(numbers):
        return None
    heard: list[tuple[Samples | Answer | Text, Int64]] = []
    for step in walk_many(frames, FrameCounter()):
        if isinstance(step, Run):
            samples = reader.read(step)
            if not isinstance(samples, Samples) or step.which is None:
                return None
            heard.append((samples, read[step.which] if step.n == 1 else np.repeat(read[step.which], step.n)))
            continue
        kind, flags, _ = HEADER.unpack_from(step.body)
        if kind not in _KINDS or flags & (PARTS | UNKNOWN_FLAGS):
            return None
        message = unpack(kind, flags, step.body[HEADER.size :])
        if message is None:
            return None
        at = step.walked - 1
        heard.append((text(message) if message.kind == Kind.LOG else Answer(message), read[at : at + 1]))
    return Plain(data, int(frames.size.sum()), numbers, heard)
