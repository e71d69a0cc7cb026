"""The books: sums that close, unknown that stays unknown."""

from dataclasses import replace

from firmware_bridge.ledger import Books, Ledger, SampleBooks


def test_an_empty_ledger_closes():
    assert Ledger().freeze({}, 0).closes() == []


def test_bytes_that_are_nowhere_are_told():
    ledger = Ledger()
    ledger.bytes_received = 10
    assert ledger.freeze({"frames": 7, "crc": 2}, 1).closes() == []
    assert ledger.freeze({"frames": 7}, 1).closes() == ["bytes received 10 are not 7 in buckets + 1 pending"]


def test_samples_that_are_nowhere_are_told_for_each_side():
    good = SampleBooks(received=9, delivered=7, duplicate=1, late=1, expected=10, lost=2, unattributed=1)
    assert good.closes("imu") == []
    assert "received 8" in replace(good, received=8).closes("imu (boot 0)")[0]
    assert "expected 11" in replace(good, expected=11).closes("imu (boot 0)")[0]
    books = Books(streams={("imu", 2): replace(good, delivered=6)})
    assert [sentence[:14] for sentence in books.closes()] == ["imu (boot 2): "] * 2


def test_what_rests_on_numbers_is_unknown_without_them_and_never_0():
    ledger = Ledger()
    count = ledger.of("imu", 0, counted=False)
    count.received = count.delivered = 5
    books = ledger.freeze({}, 0).streams["imu", 0]
    assert (books.received, books.delivered) == (5, 5)
    assert {books.duplicate, books.late, books.expected, books.lost, books.unattributed} == {None}
    assert books.missing is None
    assert books.closes("imu") == []


def test_a_status_divides_what_is_missing_between_board_host_and_link():
    ledger = Ledger()
    count = ledger.of("imu", 0)
    count.expected = count.unattributed = 10
    assert count.attribute(10, dropped=3, stalled=4) == 3
    books = ledger.freeze({}, 0).streams["imu", 0]
    assert (books.board_dropped, books.host_dropped, books.lost, books.unattributed) == (3, 4, 3, 0)
    count.expected += 5
    count.unattributed += 5
    assert count.attribute(4, dropped=9, stalled=4) == 4
    books = ledger.freeze({}, 0).streams["imu", 0]
    assert (books.board_dropped, books.host_dropped, books.lost, books.unattributed) == (7, 4, 3, 1)
    assert books.closes("imu") == []


def test_a_frozen_copy_does_not_change_later():
    ledger, buckets = Ledger(), {"frames": 1}
    ledger.bytes_received = 1
    ledger.of("imu", 0).received = 1
    books = ledger.freeze(buckets, 0)
    ledger.of("imu", 0).received = 2
    ledger.bytes_received = 2
    buckets["frames"] = 5
    assert (books.bytes_received, books.buckets["frames"], books.streams["imu", 0].received) == (1, 1, 1)


def test_boots_that_ended_keep_their_books():
    ledger = Ledger()
    ledger.of("imu", 0).received = 3
    ledger.end_boot()
    ledger.of("imu", 1).received = 4
    books = ledger.freeze({}, 0)
    assert {key: each.received for key, each in books.streams.items()} == {("imu", 0): 3, ("imu", 1): 4}
    assert books.total("imu").received == 7


def test_a_total_over_boots_is_unknown_where_one_of_them_is():
    books = Books(streams={("a", 0): SampleBooks(lost=3), ("a", 1): SampleBooks(lost=None), ("b", 0): SampleBooks()})
    assert books.total("a").lost is None
    assert books.total("a").delivered == 0
    assert books.total("b").lost == 0


def test_books_travel_as_plain_values():
    ledger = Ledger()
    ledger.bytes_received = 12
    ledger.of("imu", 1).received = 3
    ledger.of("txt", 0, counted=False).received = 2
    books = ledger.freeze({"frames": 12}, 0, frames_lost=4)
    assert Books.from_dict(books.as_dict()) == books
    assert Books.from_dict({**books.as_dict(), "newer": 1}).frames_lost == 4
