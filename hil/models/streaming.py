"""The executor: batches and events of many boards in, decisions out, one fixed shape for all.

Rule: a decision is a function of (board, stream, boot, sample number) and the samples of its memory, and of nothing
else: not of how the input was split into batches, of which boards came first, or of the time of day. Every call of the
network computes `slots x hop` rows; a board keeps its slot; what breaks a stream's sequence clears its state
(`hil.models.segments`). Offline is the same thing fed from the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Disconnected, Event, Gap, Item, Prediction, RateChanged, Rebooted
from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.group import Group
from hil.models.matching import has_channels, match
from hil.models.post import Decider, Post
from hil.models.scanning import Step
from hil.models.segments import Block, Coverage, Segmenter

__all__ = ["Runner", "Tap"]

Tap = Callable[[Sequence[tuple[str, str, Block, int]], npt.NDArray[np.float32], npt.NDArray[np.float32]], None]
"""Takes what one call of the network was given: board, stream, block and row of each hop; normalised readings
`(slots, hop, C)` and outputs `(slots, classes)`, which are the network's own and are filled again by the next call."""


@dataclass(slots=True, eq=False)
class _Feed:
    """One stream of one board and the slot it keeps."""

    board: str
    name: str
    stream: Stream
    segments: Segmenter
    group: Group
    row: int
    decider: Decider | None = None
    picked: tuple[int, ...] = ()
    refused: str = ""


class Runner:
    """Runs one model on the streams of many boards.

    Args:
        contract: The model's contract.
        make_step: Makes the network for a number of slots; called once for every `slots` boards.
        boards: Roles to read; a stream of theirs that does not fit is an error. None: every stream that fits.
        slots: Boards in one call.
        slot_map: Slot of every `board/stream`, as an earlier run's `slot_map` gave it.
        sha256: Identity of the model file, for `identity`.

    Boards in `boards` have slots by name; others get the next free one when first seen, and `slot_map` tells which.
    """

    def __init__(
        self,
        contract: Contract,
        make_step: Callable[[int], Step],
        *,
        boards: Iterable[str] | None = None,
        slots: int = 8,
        slot_map: Mapping[str, int] | None = None,
        sha256: str = "",
    ) -> None:
        if slots < 1:
            raise UsageError(f"slots is {slots}", "runner", "give at least 1")
        self.contract = contract
        self.slots = slots
        self.sha256 = sha256
        self._make_step = make_step
        self._boards = None if boards is None else sorted(boards)
        self._fixed = dict(slot_map or {})
        self._groups: list[Group] = [self._new_group()]
        self._feeds: dict[tuple[str, str], _Feed | None] = {}
        self.calls = 0
        """How often the network was called."""
        self.tap: Tap | None = None
        """Is shown every hop and what the network gave for it."""

    def push(self, items: Iterable[Item | Arrival]) -> list[Prediction]:
        """Take items in their order and return the decisions that they complete.

        Args:
            items: Batches and events, or arrivals that carry them.

        Returns:
            Decisions, in sample order for each board.

        Raises:
            UsageError: A stream of a board in `boards` does not fit the contract.
        """
        made: list[Prediction] = []
        for item in items:
            for inner in item.items if isinstance(item, Arrival) else (item,):
                if isinstance(inner, Batch):
                    self._batch(inner, made)
                else:
                    self._event(inner)
        self._drain(made)
        return made

    @property
    def slot_map(self) -> dict[str, int]:
        """Slot of every `board/stream` read so far."""
        return {
            f"{feed.board}/{feed.name}": self._groups.index(feed.group) * self.slots + feed.row
            for feed in self._feeds.values()
            if feed is not None
        }

    @property
    def coverage(self) -> dict[tuple[str, str], Coverage]:
        """Decisions made, warming and missed, by board and stream."""
        return {key: feed.segments.coverage(feed.refused) for key, feed in self._feeds.items() if feed is not None}

    def identity(self) -> dict[str, Any]:
        """What the last bits of a result depend on; plain JSON values, for the recording."""
        step = self._groups[0].step
        return {
            "model": self.contract.name,
            "version": self.contract.version,
            "sha256": self.sha256,
            "backend": step.backend,
            "backend_version": step.version,
            "slots": self.slots,
            "hop": self.contract.hop,
            "slot_map": self.slot_map,
        }

    def _new_group(self) -> Group:
        return Group(self.contract, self._make_step(self.slots))

    def _batch(self, batch: Batch, made: list[Prediction]) -> None:
        key = (batch.board, batch.stream.name)
        feed = self._feeds.get(key)
        if feed is None:
            if key in self._feeds:
                return
            feed = self._feeds[key] = self._bind(batch.board, batch.stream)
            if feed is None:
                return
        if feed.stream is not batch.stream and feed.stream != batch.stream:
            self._drain(made)  # what is waiting still has the old scale
            self._adopt(feed, batch.stream)
        if not feed.refused:
            feed.segments.feed(batch)
        else:
            feed.segments.skip(batch.end)

    def _event(self, event: Event) -> None:
        if isinstance(event, Gap | RateChanged):
            feed = self._feeds.get((event.board, event.stream))
            if feed is None:
                return
            if isinstance(event, Gap) and event.count is not None and event.boot == feed.segments.boot:
                feed.segments.skip(event.first + event.count)
            feed.segments.cut()
        elif isinstance(event, Rebooted):
            self._cut(event.board, counted=True)
        elif isinstance(event, Disconnected):
            self._cut(event.board, counted=False)
        elif isinstance(event, Connected) and self._boards is not None and event.board in self._boards:
            self._greet(event)

    def _greet(self, event: Connected) -> None:
        """Refuse a board that was asked for and has nothing to read."""
        if any(has_channels(self.contract, stream) for stream in event.info.streams):
            return
        wanted = ", ".join(item.channel for item in self.contract.inputs)
        names = "; ".join(f"{stream.name}: {', '.join(stream.channels)}" for stream in event.info.streams)
        raise UsageError(
            f"no stream has the channels {wanted} that model {self.contract.name} reads (it has {names})",
            event.board,
            "name another board",
        )

    def _cut(self, board: str, *, counted: bool) -> None:
        """End the segments of a board; streams whose samples carry numbers survive a mere disconnect."""
        for (role, _), feed in self._feeds.items():
            if role == board and feed is not None and (counted or not feed.stream.counted):
                feed.segments.cut()

    def _bind(self, board: str, stream: Stream) -> _Feed | None:
        asked = self._boards is not None
        if asked and board not in (self._boards or ()):
            return None
        if not has_channels(self.contract, stream):
            return None
        try:
            match(self.contract, stream, f"{board}/{stream.name}")
        except UsageError:
            if asked:
                raise
            return None
        slot = self._slot(board, stream.name)
        while len(self._groups) <= slot // self.slots:
            self._groups.append(self._new_group())
        group = self._groups[slot // self.slots]
        segments = Segmenter(self.contract.hop, self.contract.reach)
        feed = _Feed(board, stream.name, stream, segments, group, slot % self.slots)
        if self.contract.post != Post():
            feed.decider = Decider(self.contract.post)
        self._adopt(feed, stream)
        return feed

    def _slot(self, board: str, stream: str) -> int:
        fixed = self._fixed.get(f"{board}/{stream}")
        used = {self._groups.index(feed.group) * self.slots + feed.row for feed in self._feeds.values() if feed}
        if fixed is not None and fixed not in used:
            return fixed
        if self._boards is not None and not self._fixed and self._boards.index(board) not in used:
            return self._boards.index(board)
        first = len(self._boards or ())
        reserved = used | set(self._fixed.values())
        return next(slot for slot in range(first, first + len(reserved) + 1) if slot not in reserved)

    def _adopt(self, feed: _Feed, stream: Stream) -> None:
        """Read `stream` from now on, or say why it cannot be read.

        A better estimate of the rate alone is no break; another scale, column or refusal is.
        """
        before = (feed.stream.scale, feed.stream.offset, feed.picked, feed.refused)
        feed.stream = stream
        feed.refused = ""
        try:
            feed.picked = match(self.contract, stream, f"{feed.board}/{feed.name}")
        except UsageError as error:
            feed.refused = str(error)
        else:
            feed.group.adopt(feed.row, stream, feed.picked)
        if (stream.scale, stream.offset, feed.picked, feed.refused) != before:
            feed.segments.cut()

    def _drain(self, made: list[Prediction]) -> None:
        """Run every block that waits: one of each stream at a time, or many of one where that takes fewer calls.

        The decisions come as if one of each stream were taken in turn.
        """
        for group in self._groups:
            feeds = [feed for feed in self._feeds.values() if feed is not None and feed.group is group]
            found: list[tuple[int, int, Prediction]] = []
            turns = [0] * len(feeds)
            while waiting := [at for at, feed in enumerate(feeds) if feed.segments.blocks]:
                depth = {at: len(feeds[at].segments.blocks) for at in waiting}
                deepest = max(waiting, key=lambda at: depth[at])
                due: list[tuple[int, Block, int]]
                self.calls += 1
                if sum(-(-blocks // group.longest) for blocks in depth.values()) < depth[deepest]:
                    blocks = feeds[deepest].segments.take(group.longest)
                    due = [(deepest, block, row) for row, block in enumerate(blocks)]
                    outputs = group.scan(feeds[deepest].row, [block.raw for block in blocks], blocks[0].reset)
                else:
                    due = [(at, feeds[at].segments.blocks.popleft(), feeds[at].row) for at in waiting]
                    reset = [row for _, block, row in due if block.reset]
                    starts = [block.end - self.contract.hop for _, block, _ in due]
                    outputs = group.run([row for *_, row in due], [block.raw for _, block, _ in due], reset, starts)
                if self.tap is not None:
                    shown = [(feeds[at].board, feeds[at].name, block, row) for at, block, row in due]
                    self.tap(shown, group.step.input, outputs)
                told = self._told(group, outputs, [(feeds[at], block, row) for at, block, row in due])
                for (at, _, _), one in zip(due, told, strict=True):
                    if one is not None:
                        found.append((turns[at], at, one))
                    turns[at] += 1
            made += [one for _, _, one in sorted(found, key=lambda one: one[:2])]

    def _told(
        self, group: Group, outputs: npt.NDArray[np.float32], due: Sequence[tuple[_Feed, Block, int]]
    ) -> list[Prediction | None]:
        """Return the decision at the end of each block, by its row of the outputs; None where there is none."""
        told: list[Prediction | None] = [None] * len(due)
        if not any(block.decide or feed.decider is not None for feed, block, _ in due):
            return told
        scores = group.probabilities(outputs)
        best, rows = scores.argmax(axis=1).tolist(), scores.tolist()
        name, labels = self.contract.name, self.contract.labels
        for place, (feed, block, at) in enumerate(due):
            row, top = rows[at], best[at]
            if feed.decider is not None:
                taken = feed.decider.take(row, block.end, reset=block.reset, decide=block.decide)
                top, row = taken if taken is not None else (0, [math.nan])
            if not block.decide:
                continue
            if not row[top] >= 0.0:  # a reading was not a number: there is no decision to make
                feed.segments.made -= 1
                continue
            told[place] = Prediction(
                feed.board, block.t_ns, name, feed.name, block.boot, block.end - 1, labels[top], row[top], tuple(row)
            )
        return told
