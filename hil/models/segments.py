"""Batches and events of one stream into hop blocks: where a model's input starts, breaks and ends.

Rule: pure bookkeeping by sample number. Blocks are anchored at sample 0 modulo hop, so that neither a seek nor the
start of a segment shifts them; whatever breaks the sequence (gap, reboot, new boot, rate change, a number that does
not follow) ends the segment: its unfinished block is dropped and the next block carries `reset`. A decision is due at
the end of every block; it is made when all of its memory lies in one segment, `warming` when that memory lies before
the first sample ever seen, and `missed` otherwise.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch

__all__ = ["Block", "Coverage", "Segmenter"]


class Block(NamedTuple):
    """One hop of one stream.

    Attributes:
        raw: `(hop, C)` in the wire's dtype and the stream's channel order; zeros before the segment's first sample.
        reset: The block begins a segment.
        decide: A decision is due at its end and its memory is complete.
        boot: Boot of the board.
        end: Number of the sample after the last.
        t_ns: UTC of the last sample.
    """

    raw: npt.NDArray[Any]
    reset: bool
    decide: bool
    boot: int
    end: int
    t_ns: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Decisions of one stream.

    Attributes:
        made: Decided.
        warming: Memory before the first sample seen: nobody could have decided.
        missed: Lost to gaps, reboots and rate changes; errors in every score.
        refused: Why the stream does not fit now; empty when it does.
    """

    made: int
    warming: int
    missed: int
    refused: str = ""

    @property
    def share(self) -> float | None:
        """Decisions made of those that could be expected; None before the first."""
        expected = self.made + self.missed
        return self.made / expected if expected else None


class Segmenter:
    """Cuts one stream into blocks.

    Args:
        hop: Samples in a block.
        memory: Samples that a decision depends on.
    """

    __slots__ = ("_broken", "_partial", "_reset", "blocks", "boot", "due", "hop", "made", "memory", "next", "origin",
                 "start", "warming")  # fmt: skip

    def __init__(self, hop: int, memory: int) -> None:
        self.hop = hop
        self.memory = memory
        self.blocks: deque[Block] = deque()
        self.boot = -1
        self.origin: int | None = None  # first sample of the first boot; None again after a reboot
        self.start = 0  # first sample of the segment
        self.next = -1  # number that would continue it
        self.due = self.made = self.warming = 0
        self._broken = True  # the next sample begins a segment
        self._reset = True  # the next block is a segment's first
        self._partial: npt.NDArray[Any] = np.zeros((hop, 0))

    def feed(self, batch: Batch) -> None:
        """Take the next batch of the stream."""
        count = len(batch.raw)
        if not count:
            return
        follows = batch.first == self.next and batch.boot == self.boot
        if follows and count == self.hop and not (self._broken or self.next % count):
            self.next += count  # the usual case at the bench: exactly the next hop
            self._emit(batch.raw, self.next, int(batch.t_ns[-1]))
            return
        if not follows:
            self._jump(batch)
        if self._broken:
            self.start = batch.first
            self._broken = False
            self._reset = True
            self._partial = np.zeros((self.hop, *batch.raw.shape[1:]), batch.raw.dtype)
        hop, number, at = self.hop, batch.first, 0
        while at < count:
            offset = number % hop
            take = min(hop - offset, count - at)
            if take == hop:
                self._emit(batch.raw[at : at + hop], number + hop, int(batch.t_ns[at + hop - 1]))
            else:
                self._partial[offset : offset + take] = batch.raw[at : at + take]
                if offset + take == hop:
                    self._emit(self._partial, number + take, int(batch.t_ns[at + take - 1]))
                    self._partial = np.zeros_like(self._partial)
            at += take
            number += take
        self.next = number

    def take(self, most: int) -> list[Block]:
        """Take up to `most` blocks of one segment from those that wait."""
        taken = [self.blocks.popleft()]
        while self.blocks and len(taken) < most and not self.blocks[0].reset:
            taken.append(self.blocks.popleft())
        return taken

    def cut(self) -> None:
        """End the segment: what follows shares no window with what came before."""
        self._broken = True

    def skip(self, end: int) -> None:
        """End the segment; samples before `end` will not come."""
        if self.next >= 0 and end > self.next:
            self._expect(self.next, end)
            self.next = end
        self.cut()

    def coverage(self, refused: str = "") -> Coverage:
        """Return the counts so far."""
        return Coverage(self.made, self.warming, self.due - self.made - self.warming, refused)

    def _jump(self, batch: Batch) -> None:
        if batch.boot == self.boot and batch.first > self.next:
            self.skip(batch.first)
        elif self.boot < 0:
            self.origin = batch.first
        elif batch.boot != self.boot:
            self.origin = None  # the board's own doing: what it costs is missed, not warming
        self.boot = batch.boot
        self.cut()

    def _expect(self, after: int, end: int) -> None:
        """Count the decisions due at block ends in `(after, end]`."""
        self.due += end // self.hop - after // self.hop
        if self.origin is not None:
            low, high = max(after, self.origin), min(end, self.origin + self.memory - 1)
            self.warming += max(0, high // self.hop - low // self.hop)

    def _emit(self, raw: npt.NDArray[Any], end: int, t_ns: int) -> None:
        self.due += 1
        decide = end - self.memory >= self.start
        if decide:
            self.made += 1
        elif self.origin is not None and end - self.memory < self.origin:
            self.warming += 1
        self.blocks.append(Block(raw, self._reset, decide, self.boot, end, t_ns))
        self._reset = False
