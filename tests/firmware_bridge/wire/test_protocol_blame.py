"""Whose fault it was: what is missing is attributed, damage is counted, answers and pings are told."""

import pytest
from cobs import cobs
from protocol_bench import MS, NONCE, T0, Bench, books, kinds, numbers, only

from firmware_bridge.events import (
    ClockReading,
    Damage,
    Gap,
    Log,
    Reply,
    Stall,
    Status,
)
from firmware_bridge.wire.messages import Kind, Message


def test_a_status_attributes_what_is_missing():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10), bench.board.samples(15, 5), bench.board.samples(30, 5))
    assert (books(bench).unattributed, books(bench).lost) == (15, 0)
    status = only(bench.hear(bench.board.status(NONCE, (0, 35, 4))), Status)
    assert status.fields["streams"]["imu"]["dropped"] == 4
    made = books(bench)
    assert (made.board_dropped, made.lost, made.unattributed, made.host_dropped) == (4, 11, 0, 0)


def test_what_vanished_while_the_host_had_stopped_reading_is_the_hosts():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    assert bench.apply("stall", b"5000000") == [Stall("toy", bench.now, 5_000_000)]
    assert only(bench.hear(bench.board.samples(20, 5)), Gap).cause == "stalled"
    bench.hear(bench.board.status(NONCE, (0, 25, 3)))
    assert (books(bench).board_dropped, books(bench).host_dropped, books(bench).lost) == (3, 7, 0)


def test_a_drop_that_is_told_before_its_gap_shows_is_still_the_boards():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10), bench.board.status(NONCE, (0, 15, 5)), bench.board.samples(15, 5))
    assert books(bench).unattributed == 5
    bench.hear(bench.board.status(NONCE, (0, 20, 5)))
    assert (books(bench).board_dropped, books(bench).lost) == (5, 0)


def test_a_run_joined_in_the_middle_expects_nothing_from_before_and_blames_nobody_for_what_cannot_be_told():
    bench = Bench().start()
    bench.apply("begin", b"")
    items = bench.hear(bench.board.samples(5000, 10), bench.board.samples(5020, 5))
    assert numbers(items) == [*range(5000, 5010), *range(5020, 5025)]
    assert books(bench).expected == 25
    bench.hear(bench.board.status(NONCE, (0, 5025, 900)), bench.board.samples(5030, 5))
    assert (books(bench).board_dropped, books(bench).unattributed) == (0, 15)
    bench.hear(bench.board.status(NONCE, (0, 5035, 902)))
    assert (books(bench).board_dropped, books(bench).lost, books(bench).unattributed) == (2, 3, 10)


def test_what_the_board_had_made_and_nobody_saw_is_missing_at_the_end():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10), bench.board.status(NONCE, (0, 16, 0)))
    items = bench.apply("close", b"stopped")
    assert kinds(items) == ["Gap", "Disconnected"]
    assert (items[0].first, items[0].count, items[0].cause) == (10, 6, "tail")
    assert books(bench).expected == 16


def spoilt(frame: bytes) -> bytes:
    """A frame whose checksum is wrong."""
    body = bytearray(cobs.decode(frame[:-1]))
    body[-1] ^= 1
    return cobs.encode(bytes(body)) + b"\0"


def test_damage_is_an_event_and_lone_zeros_are_not():
    bench = Bench().start()
    broken = spoilt(bench.board.samples(0, 5))
    items = bench.hear(b"\0\0", broken)
    assert items == [Damage("toy", bench.now, "crc", len(broken))]
    assert bench.session.books().buckets["idle"] == 2


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_frames_with_a_wrong_checksum_are_told_one_by_one_however_reads_were_cut(cut: int):
    bench = Bench().start()
    frames = [bench.board.samples(5 * at, 5) for at in range(6)]
    for at in (1, 2, 4):
        frames[at] = spoilt(frames[at])
    data = b"".join(frames)
    items = [item for at in range(0, len(data), cut) for item in bench.hear(data[at : at + cut])]
    told = [item for item in items if isinstance(item, Damage)]
    assert [(item.kind, item.count) for item in told] == [("crc", len(frames[at])) for at in (1, 2, 4)]


def test_frames_lost_by_their_numbers_are_in_the_books():
    bench = Bench().start()
    bench.board.samples(0, 15)
    bench.hear(bench.board.samples(15, 5))
    assert bench.session.books().frames_lost == 3


def test_pings_date_the_boards_clock():
    bench = Bench().start()
    for token in range(1, 30):
        bench.write(Message(Kind.PING, {"token": token}))
        tick = (bench.now - T0) // 1000
        reading = only(
            bench.hear(bench.board.say(Kind.PONG, token=token, tick_received=tick, tick_sent=tick)), ClockReading
        )
        assert (reading.sent_ns, reading.tick, reading.received_ns) == (bench.now - MS, tick, bench.now)
        bench.now += 100 * MS
    assert bench.session.clock().exchanges == 29
    assert abs(bench.session.clock().drift_ppm) < 1


def test_the_boards_own_turn_around_is_taken_off_a_ping():
    bench = Bench().start()
    bench.write(Message(Kind.PING, {"token": 1}))
    reading = only(
        bench.hear(bench.board.say(Kind.PONG, token=1, tick_received=2**32 - 100, tick_sent=100)), ClockReading
    )
    assert reading.received_ns == bench.now - 200_000


def test_a_pong_that_nobody_asked_for_dates_nothing():
    bench = Bench().start()
    assert bench.hear(bench.board.say(Kind.PONG, token=9, tick_received=1, tick_sent=1)) == []


def test_answers_are_told():
    bench = Bench().start()
    board = bench.board
    items = bench.hear(board.say(Kind.CREDIT, stream=0, total=64), board.say(Kind.LOG, b"warm", level=2, tick=0))
    assert items == [
        Reply("toy", bench.now, "CREDIT", {"stream": 0, "total": 64}),
        Log("toy", bench.now, "warning", "warm"),
    ]
