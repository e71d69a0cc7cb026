"""The conversation: who is there, and which of its samples came, late, twice or not at all."""

import numpy as np
from protocol_bench import NONCE, Bench, books, kinds, numbers, only
from toy_board import INFO

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Connected,
    Gap,
    Log,
    RateChanged,
)
from firmware_bridge.wire.messages import Kind, Message


def test_a_hello_connects():
    bench = Bench()
    assert bench.said() == [Kind.IDENTIFY]
    connected = only(bench.hear(bench.board.hello()), Connected)
    assert (connected.info, connected.boot, bench.session.info) == (INFO, 0, INFO)
    assert Kind.START in bench.said()


def test_a_second_hello_of_the_same_board_says_nothing():
    bench = Bench().start()
    assert bench.hear(bench.board.hello(nonce=NONCE)) == []


def test_the_wrong_board_is_refused_in_a_sentence_and_delivers_nothing():
    bench = Bench(expect=lambda info: None if info.serial == "S2" else f"{info.serial} answered, S2 was asked for")
    items = bench.hear(bench.board.hello(), bench.board.samples(0, 5))
    assert bench.session.refused == "S1 answered, S2 was asked for"
    assert kinds(items) == ["Log"]
    assert bench.said() == []
    assert books(bench).unstarted == 5
    bench.open()
    assert bench.session.refused == ""
    assert bench.said() == [Kind.IDENTIFY]


def test_a_newer_board_is_refused_with_an_error_line():
    bench = Bench()
    log = only(bench.hear(bench.board.hello(version=9)), Log)
    assert log.level == "error"
    assert "version 9" in bench.session.refused
    assert bench.session.info is None


def test_samples_of_one_read_are_one_batch_a_stream():
    bench = Bench().start()
    board = bench.board
    pong = board.say(Kind.PONG, token=1, tick_received=0, tick_sent=0)
    items = bench.hear(board.samples(0, 20), board.samples(0, 2, stream=1, n=1), pong, board.samples(20, 7))
    imu, ppg = items
    assert (imu.stream.name, imu.first, len(imu), imu.boot, imu.board) == ("imu", 0, 27, 0, "toy")
    assert (ppg.stream.name, ppg.first, len(ppg)) == ("ppg", 0, 2)
    np.testing.assert_array_equal(imu.raw, board.raw(0, 27))
    assert imu.ticks.tolist() == [1000 * k for k in range(27)]
    assert not imu.raw.flags.writeable
    assert not imu.t_ns.flags.writeable


def test_times_never_decrease_and_never_lie_in_the_future():
    bench = Bench().start()
    last = 0
    for k in range(50):
        for item in bench.hear(bench.board.samples(k * 5, 5)):
            assert isinstance(item, Batch)
            assert last <= item.t_ns[0]
            assert (np.diff(item.t_ns) >= 0).all()
            last = int(item.t_ns[-1])
            assert last <= bench.now


def test_a_gap_ends_the_batch_and_says_what_is_missing():
    bench = Bench().start()
    items = bench.hear(bench.board.samples(0, 10), bench.board.samples(15, 5))
    assert kinds(items) == ["Batch", "Gap", "Batch"]
    assert items[1] == Gap("toy", bench.now, "imu", 0, 10, 5, "lost")
    assert numbers(items) == [*range(10), *range(15, 20)]


def test_a_lost_head_is_missing_because_start_numbers_from_0():
    bench = Bench().start()
    assert only(bench.hear(bench.board.samples(7, 3)), Gap).first == 0
    assert books(bench).expected == 10


def test_late_and_duplicate_samples_are_counted_and_retract_nothing():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 5), bench.board.samples(10, 5))
    assert bench.hear(bench.board.samples(5, 5), bench.board.samples(10, 5)) == []
    made = books(bench)
    assert (made.late, made.duplicate, made.delivered, made.unattributed) == (5, 5, 10, 5)


def test_numbers_and_ticks_wrap_without_a_gap():
    bench = Bench()
    bench.hear(bench.board.hello())
    first = 2**32 - 10
    items = []
    for block in range(4):
        ticks = 2**32 - 5000 + np.arange(block * 5, block * 5 + 5) * 1000
        items += bench.hear(bench.board.encoder.samples(0, first + block * 5, ticks, bench.board.raw(0, 5), n=5))
    assert numbers(items) == list(range(first, first + 20))
    ticks = np.concatenate([item.ticks for item in items if isinstance(item, Batch)])
    assert (np.diff(ticks) == 1000).all()


def test_a_forged_jump_does_not_make_everything_after_it_late():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 5))
    assert bench.hear(bench.board.samples(3_000_000_000, 1)) == []
    assert numbers(bench.hear(bench.board.samples(5, 5))) == [5, 6, 7, 8, 9]
    assert books(bench).late == 1


def test_a_changed_rate_ends_the_batch():
    bench = Bench().start()
    bench.write(Message(Kind.SET_RATE, {"stream": 0, "rate_mhz": 500_000}))
    seq = 1
    board = bench.board
    items = bench.hear(board.samples(0, 5), board.ack(Kind.SET_RATE, seq), board.samples(5, 5))
    assert [kind for kind in kinds(items) if kind != "Reply"] == ["Batch", "RateChanged", "Batch"]
    changed = only(items, RateChanged)
    assert (changed.stream, changed.first, changed.rate_hz) == ("imu", 5, 500.0)
    assert bench.session.info.stream("imu").rate_hz == 500.0
