"""Frames in order, for whoever must understand them: runs of equal-shaped SAMPLES at once, all others one by one.

Two walks with one behaviour, for the few frames of a live read (Python over bodies) and for bulk (NumPy over all of
them). Between two other frames SAMPLES are grouped by stream, streams in order of their ids, the frames of each in
order of arrival; a run is cut where flags, number of samples or length change. The walker may stop after any step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.wire.frames import Frames, Int64, Parts
from firmware_bridge.wire.messages import Flag, Kind
from firmware_bridge.wire.sequence import FrameCounter

__all__ = [
    "PARTS",
    "UNKNOWN_FLAGS",
    "Run",
    "Single",
    "Step",
    "grouped",
    "heads_of",
    "is_single",
    "walk_few",
    "walk_many",
]

PARTS = int(Flag.MORE | Flag.FRAGMENT)
UNKNOWN_FLAGS = 0xFF & ~int(Flag.MORE | Flag.FRAGMENT | Flag.DELTAS | Flag.TICK64)
_SAMPLES, _HELLO, _SPECIAL = int(Kind.SAMPLES), int(Kind.HELLO), PARTS | UNKNOWN_FLAGS

_HEADS = np.dtype([("kind", "u1"), ("flags", "u1"), ("seq", "<u2"), ("stream", "u1"), ("n", "u1")])
"""The front of every frame; `stream` and `n` are payload and mean something in SAMPLES only."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Whole SAMPLES frames of one stream and shape.

    Attributes:
        stream: Wire id.
        flags: Of every frame.
        n: Samples in every frame.
        length: Of every body, header and payload.
        count: Frames.
        size: Bytes they took on the wire.
        data: Where the bodies lie.
        start: Where the first begins.
        stride: From one to the next.
        which: Indices of its frames among all that were walked; None where nobody keeps them.
    """

    stream: int
    flags: int
    n: int
    length: int
    count: int
    size: int
    data: bytes | npt.NDArray[np.uint8]
    start: int
    stride: int
    which: Int64 | None = None

    def records(self, layout: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return the bodies as `(count,)` records of `layout`, which must be `length` long; no copy."""
        return np.ndarray((self.count,), layout, self.data, self.start, (self.stride,))


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """Any other frame: its header and payload, bytes on the wire, frames lost so far, and frames walked with it."""

    body: bytes
    size: int
    lost: int
    walked: int


Step = Run | Single


def walk_few(parts: Parts, counter: FrameCounter) -> Iterator[Step]:
    """Walk over single bodies; see the module."""
    tail = parts.tail
    waiting: dict[int, list[tuple[tuple[int, int, int], list[bytes], list[int]]]] = {}
    for walked, (body, length, size) in enumerate(zip(parts.bodies, parts.lengths, parts.sizes, strict=True), 1):
        flags = body[1]
        number = body[2] | body[3] << 8
        if body[0] == _SAMPLES and not flags & _SPECIAL:
            counter.step(number)
            key = (flags, body[5], length)
            runs = waiting.setdefault(body[4], [])
            if runs and runs[-1][0] == key:
                runs[-1][1].append(body)
                runs[-1][2].append(size)
            else:
                runs.append((key, [body], [size]))
            continue
        if waiting:
            yield from _runs(waiting, tail)
            waiting = {}
        if body[0] == _HELLO:
            counter.restart(number)
        else:
            counter.step(number)
        yield Single(body[: length - tail], size, counter.lost, walked)
    if waiting:
        yield from _runs(waiting, tail)


def _runs(waiting: dict[int, list[tuple[tuple[int, int, int], list[bytes], list[int]]]], tail: int) -> Iterator[Run]:
    for stream in sorted(waiting):
        for (flags, n, length), bodies, sizes in waiting[stream]:
            data = bodies[0] if len(bodies) == 1 else b"".join(bodies)
            yield Run(stream, flags, n, length - tail, len(bodies), sum(sizes), data, 0, length)


def walk_many(frames: Frames, counter: FrameCounter) -> Iterator[Step]:
    """Walk over frames in arrays; see the module."""
    n = len(frames)
    if not n:
        return
    heads = heads_of(frames)
    passed = 0
    for index in np.flatnonzero(is_single(heads)).tolist():
        if passed < index:
            counter.see(heads["seq"][passed:index])
            yield from grouped(frames, heads, np.arange(passed, index))
        passed = index + 1
        if heads["kind"][index] == _HELLO:
            counter.restart(int(heads["seq"][index]))
        else:
            counter.see(heads["seq"][index:passed])
        yield Single(frames.body(index), int(frames.size[index]), counter.lost, passed)
    if passed < n:
        counter.see(heads["seq"][passed:])
        yield from grouped(frames, heads, np.arange(passed, n))


def heads_of(frames: Frames) -> npt.NDArray[Any]:
    """Return kind, flags, sequence number, stream and number of samples of every frame, as records `(N,)`."""
    heads: npt.NDArray[Any] = _gather(frames, slice(0, len(frames)), _HEADS.itemsize).view(_HEADS)[:, 0]
    return heads


def is_single(heads: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which frames are no whole SAMPLES, bool `(N,)`."""
    single: npt.NDArray[np.bool_] = (heads["kind"] != _SAMPLES) | ((heads["flags"] & _SPECIAL) != 0)
    return single


def grouped(frames: Frames, heads: npt.NDArray[Any], which: Int64) -> Iterator[Run]:
    """Yield runs of SAMPLES frames, stream by stream; see the module.

    Args:
        frames: All frames.
        heads: Theirs.
        which: Indices of the frames, in order of arrival, at least one.
    """
    heads, length = heads[which], frames.length[which]
    key = (
        (heads["stream"].astype(np.int64) << 48) | (heads["flags"].astype(np.int64) << 40)
        | (heads["n"].astype(np.int64) << 32) | length
    )  # fmt: skip
    order = np.argsort(heads["stream"], kind="stable")
    cuts = [0, *(np.flatnonzero(np.diff(key[order])) + 1).tolist(), len(order)]
    for begin, end in pairwise(cuts):
        chosen = which[order[begin:end]]
        head, long, size = heads[order[begin]], int(length[order[begin]]), int(frames.size[chosen].sum())
        starts = frames.start[chosen]
        stride = int(starts[1] - starts[0]) if len(starts) > 1 else long
        data, first = frames.data, int(starts[0])
        if not bool((starts[1:] - starts[:-1] == stride).all()):
            data, first, stride = _gather(frames, chosen, long), 0, long
        yield Run(
            int(head["stream"]), int(head["flags"]), int(head["n"]), long, len(chosen), size, data, first, stride,
            chosen,
        )  # fmt: skip


def _gather(frames: Frames, which: Int64 | slice, width: int) -> npt.NDArray[np.uint8]:
    gathered: npt.NDArray[np.uint8] = frames.data[frames.start[which][:, None] + np.arange(width)]
    return gathered
