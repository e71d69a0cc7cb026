"""Recorded arrivals in stretches: taken together where all is plain, one by one where anything happened.

Rule of this room: a stretch means what its arrivals mean one after another, and keeps when each of its samples came;
where the session will not take it at once it is halved, down to single arrivals. Links that change, and the time at
which the asked-for readings begin, end a stretch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Item, Prediction
from firmware_bridge.ledger import Books
from firmware_bridge.wire.protocol import Session
from firmware_bridge.wire.traffic import Traffic

__all__ = ["Passing", "Stretch", "in_stretches", "single", "stretch_within"]

Int64 = npt.NDArray[np.int64]

MOST = 2048
"""Arrivals of the longest stretch: half a minute of a board that is read every 20 ms."""
FEWEST = 8
"""Below so many arrivals taking them together costs more than it saves."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Many arrivals of one board, with what they meant.

    Attributes:
        board: Role of the board.
        t_ns: When the last of them came, UTC.
        reads: int64 `(reads,)`, when each read came.
        items: What they meant: events, then one batch for each stream.
        came: int64 `(N,)` for each stream's batch, when each of its samples came.
        books: The ledger after them.
    """

    board: str
    t_ns: int
    reads: Int64
    items: tuple[Item, ...]
    came: Mapping[str, Int64] = field(default_factory=dict)
    books: Books | None = None

    def came_at(self, decisions: Iterable[Prediction]) -> Iterator[int]:
        """Yield when the last sample of each decision came, UTC ns."""
        first = {one.stream.name: one.first for one in self.items if isinstance(one, Batch)}
        return (int(self.came[one.stream][one.sample - first[one.stream]]) for one in decisions)


Passing = Arrival | Stretch
"""What passes in a run: an arrival with its items, or many."""


def single(passing: Passing) -> Arrival:
    """Return an arrival where arrivals pass one by one, as they do before a recorder or anybody who looks."""
    assert isinstance(passing, Arrival)
    return passing


def in_stretches(
    session: Session, passing: Iterable[Arrival | Traffic], start_ns: int, end_ns: int
) -> Iterator[Passing]:
    """Yield arrivals with what they mean, many at once where that makes no difference.

    Args:
        session: The conversation.
        passing: Of its board, in recorded order.
        start_ns: A time that no stretch may cover both sides of.
        end_ns: From this time on arrivals come one by one, so that each has its own books.
    """
    waiting: list[Traffic] = []
    for piece in passing:
        if isinstance(piece, Arrival) and piece.kind in ("rx", "tx"):
            piece = Traffic.of([piece])
        if isinstance(piece, Arrival):
            yield from _all_taken(session, waiting, start_ns, end_ns)
            waiting = []
            yield session.apply(piece)
            continue
        if sum(map(len, waiting)) + len(piece) > MOST:
            yield from _all_taken(session, waiting, start_ns, end_ns)
            waiting = []
        waiting.append(piece)
    yield from _all_taken(session, waiting, start_ns, end_ns)


def _all_taken(session: Session, waiting: Sequence[Traffic], start_ns: int, end_ns: int) -> Iterator[Passing]:
    if not waiting:
        return
    whole = Traffic.joined(waiting)
    sides = np.searchsorted((start_ns, end_ns), whole.t_ns, side="right")
    cuts = {0, len(whole), *range(MOST, len(whole), MOST), *(np.flatnonzero(sides[1:] != sides[:-1]) + 1).tolist()}
    for start, stop in pairwise(sorted(cuts)):
        part = whole.part(start, stop)
        yield from _taken(session, part) if sides[start] < 2 else map(session.apply, part.arrivals())


def _taken(session: Session, traffic: Traffic) -> Iterator[Passing]:
    if len(traffic) < FEWEST:
        yield from map(session.apply, traffic.arrivals())
        return
    found = session.together(traffic)
    if found is None:
        half = len(traffic) // 2
        yield from _taken(session, traffic.part(0, half))
        yield from _taken(session, traffic.part(half, len(traffic)))
        return
    reads = traffic.t_ns[traffic.read]
    yield Stretch(traffic.board, int(traffic.t_ns[-1]), reads, found.items, found.came, found.books)


def stretch_within(stretch: Stretch, start_ns: int, end_ns: int) -> Stretch:
    """Return a stretch with the samples taken in `[start_ns, end_ns)`; events keep their own time of the board."""
    items: list[Item] = []
    came = dict(stretch.came)
    for item in stretch.items:
        if isinstance(item, Batch):
            low, high = (int(at) for at in np.searchsorted(item.t_ns, (start_ns, end_ns)))
            came[item.stream.name] = came[item.stream.name][low:high]
            if low < high:
                items.append(item.part(low, high))
        elif start_ns <= item.t_ns < end_ns:
            items.append(item)
    return replace(stretch, items=tuple(items), came=came)
