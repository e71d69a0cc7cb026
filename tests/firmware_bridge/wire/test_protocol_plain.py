"""Boards without numbers, ticks or nonce: what they do not say stays unknown, what can be inferred is marked so."""

from typing import Any

import numpy as np
import pytest
from protocol_bench import MS, T0, kinds
from toy_board import IMU

from firmware_bridge.events import (
    Connected,
    Item,
)
from firmware_bridge.streams import BoardInfo, Stream  # fmt: skip
from firmware_bridge.wire.dialect import Described, Samples, Text
from firmware_bridge.wire.protocol import Session


class Plain:
    """A dialect without numbers: it says what the test gives it."""

    api_version, name, talks = 1, "plain", False

    def __init__(self) -> None:
        self.books: dict[str, int] = {"lines": 0}
        self.pending = 0
        self.next: list[Any] = []

    def feed(self, data: bytes, now: int) -> list[Any]:
        self.books["lines"] += len(data)
        heard, self.next = self.next, []
        return heard

    def end(self, now: int) -> list[Any]:
        return []

    def send(self, command: Any) -> bytes:
        return str(command).encode()


PLAIN = Stream("s", ("a",), ("?",), "<f4", (1,), 50.0, counted=False, checked=False, tick_hz=None)


COUNTED = Stream("s", ("a",), ("?",), "<f4", (1,), 50.0, tick_hz=None)


TICKED = Stream("s", ("a",), ("?",), "<f4", (1,), 50.0, counted=False, tick_hz=1000.0)


class PlainBench:
    def __init__(self, stream: Stream) -> None:
        self.stream, self.dialect, self.now = stream, Plain(), T0
        self.session = Session("p", self.dialect, nonce=1)
        self.session.opened("x", self.now)
        self.hear(Described(BoardInfo("unknown", "", "", (stream,), "plain")))

    def hear(self, *heard: Any, wait_ms: int = 20) -> list[Item]:
        self.now += wait_ms * MS
        self.dialect.next = list(heard)
        return self.session.received(b"x", self.now)

    def samples(self, *values: float, **more: Any) -> Samples:
        raw = np.array(values, "<f4")[:, None]
        return Samples(
            self.stream, raw, **{key: value if key == "number_bits" else np.array(value) for key, value in more.items()}
        )


def test_without_numbers_samples_are_counted_by_arrival_and_losses_are_unknown():
    bench = PlainBench(PLAIN)
    (first,) = bench.hear(bench.samples(1, 2))
    (second,) = bench.hear(bench.samples(3))
    assert (first.first, second.first, len(first)) == (0, 2, 2)
    assert first.t_ns.tolist() == [bench.now - 20 * MS] * 2
    assert first.ticks.tolist() == first.t_ns.tolist()
    books = bench.session.books().streams["s", 0]
    assert (books.received, books.delivered, books.lost, books.expected) == (3, 3, None, None)
    assert bench.session.due(bench.now) == (b"", None)


def test_without_numbers_a_silence_or_a_new_connection_is_a_gap_of_unknown_length():
    bench = PlainBench(PLAIN)
    bench.hear(bench.samples(1))
    gap, batch = bench.hear(bench.samples(2), wait_ms=1500)
    assert (gap.cause, gap.count, gap.first, batch.first) == ("silence", None, 1, 1)
    assert kinds(bench.session.closed("gone", bench.now)) == ["Disconnected"]
    bench.session.opened("x", bench.now)
    connected, gap, _ = bench.hear(bench.samples(3))
    assert isinstance(connected, Connected)
    assert (gap.cause, gap.count) == ("disconnected", None)


def test_a_counter_that_begins_again_is_an_inferred_reboot():
    bench = PlainBench(COUNTED)
    bench.hear(bench.samples(1, 2, number=[500, 501]))
    items = bench.hear(bench.samples(3, 4, 5, number=[502, 0, 1]))
    assert kinds(items) == ["Batch", "Rebooted", "Batch"]
    assert items[1].inferred
    assert (items[2].boot, items[2].first, len(items[2])) == (1, 0, 2)
    assert bench.session.books().closes() == []


@pytest.mark.parametrize(("first", "expected"), [(3, ["Rebooted", "Batch"]), (12, ["Gap", "Batch"]), (10, ["Batch"])])
def test_after_a_reconnect_any_step_back_of_a_counter_is_a_reboot(first, expected):
    bench = PlainBench(COUNTED)
    bench.hear(bench.samples(*range(9), number=range(1, 10), number_bits=64))
    bench.session.closed("unplugged", bench.now)
    bench.session.opened("x", bench.now)
    items = bench.hear(bench.samples(1, 2, number=[first, first + 1], number_bits=64))
    assert [kind for kind in kinds(items) if kind != "Connected"] == expected
    books = bench.session.books()
    assert books.closes() == []
    assert books.total("s").duplicate == 0
    assert books.total("s").delivered == 11


def test_a_clock_that_begins_again_is_an_inferred_reboot():
    bench = PlainBench(TICKED)
    bench.hear(bench.samples(1, 2, ticks=np.array([100000, 100020], np.uint64)))
    items = bench.hear(bench.samples(3, 4, ticks=np.array([5, 25], np.uint64)))
    assert kinds(items) == ["Rebooted", "Batch"]
    assert items[1].ticks.tolist() == [5, 25]


def test_samples_that_the_board_calls_bad_are_no_samples():
    bench = PlainBench(COUNTED)
    good = np.array([True, True, False, False, True])
    items = bench.hear(bench.samples(1, 2, 3, 4, 5, number=[0, 1, 2, 3, 4], valid=good))
    assert kinds(items) == ["Batch", "Gap", "Batch"]
    assert (items[1].first, items[1].count, items[1].cause) == (2, 2, "invalid")
    books = bench.session.books()
    assert books.closes() == []
    assert (books.streams["s", 0].invalid, books.streams["s", 0].delivered) == (2, 3)


def test_held_back_samples_keep_the_time_of_their_arrival():
    bench = PlainBench(PLAIN)
    (batch,) = bench.hear(bench.samples(1, 2, arrived=[T0 + 5, T0 + 9]))
    assert batch.t_ns.tolist() == [T0 + 5, T0 + 9]


def test_an_identity_that_grows_is_told_again_without_a_new_boot():
    bench = PlainBench(PLAIN)
    bigger = BoardInfo("unknown", "", "", (PLAIN, IMU), "plain")
    (connected,) = bench.hear(Described(bigger), Text("hello"))[:1]
    assert (connected.info, connected.boot) == (bigger, 0)
