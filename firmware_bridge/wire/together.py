"""Reads and writes that follow each other, taken at once: the speed of a replay, with what one after another gives.

Rule of this room: first everything is looked at and nothing changed. Only where the reads are plain (see `plain`), the
samples go on where their streams stand, clocks run as they did and STATUS is of our run, they are taken, messages in
their order with the writes before them. A dialect takes part by `look` and `took`; for others there is no short way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Arrival, Item
from firmware_bridge.ledger import Books
from firmware_bridge.wire.boots import Boots
from firmware_bridge.wire.dialect import Answer, Dialect, Heard, Samples
from firmware_bridge.wire.follow import Follower
from firmware_bridge.wire.messages import Flag, Kind, Message
from firmware_bridge.wire.plain import Plain
from firmware_bridge.wire.times import Times

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
        arrivals: The reads and writes.
        plain: What the reads hold.
        came: UTC ns of the reads, int64, of each entry of `plain.heard`.
        last_ns: When the last read came.
    """

    arrivals: Sequence[Arrival]
    plain: Plain
    came: Sequence[Int64]
    last_ns: int
    dialect: Looking
    follow: Follower

    def take(
        self, hear: Callable[[Heard, int], None], sent: Callable[[bytes, int], Iterable[Item]]
    ) -> dict[str, Int64]:
        """Take them.

        Args:
            hear: Takes a message that came at a time.
            sent: Takes bytes that were written at a time.

        Returns:
            When each sample came, by stream.
        """
        self.dialect.took(self.plain)
        parts: dict[str, list[Int64]] = {}
        waiting, passed = iter(self.arrivals), 0
        for (one, read), came in zip(self.plain.heard, self.came, strict=True):
            if isinstance(one, Samples):
                self.follow.take_plain(one, came)
                parts.setdefault(one.stream.name, []).append(came)
                continue
            while passed <= int(read[0]):  # what was written before this read came
                arrival = next(waiting)
                passed += arrival.kind == "rx"
                if arrival.kind == "tx":
                    sent(arrival.data, arrival.t_ns)
            hear(one, int(came[0]))
        for arrival in waiting:
            if arrival.kind == "tx":
                sent(arrival.data, arrival.t_ns)
        return {name: np.concatenate(several) for name, several in parts.items()}


def look_together(
    arrivals: Sequence[Arrival], dialect: Dialect, follow: Follower, times: Times, boots: Boots, hz: float | None
) -> Looked | None:
    """Look at reads and writes; None where they must be taken one by one.

    Args:
        arrivals: Reads and writes of one board that follow each other.
        dialect: How it talks.
        follow: What became of its samples.
        times: Its clocks.
        boots: Its run.
        hz: Ticks a second of the clock that pings date; None: it has none.
    """
    reads = [one for one in arrivals if one.kind == "rx"]
    if not isinstance(dialect, Looking) or not reads or not boots.settled:
        return None
    plain = dialect.look(b"".join([one.data for one in reads]), np.cumsum([len(one.data) for one in reads]))
    if plain is None:
        return None
    when = np.array([one.t_ns for one in reads], np.int64)
    came = [when[read] for _, read in plain.heard]
    both = list(zip((one for one, _ in plain.heard), came, strict=True))
    if not follow.is_plain([(one, each) for one, each in both if isinstance(one, Samples)]):
        return None

    def tells_little(message: Message, each: Any) -> bool:
        if message.kind == Kind.STATUS:
            return boots.runs(message.nonce)
        bits = 64 if message.flags & Flag.TICK64 else 32
        return hz is None or times.is_plain(hz, np.array([message.tick_received], np.uint64), bits, each)

    if not all(tells_little(one.message, each) for one, each in both if isinstance(one, Answer)):
        return None
    return Looked(arrivals, plain, came, int(when[-1]), dialect, follow)
