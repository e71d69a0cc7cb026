"""The part of a conversation that a scenario judges: its samples by their own time, its books by what brought them.

Rule of this room: the books begin with the read that brings the first sample of the readings and end with the one that
brings the last; what came along with these and lies outside is taken off again. So a link is judged by the readings
that were asked for, on every target, and what became of those before and after them plays no part.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Gap, Item
from firmware_bridge.ledger import Books, SampleBooks
from hil.scenario.evidence.pieces import difference, within
from hil.scenario.evidence.stretches import Passing, Stretch, stretch_within

__all__ = ["EVER", "Span"]

EVER = 1 << 62
"""A time that never comes."""


@dataclass(slots=True, eq=False)
class Span:
    """Readings from one time to another, UTC ns.

    Attributes:
        start_ns: Samples before it are not judged.
        end_ns: Samples from it on are not judged.
    """

    start_ns: int = -EVER
    end_ns: int = EVER
    _before: Books | None = None
    _after: Books | None = None
    _last: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    _missing: "Counter[tuple[str, int]]" = field(default_factory=Counter)
    _passed: "Counter[tuple[str, int]]" = field(default_factory=Counter)
    _outside: "Counter[tuple[str, int]]" = field(default_factory=Counter)

    def cut(self, passing: Passing) -> Passing:
        """Return what passes with the samples within, and keep the books of those.

        Args:
            passing: In the order of the conversation; what holds samples of both sides of the beginning is one read.
        """
        before, inside = passing.t_ns < self.start_ns, False
        gaps: list[Gap] = []
        for item in passing.items:
            if isinstance(item, Batch):
                gaps += self._missed(item, passing.items)
                low, high = (int(at) for at in np.searchsorted(item.t_ns, (self.start_ns, self.end_ns)))
                self._passed[item.stream.name, item.boot] += len(item) - high + (0 if before else low)
                inside |= low < high
        if passing.books is not None:
            if before:
                self._before = passing.books
            elif inside or passing.t_ns < self.end_ns:
                self._after, self._outside = passing.books, self._passed.copy()
        if isinstance(passing, Stretch):
            return stretch_within(passing, self.start_ns, self.end_ns)
        cut = within(passing, self.start_ns, self.end_ns)
        return replace(cut, items=(*cut.items, *gaps)) if gaps else cut

    def books(self, last: Books) -> Books:
        """Return the books of the readings within.

        Args:
            last: Those of the whole conversation, where nothing was cut.
        """
        books = difference(last if self._after is None else self._after, self._before)
        streams = {key: _corrected(part, self._outside[key], self._missing[key]) for key, part in books.streams.items()}
        return replace(books, streams=streams)

    def _missed(self, batch: Batch, items: Sequence[Item]) -> Iterator[Gap]:
        """Yield the part within of a gap that the first sample after the end has found."""
        key = (batch.stream.name, batch.boot)
        number, t_ns = self._last.get(key, (batch.first, self.end_ns))
        self._last[key] = (batch.end, int(batch.t_ns[-1]))
        if number == batch.first or not t_ns < self.end_ns <= int(batch.t_ns[0]) or t_ns < self.start_ns:
            return
        step_ns = (int(batch.t_ns[0]) - t_ns) / (batch.first - number + 1)
        count = min(batch.first - number, ceil((self.end_ns - t_ns) / step_ns) - 1)
        gap = next((one for one in items if isinstance(one, Gap) and one.stream == batch.stream.name), None)
        if count > 0 and gap is not None:
            self._missing[key] += count
            yield replace(gap, count=count)


def _corrected(books: SampleBooks, outside: int, missing: int) -> SampleBooks:
    """Return the books of a stream without samples that were delivered outside, and with those found missing within."""
    expected = None if books.expected is None else books.expected - outside + missing
    unattributed = None if books.unattributed is None else books.unattributed + missing
    return replace(books, received=books.received - outside, delivered=books.delivered - outside, expected=expected,
                   unattributed=unattributed)  # fmt: skip
