"""Parts that tests of the native dialect share: what was heard, by kind, and a board's usual talk."""

from collections.abc import Iterable
from itertools import pairwise

from firmware_bridge.wire.dialect import Damaged, Samples
from firmware_bridge.wire.native import NativeDialect


def told(heard: Iterable[object]) -> dict[str, list[object]]:
    """What was heard, independent of how it was cut: samples joined a stream, other things in order."""
    found: dict[str, list[object]] = {"other": []}
    for each in heard:
        if isinstance(each, Samples):
            assert each.number is not None
            ticks = [None] * len(each.raw) if each.ticks is None else each.ticks.tolist()
            rows = zip(each.number.tolist(), ticks, each.raw.tolist(), strict=True)
            found.setdefault(each.stream.name, []).extend((*row, each.stream.rate_hz) for row in rows)
        elif not isinstance(each, Damaged):
            found["other"].append(each)
    return found


def feed(data: bytes, cuts: Iterable[int] = ()) -> tuple[dict[str, list[object]], dict[str, int], int]:
    dialect, heard = NativeDialect(), []
    places = [0, *cuts, len(data)]
    for start, stop in pairwise(places):
        heard += dialect.feed(data[start:stop], 0)
    assert sum(dialect.books.values()) + dialect.pending == len(data)
    assert min(dialect.books.values()) >= 0
    counted = dict.fromkeys(dialect.books, 0)
    for each in heard:
        if isinstance(each, Damaged):
            counted[each.kind] += each.count
    assert {kind: count for kind, count in dialect.books.items() if kind != "frames"} == {
        kind: count for kind, count in counted.items() if kind != "frames"
    }
    return told(heard), dict(dialect.books), dialect.pending
