"""The conversation live and replayed alike: the same bytes give the same items, under any damage."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_bench import MS, NONCE, T0, Bench, only
from toy_board import ToyBoard

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Arrival,
    Disconnected,
    Gap,
    Item,
    Rebooted,
)
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session


def story() -> list[Arrival]:
    """A live run with everything in it."""
    bench = Bench().start()
    board = bench.board
    for k in range(12):
        bench.write(Message(Kind.PING, {"token": k + 1}))
        pong = board.say(Kind.PONG, token=k + 1, tick_received=k * 1000, tick_sent=k * 1000 + 5)
        bench.hear(board.samples(k * 12, 10), pong, board.samples(k, 1, stream=1), b"\0noise")
    bench.hear(board.status(NONCE, (0, 144, 3)))
    bench.apply("close", b"unplugged")
    bench.open()
    bench.hear(b"tail\0", board.hello(nonce=NONCE), board.samples(200, 10))
    bench.apply("stall", b"77")
    bench.hear(board.samples(230, 5), board.hello())
    bench.write(Message(Kind.START, {"nonce": 5, "streams": 0, "injected": 0}))
    bench.hear(board.ack(Kind.START), board.samples(0, 30))
    return bench.history


def same(one: Item, other: Item) -> bool:
    if not isinstance(one, Batch) or not isinstance(other, Batch):
        return one == other
    return (one.board, one.stream, one.boot, one.first) == (other.board, other.stream, other.boot, other.first) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("ticks", "t_ns", "raw")
    )


def test_a_replay_of_the_bytes_gives_the_items_and_books_of_the_live_run():
    live = story()
    session = Session("toy", NativeDialect(), nonce=NONCE)
    for arrival in live:
        again = session.apply(Arrival("toy", arrival.seq, arrival.t_ns, arrival.kind, arrival.data))
        assert len(again.items) == len(arrival.items)
        assert all(map(same, again.items, arrival.items))
        assert again.books == arrival.books
    assert sum(isinstance(item, Rebooted) for arrival in live for item in arrival.items) == 1


def test_what_due_proposes_changes_nothing_that_is_heard():
    live = story()
    session = Session("toy", NativeDialect(), nonce=NONCE)
    for arrival in live:
        session.due(arrival.t_ns - 1)
        again = session.apply(Arrival("toy", arrival.seq, arrival.t_ns, arrival.kind, arrival.data))
        assert all(map(same, again.items, arrival.items))


@settings(max_examples=80)
@given(st.integers(0, 2**32))
def test_under_any_damage_both_sides_of_the_books_agree(seed):
    rng = random.Random(seed)
    session = Session("toy", NativeDialect(), nonce=NONCE)
    delivered: dict[tuple[str, int], int] = {}
    missing: dict[tuple[str, int], int] = {}
    fed = 0
    for arrival in story():
        raw = bytearray(arrival.data)
        if arrival.kind == "rx" and raw and rng.random() < 0.5:
            at, how, long = rng.randrange(len(raw)), rng.randrange(5), rng.randrange(1, 200)
            if how == 0:
                raw[at] ^= 1 << rng.randrange(8)
            elif how == 1:
                del raw[at : at + long]
            elif how == 2:
                raw[at:at] = raw[at : at + long]
            elif how == 3:
                raw[at:at] = rng.randbytes(10)
            else:
                del raw[at:]
        fed += len(raw) if arrival.kind == "rx" else 0
        again = session.apply(Arrival("toy", arrival.seq, arrival.t_ns, arrival.kind, bytes(raw)))
        assert again.books.closes() == []
        assert again.books.bytes_received == fed
        for item in again.items:
            if isinstance(item, Batch):
                key = item.stream.name, item.boot
                delivered[key] = delivered.get(key, 0) + len(item)
            elif isinstance(item, Gap):
                key = item.stream, item.boot
                missing[key] = missing.get(key, 0) + (item.count or 0)
    for key, count in again.books.streams.items():
        assert count.delivered == delivered.get(key, 0)
        assert count.missing == missing.get(key, 0)


def test_silence_brings_identify_and_pings_slow_down_after_a_minute():
    bench = Bench().start()
    said: list[tuple[int, Kind]] = []
    for second in range(0, 70_000, 50):
        bench.now = T0 + second * MS
        if second < 65_000:
            bench.session.received(b"\0", bench.now)
        said += [(second, kind) for kind in bench.said()]
    early = sum(kind == Kind.PING for when, kind in said if when < 30_000)
    late = sum(kind == Kind.PING for when, kind in said if 62_000 <= when < 65_000)
    assert 250 <= early <= 301
    assert late == 3
    assert Kind.IDENTIFY not in [kind for when, kind in said if 1000 < when < 65_000]
    assert Kind.IDENTIFY in [kind for when, kind in said if when >= 67_000]
    assert 30 <= sum(kind == Kind.GET_STATUS for _, kind in said) <= 36


def test_a_loss_brings_a_status_soon():
    bench = Bench().start()
    bench.now += 10**9
    bench.said()
    bench.hear(bench.board.samples(0, 5), bench.board.samples(50, 5))
    bench.now += 250 * MS
    assert Kind.GET_STATUS in bench.said()


def test_disconnected_says_why():
    bench = Bench()
    assert only(bench.apply("close", "Kabel gelöst".encode()), Disconnected).reason == "Kabel gelöst"


@pytest.mark.fuzz
@pytest.mark.timeout(120)
def test_any_well_framed_nonsense_for_some_seconds_closes_the_books_and_raises_nothing():
    rng = random.Random(7)
    ends, rounds = time.monotonic() + 5, 0
    while rounds <= 5 or time.monotonic() < ends:  # a slow machine takes longer for as many
        board = ToyBoard(rng.choice([16, 32]), rng.choice([60, 500]), tick_hz=rng.choice([0, 1, 10**6, 2**32 - 1]))
        bench = Bench(board)
        for _ in range(40):
            bench.now += rng.choice([0, 10**6, 10**12])
            bench.hear(nonsense(rng, board))
            if rng.random() < 0.2:
                bench.apply("tx", bench.session.due(bench.now)[0])
            if rng.random() < 0.05:
                bench.apply("close", b"gone")
                bench.open()
            assert bench.session.books().closes() == []
            bench.session.clock()
        rounds += 1


def nonsense(rng: random.Random, board: ToyBoard) -> bytes:
    """A frame with a right checksum that no sane board would send, or nearly."""
    payload, which = board.encoder.payload, rng.randrange(7)
    flags = rng.choice([0, 0, 0, 4, 8, 12])
    if which == 0:
        n, first = rng.randrange(1, 9), rng.choice([rng.randrange(50), rng.randrange(2**32)])
        tick = rng.randbytes(8 if flags & 8 else 4)
        deltas = rng.randbytes(2 * n if flags & 4 else 0)
        return payload(Kind.SAMPLES, flags, bytes([0, n]) + first.to_bytes(4, "little") + tick + deltas + bytes(4 * n))
    if which == 1:
        return board.hello(nonce=rng.choice([0, NONCE, 5]))
    if which == 2:
        return board.ack(rng.choice([Kind.START, Kind.SET_RATE]), rng.randrange(4))
    if which == 3:
        return board.status(rng.choice([0, NONCE]), (0, rng.randrange(2**32), rng.randrange(2**32)))
    if which == 4:
        return payload(Kind.PONG, 8, rng.randrange(3).to_bytes(4, "little") + rng.randbytes(16))
    if which == 5:
        return payload(rng.randrange(1, 10), flags, rng.randbytes(rng.randrange(40)))
    return rng.randbytes(20)
