"""Reads and writes that follow each other, taken at once: the speed of a replay, with what one after another gives.

Rule of this room: first everything is looked at and nothing changed. Only where the reads are plain (see `plain`), the
samples go on where their streams stand, clocks run as they did and STATUS is of our run, they are taken, messages in
their order with the writes before them. A dialect takes part by `look` and `took`; for others there is no short way.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from firmware_bridge.events import Item
from firmware_bridge.ledger import Books
from firmware_bridge.wire.boots import Boots
from firmware_bridge.wire.dialect import Answer, Dialect, Heard
from firmware_bridge.wire.follow import Follower
from firmware_bridge.wire.messages import Flag, Kind, Message
from firmware_bridge.wire.plain import Part, Plain
from firmware_bridge.wire.times import Times
from firmware_bridge.wire.traffic import Traffic

__all__ = ["Looked", "Looking", "Together", "look_together"]

Int64 = npt.NDArray[np.int64]


@runtime_checkable
class Looking(Protocol):
    """A dialect that can look at many reads without taking them."""

    def look(self, data: bytes, ends: Int64) -> Plain | None:
        """Return what reads hold where it is plain, and take nothing."""

    def took(self, plain: Plain) -> None:
        """Take the reads that were looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """What many reads of one board meant.

    Attributes:
        items: Events in their order, then one batch for each stream.
        came: int64 `(N,)` for each stream's batch: UTC ns of the read that completed each sample.
        books: The ledger after the last read.
    """

    items: tuple[Item, ...]
    came: Mapping[str, Int64]
    books: Books


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Reads and writes that may be taken at once.

    Attributes:
        traffic: The reads and writes.
        plain: What the reads hold.
        came: UTC ns of each read, int64.
        last_ns: When the last read came.
    """

    traffic: Traffic
    plain: Plain
    came: Int64
    last_ns: int
    dialect: Looking
    follow: Follower

    def written(self, read: Callable[[bytes], Iterable[Message]]) -> list[tuple[int, Message, int]]:
        """Return what was written: before which read (its index), the message, and when.

        Args:
            read: Takes bytes that were written and returns the messages in them.
        """
        traffic, before = self.traffic, np.cumsum(self.traffic.read)
        return [
            (int(before[at]), message, int(traffic.t_ns[at]))
            for at in np.flatnonzero(~traffic.read).tolist()
            for message in read(traffic.data[at])
        ]

    def answers(self) -> Iterator[tuple[Message, int]]:
        """Return what the board answered, and when it came."""
        return ((one.message, int(self.came[read])) for one, read in self.plain.heard if isinstance(one, Answer))

    def take(
        self,
        hear: Callable[[Heard, int], None],
        wrote: Callable[[Message, int], None],
        written: Iterable[tuple[int, Message, int]],
    ) -> dict[str, Int64]:
        """Take them.

        Args:
            hear: Takes a message that came at a time.
            wrote: Takes a message that was written at a time.
            written: What was written, see there.

        Returns:
            When each sample came, by stream.
        """
        self.dialect.took(self.plain)
        parts: dict[str, list[Int64]] = {}
        passages = []
        for samples, reads in self.plain.runs:
            came = self.came[reads]
            parts.setdefault(samples.stream.name, []).append(came)
            passages.append(self.follow.passage(samples, came))
        waiting = deque(written)
        for one, read in self.plain.heard:
            if isinstance(one, Part):
                passages[one.run].take(one.start, one.stop)
                continue
            while waiting and waiting[0][0] <= read:  # what was written before this read came
                wrote(*waiting.popleft()[1:])
            hear(one, int(self.came[read]))
        for _, message, now in waiting:
            wrote(message, now)
        for passage in passages:
            passage.end()
        return {name: np.concatenate(several) for name, several in parts.items()}


def look_together(
    traffic: Traffic, dialect: Dialect, follow: Follower, times: Times, boots: Boots, hz: float | None
) -> Looked | None:
    """Look at reads and writes; None where they must be taken one by one.

    Args:
        traffic: Reads and writes of one board that follow each other.
        dialect: How it talks.
        follow: What became of its samples.
        times: Its clocks.
        boots: Its run.
        hz: Ticks a second of the clock that pings date; None: it has none.
    """
    if not isinstance(dialect, Looking) or not traffic.read.any() or not boots.settled:
        return None
    reads = list(compress(traffic.data, traffic.read.tolist()))
    plain = dialect.look(b"".join(reads), np.cumsum(list(map(len, reads))))
    if plain is None:
        return None
    when = traffic.t_ns[traffic.read]
    if not follow.is_plain([(samples, when[read]) for samples, read in plain.runs]):
        return None
    looked = Looked(traffic, plain, when, int(when[-1]), dialect, follow)
    answers = list(looked.answers())
    if not all(boots.runs(message.nonce) for message, _ in answers if message.kind == Kind.STATUS):
        return None
    pongs = [(message, now) for message, now in answers if message.kind == Kind.PONG]
    return looked if hz is None or _on_time(pongs, times, hz) else None


def _on_time(pongs: Iterable[tuple[Message, int]], times: Times, hz: float) -> bool:
    """Whether the clock runs as it did in answers to pings."""
    told: dict[int, list[tuple[int, int]]] = {}
    for message, now in pongs:
        told.setdefault(64 if message.flags & Flag.TICK64 else 32, []).append((message.tick_received, now))
    return all(
        times.is_plain(
            hz, np.array([tick for tick, _ in several], np.uint64), bits, np.array([now for _, now in several])
        )
        for bits, several in told.items()
    )
