"""Arrivals cut and turned: to a part of the readings, under another role, into the smallest pieces.

Rule of this room: pure; what a scenario asks of a run must not depend on how its input was cut, and here it is cut.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Gap, Item
from firmware_bridge.ledger import Books, SampleBooks, WindowBooks
from firmware_bridge.wire.protocol import Session

__all__ = ["bytewise", "difference", "renamed", "shattered", "within"]


def within(arrival: Arrival, start_ns: int, end_ns: int) -> Arrival:
    """Return an arrival with the samples taken in `[start_ns, end_ns)`.

    A gap stays with the sample behind it, however late it was found; other events go by their own time.
    """
    items: list[Item] = []
    behind: dict[str, bool] = {}
    for item in reversed(arrival.items):
        if isinstance(item, Batch):
            low, high = (int(at) for at in np.searchsorted(item.t_ns, (start_ns, end_ns)))
            behind[item.stream.name] = low == 0 < high
            if low < high:
                items.append(item if (low, high) == (0, len(item)) else item.part(low, high))
        elif behind.get(item.stream, False) if isinstance(item, Gap) else start_ns <= item.t_ns < end_ns:
            items.append(item)
    return replace(arrival, items=tuple(reversed(items)))


def renamed(arrival: Arrival, role: str) -> Arrival:
    """Return an arrival of imported readings under the role that the scenario gives."""
    return replace(arrival, board=role, items=tuple(replace(item, board=role) for item in arrival.items))


def bytewise(session: Session, arrival: Arrival) -> Arrival:
    """Return what an arrival means when its bytes come one by one, at the same time."""
    if arrival.kind != "rx":
        return session.apply(arrival)
    items: list[Item] = []
    for at in range(len(arrival.data)):
        items += session.received(arrival.data[at : at + 1], arrival.t_ns)
    return replace(arrival, items=tuple(items), books=session.books())


def shattered(arrival: Arrival, draw: random.Random) -> Iterator[Arrival]:
    """Yield an arrival with one item each, batches cut at random places."""
    yield replace(arrival, items=())
    for item in arrival.items:
        if not isinstance(item, Batch) or len(item) < 2:
            yield replace(arrival, kind="note", data=b"", items=(item,), books=None)
            continue
        at = 0
        while at < len(item):
            size = draw.randint(1, max(1, min(len(item), 40)))
            yield replace(arrival, kind="note", data=b"", items=(item.part(at, min(at + size, len(item))),), books=None)
            at += size


def difference(books: Books, before: Books | None) -> Books:
    """Return what the books say of the time since `before`."""
    if before is None:
        return books
    streams = {
        key: _less(part, before.streams[key]) if key in before.streams else part for key, part in books.streams.items()
    }
    buckets: Mapping[str, int] = {key: count - before.buckets.get(key, 0) for key, count in books.buckets.items()}
    return Books(
        books.bytes_received - before.bytes_received,
        buckets,
        books.pending - before.pending,
        streams,
        None
        if None in (books.frames_lost, before.frames_lost)
        else (books.frames_lost or 0) - (before.frames_lost or 0),
        {key: part.less(before.windows.get(key, WindowBooks())) for key, part in books.windows.items()},
    )


def _less(books: SampleBooks, before: SampleBooks) -> SampleBooks:
    counts: dict[str, Any] = {}
    for key in SampleBooks.__dataclass_fields__:
        now, then = getattr(books, key), getattr(before, key)
        counts[key] = None if now is None or then is None else now - then
    return SampleBooks(**counts)
