"""Samples pushed into a virtual board in place of its sensor's come back as they were, whatever is lost on the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_host import Host, samples

from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.messages import Kind

STIMULUS = np.random.default_rng(4).integers(-30000, 30000, (1200, 6)).astype("<i2")


def push(host: Host, first: int, n: int = 20) -> None:
    host.send(Kind.INJECT, STIMULUS[first : first + n].tobytes(), stream=0, n=n, first=first)


def ready() -> Host:
    host = Host(make_board("imu", {}))
    host.start(nonce=9, injected=1)
    return host


def test_credit_is_told_at_start_and_nothing_is_sent_before_the_first_injected_sample() -> None:
    host = ready()
    assert host.answers(Kind.CREDIT)[-1].total == 256
    assert host.run(0.5) == []
    assert host.status()[0]["starved"] == 0
    push(host, 0)
    host.run(0.1)
    numbers, _, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(20))
    assert (raw == STIMULUS[:20]).all()


def test_a_host_that_keeps_up_starves_nothing_and_every_sample_comes_back_under_its_number() -> None:
    host = ready()
    sent = 0
    while sent < 1000:
        credit = max(message.total for message in host.answers(Kind.CREDIT))
        while sent < 1000 and sent + 20 <= credit:
            push(host, sent)
            sent += 20
        host.run(0.05)
    host.run(0.4)
    numbers, ticks, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(1000))
    assert (raw == STIMULUS[:1000]).all()
    assert set(np.diff(ticks[:990])) == {1000}
    row = host.status()[0]
    assert row["consumed"] == 1000
    assert row["credit"] == 1256
    assert row["dropped"] == 0


@settings(max_examples=15)
@given(st.lists(st.booleans(), min_size=10, max_size=120), st.integers(10, 60))
def test_go_back_n_brings_every_sample_in_order_however_frames_are_lost(lost: list[bool], step_ms: int) -> None:
    host = ready()
    expected, drops = 0, iter(lost)
    for _ in range(120):
        at = expected
        while at < 300 and min(at + 20, 300) <= max(message.total for message in host.answers(Kind.CREDIT)):
            if not next(drops, False):
                push(host, at, min(20, 300 - at))
            at += 20
        host.run(step_ms / 1000)
        for nak in host.answers(Kind.NAK):
            assert nak.reason == 6
        row = host.status()[0]
        expected = row["consumed"]  # go back to what was surely used; what was taken before is passed over
        if expected >= 300:
            break
    numbers, _, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(300))
    assert (raw == STIMULUS[:300]).all()


def test_a_hole_is_refused_with_the_number_expected_next() -> None:
    host = ready()
    push(host, 0)
    push(host, 40)
    nak = host.answers(Kind.NAK)[-1]
    assert (nak.of, nak.reason, nak.detail) == (Kind.INJECT, 6, 20)


def test_more_than_there_is_room_for_is_refused() -> None:
    host = ready()
    for first in range(0, 260, 20):
        push(host, first)
    nak = host.answers(Kind.NAK)[-1]
    assert (nak.reason, nak.detail) == (5, 240)


def test_a_starved_slot_passes_and_the_next_sample_keeps_its_number() -> None:
    host = ready()
    push(host, 0)
    host.run(0.2)  # room for 200 samples; 20 were there
    push(host, 20)
    host.run(0.1)
    numbers, ticks, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(40))
    assert (raw == STIMULUS[:40]).all()
    row = host.status()[0]
    assert row["starved"] >= 170
    assert ticks[20] - ticks[19] >= 170_000


@pytest.mark.parametrize(("stream", "n", "length"), [(3, 1, 12), (0, 2, 12), (0, 1, 11)])
def test_injection_that_makes_no_sense_is_refused(stream: int, n: int, length: int) -> None:
    host = ready()
    host.send(Kind.INJECT, bytes(length), stream=stream, n=n, first=0)
    assert host.answers(Kind.NAK)[-1].reason == 3


def test_a_stream_that_reads_its_sensor_takes_no_injection() -> None:
    host = Host(make_board("imu", {}))
    host.start()
    push(host, 0)
    assert host.answers(Kind.NAK)[-1].reason == 3
