"""The conversation across boots: reboots, reconnects, lost acknowledgements, runs that somebody else began."""

import pytest
from protocol_bench import NONCE, Bench, books, kinds, numbers, only

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Gap,
    Rebooted,
)
from firmware_bridge.wire.messages import Kind, Message


def test_the_same_nonce_after_an_unplug_is_a_reconnect_and_the_gap_is_the_links():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    assert kinds(bench.apply("close", b"unplugged")) == ["Disconnected"]
    bench.open()
    items = bench.hear(bench.board.hello(nonce=NONCE), bench.board.samples(30, 5))
    assert kinds(items) == ["Connected", "Gap", "Batch"]
    assert items[1].cause == "disconnected"
    assert bench.session.boot == 0
    assert (books(bench).expected, books(bench).unattributed) == (35, 20)


@pytest.mark.parametrize("nonce", [0, 12345])
def test_another_nonce_is_a_reboot_and_numbers_begin_again(nonce):
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    items = bench.hear(bench.board.hello(nonce=nonce))
    assert only(items, Rebooted) == Rebooted("toy", bench.now, 1, False)
    assert Kind.START in bench.said()
    bench.write(Message(Kind.START, {"nonce": NONCE + 1, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.ack(Kind.START), bench.board.samples(0, 5))
    batch = only(items, Batch)
    assert (batch.first, batch.boot) == (0, 1)
    assert books(bench, boot=1).delivered == 5
    assert books(bench, boot=0).delivered == 10


def test_a_status_under_nonce_0_is_a_reboot_that_no_hello_told():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    assert kinds(bench.hear(bench.board.status(0, (0, 0, 0)))) == ["Rebooted", "Status"]


def test_the_nonce_of_each_boot_is_another():
    bench = Bench().start()
    bench.hear(bench.board.hello())
    bench.now += 10**9
    data, _ = bench.session.due(bench.now)
    starts = [message for message in bench.session.dialect.sent(data) if message.kind == Kind.START]
    assert [message.nonce for message in starts] == [NONCE + 1]


def test_samples_of_an_earlier_hosts_run_are_given_to_nobody():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=4711), bench.board.samples(5000, 10))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.samples(5010, 10), bench.board.ack(Kind.START), bench.board.samples(0, 10))
    assert numbers(items) == list(range(10))
    assert Rebooted not in map(type, items)
    assert (books(bench).unstarted, books(bench).delivered, books(bench).expected) == (20, 10, 10)


def test_a_lost_acknowledgement_is_no_harm():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=4711))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.samples(5010, 10), bench.board.samples(0, 10))
    assert numbers(items) == list(range(10))
    assert Kind.START not in bench.said()


def test_a_lost_acknowledgement_and_head_are_made_good_by_the_next_status():
    bench = Bench()
    bench.hear(bench.board.hello())
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    bench.hear(bench.board.samples(5, 5))
    items = bench.hear(bench.board.status(NONCE, (0, 10, 0)))
    assert (only(items, Gap).first, only(items, Gap).count) == (0, 5)
    assert (books(bench).expected, books(bench).lost, books(bench).unattributed) == (10, 5, 0)


def test_a_board_that_only_talks_is_listened_to():
    bench = Bench()
    items = bench.hear(bench.board.hello(), bench.board.samples(1000, 10), bench.board.samples(1015, 5))
    assert numbers(items) == [*range(1000, 1010), *range(1015, 1020)]
    assert books(bench).expected == 20


def test_a_board_that_ran_freely_and_takes_start_is_started_once():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=0), bench.board.samples(500, 10))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.ack(Kind.START), bench.board.samples(0, 10), bench.board.samples(10, 10))
    assert only(items, Rebooted).boot == 1
    assert numbers(items) == list(range(20))
    bench.now += 10**9
    assert Kind.START not in bench.said()
    assert kinds(bench.hear(bench.board.samples(20, 10))) == ["Batch"]
    assert books(bench, boot=1).missing == 0


def test_a_board_that_refuses_start_is_not_asked_again():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=5))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    nak = bench.board.say(Kind.NAK, b"never", of=Kind.START, of_seq=0, reason=1, detail=0)
    items = bench.hear(nak, bench.board.samples(9, 3))
    assert kinds(items) == ["Log", "Reply", "Batch"]
    assert "refused START: never" in items[0].text
    bench.now += 10**10
    assert Kind.START not in bench.said()


def test_a_host_that_starts_anew_begins_a_new_boot():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    bench.write(Message(Kind.START, {"nonce": 999, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.ack(Kind.START), bench.board.samples(0, 5))
    assert only(items, Batch).boot == 1
    assert Gap not in map(type, items)
